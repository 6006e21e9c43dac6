// SPDX-License-Identifier: Apache-2.0
// The demo extension in Chromium, with a profile that outlives the browser.

import { join } from 'node:path';

import { chromium } from 'playwright-core';

import { buildDemo } from '../extension/build-demo.js';
import { startHub } from '../hub/index.js';
import { tinyChat } from '../models/tiny-chat.js';
import { ROOT } from '../paths.js';
import { CHROMIUM, makeProfile } from './browser-process.js';
import { ready } from './panel-stage.js';

const OUT = join(ROOT, 'build/extension-test');

/** As wide as a side panel is at first. */
const SIZE = { width: 360, height: 740 };

/** What the console says of a network that is the test's own doing. */
const EXPECTED_NOISE = /Failed to load resource|No available adapters/;

/** Builds the extension for a simulated Hub. */
export async function openDemoStage() {
  const [server, profile] = await Promise.all([
    startHub({ models: 400, rateLimits: false, repositories: [tinyChat()] }),
    makeProfile(),
  ]);
  const folder = await buildDemo({ out: OUT, hubUrl: server.url });
  /** @type {string[]} what no page of it should have said */
  const complaints = [];
  return {
    server,
    hub: server.hub,
    folder,
    complaints,
    /** Starts the browser; the extension stays installed in its profile. */
    start: () => startWith(folder, profile.folder, complaints),
    async close() {
      await server.close();
      await profile.remove();
    },
  };
}

/** @typedef {Awaited<ReturnType<typeof startWith>>} Browser */

/**
 * @param {string} folder of the extension
 * @param {string} profile
 * @param {string[]} complaints
 */
async function startWith(folder, profile, complaints) {
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: CHROMIUM,
    headless: false,
    viewport: SIZE,
    reducedMotion: 'reduce',
    args: ['--headless=new', '--no-sandbox', '--no-first-run',
      `--disable-extensions-except=${folder}`, `--load-extension=${folder}`],
  });
  const worker = context.serviceWorkers()[0]
    ?? await context.waitForEvent('serviceworker');
  const address = new URL('panel.html', worker.url()).href;
  return {
    context,
    worker,
    async openPanel() {
      const page = await context.newPage();
      page.on('console', (message) => {
        if (['error', 'warning'].includes(message.type())
            && !EXPECTED_NOISE.test(message.text())) {
          complaints.push(message.text());
        }
      });
      page.on('pageerror', (error) => complaints.push(String(error.stack)));
      await page.goto(address);
      await ready(page);
      return page;
    },
    close: () => context.close(),
  };
}
