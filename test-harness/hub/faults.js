// SPDX-License-Identifier: Apache-2.0
// Things that go wrong on purpose. A rule says which requests it hits and what
// happens to them; rules are plain data, so another process can set them.

import { gzipSync } from 'node:zlib';

import { pause } from './clock-pause.js';
import { hostileBody } from './hostile.js';
import { MAX_LIMIT } from './listing.js';
import { bucketOf, isRedirectTarget } from './rate-limit.js';
import { isSignedPath } from './resolve.js';

/**
 * @typedef {object} Rule
 * @property {string | RegExp} [match] part of the address, or a pattern; a
 *   string of the form `/…/` is a pattern too
 * @property {string} [method]
 * @property {import('./rate-limit.js').Bucket} [bucket]
 * @property {boolean} [content] hit only requests for the bytes of files, not
 *   the redirects that lead there
 * @property {number} [skip] let this many matching requests pass first
 * @property {number} [times] then hit this many (default: all)
 * @property {number} [probability] hit only this share, by the seed
 * @property {number} [limitAbove] hit only pages larger than this
 *
 * @property {number} [status] answer with this status instead
 * @property {string} [body] text that goes with `status`
 * @property {Record<string, string | null>} [headers] set, or with null
 *   remove, headers; names in lower case
 * @property {{ r: number, t: number } | false} [rateLimit] quota headers to
 *   claim, or none
 * @property {number} [delayHeadMs] time before the head of the reply
 * @property {boolean} [stallHead] the reply never comes
 * @property {number} [stallAfter] the body stops after so many bytes
 * @property {number} [resetAfter] the connection breaks after so many bytes
 * @property {number} [endAfter] the body ends cleanly after so many bytes
 * @property {{ bytes: number, everyMs: number }} [slow] pace of the body
 * @property {boolean} [keepLength] with `endAfter`: the Content-Length stays
 * @property {number} [corruptAt] a byte of the body that is made invalid
 * @property {boolean} [ignoreRange] the whole file is sent, whatever is asked
 * @property {number} [shiftRange] a range that begins so many bytes later is
 *   sent, and said to be sent
 * @property {string} [etag] of a file, with its quotes; conditions are judged
 *   by it
 * @property {boolean} [gzip] whole bodies are sent compressed
 * @property {number} [signedSeconds] how long the address works that a redirect
 *   leads to
 * @property {number} [signedUses] how many requests it works for
 * @property {{ kind: import('./hostile.js').HostileKind, size?: number }}
 *   [hostile] JSON made to hurt
 * @property {number} [shiftPage] listing pages skip (> 0) or repeat rows
 * @property {boolean} [linkLoop] the next listing page is the same page
 */

/** @typedef {import('./virtual-clock.js').Clock} Clock */

/**
 * @typedef {object} ActiveRule
 * @property {Rule} rule
 * @property {string | RegExp} pattern
 * @property {number} seen matching requests so far
 * @property {number} hits of these, how many went wrong
 */

/** A byte that no JSON document may contain outside a string. */
const INVALID_BYTE = 0x01;

/** The rules of one Hub. */
export class Faults {
  /** @type {ActiveRule[]} */
  #rules = [];
  #random;

  /** @param {import('./random.js').Random} random */
  constructor(random) {
    this.#random = random;
  }

  /**
   * @param {Rule} rule
   * @returns {{ readonly hits: number, remove: () => void }}
   */
  add(rule) {
    const active = { rule, pattern: patternOf(rule.match), seen: 0, hits: 0 };
    this.#rules.push(active);
    return {
      get hits() { return active.hits; },
      remove: () => { this.#rules = this.#rules.filter((r) => r !== active); },
    };
  }

  clear() {
    this.#rules = [];
  }

  list() {
    return this.#rules.map(({ rule, seen, hits }) =>
      ({ ...rule, match: String(rule.match ?? ''), seen, hits }));
  }

