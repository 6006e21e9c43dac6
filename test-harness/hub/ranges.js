// SPDX-License-Identifier: Apache-2.0
// Byte ranges and conditional requests for one representation of a file.

import { PIECE_BYTES, streamOf } from './content.js';
import { rangeNotSatisfiable } from './errors.js';

/**
 * Serves a file as 200, 206, 304 or 416.
 * @param {Request} request
 * @param {import('./content.js').Content} content
 * @param {string} etag with its quotes
 * @param {Record<string, string>} headers
 */
export function serveContent(request, content, etag, headers) {
  const common = { ...headers, ETag: etag, 'Accept-Ranges': 'bytes' };
  if (matches(request.headers.get('if-none-match'), etag)) {
    return new Response(null, { status: 304, headers: common });
  }
  const ifRange = request.headers.get('if-range');
  const range = ifRange === null || (ifRange === etag && !etag.startsWith('W/'))
    ? parseRange(request.headers.get('range'), content.size) : null;
  if (range === 'unsatisfiable') return rangeNotSatisfiable(content.size);

  const [start, end] = range ?? [0, content.size];
  const all = { ...common, 'Content-Length': String(end - start) };
  if (range) {
    Object.assign(all, {
      'Content-Range': `bytes ${start}-${end - 1}/${content.size}`,
    });
  }
  const body = request.method === 'HEAD' ? null
    : end - start <= PIECE_BYTES
      ? /** @type {Uint8Array<ArrayBuffer>} */ (content.read(start, end))
      : streamOf(content, start, end);
  return new Response(body, { status: range ? 206 : 200, headers: all });
}

/**
 * @param {string | null} header If-None-Match
 * @param {string} etag
 */
function matches(header, etag) {
  return header !== null && (header.trim() === '*'
    || header.split(',').some((item) => item.trim().replace(/^W\//, '') === etag));
}

/**
 * One range of bytes. Anything else is ignored, as HTTP allows, and the whole
 * file is sent.
 * @param {string | null} header
 * @param {number} size
 * @returns {[number, number] | 'unsatisfiable' | null} half-open
 */
export function parseRange(header, size) {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '');
  if (!match || (match[1] === '' && match[2] === '')) return null;
  if (match[1] === '') {
    const length = Math.min(size, Number(match[2]));
    return length === 0 ? 'unsatisfiable' : [size - length, size];
  }
  const start = Number(match[1]);
  const last = match[2] === '' ? size - 1 : Number(match[2]);
  if (last < start && match[2] !== '') return null;
  if (start >= size) return 'unsatisfiable';
  return [start, Math.min(size, last + 1)];
}
