// SPDX-License-Identifier: Apache-2.0
// The demo extension in Firefox, where its background is a page that hosts
// everything. A page of the test goes through the panel, without a tool that
// would help it, and reports to a server on this machine.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { buildDemo } from '../extension/build-demo.js';
import { startHub } from '../hub/index.js';
import { tinyChat } from '../models/tiny-chat.js';
import { ROOT } from '../paths.js';
import { makeProfile } from './browser-process.js';
import { FIREFOX_MISSING, startFirefox } from './firefox-process.js';

const OUT = join(ROOT, 'build/extension-firefox-test');
const JOURNEY = fileURLToPath(
  new URL('../extension/firefox-journey', import.meta.url));

/** A journey that says nothing for so long has been lost. */
const SILENCE_MS = 120_000;

/** Takes reports, in their order. */
async function listen() {
  /** @type {any[]} */
  const reports = [];
  /** @type {(() => void)[]} */
  const waiting = [];
  const server = createServer(async (request, response) => {
    response.setHeader('access-control-allow-origin', '*');
    let text = '';
    for await (const chunk of request) text += chunk;
    response.end();
    if (text) reports.push(JSON.parse(text));
    for (const wake of waiting.splice(0)) wake();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (
    server.address());
  return {
    url: `http://127.0.0.1:${port}/`,
    /** @param {string} step @returns {Promise<any>} */
    async reportOf(step) {
      for (;;) {
        const found = reports.find((report) => report.step === step);
        if (found) return found;
        const failed = reports.find((report) => report.step === 'failed');
        assert.equal(failed?.message, undefined);
        await new Promise((resolve) => { waiting.push(() => resolve(undefined)); });
      }
    },
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/**
 * The extension, with the page of the journey, which it opens by itself.
 * @param {string} hubUrl
 * @param {string} reportUrl
 */
async function buildWithJourney(hubUrl, reportUrl) {
  await buildDemo({ out: OUT, hubUrl, firefox: true });
  await cp(JOURNEY, OUT, { recursive: true });
  await writeFile(join(OUT, 'open-journey.js'),
    // Only then, and not whenever the background starts again.
    `browser.runtime.onInstalled.addListener(() => {
      browser.tabs.create({ url: 'journey.html#${reportUrl}' });
    });\n`);
  const path = join(OUT, 'manifest.json');
  const manifest = JSON.parse(await readFile(path, 'utf8'));
  manifest.background.scripts.push('open-journey.js');
  await writeFile(path, JSON.stringify(manifest));
}

describe('in Firefox', {
  timeout: SILENCE_MS, skip: FIREFOX_MISSING,
}, () => {
  /** @type {Awaited<ReturnType<typeof listen>>} */
  let reports;
  /** @type {Awaited<ReturnType<typeof startHub>>} */
  let server;
  /** @type {Awaited<ReturnType<typeof makeProfile>>} */
  let profile;
  /** @type {import('./firefox-process.js').Firefox} */
  let firefox;

  before(async () => {
    [reports, server, profile] = await Promise.all([
      listen(),
      startHub({ models: 300, rateLimits: false, repositories: [tinyChat()] }),
      makeProfile(),
    ]);
    await buildWithJourney(server.url, reports.url);
    firefox = await startFirefox(profile.folder);
    await firefox.install(OUT);
  });

  after(async () => {
    await firefox?.close();
    reports?.close();
    await server?.close();
    await profile?.remove();
  });

  test('the panel lists and stores', async () => {
    await reports.reportOf('opened');
    assert.ok((await reports.reportOf('listed')).rows > 5);
    await reports.reportOf('stored');
  });

  test('the model answers', async () => {
    const { answer } = await reports.reportOf('answered');
    assert.match(answer, /13/);
  });

  test('health knows where it is', async () => {
    const { checks } = await reports.reportOf('checked');
    const browser = checks.find(
      (/** @type {any} */ check) => check.text.startsWith('Browser'));
    assert.equal(browser?.ok, 'true', JSON.stringify(checks));
  });

  test('chats are kept, models are deleted', async () => {
    await reports.reportOf('kept');
    await reports.reportOf('deleted');
    assert.deepEqual((await reports.reportOf('done')).complaints, []);
  });
});
