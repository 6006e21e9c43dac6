// SPDX-License-Identifier: Apache-2.0
// File content: /resolve (redirects), /api/resolve-cache (git files), /raw
// (pointers), and the second origin that serves large files.

import { createHmac } from 'node:crypto';

import { heldContent } from './content.js';
import { entryNotFound } from './errors.js';
import { serveContent } from './ranges.js';
import { plainText } from './replies.js';

/** @typedef {import('./repository.js').Repository} Repository */
/** @typedef {import('./repository.js').RepositoryFile} RepositoryFile */

/** How long a signed address works. */
const SIGNATURE_SECONDS = 3600;

const SIGNED_PREFIX = '/xet-bridge-us/';

/** What a client asks for to learn about a file without downloading it. */
const FILE_INFO_TYPE = 'application/vnd.xet-fileinfo+json';

/**
 * @typedef {object} FileRequest
 * @property {Request} request
 * @property {URL} url
 * @property {Repository} repository
 * @property {string} commit
 * @property {string} path
 * @property {import('./faults.js').Rule} fault
 */

/**
 * GET|HEAD /{repo}/resolve/{revision}/{path}
 * @param {FileRequest} target
 * @param {SecondOrigin} cdn
 */
export function resolveFile(target, cdn) {
  const { request, url, repository, commit, path, fault } = target;
  const file = repository.file(commit, path);
  if (!file) return entryNotFound(commit, 'text');
  const headers = {
    'X-Repo-Commit': commit, 'Accept-Ranges': 'bytes',
    ...disposition(url, path),
  };
  if (!file.isLfs) return redirectToCache(target, file, headers);

  const info = {
    ...headers,
    'X-Linked-Size': String(file.size),
    'X-Linked-ETag': `"${file.sha256}"`,
    'X-Xet-Hash': file.xetHash,
    Link: xetLinks(url.origin, repository.id, file),
    'Cache-Control': 'no-store',
  };
  if (request.headers.get('accept')?.includes(FILE_INFO_TYPE)) {
    return fileInfo(file, info);
  }
  const location = cdn.sign(repository, file, fault);
  return redirect(302, location, info);
}

/**
 * GET /api/resolve-cache/models/{repo}/{commit}/{path}: a git file itself.
 * @param {FileRequest} target
 */
export function resolveCache(target) {
  const { request, url, repository, commit, path, fault } = target;
  const file = repository.file(commit, path);
  if (!file || file.isLfs) return entryNotFound(commit, 'text');
  return serveContent(request, file.content, fault.etag ?? `"${file.oid}"`, {
    'X-Repo-Commit': commit, 'Content-Type': 'text/plain; charset=utf-8',
    ...disposition(url, path),
  });
}

/**
 * GET /{repo}/raw/{revision}/{path}: what git stores, pointers included.
 * @param {FileRequest} target
 */
export function rawFile({ request, repository, commit, path }) {
  const file = repository.file(commit, path);
  if (!file) return entryNotFound(commit, 'text');
  const content = file.isLfs ? heldContent(Buffer.from(file.pointer))
    : file.content;
  return serveContent(request, content, `"${file.oid}"`, {
    'X-Repo-Commit': commit, 'Content-Type': 'text/plain; charset=utf-8',
  });
}

/**
 * Whether a path is one of the second origin.
 * @param {string} pathname
 */
export function isSignedPath(pathname) {
  return pathname.startsWith(SIGNED_PREFIX);
}

/** The storage origin: signed addresses that expire, and nothing else. */
export class SecondOrigin {
  /** @type {Map<string, RepositoryFile>} */
  #files = new Map();
  /** @type {number[]} uses left of addresses that are good for a few only */
  #uses = [];
  #now;
  #key;

  /**
   * @param {string} origin
   * @param {() => number} now
   * @param {number} seed
   */
  constructor(origin, now, seed) {
    this.origin = origin;
    this.#now = now;
    this.#key = `signature ${seed}`;
  }