  /**
   * All that goes wrong with this request, later rules winning.
   * @param {Request} request
   * @param {URL} url
   * @returns {Rule}
   */
  match(request, url) {
    /** @type {Rule} */
    const fault = {};
    for (const active of this.#rules) {
      if (applies(active, request, url) && this.#strikes(active)) {
        Object.assign(fault, active.rule);
      }
    }
    return fault;
  }

  /**
   * Counts a matching request and decides whether it is hit.
   * @param {ActiveRule} active
   */
  #strikes(active) {
    const { skip = 0, times = Infinity, probability = 1 } = active.rule;
    active.seen += 1;
    if (active.seen <= skip || active.hits >= times) return false;
    if (probability < 1 && !this.#random.chance(probability)) return false;
    active.hits += 1;
    return true;
  }
}

/**
 * @param {ActiveRule} active
 * @param {Request} request
 * @param {URL} url
 */
function applies({ rule, pattern }, request, url) {
  const { method, bucket, limitAbove, content } = rule;
  if (method && method !== request.method) return false;
  if (bucket && (bucket !== bucketOf(url.pathname)
    || isRedirectTarget(url.pathname))) return false;
  if (content && !isRedirectTarget(url.pathname)
    && !isSignedPath(url.pathname)) return false;
  const limit = Number(url.searchParams.get('limit') ?? MAX_LIMIT);
  if (limitAbove !== undefined && limit <= limitAbove) return false;
  return typeof pattern === 'string' ? url.href.includes(pattern)
    : pattern.test(url.href);
}

/** @param {string | RegExp} match */
function patternOf(match = '') {
  if (match instanceof RegExp) return match;
  const inner = /^\/(.+)\/$/.exec(match);
  return inner ? new RegExp(inner[1]) : match;
}

/**
 * Waits as the rule says, before the head of the reply is sent.
 * @param {Rule} fault
 * @param {Clock} clock
 * @param {AbortSignal} signal of the request: ends the wait
 */
export async function delayHead(fault, clock, signal) {
  if (fault.stallHead) await new Promise(() => {});
  if (fault.delayHeadMs) await pause(clock, fault.delayHeadMs, signal);
}

/**
 * The request as the server takes it.
 * @param {Rule} fault
 * @param {Request} request
 */
export function misread({ ignoreRange, shiftRange }, request) {
  const range = request.headers.get('range');
  if (range === null || !(ignoreRange || shiftRange)) return request;
  const headers = new Headers(request.headers);
  if (ignoreRange) headers.delete('range');
  else {
    headers.set('range', range.replace(/\d+/g,
      (offset) => String(Number(offset) + Number(shiftRange))));
  }
  return new Request(request.url, { method: request.method, headers });
}

/**
 * The reply a rule puts in place of the real one, if it does.
 * @param {Rule} fault
 * @returns {Response | null}
 */
export function replacement(fault) {
  if (fault.hostile) {
    const { kind, size } = fault.hostile;
    return new Response(hostileBody(kind, size), {
      headers: { 'Content-Type': 'application/json; charset=utf-8' },
    });
  }
  if (fault.status === undefined) return null;
  const bodyless = [204, 205, 304].includes(fault.status);
  return new Response(bodyless ? null : fault.body ?? '', {
    status: fault.status, headers: { 'Content-Type': 'text/plain; charset=utf-8' },
  });
}

/**
 * Compresses a reply if the rule says so and the client can read it.
 * @param {Rule} fault
 * @param {Response} response
 * @param {Request} request
 * @returns {Promise<Response>}
 */
export async function encode(fault, response, request) {
  const accepted = request.headers.get('accept-encoding') ?? 'gzip';
  if (!fault.gzip || response.status !== 200 || !response.body
    || !accepted.includes('gzip')) return response;
  const bytes = gzipSync(await response.arrayBuffer());
  const headers = new Headers(response.headers);
  headers.set('Content-Encoding', 'gzip');
  headers.set('Content-Length', String(bytes.length));
  headers.append('Vary', 'Accept-Encoding');
  return new Response(bytes, { status: response.status, headers });
}

