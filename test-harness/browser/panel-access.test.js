// SPDX-License-Identifier: Apache-2.0
// The panel without a mouse, read aloud, in either colour scheme, and as narrow
// or wide as a side panel gets.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';

import {
  assertQuiet, go, listed, openModel, openPanelStage, picture, storeTinyChat,
  TINY_NAME, view,
} from './panel-stage.js';

/** @typedef {import('playwright-core').Page} Page */

const VIEWS = /** @type {const} */ (
  ['Chat', 'Models', 'Storage', 'Settings', 'Account', 'Health']);

/** What the guidelines ask of text (WCAG 2.2, 1.4.3). */
const CONTRAST = 4.5;

/** Roles whose nodes must say what they are. */
const NAMED = new Set([
  'button', 'checkbox', 'combobox', 'dialog', 'link', 'list', 'log', 'meter',
  'progressbar', 'searchbox', 'switch', 'tab', 'tablist', 'tabpanel', 'textbox',
]);

/** How often Tab is pressed to find something, at the most. */
const TABS_MAX = 60;

/** @type {import('./panel-stage.js').PanelStage} */
let stage;

before(async () => { stage = await openPanelStage(); });

afterEach(() => assertQuiet(stage));

after(async () => { await stage?.close(); });

/** @param {Page} page what has the focus, by role and name */
function focused(page) {
  return page.evaluate(() => {
    const element = document.activeElement;
    const id = element?.getAttribute('id');
    const label = id ? document.querySelector(`label[for="${id}"]`) : null;
    return (element?.getAttribute('aria-label') ?? label?.textContent
      ?? element?.textContent ?? '').trim();
  });
}

/**
 * Presses Tab until something has the focus.
 * @param {Page} page
 * @param {RegExp} name
 */
async function tabTo(page, name) {
  /** @type {string[]} */
  const passed = [];
  for (let i = 0; i < TABS_MAX; i += 1) {
    await page.keyboard.press('Tab');
    const here = await focused(page);
    if (name.test(here)) return;
    passed.push(here);
  }
  assert.fail(`no ${name} among ${passed.join(' | ')}`);
}

describe('with the keyboard alone', () => {
  test('a model is found, stored, asked and deleted', async () => {
    const page = await stage.open();
    await tabTo(page, /^Chat$/);
    await page.keyboard.press('ArrowRight');
    assert.equal(await focused(page), 'Models');
    await listed(page);
    await tabTo(page, /Search models/);
    await page.keyboard.type('tiny');
    await tabTo(page, new RegExp(`^${TINY_NAME}`));
    await page.keyboard.press('End');
    const last = await focused(page);
    assert.ok(!last.startsWith(TINY_NAME), last);
    await page.keyboard.press('Home');
    assert.match(await focused(page), new RegExp(`^${TINY_NAME}`));
    await page.keyboard.press('Enter');
    await page.locator('.variant', { hasText: 'Recommended' }).waitFor();
    await page.locator('.verdict', { hasText: 'Fits' }).nth(2).waitFor();
    assert.match(await focused(page), new RegExp(`^${TINY_NAME}`));
    await tabTo(page, /^Download tabagent\/tiny-chat q8/);
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: /^Chat with/ }).waitFor();
    await page.keyboard.press('Shift+Tab');
    await tabTo(page, /^Chat with/);
    await page.keyboard.press('Enter');
    await tabTo(page, /^Message$/);
    await page.keyboard.type('What is 9 plus 4?');
    await page.keyboard.press('Enter');
    await page.locator('.answer-foot').waitFor();
    assert.match(await page.locator('.answer .prose').innerText(), /13/);
    assert.equal(await focused(page), 'Message');
    assert.match(await page.locator('#announcer').innerText(), /Answer complete/);

    await page.locator('#tab-chat').focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    await tabTo(page, /^Delete tabagent\/tiny-chat$/);
    await page.keyboard.press('Enter');
    // The safe answer has the focus.
    assert.match(await focused(page), /^Keep/);
    await page.keyboard.press('Shift+Tab');
    assert.match(await focused(page), /^Really delete/);
    await page.keyboard.press('Enter');
    await view(page).getByText('Nothing is stored yet').waitFor();
    await page.close();
  });

  test('dialogs close with Escape, and the focus goes back', async () => {
    const page = await stage.open();
    await go(page, 'Chat');
    await tabTo(page, /^Chats$/);
    await page.keyboard.press('Enter');
    await page.getByRole('dialog', { name: 'Chats' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    assert.equal(await focused(page), 'Chats');
    await page.close();
  });
});

/**
 * Nodes of the accessibility tree that are there but say nothing.
 * @param {Page} page
 */
async function nameless(page) {
  const session = await page.context().newCDPSession(page);
  const { nodes } = await session.send('Accessibility.getFullAXTree');
  await session.detach();
  return nodes.filter(({ ignored, role, name }) => (
    !ignored && NAMED.has(role?.value) && !name?.value?.trim()))
    .map(({ role, backendDOMNodeId }) => `${role?.value} ${backendDOMNodeId}`);
}

