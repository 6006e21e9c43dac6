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

/** Longer tasks are felt; it is also the least that platforms report. */
const TASK_MS = 50;

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
 * Does something, and returns the tasks of the page's main thread meanwhile that
 * took too long, in milliseconds of its processor time: what other processes
 * keep waiting is not the page's doing. What the platform itself reports as long
 * is printed.
 * @param {() => Promise<unknown>} act
 * @returns {Promise<number[]>}
 */
async function longTasks(act) {
  const session = await page.context().newCDPSession(page);
  /** @type {any[]} */
  const events = [];
  session.on('Tracing.dataCollected', ({ value }) => events.push(...value));
  await session.send('Tracing.start', {
    transferMode: 'ReportEvents',
    traceConfig: { includedCategories: ['toplevel', 'devtools.timeline'] },
  });
  await act();
  const ended = new Promise((resolve) => {
    session.once('Tracing.tracingComplete', resolve);
  });
  await session.send('Tracing.end');
  await ended;
  await session.detach();
  const reported = await page.evaluate(
    () => /** @type {any} */ (globalThis).tasks.splice(0));
  const main = new Set(events.filter(({ name, args }) => (
    name === 'thread_name' && args.name === 'CrRendererMain')).map(threadOf));
  const tasks = events.filter((event) => (
    /RunTask$/.test(event.name) && main.has(threadOf(event))))
    .map(({ tdur = 0 }) => tdur / 1000);
  assert.ok(tasks.length > 0);
  console.log(`longest ${Math.max(...tasks).toFixed(0)} ms; reported as long: ${
    reported.map(Math.round).join(', ') || 'none'}`);
  return tasks.filter((ms) => ms > TASK_MS);
}

/** @param {{ pid: number, tid: number }} event */
function threadOf({ pid, tid }) {
  return `${pid} ${tid}`;
}

/** @param {() => Promise<unknown>} act */
async function assertSmooth(act) {
  assert.deepEqual(await longTasks(act), []);
}

/** Lists anew, and waits for the end. */
function listAgain() {
  return page.evaluate(() => new Promise((resolve) => {
    const status = /** @type {Element} */ (
      document.querySelector('#view-models .status'));
    let hasBegun = false;
    new MutationObserver((_, observer) => {
      const text = status.textContent ?? '';
      hasBegun ||= text.startsWith('Listing');
      if (!hasBegun || !text.includes('listed')) return;
      observer.disconnect();
      resolve(undefined);
    }).observe(status, { childList: true });
    /** @type {HTMLElement} */ (
      document.querySelector('[aria-label="List again"]')).click();
  }));
}

describe(`${ROWS} rows`, () => {
  test('a long task would be seen', async () => {
    // Long enough also when the processor is shared: its time counts.
    const tasks = await longTasks(() => page.evaluate(
      () => new Promise((resolve) => {
        setTimeout(() => {
          const end = performance.now() + 500;
          while (performance.now() < end);
          // Only a task that has ended is in the trace.
          setTimeout(() => resolve(end));
        });
      })));
    assert.ok(tasks.length > 0);
  });

  test('are listed without one', async () => {
    await go(page, 'Models');
    await listed(page);
    await assertSmooth(listAgain);
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
