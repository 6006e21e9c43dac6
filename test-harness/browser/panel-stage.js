// SPDX-License-Identifier: Apache-2.0
// What the tests of the panel have in common: a Hub, the panel as a page, and
// what a person does with it.

import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { startHub } from '../hub/index.js';
import { TINY_CHAT, tinyChat } from '../models/tiny-chat.js';
import { ROOT } from '../paths.js';
import { makeProfile, startChromium } from './browser-process.js';
import { startPageServer } from './page-server.js';

/** @typedef {import('playwright-core').Page} Page */

/** Where screenshots are kept, to be looked at. */
const PICTURES = join(ROOT, 'build/screenshots');

/** As wide as a side panel is at first. */
const SIZE = { width: 360, height: 740 };

/** Name of the tiny chat model in a list. */
export const TINY_NAME = TINY_CHAT.split('/')[1];

/** What the console says of a network that is the test's own doing. */
const EXPECTED_NOISE = /Failed to load resource|No available adapters/;

/** @param {object} [hubOptions] */
export async function openPanelStage(hubOptions) {
  const [site, server, profile] = await Promise.all([
    startPageServer(),
    startHub({
      models: 600, rateLimits: false, repositories: [tinyChat()], ...hubOptions,
    }),
    makeProfile(),
  ]);
  await mkdir(PICTURES, { recursive: true });
  const chromium = await startChromium(profile.folder);
  /** @type {string[]} what no panel should have said */
  const complaints = [];
  return {
    site,
    server,
    hub: server.hub,
    complaints,
    /**
     * @param {{ size?: { width: number, height: number },
     *   colorScheme?: 'light' | 'dark', script?: () => void }} [options] script:
     *   runs before the panel's own
     */
    async open({ size = SIZE, colorScheme = 'light', script } = {}) {
      const page = await chromium.context.newPage();
      page.on('console', (message) => {
        if (['error', 'warning'].includes(message.type())
            && !EXPECTED_NOISE.test(message.text())) {
          complaints.push(message.text());
        }
      });
      page.on('pageerror', (error) => complaints.push(String(error.stack)));
      await page.setViewportSize(size);
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      if (script) await page.addInitScript(script);
      await page.goto(`${site.url}/panel/panel.html?hub=${server.url}`);
      await ready(page);
      return page;
    },
    async close() {
      await chromium.close();
      await Promise.all([site.close(), server.close()]);
      await profile.remove();
    },
  };
}

/** @typedef {Awaited<ReturnType<typeof openPanelStage>>} PanelStage */

/** @param {Page} page */
export async function ready(page) {
  await page.waitForSelector('[data-ready]');
}

/**
 * What the panel keeps for the next time.
 * @param {Page} page
 * @returns {Promise<any[]>}
 */
export function keptValues(page) {
  return page.evaluate(() => new Promise((resolve) => {
    const opening = indexedDB.open('tabagent-panel');
    opening.onsuccess = () => {
      const all = opening.result.transaction('values').objectStore('values')
        .getAll();
      all.onsuccess = () => {
        opening.result.close();
        resolve(all.result);
      };
    };
  }));
}

/**
 * Waits until the panel keeps such a value.
 * @param {Page} page
 * @param {(value: any) => boolean} isSuch
 */
export async function untilKept(page, isSuch) {
  while (!(await keptValues(page)).some(isSuch));
}

/**
 * @param {Page} page
 * @param {string} name of the file
 */
export async function picture(page, name) {
  await page.screenshot({ path: join(PICTURES, `${name}.png`) });
}

/**
 * @param {Page} page
 * @param {'Chat' | 'Models' | 'Storage' | 'Settings' | 'Account' | 'Health'} name
 */
export async function go(page, name) {
  await page.getByRole('tab', { name }).click();
}

/**
 * What of the page is on the screen: the view that is chosen.
 * @param {Page} page
 */
export function view(page) {
  return page.locator('[role=tabpanel]:not([hidden])');
}

/** Waits until the list is complete. @param {Page} page */
export async function listed(page) {
  await page.locator('#view-models .status', { hasText: /listed/ }).waitFor();
}

/**
 * Shows the list with one model of it open, and its variants planned.
 * @param {Page} page
 * @param {string} name
 */
export async function openModel(page, name) {
  await go(page, 'Models');
  await listed(page);
  await page.getByRole('searchbox', { name: 'Search models' }).fill(name);
  const row = page.getByRole('button', { name: new RegExp(`^${name}`) }).first();
  await row.click();
  await page.locator('.variant', { hasText: 'Recommended' }).waitFor();
}

/** Stores the tiny chat model. @param {Page} page */
export async function storeTinyChat(page) {
  await openModel(page, TINY_NAME);
  const best = page.locator('.variant', { hasText: 'Recommended' });
  await best.getByRole('button', { name: /^Download/ }).click();
  await best.getByRole('button', { name: /^Chat with/ }).waitFor();
}

/**
 * Asks, and waits for the end of the answer.
 * @param {Page} page
 * @param {string} text
 * @returns {Promise<string>} what was answered
 */
export async function ask(page, text) {
  const answers = page.locator('#view-chat .answer-foot');
  const count = await answers.count();
  await page.getByRole('textbox', { name: 'Message' }).fill(text);
  await page.keyboard.press('Enter');
  await answers.nth(count).waitFor();
  return page.locator('#view-chat .answer .prose').last().innerText();
}

/**
 * Nothing was complained about.
 * @param {PanelStage} stage
 */
export function assertQuiet({ complaints }) {
  assert.deepEqual(complaints.splice(0), []);
}
