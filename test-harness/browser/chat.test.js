// SPDX-License-Identifier: Apache-2.0
// The chat in Chromium: with the builds of onnxruntime-web that suit it, in a
// page and in a worker, with and without the Hub, on either device. Tokens are
// those of Node.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import * as ort from 'onnxruntime-web';

import { MODEL, repositoryOf } from '../chat/world.js';
import { startHub } from '../hub/index.js';
import { makeLlama } from '../models/llama.js';
import { TINY_CHAT, tinyChat } from '../models/tiny-chat.js';
import { MemoryStore } from '../store/memory-store.js';
import { managerOf } from '../store/world.js';
import { makeProfile, startChromium } from './browser-process.js';
import { call } from './manager-stage.js';
import { startPageServer } from './page-server.js';

/** @typedef {import('playwright-core').Page} Page */

/** A load that hangs must not hang the tests. */
const HANG_MS = 120_000;

const WASM_BUNDLE = 'ort.wasm.bundle.min.mjs';
const JSPI_BUNDLE = 'ort.jspi.bundle.min.mjs';

/** Weights of some MB, so that reading them takes a while. */
const LARGE = 'acme/large-chat';
const EXTERNAL = 'acme/external-chat';

const REQUEST = { message: 'What is 9 plus 4?', settings: { do_sample: false } };

/** Random models never end by themselves. */
const ENDLESS = {
  message: 'Hello?',
  settings: { do_sample: false, max_new_tokens: 24, eos_token_id: [] },
};

const REPOSITORIES = [
  tinyChat(),
  { id: MODEL, files: repositoryOf(makeLlama()) },
  { id: EXTERNAL, files: repositoryOf(makeLlama({ externalData: true })) },
  {
    id: LARGE,
    files: repositoryOf(makeLlama(
      { hidden: 256, intermediate: 512, layers: 6, externalData: true })),
  },
];

/** @type {Awaited<ReturnType<typeof startPageServer>>} */
let site;
/** @type {Awaited<ReturnType<typeof startHub>>} */
let server;
/** @type {Awaited<ReturnType<typeof makeProfile>>} */
let profile;
/** @type {import('./browser-process.js').Chromium} */
let chromium;

before(async () => {
  [site, server, profile] = await Promise.all([
    startPageServer(), startHub(hubOptions()), makeProfile(),
  ]);
  chromium = await startChromium(profile.folder, ['--enable-unsafe-webgpu']);
});

after(async () => {
  await chromium?.close();
  await Promise.all([site?.close(), server?.close()]);
  await profile?.remove();
});

function hubOptions() {
  return {
    models: 0, rateLimits: /** @type {const} */ (false),
    repositories: REPOSITORIES,
  };
}

/** @param {object} options */
async function openChat(options) {
  const page = await chromium.open(`${site.url}/chat.html`);
  await call(page, 'openManager', { hubUrl: server.url, ...options });
  return page;
}

/**
 * What Node makes of a request.
 * @param {string} modelId
 * @param {any} request
 */
async function answerInNode(modelId, request) {
  const manager = await managerOf(
    new MemoryStore(), { hubUrl: server.url, fetch, ort });
  try {
    await manager.load({ modelId });
    /** @type {number[]} */
    const tokens = [];
    const { text } = await manager.generate(request, {
      onToken: ({ tokenIds }) => tokens.push(...tokenIds),
    });
    return { text, tokens };
  } finally {
    await manager.dispose();
  }
}

/**
 * Pages and workers, as something that can be asked.
 * @type {Record<string, (page: Page) => (name: string, argument?: unknown)
 *   => Promise<any>>}
 */
const PLACES = {
  page: (page) => (name, argument) => call(page, name, argument),
  worker: (page) => (name, argument) => (
    call(page, 'askWorker', { name, argument })),
};

/** @type {[string, object][]} */
const BUILDS = [
  ['the wasm bundle', { bundle: WASM_BUNDLE }],
  ['the jspi bundle', { bundle: JSPI_BUNDLE }],
  ['files from elsewhere',
    { bundle: 'ort.wasm.min.mjs', ortWasmPaths: '/ort/' }],
];

