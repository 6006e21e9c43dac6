// SPDX-License-Identifier: Apache-2.0
// What our background adds to the start of a service worker: from its death to
// the answer to the next message, beside a worker that has nothing but a
// listener.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { buildExtension } from '../extension/build-extension.js';
import { ROOT } from '../paths.js';
import { makeProfile, startChromium, withExtensions }
  from './browser-process.js';
import { call } from './manager-stage.js';

/** Starts of either worker, one after the other. */
const ROUNDS = 15;

/** More than an empty worker; half of it is aimed at. */
const MORE_MS = 20;

const FOLDERS = ['ours', 'empty'].map(
  (name) => join(ROOT, 'build', `start-${name}-${process.pid}`));

/** @type {Awaited<ReturnType<typeof makeProfile>>} */
let profile;
/** @type {import('./browser-process.js').Chromium} */
let chromium;

before(async () => {
  const [ours, empty] = FOLDERS;
  const hubUrl = 'http://127.0.0.1:1';
  await buildExtension(ours, { hubUrl });
  await buildExtension(empty, { hubUrl, background: 'empty-background' });
  profile = await makeProfile();
  chromium = await startChromium(profile.folder, withExtensions(...FOLDERS));
});

after(async () => {
  await chromium?.close();
  await profile?.remove();
});

test('costs little', async (context) => {
  const { context: browser } = chromium;
  while (browser.serviceWorkers().length < 2) {
    await browser.waitForEvent('serviceworker');
  }
  const panels = await Promise.all(browser.serviceWorkers().map(
    (worker) => chromium.open(new URL('panel.html', worker.url()).href)));
  const sizes = await Promise.all(panels.map((panel) => panel.evaluate(
    async () => (await (await fetch('background.js')).text()).length)));
  const [ours, empty] = sizes[0] > sizes[1] ? panels : [...panels].reverse();
  const session = await chromium.browser.newBrowserCDPSession();
  /** @param {import('playwright-core').Page} panel */
  const start = async (panel) => {
    const { host } = new URL(panel.url());
    const { targetInfos } = await session.send('Target.getTargets');
    for (const { type, url, targetId } of targetInfos) {
      if (type === 'service_worker' && url.includes(host)) {
        await session.send('Target.closeTarget', { targetId });
      }
    }
    const { roundMs, sinceStartMs } = await call(panel, 'askApp');
    return { roundMs, sinceStartMs };
  };
  /** @type {Record<'ours' | 'empty', { roundMs: number,
   *   sinceStartMs: number }[]>} */
  const times = { ours: [], empty: [] };
  for (let i = 0; i < ROUNDS; i += 1) {
    times.ours.push(await start(ours));
    times.empty.push(await start(empty));
  }
  // The fastest of each: the others had to share the machine.
  const best = (/** @type {'ours' | 'empty'} */ whose,
    /** @type {'roundMs' | 'sinceStartMs'} */ what) => (
    Math.min(...times[whose].map((one) => one[what])));
  for (const what of /** @type {const} */ (['roundMs', 'sinceStartMs'])) {
    const more = best('ours', what) - best('empty', what);
    context.diagnostic(`${what}: ${more.toFixed(1)} ms more than ${
      best('empty', what).toFixed(1)} ms`);
    assert.ok(more <= MORE_MS, `${what}: ${more} ms more`);
  }
});
