// SPDX-License-Identifier: Apache-2.0
// The JSON API of one repository: model info, tree, paths-info and refs, and
// `whoami-v2` beside them.

import { linkToNext } from './cursor.js';
import { badRequest, entryNotFound } from './errors.js';
import { isTrue, modelProjection } from './projection.js';
import { hexOf } from './random.js';
import { json, jsonText } from './replies.js';

/** @typedef {import('./repository.js').Repository} Repository */
/** @typedef {import('./repository.js').RepositoryFile} RepositoryFile */

/** Rows of a tree page, without and with `expand`. */
const TREE_PAGE = 1000;
const EXPANDED_TREE_PAGE = 50;

/** Most paths one paths-info request may name. */
const MAX_PATHS = 2000;

/**
 * GET /api/models/{id}[/revision/{revision}]
 * @param {import('./model.js').Model} model
 * @param {Repository} repository
 * @param {string} commit
 * @param {URL} url
 */
export function modelInfo(model, repository, commit, url) {
  const projection = modelProjection(url.searchParams);
  if ('error' in projection) return badRequest(projection.error);
  const info = model.project(projection.keys);
  if (projection.keys.includes('sha')) info.sha = commit;
  if (Array.isArray(info.siblings)) {
    info.siblings = repository.files(commit).map(({ path }) => ({ rfilename: path }));
  }
  if (projection.keys.includes('usedStorage')) {
    info.usedStorage = repository.files(commit)
      .reduce((sum, { size }) => sum + size, 0);
  }
  if (isTrue(url.searchParams, 'blobs')) {
    info.siblings = repository.files(commit).map(blobRow);
  }
  if (isTrue(url.searchParams, 'securityStatus')) {
    info.securityRepoStatus = { scansDone: true, filesWithIssues: [] };
  }
  return json(info);
}

/**
 * GET /api/models/{id}/tree/{revision}[/{path}]
 * @param {Repository} repository
 * @param {string} commit
 * @param {string} path '' for the root
 * @param {URL} url
 */
export function tree(repository, commit, path, url) {
  const params = url.searchParams;
  const expand = isTrue(params, 'expand');
  const most = expand ? EXPANDED_TREE_PAGE : TREE_PAGE;
  const limit = Math.min(most, Number(params.get('limit') ?? most) || most);
  const nodes = nodesBelow(repository.files(commit), path,
    isTrue(params, 'recursive'));
  if (nodes.length === 0 && path !== '') return entryNotFound(commit, 'json');

  const after = decodeTreeCursor(params.get('cursor'));
  const first = after === null ? 0
    : nodes.findIndex((node) => node.path === after) + 1;
  const page = nodes.slice(first, first + limit);
  /** @type {Record<string, string>} */
  const headers = {};
  if (first + limit < nodes.length) {
    const last = page[page.length - 1].path;
    headers.Link = linkToNext(url, encodeTreeCursor(last, commit, limit));
  }
  const rows = page.map((node) => treeRow(node, repository.id, expand));
  return jsonText(JSON.stringify(rows), { headers });
}

/**
 * POST /api/models/{id}/paths-info/{revision}
 * @param {Repository} repository
 * @param {string} commit
 * @param {Request} request
 */
export async function pathsInfo(repository, commit, request) {
  const asked = await readPaths(request);
  if (!asked) return badRequest('Invalid body: paths expected');
  if (asked.paths.length > MAX_PATHS) {
    return badRequest(`Too many paths: at most ${MAX_PATHS}`);
  }
  const nodes = asked.paths.flatMap((path) => nodeAt(repository, commit, path));
  return json(nodes.map((node) => treeRow(node, repository.id, asked.expand)));
}

/**
 * GET /api/models/{id}/refs
 * @param {Repository} repository
 */
export function refs(repository) {
  const branches = [...repository.revisions]
    .filter(([name]) => !name.startsWith('refs/'))
    .map(([name, sha]) => ({ name, ref: `refs/heads/${name}`, targetCommit: sha }));
  return json({ tags: [], branches, converts: [] });
}

/**
 * GET /api/whoami-v2
 * @param {import('./access.js').Identity} identity
 */