for (const [place, reach] of Object.entries(PLACES)) {
  describe(`in a ${place}`, () => {
    for (const [name, options] of BUILDS) {
      test(`${name}: loads, answers, stops`, async () => {
        const expected = await answerInNode(TINY_CHAT, REQUEST);
        const page = await chromium.open(`${site.url}/chat.html`);
        const ask = reach(page);
        await ask('openManager', { hubUrl: server.url, ...options });
        const { failure, percents, executionProvider } = await ask('load',
          { modelId: TINY_CHAT, device: 'wasm' });
        assert.equal(failure, undefined);
        assert.equal(executionProvider, 'wasm');
        assert.equal(percents.at(-1), 100);
        assert.deepEqual(percents, [...Float64Array.from(percents).sort()]);

        const { text, tokens, streamed, stopReason } = await ask(
          'generate', { request: REQUEST });
        assert.deepEqual({ text, tokens }, expected);
        assert.equal(streamed, text);
        assert.match(text, /13/);
        assert.equal(stopReason, 'eos');

        const stopped = await ask('generate', {
          request: {
            message: 'Hello', settings: { max_new_tokens: 400, eos_token_id: [] },
          },
          stopAfter: 2,
        });
        assert.equal(stopped.stopReason, 'stopped');
        assert.ok(stopped.newTokens < 400);
        const again = await ask('generate', { request: REQUEST });
        assert.deepEqual(again.tokens, expected.tokens);
        await page.close();
      });
    }
  });
}

describe('random graphs', () => {
  for (const modelId of [MODEL, EXTERNAL]) {
    for (const bundle of [WASM_BUNDLE, JSPI_BUNDLE]) {
      test(`${modelId} in ${bundle}`, async () => {
        const expected = await answerInNode(modelId, ENDLESS);
        const page = await openChat({ bundle });
        const { failure } = await call(page, 'load',
          { modelId, device: 'wasm' });
        assert.equal(failure, undefined);
        const { tokens } = await call(page, 'generate', { request: ENDLESS });
        assert.equal(tokens.length, 24);
        assert.deepEqual(tokens, expected.tokens);
        await page.close();
      });
    }
  }
});

test('a stored model needs no Hub', async () => {
  const gone = await startHub(hubOptions());
  const options = { hubUrl: gone.url, bundle: WASM_BUNDLE };
  let page = await openChat(options);
  await call(page, 'load', { modelId: TINY_CHAT });
  const { tokens } = await call(page, 'generate', { request: REQUEST });
  await page.close();
  await gone.close();
  page = await openChat(options);
  const { failure } = await call(page, 'load', { modelId: TINY_CHAT });
  assert.equal(failure, undefined);
  const again = await call(page, 'generate', { request: REQUEST });
  assert.deepEqual(again.tokens, tokens);
  await page.close();
});

describe('WebGPU', () => {
  test('runs the model where there is an adapter', async (context) => {
    const page = await openChat({ bundle: JSPI_BUNDLE });
    if (!await call(page, 'hasAdapter')) {
      await page.close();
      context.skip('this browser has no adapter');
      return;
    }
    const { failure, executionProvider, warning } = await call(page, 'load',
      { modelId: TINY_CHAT, dtype: 'fp32', device: 'webgpu' });
    assert.equal(failure, undefined);
    assert.equal(executionProvider, 'webgpu');
    assert.equal(warning, undefined);
    const { text } = await call(page, 'generate', { request: REQUEST });
    assert.match(text, /13/);
    await page.close();
  });

  for (const [what, failing, why] of /** @type {const} */ ([
    ['no session can be made', 'create', /webgpu was not used.*out of order/],
    ['it cannot run', 'run', /webgpu was not used.*device was lost/],
    ['it computes nothing', 'nan', /webgpu was not used.*no sensible numbers/],
  ])) {
    test(`steps down when ${what}`, async (context) => {
      const page = await openChat({ bundle: WASM_BUNDLE, failing });
      if (!await call(page, 'hasAdapter')) {
        await page.close();
        context.skip('this browser has no adapter');
        return;
      }
      await call(page, 'forgetDevices');
      const { failure, executionProvider, warning } = await call(page, 'load',
        { modelId: TINY_CHAT });
      assert.equal(failure, undefined);
      assert.equal(executionProvider, 'wasm');
      assert.match(warning, why);
      const { text } = await call(page, 'generate', { request: REQUEST });
      assert.match(text, /13/);
      await page.close();
    });
  }
});

// ONNX Runtime reads external data with readers that nobody else holds.
describe('when garbage is collected all the time', () => {
  for (const bundle of [WASM_BUNDLE, JSPI_BUNDLE]) {
    test(`${bundle} loads`, { timeout: HANG_MS }, async () => {
      const page = await openChat({ bundle });
      await call(page, 'callManager', { name: 'download', args: [LARGE] });
      await call(page, 'keepCollecting');
      const { failure } = await call(page, 'load',
        { modelId: LARGE, device: 'wasm' });
      assert.equal(failure, undefined);
      await page.close();
    });
  }
});