/**
 * Changes the headers and the body of a reply as the rule says.
 * @param {Rule} fault
 * @param {Response} response
 * @param {Clock} clock
 * @returns {Response}
 */
export function disturb(fault, response, clock) {
  const headers = new Headers(response.headers);
  if (fault.rateLimit !== undefined) claimQuota(headers, fault.rateLimit);
  for (const [name, value] of Object.entries(fault.headers ?? {})) {
    if (value === null) headers.delete(name);
    else headers.set(name, value);
  }
  const body = disturbsBody(fault) && response.body
    ? disturbedBody(fault, response.body, clock) : response.body;
  // Without a length the end of the body looks intended; after a wrong one
  // only closing tells the client that nothing more follows.
  if (fault.endAfter !== undefined && !fault.keepLength) {
    headers.delete('Content-Length');
  }
  if (fault.keepLength || fault.headers?.['content-length']) {
    headers.set('Connection', 'close');
  }
  return new Response(body, { status: response.status, headers });
}

/**
 * @param {Headers} headers
 * @param {{ r: number, t: number } | false} claim
 */
function claimQuota(headers, claim) {
  const bucket = /"(\w+)"/.exec(headers.get('ratelimit') ?? '')?.[1] ?? 'api';
  for (const name of ['RateLimit', 'RateLimit-Policy', 'Retry-After']) {
    if (!claim) headers.delete(name);
  }
  if (claim) headers.set('RateLimit', `"${bucket}";r=${claim.r};t=${claim.t}`);
}

/** @param {Rule} fault */
function disturbsBody(fault) {
  return fault.stallAfter !== undefined || fault.resetAfter !== undefined
    || fault.endAfter !== undefined || fault.corruptAt !== undefined
    || fault.slow !== undefined;
}

/**
 * @param {Rule} fault
 * @param {ReadableStream<Uint8Array>} source
 * @param {Clock} clock
 * @returns {ReadableStream<Uint8Array>}
 */
function disturbedBody(fault, source, clock) {
  const reader = source.getReader();
  const cut = Math.min(fault.stallAfter ?? Infinity, fault.resetAfter ?? Infinity,
    fault.endAfter ?? Infinity);
  const stopped = new AbortController();
  let sent = 0;
  /** @type {Uint8Array} */
  let rest = new Uint8Array(0);
  return new ReadableStream({
    async pull(controller) {
      if (sent >= cut) return finish(fault, reader, controller);
      if (fault.slow && sent > 0) {
        await pause(clock, fault.slow.everyMs, stopped.signal);
      }
      if (rest.length === 0) {
        const { done, value } = await reader.read();
        if (done) return controller.close();
        rest = value;
      }
      const size = Math.min(rest.length, cut - sent, fault.slow?.bytes ?? Infinity);
      controller.enqueue(corrupted(rest.slice(0, size), sent, fault.corruptAt));
      rest = rest.subarray(size);
      sent += size;
    },
    cancel(reason) {
      stopped.abort();
      return reader.cancel(reason);
    },
  }, { highWaterMark: 0 });
}

/**
 * What happens once the allowed bytes are out.
 * @param {Rule} fault
 * @param {ReadableStreamDefaultReader<Uint8Array>} reader
 * @param {ReadableStreamDefaultController<Uint8Array>} controller
 */
async function finish(fault, reader, controller) {
  if (fault.stallAfter !== undefined) return new Promise(() => {});
  await reader.cancel();
  if (fault.resetAfter !== undefined) {
    controller.error(new TypeError('terminated'));
  } else {
    controller.close();
  }
}

/**
 * @param {Uint8Array} piece
 * @param {number} offset of the piece in the body
 * @param {number} [at] offset of the byte to spoil
 */
function corrupted(piece, offset, at) {
  if (at !== undefined && at >= offset && at < offset + piece.length) {
    const spoilt = piece[at - offset] === INVALID_BYTE ? 0 : INVALID_BYTE;
    piece[at - offset] = spoilt;
  }
  return piece;
}