export function whoAmI({ name, role, tier }) {
  return json({
    type: 'user', id: hexOf(name, 24), name, fullname: name,
    isPro: tier === 'pro', orgs: [],
    auth: {
      type: 'access_token',
      accessToken: { displayName: `${name}-token`, role },
    },
  });
}

/** @param {RepositoryFile} file */
function blobRow(file) {
  const row = { rfilename: file.path, size: file.size, blobId: file.oid };
  if (!file.isLfs) return row;
  const { sha256, size, pointer } = file;
  return { ...row, lfs: { sha256, size, pointerSize: pointer.length } };
}

/** @typedef {{ path: string, file?: RepositoryFile }} Node */

/**
 * Files and directories below a path, in the order of the tree.
 * @param {RepositoryFile[]} files
 * @param {string} path
 * @param {boolean} recursive
 * @returns {Node[]}
 */
function nodesBelow(files, path, recursive) {
  const prefix = path === '' ? '' : `${path}/`;
  /** @type {Map<string, Node>} */
  const nodes = new Map();
  for (const file of files) {
    if (!file.path.startsWith(prefix)) continue;
    const parts = file.path.slice(prefix.length).split('/');
    const depth = recursive ? parts.length - 1 : Math.min(1, parts.length - 1);
    for (let i = 1; i <= depth; i += 1) {
      const directory = prefix + parts.slice(0, i).join('/');
      nodes.set(directory, { path: directory });
    }
    if (recursive || parts.length === 1) {
      nodes.set(file.path, { path: file.path, file });
    }
  }
  return [...nodes.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

/**
 * @param {Repository} repository
 * @param {string} commit
 * @param {string} path
 * @returns {Node[]} empty when there is nothing of that name
 */
function nodeAt(repository, commit, path) {
  const file = repository.file(commit, path);
  if (file) return [{ path, file }];
  const inside = repository.files(commit)
    .some((f) => f.path.startsWith(`${path}/`));
  return inside ? [{ path }] : [];
}

/**
 * @param {Node} node
 * @param {string} id
 * @param {boolean} expand
 */
function treeRow({ path, file }, id, expand) {
  const extra = expand ? {
    lastCommit: {
      id: hexOf(`${id} commit`, 40), title: 'Upload files',
      date: '2025-01-01T00:00:00.000Z',
    },
    securityFileStatus: { status: 'safe' },
  } : {};
  if (!file) {
    return { type: 'directory', oid: hexOf(`${id}/${path}`, 40), size: 0, path, ...extra };
  }
  const { oid, size } = file;
  if (!file.isLfs) return { type: 'file', oid, size, path, ...extra };
  const lfs = { oid: file.sha256, size, pointerSize: file.pointer.length };
  return { type: 'file', oid, size, lfs, xetHash: file.xetHash, path, ...extra };
}

/**
 * @param {string} fileName
 * @param {string} commit
 * @param {number} limit
 */
function encodeTreeCursor(fileName, commit, limit) {
  const inner = JSON.stringify({ file_name: fileName, tree_oid: commit });
  return base64(`${base64(inner)}:${limit}`);
}

/** @param {string | null} cursor */
function decodeTreeCursor(cursor) {
  if (cursor === null) return null;
  const outer = Buffer.from(cursor, 'base64').toString();
  const inner = Buffer.from(outer.split(':')[0], 'base64').toString();
  return /** @type {string} */ (JSON.parse(inner).file_name);
}

/** @param {string} text */
function base64(text) {
  return Buffer.from(text).toString('base64');
}

/**
 * Accepts JSON and form bodies, as clients send both.
 * @param {Request} request
 * @returns {Promise<{ paths: string[], expand: boolean } | null>}
 */
async function readPaths(request) {
  try {
    if (request.headers.get('content-type')?.includes('json')) {
      const { paths, expand } = await request.json();
      const list = Array.isArray(paths) ? paths : [paths];
      return list.every((path) => typeof path === 'string')
        ? { paths: list, expand: Boolean(expand) } : null;
    }
    const form = new URLSearchParams(await request.text());
    return { paths: form.getAll('paths'), expand: form.get('expand') === 'true' };
  } catch {
    return null;
  }
}
