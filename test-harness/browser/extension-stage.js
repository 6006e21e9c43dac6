// SPDX-License-Identifier: Apache-2.0
// The test extension in Chromium, with a Hub, and the means to kill its service
// worker and its host.

import { rm } from 'node:fs/promises';
import { join } from 'node:path';

import { buildExtension } from '../extension/build-extension.js';
import { startHub } from '../hub/index.js';
import { tinyChat } from '../models/tiny-chat.js';
import { ROOT } from '../paths.js';
import { makeProfile, startChromium, withExtensions }
  from './browser-process.js';
import { call } from './manager-stage.js';

/** @typedef {import('playwright-core').Page} Page */

/** Two chunks of the store and a bit. */
export const LARGE = 'stage/large';
export const LARGE_BYTES = (2 << 24) + 12_345;

/** @type {[string, any][]} */
export const LARGE_FILES = [
  ['config.json', '{"model_type":"llama"}'],
  ['tokenizer.json', '{"version":"1.0"}'],
  ['onnx/model_quantized.onnx', { size: LARGE_BYTES, seed: 1 }],
];

/**
 * @param {{ hub?: object, idle?: object }} [options] of Hub and background
 */
export async function openExtension({ hub, idle } = {}) {
  const [server, profile] = await Promise.all([
    startHub({
      models: 300, rateLimits: false,
      repositories: [tinyChat(), { id: LARGE, files: new Map(LARGE_FILES) }],
      ...hub,
    }),
    makeProfile(),
  ]);
  const folder = join(ROOT, 'build', `extension-${process.pid}`);
  await buildExtension(folder, { hubUrl: server.url, idle });
  const chromium = await startChromium(
    profile.folder, withExtensions(folder));
  const session = await chromium.browser.newBrowserCDPSession();
  const id = await idOf(chromium);
  /** @param {string} type @returns {Promise<string[]>} */
  const targets = async (type) => {
    const { targetInfos } = await session.send('Target.getTargets');
    return targetInfos
      .filter((one) => one.type === type
        && (type === 'worker' || one.url.startsWith(`chrome-extension://${id}/`)))
      .map(({ targetId }) => targetId);
  };
  /** @param {string} type */
  const kill = async (type) => {
    const found = await targets(type);
    for (const targetId of found) {
      await session.send('Target.closeTarget', { targetId }).catch(() => {});
    }
    return found.length;
  };
  return {
    server, chromium, id, targets,
    /** @returns {Promise<number>} how many there were */
    killWorker: () => kill('service_worker'),
    killHost: () => kill('background_page'),
    /** The workers of ONNX Runtime. */
    killRuntime: () => kill('worker'),
    openPage: () => chromium.open(`chrome-extension://${id}/panel.html`),
    async openPanel() {
      const page = await this.openPage();
      await call(page, 'openClient');
      return page;
    },
    async close() {
      await chromium.close();
      await server.close();
      await profile.remove();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** @typedef {Awaited<ReturnType<typeof openExtension>>} Extension */

/** @param {import('./browser-process.js').Chromium} chromium */
export async function idOf({ context }) {
  const worker = context.serviceWorkers()[0]
    ?? await context.waitForEvent('serviceworker');
  return new URL(worker.url()).host;
}
