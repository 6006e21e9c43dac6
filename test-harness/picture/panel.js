// SPDX-License-Identifier: Apache-2.0
// Makes the pictures of docs/user-guide.md: the panel with the simulated Hub
// behind it, doing what a person would have it do.
//
//   node test-harness/picture/panel.js

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import {
  ask, go, listed, openModel, openPanelStage, storeTinyChat, TINY_NAME, view,
} from '../browser/panel-stage.js';
import { ROOT } from '../paths.js';

const SIZE = { width: 380, height: 640 };

/** Pixels of the picture for each of the page: what high resolution shows. */
const SCALE = 2;

/** @typedef {import('playwright-core').Page} Page */

/** @param {Page} page @param {string} name */
async function take(page, name) {
  const path = join(ROOT, `docs/images/panel-${name}.png`);
  const session = await page.context().newCDPSession(page);
  await session.send('Emulation.setDeviceMetricsOverride',
    { ...SIZE, deviceScaleFactor: SCALE, mobile: false });
  const { data } = await session.send('Page.captureScreenshot');
  await session.detach();
  await writeFile(path, data, 'base64');
  console.log(path);
}

/** @param {import('../browser/panel-stage.js').PanelStage} stage */
async function takeAll(stage) {
  const page = await stage.open({ size: SIZE });
  await go(page, 'Models');
  await listed(page);
  await take(page, 'models');
  await openModel(page, TINY_NAME);
  await page.locator('.verdict', { hasText: 'Fits' }).nth(2).waitFor();
  const slow = stage.hub.faults.add(
    { content: true, slow: { bytes: 1 << 14, everyMs: 10 } });
  await page.getByRole('button', { name: /^Download .* fp32/ }).click();
  await page.locator('.transfer-text', { hasText: 'left' }).waitFor();
  await take(page, 'download');
  slow.remove();
  await page.getByRole('button', { name: /^Chat with .* fp32/ }).waitFor();
  await page.getByRole('searchbox').fill('');
  await page.locator('.row').first().click();
  await storeTinyChat(page);
  await page.getByRole('button', { name: /^Chat with .* q8/ }).click();
  await ask(page, 'What is 9 plus 4?');
  await ask(page, 'Show me code');
  await take(page, 'chat');
  await go(page, 'Settings');
  await page.getByRole('textbox', { name: 'Temperature' }).fill('0.7');
  await page.getByRole('textbox', { name: 'Longest answer' }).fill('200');
  await page.getByRole('textbox', { name: 'Longest answer' }).blur();
  await go(page, 'Chat');
  await ask(page, 'What can you do?');
  await go(page, 'Settings');
  await page.locator('.use', { hasText: 'Ignored' }).first().waitFor();
  await page.getByText('Longest answer', { exact: true })
    .evaluate((element) => element.scrollIntoView({ block: 'start' }));
  await take(page, 'settings');
  await go(page, 'Storage');
  await view(page).getByRole('button', { name: /^Pin/ }).click();
  await view(page).getByRole('button', { name: /^Verify/ }).click();
  await view(page).getByText('Every byte is as it should be.').waitFor();
  await take(page, 'storage');
  await page.emulateMedia({ colorScheme: 'dark' });
  await go(page, 'Chat');
  await take(page, 'dark');
}

const stage = await openPanelStage({ models: 3000 });
try {
  await takeAll(stage);
} finally {
  await stage.close();
}
