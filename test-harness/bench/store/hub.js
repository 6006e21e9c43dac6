// SPDX-License-Identifier: Apache-2.0
// As little of a Hub as a download needs, as fast as Node can send bytes, with
// the pages of the benchmark on the same origin. (The simulator is true to the
// Hub instead.)

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';

import { listen } from '../../listen.js';
import { PACKAGE_DIR } from '../../module-under-test.js';
import { ROOT } from '../../paths.js';
import { randomFrom } from '../pages.js';

const COMMIT = 'b'.repeat(40);
const SEED = 20260104;

/** Of which the weights consist, again and again. */
const BLOCK_BYTES = 1 << 20;

const CONTENT_TYPES = new Map([
  ['.js', 'text/javascript'], ['.wasm', 'application/wasm'],
]);

/** Any path of any repository is the first so many bytes of the same. */
function weights() {
  const random = randomFrom(SEED);
  const words = Uint32Array.from(
    { length: BLOCK_BYTES / 4 }, () => random() * 2 ** 32);
  return Buffer.from(words.buffer);
}

/**
 * @typedef {{ path: string, bytes: number }} BenchFile
 * @typedef {import('node:http').IncomingMessage} Request
 * @typedef {import('node:http').ServerResponse} Response
 */

/**
 * @param {(repo: string) => BenchFile[]} filesOf
 */
export async function startBenchHub(filesOf) {
  const block = weights();
  /** @type {Map<number, string>} */
  const digests = new Map();
  const state = { stallAfter: Infinity, sent: 0 };

  const digestOf = (/** @type {number} */ bytes) => {
    const known = digests.get(bytes);
    if (known) return known;
    const hash = createHash('sha256');
    for (let at = 0; at < bytes; at += BLOCK_BYTES) {
      hash.update(block.subarray(0, Math.min(BLOCK_BYTES, bytes - at)));
    }
    const digest = hash.digest('hex');
    digests.set(bytes, digest);
    return digest;
  };

  /** @param {Response} response @param {unknown} value */
  const sendJson = (response, value) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(value));
  };

  /**
   * @param {number} from
   * @param {number} to
   */
  const bytesOf = function* bytesOf(from, to) {
    for (let at = from; at < to;) {
      const start = at % BLOCK_BYTES;
      const end = Math.min(BLOCK_BYTES, start + to - at);
      at += end - start;
      state.sent += end - start;
      yield block.subarray(start, end);
    }
  };

  /**
   * Sends until the reader has gone, or nothing more is to be sent.
   * @param {Response} response
   * @param {Iterable<Buffer>} pieces
   */
  const send = (response, pieces) => {
    const iterator = pieces[Symbol.iterator]();
    const go = () => {
      while (state.sent < state.stallAfter) {
        const { done, value } = iterator.next();
        if (done) return response.end();
        if (!response.write(value)) return undefined;
      }
      return undefined;
    };
    response.on('drain', go);
    go();
  };

  /**
   * @param {Request} request
   * @param {Response} response
   * @param {string} repo
   * @param {string} path
   */
  const sendFile = (request, response, repo, path) => {
    const file = filesOf(repo).find((file) => file.path === path);
    if (!file) return response.writeHead(404).end();
    const range = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? '');
    const from = Number(range?.[1] ?? 0);
    const to = range ? Number(range[2]) + 1 : file.bytes;
    response.writeHead(range ? 206 : 200, {
      'content-type': 'application/octet-stream',
      'content-length': to - from,
      etag: `"${digestOf(file.bytes)}"`,
      ...(range && { 'content-range': `bytes ${from}-${to - 1}/${file.bytes}` }),
    });
    return send(response, bytesOf(from, to));
  };

  /** @param {Response} response @param {string} pathname */
  const sendSource = async (response, pathname) => {
    const path = pathname.startsWith('/dist/')
      ? join(PACKAGE_DIR, pathname.slice('/dist/'.length))
      : join(ROOT, pathname);
    response.setHeader('content-type',
      CONTENT_TYPES.get(extname(path)) ?? 'text/html');
    response.end(pathname === '/' ? '<!doctype html>' : await readFile(path));
  };

  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://bench');
    const [, api, repo] =
      /^\/api\/models\/([^/]+\/[^/]+)\/(?:revision|tree)/.exec(pathname)
        ? [, pathname.includes('/tree/') ? 'tree' : 'revision',
          pathname.split('/').slice(3, 5).join('/')] : [];
    const file = /^\/([^/]+\/[^/]+)\/resolve\/[^/]+\/(.+)$/.exec(pathname);
    if (api === 'revision') {
      sendJson(response, { sha: COMMIT, pipeline_tag: 'text-generation' });
    } else if (api === 'tree') {
      sendJson(response, filesOf(repo ?? '').map(({ path, bytes }) => ({
        type: 'file', path, size: bytes, oid: 'c'.repeat(40),
        lfs: { oid: digestOf(bytes), size: bytes, pointerSize: 130 },
      })));
    } else if (file) {
      sendFile(request, response, file[1], file[2]);
    } else {
      sendSource(response, pathname).catch(() => {
        response.writeHead(404).end();
      });
    }
  });
  return { state, ...await listen(server) };
}