  /**
   * @param {Repository} repository
   * @param {RepositoryFile} file
   * @param {import('./faults.js').Rule} [fault]
   * @returns {string} address that works for an hour
   */
  sign(repository, file, { signedSeconds = SIGNATURE_SECONDS, signedUses } = {}) {
    const path = `${SIGNED_PREFIX}${repository.hash}/${file.xetHash}`;
    this.#files.set(path, file);
    const expires = Math.floor(this.#now() / 1000) + signedSeconds;
    const grant = signedUses === undefined ? ''
      : String(this.#uses.push(signedUses) - 1);
    const query = new URLSearchParams({
      Expires: String(expires),
      'response-content-disposition': `inline; filename*=UTF-8''${
        encodeURIComponent(nameOf(file.path))}`,
      ...(grant && { Grant: grant }),
      Signature: this.#signature(path, expires, grant),
      'Key-Pair-Id': 'SIMULATOR',
    });
    return `${this.origin}${path}?${query}`;
  }

  /**
   * @param {Request} request
   * @param {import('./faults.js').Rule} [fault]
   */
  handle(request, fault = {}) {
    const { pathname, searchParams } = new URL(request.url);
    const expires = Number(searchParams.get('Expires'));
    const grant = searchParams.get('Grant') ?? '';
    const file = this.#files.get(pathname);
    const valid = file && expires * 1000 > this.#now()
      && searchParams.get('Signature') === this.#signature(pathname, expires, grant)
      && this.#spend(grant);
    if (!valid) return accessDenied();
    return serveContent(request, file.content, fault.etag ?? `"${file.xetHash}"`, {
      'Content-Type': 'application/octet-stream',
    });
  }

  /** @param {string} grant */
  #spend(grant) {
    if (grant === '') return true;
    this.#uses[Number(grant)] -= 1;
    return this.#uses[Number(grant)] >= 0;
  }

  /**
   * @param {string} path
   * @param {number} expires
   * @param {string} grant
   */
  #signature(path, expires, grant) {
    return createHmac('sha256', this.#key)
      .update(`${path}\n${expires}\n${grant}`).digest('base64url');
  }
}

/**
 * @param {FileRequest} target
 * @param {RepositoryFile} file
 * @param {Record<string, string>} headers
 */
function redirectToCache({ url, repository, commit, path }, file, headers) {
  const cache = `/api/resolve-cache/models/${repository.id}/${commit}/${
    encodePath(path)}`;
  const query = `?${encodeURIComponent(url.pathname)}=&etag=%22${file.oid}%22`;
  return redirect(307, cache + query, {
    ...headers, 'X-Linked-ETag': `"${file.oid}"`,
  });
}

/**
 * @param {RepositoryFile} file
 * @param {Record<string, string>} headers
 */
function fileInfo(file, headers) {
  const body = JSON.stringify({
    hash: file.xetHash, size: file.size, sha256: file.sha256,
  });
  return new Response(body, {
    headers: {
      ...headers, 'Content-Type': FILE_INFO_TYPE,
      'Content-Length': String(body.length),
    },
  });
}

/**
 * @param {number} status
 * @param {string} location
 * @param {Record<string, string>} headers
 */
function redirect(status, location, headers) {
  const words = status === 302 ? 'Found' : 'Temporary Redirect';
  return plainText(`${words}. Redirecting to ${location}`, {
    status, headers: { ...headers, Location: location, Vary: 'Accept' },
  });
}

/**
 * @param {URL} url
 * @param {string} path
 * @returns {Record<string, string>}
 */
function disposition(url, path) {
  const params = url.searchParams;
  if (params.has('noContentDisposition')) return {};
  const kind = params.get('download') === 'true' ? 'attachment' : 'inline';
  const name = encodeURIComponent(nameOf(path));
  return { 'Content-Disposition': `${kind}; filename*=UTF-8''${name}` };
}

/**
 * @param {string} origin
 * @param {string} id
 * @param {RepositoryFile} file
 */
function xetLinks(origin, id, file) {
  return `<${origin}/api/models/${id}/xet-read-token/main>; rel="xet-auth", `
    + `<${origin}/v1/reconstructions/${file.xetHash}>; `
    + 'rel="xet-reconstruction-info"';
}

function accessDenied() {
  const body = '<?xml version="1.0" encoding="UTF-8"?>\n'
    + '<Error><Code>AccessDenied</Code><Message>Access denied</Message></Error>';
  return new Response(body, {
    status: 403,
    headers: {
      'Content-Type': 'application/xml', 'Content-Length': String(body.length),
    },
  });
}

/** @param {string} path */
function encodePath(path) {
  return path.split('/').map(encodeURIComponent).join('/');
}

/** @param {string} path */
function nameOf(path) {
  return path.slice(path.lastIndexOf('/') + 1);
}
