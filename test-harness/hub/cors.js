// SPDX-License-Identifier: Apache-2.0
// Cross-origin rules: what the Hub and its second origin allow a page to ask
// and to read, and the hiding a browser does with the rest.

const HUB_ORIGIN = 'https://huggingface.co';

/** Readable by page JavaScript; the quota headers are not among them. */
const EXPOSED = [
  'X-Repo-Commit', 'X-Request-Id', 'X-Error-Code', 'X-Error-Message',
  'X-Total-Count', 'ETag', 'Link', 'Accept-Ranges', 'Content-Range',
  'X-Linked-Size', 'X-Linked-ETag', 'X-Xet-Hash',
];

/** Always readable, by the fetch standard. */
const SAFELISTED = new Set([
  'cache-control', 'content-language', 'content-length', 'content-type',
  'expires', 'last-modified', 'pragma',
]);

/** Request headers that need no preflight, by the fetch standard. */
const SIMPLE_REQUEST = new Set(['accept', 'accept-language', 'content-language']);
const SIMPLE_RANGE = /^bytes=\d+-\d*$/;
const SIMPLE_TYPE = new RegExp('^(application/x-www-form-urlencoded'
  + '|multipart/form-data|text/plain)\\b');

/**
 * @param {Headers} headers of the reply, changed in place
 * @param {Request} request
 */
export function addHubHeaders(headers, request) {
  const origin = request.headers.get('origin');
  headers.set('Access-Control-Allow-Origin', origin ?? HUB_ORIGIN);
  headers.append('Vary', 'Origin');
  headers.set('Access-Control-Max-Age', '86400');
  headers.set('Access-Control-Expose-Headers', EXPOSED.join(','));
}

/** @param {Headers} headers of the reply, changed in place */
export function addSecondOriginHeaders(headers) {
  headers.set('Access-Control-Allow-Origin', '*');
  headers.set('Access-Control-Expose-Headers', '*');
}

/** @param {Request} request */
export function isPreflight(request) {
  return request.method === 'OPTIONS'
    && request.headers.has('access-control-request-method');
}

/** @param {Request} request */
export function preflightReply(request) {
  const wanted = request.headers.get('access-control-request-headers');
  const headers = new Headers({
    'Access-Control-Allow-Methods': 'GET,HEAD,POST,PUT,DELETE,PATCH',
  });
  if (wanted) headers.set('Access-Control-Allow-Headers', wanted);
  return new Response(null, { status: 204, headers });
}

/**
 * The second origin was reported (January 2026) to refuse preflights, so a page
 * can send it no header that needs one. Some deployments may be kinder.
 * @param {Request} request
 * @param {boolean} allows
 */
export function secondOriginPreflight(request, allows) {
  return allows ? preflightReply(request) : new Response(null, { status: 403 });
}

/**
 * Names of request headers for which a browser asks first.
 * @param {Headers} headers
 */
export function preflightedNames(headers) {
  return [...headers].filter(([name, value]) => !isSimple(name, value))
    .map(([name]) => name);
}

/**
 * @param {string} name
 * @param {string} value
 */
function isSimple(name, value) {
  if (name === 'range') return SIMPLE_RANGE.test(value);
  if (name === 'content-type') return SIMPLE_TYPE.test(value);
  // The browser itself sends the origin.
  return SIMPLE_REQUEST.has(name) || name === 'origin';
}

/**
 * What a page may read of a cross-origin reply.
 * @param {Headers} headers
 */
export function visibleToPage(headers) {
  const listed = (headers.get('access-control-expose-headers') ?? '')
    .toLowerCase().split(',').map((name) => name.trim());
  const visible = new Headers();
  for (const [name, value] of headers) {
    if (SAFELISTED.has(name) || listed.includes('*') || listed.includes(name)) {
      visible.append(name, value);
    }
  }
  return visible;
}