describe('read aloud', () => {
  test('everything that acts has a name, in every view', async () => {
    const page = await stage.open();
    await storeTinyChat(page);
    for (const name of VIEWS) {
      await go(page, name);
      await view(page).locator('h1').waitFor({ state: 'attached' });
      assert.deepEqual(await nameless(page), [], name);
      const tab = page.getByRole('tab', { name });
      assert.equal(await tab.getAttribute('aria-selected'), 'true');
      await page.getByRole('tabpanel', { name }).waitFor();
    }
    await page.close();
  });

  test('an open model says what it has', async () => {
    const page = await stage.open();
    await openModel(page, TINY_NAME);
    await page.locator('.verdict', { hasText: 'Fits' }).nth(1).waitFor();
    const list = page.getByRole('list', { name: 'Models of the Hub' });
    const snapshot = await list.ariaSnapshot();
    assert.match(snapshot, /button "tiny-chat Chat tabagent .*" \[expanded\]/);
    assert.match(snapshot, /group "About tabagent\/tiny-chat"/);
    assert.match(snapshot, /definition: tabagent\/tiny-chat\n/);
    assert.match(snapshot, /list "Variants"/);
    assert.match(snapshot, /button "Download tabagent\/tiny-chat fp32"/);
    const [item] = await list.locator('> li').all();
    assert.equal(await item.getAttribute('aria-posinset'), '1');
    assert.equal(await item.getAttribute('aria-setsize'), '1');
    await page.close();
  });

  test('a download says how far it is', async () => {
    const page = await stage.open();
    const stalled = stage.hub.faults.add(
      { content: true, slow: { bytes: 1 << 14, everyMs: 20 } });
    await openModel(page, TINY_NAME);
    await page.getByRole('button', { name: /^Download .* fp32/ }).click();
    const bar = page.getByRole('progressbar', { name: /^Download of .* fp32/ });
    await page.locator('progress[aria-valuetext*="%"]').waitFor();
    assert.match(String(await bar.getAttribute('aria-valuetext')),
      /^\d+ % · .* of .* MB/);
    await page.getByRole('button', { name: /^Cancel/ }).click();
    await page.getByRole('button', { name: /^Download .* fp32/ }).waitFor();
    stalled.remove();
    await page.close();
  });
});

/**
 * Texts whose colour is too near to what is behind them.
 * @param {Page} page
 * @param {number} least
 */
function faintTexts(page, least) {
  return page.evaluate((least) => {
    const canvas = new OffscreenCanvas(1, 1);
    const context = /** @type {OffscreenCanvasRenderingContext2D} */ (
      canvas.getContext('2d', { willReadFrequently: true }));
    /** @param {string[]} layers the lowest first */
    const mix = (layers) => {
      context.clearRect(0, 0, 1, 1);
      for (const layer of layers) {
        context.fillStyle = layer;
        context.fillRect(0, 0, 1, 1);
      }
      return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
    };
    const luminance = (/** @type {number[]} */ rgb) => {
      const [r, g, b] = rgb.map((part) => {
        const share = part / 255;
        return share <= 0.04045 ? share / 12.92
          : ((share + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    /** @type {string[]} */
    const faint = [];
    for (const element of document.querySelectorAll('body *')) {
      const hasText = [...element.childNodes].some(
        (node) => node.nodeType === Node.TEXT_NODE && node.textContent?.trim());
      const box = element.getBoundingClientRect();
      if (!hasText || box.width < 2 || !element.checkVisibility()) continue;
      if (element.closest(':disabled, option, svg')) continue;
      /** @type {string[]} */
      const layers = [];
      /** @type {Element | null} */
      let behind = element;
      for (; behind; behind = behind.parentElement) {
        layers.unshift(getComputedStyle(behind).backgroundColor);
      }
      const back = luminance(mix(layers));
      const front = luminance(mix([...layers, getComputedStyle(element).color]));
      const ratio = (Math.max(back, front) + 0.05) / (Math.min(back, front) + 0.05);
      if (ratio < least) {
        faint.push(`${element.className} "${element.textContent?.trim()
          .slice(0, 30)}" ${ratio.toFixed(2)}`);
      }
    }
    return faint;
  }, least);
}

describe('seen', () => {
  for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
    test(`every text stands out, ${colorScheme}`, async () => {
      const page = await stage.open({ colorScheme });
      await openModel(page, TINY_NAME);
      for (const name of VIEWS) {
        await go(page, name);
        assert.deepEqual(await faintTexts(page, CONTRAST), [], name);
        await picture(page, `${colorScheme}-${name.toLowerCase()}`);
      }
      await page.close();
    });
  }

  for (const width of [320, 360, 480, 640, 900]) {
    test(`nothing is cut off at ${width} pixels`, async () => {
      const page = await stage.open({ size: { width, height: 700 } });
      await openModel(page, TINY_NAME);
      for (const name of VIEWS) {
        await go(page, name);
        for (const group of await page.locator('.group:not([open])').all()) {
          if (await group.isVisible()) await group.locator('summary').click();
        }
        const outside = await page.evaluate(() => {
          const { innerWidth } = globalThis;
          return [...document.querySelectorAll('body *')]
            .filter((element) => element.checkVisibility()
              && !element.closest('pre, .unseen, svg')
              && element.getBoundingClientRect().right > innerWidth + 0.5)
            .map(({ className, textContent }) => (
              `${className} ${textContent?.slice(0, 30)}`));
        });
        assert.deepEqual(outside, [], name);
      }
      await page.close();
    });
  }
});
