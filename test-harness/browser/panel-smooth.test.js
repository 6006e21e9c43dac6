// SPDX-License-Identifier: Apache-2.0
// The panel with as many rows as a listing has at the most: filled, scrolled,
// searched and kept without a task that anybody could feel.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import {
  assertQuiet, go, listed, openPanelStage, picture, ready,
} from './panel-stage.js';

/** @typedef {import('playwright-core').Page} Page */

const ROWS = 5000;

/** Longer tasks are felt; it is also the least that browsers report. */
const TASK_MS = 50;

/** How often something is done that must be smooth at least once. */
const ATTEMPTS = 6;

/** @type {import('./panel-stage.js').PanelStage} */
let stage;
/** @type {Page} */
let page;

/** A row that the prefilter keeps. @param {number} i */
function entryOf(i) {
  const id = `owner-${i % 97}/model-${String(i).padStart(4, '0')}-instruct`;
  return {
    id,
    downloads: 1_000_000 - i,
    likes: i % 300,
    pipeline_tag: 'text-generation',
    library_name: 'transformers.js',
    lastModified: '2026-01-01T00:00:00.000Z',
    tags: ['transformers.js', 'onnx', 'llama', 'text-generation',
      'license:apache-2.0'],
    config: { model_type: 'llama', architectures: ['LlamaForCausalLM'] },
    safetensors: { total: 1_000_000 * (1 + i % 4000) },
    siblings: ['config.json', 'tokenizer.json', 'tokenizer_config.json',
      'onnx/model_q4.onnx', 'onnx/model_quantized.onnx', 'onnx/model_fp16.onnx']
      .map((rfilename) => ({ rfilename })),
  };
}

before(async () => {
  stage = await openPanelStage({
    catalogue: Array.from({ length: ROWS }, (_, i) => entryOf(i)),
    repositories: [],
  });
  page = await stage.open({ script: () => {
    /** @type {number[]} */
    const tasks = [];
    new PerformanceObserver((list) => {
      tasks.push(...list.getEntries().map(({ duration }) => duration));
    }).observe({ type: 'longtask', buffered: true });
    Object.assign(globalThis, { tasks });
  } });
});

after(async () => {
  assertQuiet(stage);
  await stage?.close();
});

/**
 * Does something that must be smooth. A task that other processes have kept
 * waiting is long by chance; one that is long by itself is so every time.
 * @param {() => Promise<unknown>} act
 */
async function assertSmooth(act) {
  await longTasks();
  /** @type {number[]} */
  let tasks = [];
  for (let i = 0; i < ATTEMPTS; i += 1) {
    await act();
    tasks = await longTasks();
    if (tasks.length === 0) return;
  }
  assert.deepEqual(tasks, []);
}

/** Tasks that took too long since the last time. */
async function longTasks() {
  // Entries are told in a task of their own.
  await page.evaluate(() => new Promise((resolve) => {
    requestAnimationFrame(() => requestAnimationFrame(resolve));
  }));
  const tasks = await page.evaluate(
    () => /** @type {any} */ (globalThis).tasks.splice(0));
  return tasks.filter((/** @type {number} */ ms) => ms > TASK_MS);
}

describe(`${ROWS} rows`, () => {
  test('a long task would be seen', async () => {
    await longTasks();
    await page.evaluate(() => new Promise((resolve) => {
      requestAnimationFrame(() => {
        const end = performance.now() + 80;
        while (performance.now() < end);
        resolve(undefined);
      });
    }));
    assert.equal((await longTasks()).length, 1);
  });

  test('are listed without one', async () => {
    await go(page, 'Models');
    await listed(page);
    await assertSmooth(async () => {
      await page.getByRole('button', { name: 'List again' }).click();
      await page.locator('#view-models .status', { hasText: /^Listing/ }).waitFor();
      await listed(page);
    });
    await page.locator('#view-models .status', { hasText: '5,000 of 5,000' })
      .waitFor();
    await picture(page, 'models-5000');
  });

  test('are scrolled without one', async () => {
    await assertSmooth(() => page.evaluate(async () => {
      const scroller = /** @type {HTMLElement} */ (
        document.querySelector('.list-scroller'));
      const { scrollHeight } = scroller;
      for (let top = 0; top < scrollHeight; top += scrollHeight / 150) {
        scroller.scrollTop = top;
        await new Promise((resolve) => { requestAnimationFrame(resolve); });
      }
      scroller.scrollTop = scrollHeight;
    }));
    await page.locator('.virtual > li').last()
      .getByText('model-4999-instruct').waitFor();
    assert.ok(await page.locator('.virtual > li').count() < 60);
  });

  test('are searched and sorted without one', async () => {
    const search = page.getByRole('searchbox', { name: 'Search models' });
    const order = page.getByRole('combobox', { name: 'Order' });
    await page.getByRole('button', { name: 'Filters' }).click();
    await assertSmooth(async () => {
      for (const text of ['m', 'model-4', 'model-49', '']) {
        await search.fill(text);
        await page.locator('.row').first().waitFor();
      }
      await order.selectOption('small');
      await order.selectOption('downloads');
    });
    await order.selectOption('small');
    // Each of the four thousand sizes up to 4B once or twice.
    await page.getByRole('combobox', { name: 'Size' }).selectOption('5e8');
    await page.locator('#view-models .status', { hasText: '1,000 of 5,000' })
      .waitFor();
    await page.locator('.row').first().getByText('1M params').waitFor();
  });

  test('are taken up again without one', async () => {
    await assertSmooth(async () => {
      await page.reload();
      await ready(page);
      await go(page, 'Models');
      await page.locator('#view-models .status', { hasText: /of 5,000 models/ })
        .waitFor();
    });
  });
});
