// SPDX-License-Identifier: Apache-2.0
// What the tests of the manager in Chromium have in common: a Hub with a model
// of several chunks, a server of pages, and a browser that keeps its profile.

import { createHash } from 'node:crypto';

import { startHub } from '../hub/index.js';
import { makeProfile, startChromium } from './browser-process.js';
import { startPageServer } from './page-server.js';

/**
 * What of a page is needed here; Chromium's and Firefox's have it.
 * @typedef {object} Page
 * @property {(act: (argument: any) => any, argument?: any) => Promise<any>}
 *   evaluate argument and result are JSON
 */

/** The chunk of the store. */
export const CHUNK = 16 << 20;

/** Chunks that one download has in flight at the most. */
export const SLOTS = 6;

export const MODEL = 'stage/large';
export const WEIGHTS = 'onnx/model_quantized.onnx';

/** Eight chunks and a bit: more than are in flight. */
export const WEIGHTS_BYTES = 8 * CHUNK + 12_345;

/** @type {[string, any][]} */
const SMALL_FILES = [
  ['config.json', '{"model_type":"llama"}'],
  ['generation_config.json', '{"eos_token_id":2}'],
  ['tokenizer.json', '{"version":"1.0"}'],
  ['tokenizer_config.json', '{"model_max_length":128}'],
];

/**
 * @param {object} [hubOptions]
 */
export async function openStage(hubOptions) {
  const [site, server, profile] = await Promise.all([
    startPageServer(),
    startHub({
      models: 0,
      rateLimits: false,
      repositories: [{
        id: MODEL,
        files: new Map([
          ...SMALL_FILES, [WEIGHTS, { size: WEIGHTS_BYTES, seed: 1 }],
        ]),
      }],
      ...hubOptions,
    }),
    makeProfile(),
  ]);
  const { hub } = server;
  return {
    site,
    server,
    hub,
    url: `${server.url}/${MODEL}/resolve/main/${WEIGHTS}`,
    /** @param {string[]} [args] of the browser */
    start: (args) => startChromium(profile.folder, args),
    /** Requests for parts of the weights, from the |from|th request on. */
    contentRequests: (from = 0) => hub.requests.slice(from)
      .filter(({ url, method }) => (
        method === 'GET' && url.startsWith(`${server.cdnUrl}/`))),
    /** @param {number} [from] */
    bytesSent(from = 0) {
      return this.contentRequests(from)
        .reduce((sum, { bytesSent }) => sum + bytesSent, 0);
    },
    /** The SHA-256 of a file as the Hub has it. @param {string} [path] */
    async sha256(path = WEIGHTS) {
      const response = await fetch(`${server.url}/${MODEL}/resolve/main/${path}`);
      return createHash('sha256')
        .update(Buffer.from(await response.arrayBuffer())).digest('hex');
    },
    async close() {
      await Promise.all([site.close(), server.close()]);
      await profile.remove();
    },
  };
}

/** @typedef {Awaited<ReturnType<typeof openStage>>} Stage */

/**
 * A page with a manager.
 * @param {Stage} stage
 * @param {import('./browser-process.js').Chromium} chromium
 */
export async function openManager(stage, chromium) {
  const page = await chromium.open(`${stage.site.url}/manager.html`);
  await call(page, 'openManager', { hubUrl: stage.server.url });
  return page;
}

/**
 * Calls a function of a page.
 * @param {Page} page
 * @param {string} name
 * @param {unknown} [argument]
 * @returns {Promise<any>}
 */
export function call(page, name, argument) {
  return page.evaluate(
    ([name, argument]) => /** @type {any} */ (globalThis)[name](argument),
    /** @type {[string, any]} */ ([name, argument]));
}

/**
 * Calls a method of the page's manager. Errors come as `failure`.
 * @param {Page} page
 * @param {string} name
 * @param {...any} args
 */
export function ask(page, name, ...args) {
  return call(page, 'callManager', { name, args });
}

/**
 * Waits until something is so, looking after every turn of the event loop.
 * @param {() => boolean} isSo
 */
export async function until(isSo) {
  while (!isSo()) await new Promise((resolve) => { setTimeout(resolve, 1); });
}
