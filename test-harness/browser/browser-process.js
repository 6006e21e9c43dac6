// SPDX-License-Identifier: Apache-2.0
// Chromium as a process of our own, with a profile that outlives it, so that it
// can be killed and started again where it was.

import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { chromium } from 'playwright-core';

/** Where Debian's package puts it; others may say where theirs is. */
export const CHROMIUM = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';

const ARGS = [
  '--headless=new', '--no-sandbox', '--no-first-run',
  '--disable-background-networking', '--disable-component-update',
  '--disable-renderer-backgrounding', '--disable-backgrounding-occluded-windows',
  '--remote-debugging-port=0', '--js-flags=--expose-gc',
];

/** Without extensions, unless there are some. */
const NO_EXTENSIONS = '--disable-extensions';

/**
 * Arguments that have Chromium load the extension in a folder.
 * @param {string[]} folders
 */
export function withExtensions(...folders) {
  const list = folders.join(',');
  return [`--load-extension=${list}`, `--disable-extensions-except=${list}`,
    '--disable-features=DisableLoadExtensionCommandLineSwitch'];
}

/** How often it is tried to remove a folder that a dying process writes to. */
const REMOVE_RETRIES = 20;

/** @typedef {Awaited<ReturnType<typeof startChromium>>} Chromium */

/** @returns {Promise<{ folder: string, remove: () => Promise<void> }>} */
export async function makeProfile() {
  const folder = await mkdtemp(join(tmpdir(), 'tabagent-profile-'));
  return {
    folder,
    remove: () => rm(folder, {
      recursive: true, force: true, maxRetries: REMOVE_RETRIES,
    }),
  };
}

/**
 * @param {string} profile folder of the profile
 * @param {string[]} [args] more arguments
 */
export async function startChromium(profile, args = []) {
  // A group of its own: a kill takes all its processes.
  const extensions = args.some((one) => one.startsWith('--load-extension'))
    ? [] : [NO_EXTENSIONS];
  const child = spawn(CHROMIUM,
    [...ARGS, ...extensions, ...args, `--user-data-dir=${profile}`, 'about:blank'],
    { detached: true, stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = new Promise((resolve) => { child.once('close', resolve); });
  const browser = await chromium.connectOverCDP(await addressOf(child));
  const [context] = browser.contexts();
  const kill = async () => {
    process.kill(-Number(child.pid), 'SIGKILL');
    await ended;
  };
  return {
    browser,
    context,
    /** @param {string} url */
    async open(url) {
      const page = await context.newPage();
      await page.goto(url);
      return page;
    },
    /** All its processes, at once. */
    kill,
    async close() {
      const session = await browser.newBrowserCDPSession();
      await session.send('Browser.close').catch(kill);
      await ended;
    },
    /** @returns {Promise<number[]>} */
    async renderers() {
      const session = await browser.newBrowserCDPSession();
      const { processInfo } = await session.send('SystemInfo.getProcessInfo');
      await session.detach();
      return processInfo.filter(({ type }) => type === 'renderer')
        .map(({ id }) => id);
    },
  };
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @returns {Promise<string>} where it listens
 */
function addressOf(child) {
  return new Promise((resolve, reject) => {
    let text = '';
    child.once('error', reject);
    child.once('close', () => reject(new Error(`Chromium ended: ${text}`)));
    child.stderr?.on('data', (bytes) => {
      text += bytes;
      const address = /DevTools listening on (ws:\S+)/.exec(text)?.[1];
      if (address) resolve(address);
    });
  });
}
