// SPDX-License-Identifier: Apache-2.0
// What the simulator's tests share: a small Hub in virtual time, and ways to
// ask it.

import { createHub, createVirtualClock } from '../index.js';

export const ORIGIN = 'https://huggingface.co';

/** Enough models for every oddity and every model type. */
const SMALL = 800;

/**
 * @param {import('../hub.js').HubOptions} [options]
 */
export function virtualHub(options = {}) {
  const clock = createVirtualClock();
  const hub = createHub({
    clock, models: SMALL, rateLimits: false, latency: false, ...options,
  });
  /**
   * Fetches under the virtual clock, body included.
   * @param {string} path address, or path on the Hub
   * @param {RequestInit} [init]
   */
  const get = (path, init) => clock.run(readAll(hub, path, init));
  return { clock, hub, get };
}

/**
 * @param {import('../hub.js').Hub} hub
 * @param {string} path
 * @param {RequestInit} [init]
 */
async function readAll(hub, path, init) {
  const url = path.startsWith('http') ? path : ORIGIN + path;
  const response = await hub.fetch(url, init);
  const bytes = new Uint8Array(await response.arrayBuffer());
  const text = new TextDecoder().decode(bytes);
  return {
    status: response.status, headers: response.headers, url: response.url,
    bytes, text, json: () => JSON.parse(text),
  };
}

/**
 * @param {Headers} headers
 * @returns {string | undefined} address of the next page
 */
export function nextLink(headers) {
  return /<(https?:\/\/[^>]*)>;\s+rel="next"/.exec(headers.get('link') ?? '')?.[1];
}

/**
 * Follows a listing to its end.
 * @param {ReturnType<typeof virtualHub>['get']} get
 * @param {string} path
 */
export async function crawl(get, path) {
  /** @type {any[]} */
  const rows = [];
  let pages = 0;
  /** @type {string | undefined} */
  let next = path;
  while (next) {
    const page = await get(next);
    rows.push(...page.json());
    pages += 1;
    next = nextLink(page.headers);
  }
  return { rows, pages };
}

/** @param {string} token */
export function bearer(token) {
  return { headers: { authorization: `Bearer ${token}` } };
}
