// SPDX-License-Identifier: Apache-2.0
// Saved settings outlive the manager, and are TabAgent's as well as ours.

import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';

import { createHub } from '../hub/index.js';
import { emptyData, MemoryStore } from '../store/memory-store.js';
import { managerOf } from '../store/world.js';
import { FakeOrt } from './fake-ort.js';
import { NO_MODEL, saying } from './script.js';
import { MODEL, repositoryOf } from './world.js';

/** @typedef {import('../store/memory-store.js').Data} Data */

const GLOBAL = 'InferenceSettings';

const hub = createHub({ catalogue: [], rateLimits: false, latency: false,
  repositories: [{ id: MODEL, files: repositoryOf(NO_MODEL) }] });

describe('saved settings', () => {
  /** @type {Data} */
  let data;
  /** @type {string[]} object stores that were read */
  let reads;

  beforeEach(() => {
    data = emptyData();
    reads = [];
  });

  /** @param {object} [options] */
  async function open(options) {
    const store = new MemoryStore(data);
    const get = store.get.bind(store);
    store.get = (name, key) => {
      reads.push(`${name}/${key}`);
      return get(name, key);
    };
    const manager = await managerOf(store, {
      fetch: hub.fetch, ort: new FakeOrt(saying('Yes.')), ...options });
    /** What an answer goes by. */
    const effective = async () => {
      await manager.load({ modelId: MODEL, dtype: 'fp32' });
      return (await manager.generate({ message: 'Hi' })).effective;
    };
    return { manager, effective };
  }

  test('outlive the manager', async () => {
    const first = await open();
    const whose = { modelId: MODEL, dtype: 'fp32' };
    assert.deepEqual(await first.manager.updateSettings({ top_k: 3,
      do_sample: true, top_p: 0.5, seed: 1 }), { top_k: 3, do_sample: true,
      top_p: 0.5, seed: 1 });
    await first.manager.updateSettings({ top_k: 4, min_p: 0.1 },
      { modelId: MODEL });
    await first.manager.updateSettings({ top_k: 5 }, whose);
    await first.manager.dispose();
    const { manager, effective } = await open();
    assert.deepEqual(await manager.settings(),
      { top_k: 3, do_sample: true, top_p: 0.5, seed: 1 });
    assert.deepEqual(await manager.settings({ modelId: MODEL }),
      { top_k: 4, min_p: 0.1 });
    assert.deepEqual(await manager.settings(whose), { top_k: 5 });
    const { top_k: k, top_p: p, min_p: min } = await effective();
    assert.deepEqual([k, p, min], [5, 0.5, 0.1]);
    assert.deepEqual(await manager.updateSettings({ top_k: null }, whose), {});
    assert.equal((await effective()).top_k, 4);
    await manager.dispose();
  });

  test('are written in the form of TabAgent', async () => {
    const { manager } = await open();
    await manager.updateSettings({ temperature: 0.5, system_prompt: 'Be.' });
    assert.deepEqual(data.inferenceSettings.get(GLOBAL), { id: GLOBAL,
      enabled: { temperature: true }, temperature: 0.5, system_prompt: 'Be.' });
    await manager.updateSettings({ top_k: 7 }, { modelId: MODEL, dtype: 'q4' });
    assert.deepEqual(data.manifest.get(MODEL), {
      repo: MODEL, manifestVersion: 1,
      quants: { q4: { files: ['q4'], status: 'available', dtype: 'q4',
        hasExternalData: false,
        inferenceSettings: { enabled: { top_k: true }, top_k: 7 } } } });
    await manager.dispose();
  });

  test('that TabAgent wrote count', async () => {
    data.inferenceSettings.set(GLOBAL, { id: GLOBAL, temperature: 0.3,
      do_sample: true, top_k: 3, top_p: 0.9, num_beams: 2, json_mode: false,
      bad_words_ids: null, system_prompt: 'Be brief.', epsilon_cutoff: 1,
      enabled: { temperature: true, top_k: true, epsilon_cutoff: true,
        top_p: false } });
    const { manager, effective } = await open();
    assert.deepEqual(await manager.settings(), { temperature: 0.3, top_k: 3,
      do_sample: true, json_mode: false, system_prompt: 'Be brief.',
      epsilon_cutoff: 1 });
    const { temperature, top_k: k, top_p: p, num_beams: beams,
      epsilon_cutoff: cutoff } = await effective();
    assert.deepEqual([temperature, k, p, beams, cutoff],
      [0.3, 3, undefined, undefined, undefined]);
    // What TabAgent allows and the reference does not is named.
    const { ignored, promptTokens } = await manager.generate({ message: 'Hi' });
    assert.deepEqual(ignored.map(({ name }) => name), ['epsilon_cutoff']);
    const bare = await manager.generate({ message: 'Hi',
      settings: { system_prompt: '' } });
    assert.ok(promptTokens > bare.promptTokens);
    await manager.dispose();
  });

  test('keep what they do not know, and what others wrote meanwhile',
    async () => {
      const quant = { files: ['onnx/model_q4.onnx'], status: 'downloaded',
        dtype: 'q4', hasExternalData: false, fileSizes: { a: 5 } };
      data.manifest.set(MODEL, { repo: MODEL, manifestVersion: 1, task: 'x',
        quants: { 'onnx/model_q4.onnx': quant, q4: { ...quant, more: 1 } } });
      data.inferenceSettings.set(GLOBAL,
        { id: GLOBAL, batch_size: 1, top_k: 9, enabled: { top_k: false } });
      const one = await open();
      const other = await open();
      await Promise.all([
        one.manager.updateSettings({ top_p: 0.5 }),
        other.manager.updateSettings({ min_p: 0.1 }),
        one.manager.updateSettings({ top_k: 2 },
          { modelId: MODEL, dtype: 'q4' }),
      ]);
      assert.deepEqual(data.inferenceSettings.get(GLOBAL), { id: GLOBAL,
        batch_size: 1, top_k: 9, top_p: 0.5, min_p: 0.1,
        enabled: { top_k: false, top_p: true, min_p: true } });
      assert.deepEqual(data.manifest.get(MODEL), {
        repo: MODEL, manifestVersion: 1, task: 'x',
        quants: { 'onnx/model_q4.onnx': quant, q4: { ...quant, more: 1,
          inferenceSettings: { enabled: { top_k: true }, top_k: 2 } } } });
      await one.manager.dispose();
      await other.manager.dispose();
    });

  test('are read once, and again when somebody has changed them', async () => {
    const { manager, effective } = await open();
    await effective();
    reads = [];
    await effective();
    const ours = () => reads.filter((key) => key.includes(GLOBAL)).length;
    assert.equal(ours(), 0);
    data.inferenceSettings.set(GLOBAL, { id: GLOBAL, do_sample: true,
      temperature: 0.25, enabled: { temperature: true } });
    assert.equal((await effective()).temperature, undefined);
    await manager.handleMessage({ type: 'inferenceSettingsUpdate' });
    assert.equal((await effective()).temperature, 0.25);
    assert.equal(ours(), 1);
    await manager.updateSettings({ temperature: 0.75 });
    assert.equal((await effective()).temperature, 0.75);
    await manager.dispose();
  });

  test('that are wrong are refused, and nothing is written', async () => {
    const { manager } = await open();
    for (const [patch, scope] of /** @type {any[]} */ ([
      [{ top_p: 2 }], [{ json_mode: 1 }], [{ top_k: 1 }, { dtype: 'q4' }],
      [{ top_k: 1 }, { modelId: 'no id' }], [5],
    ])) {
      await assert.rejects(manager.updateSettings(patch, scope),
        { code: 'invalid_params' });
    }
    assert.equal(data.inferenceSettings.size + data.manifest.size, 0);
    await manager.dispose();
  });

  test('of a scope with a misspelt member are nobody\'s', async () => {
    const { manager } = await open();
    const scope = /** @type {any} */ ({ modelid: MODEL });
    const refused = {
      code: 'invalid_argument', message: 'there is no option "modelid"',
    };
    await assert.rejects(manager.updateSettings({ top_k: 1 }, scope), refused);
    await assert.rejects(manager.settings(scope), refused);
    assert.equal(data.inferenceSettings.size + data.manifest.size, 0);
    await manager.dispose();
  });

  test('too long together', async () => {
    const { manager } = await open();
    await manager.updateSettings({ system_prompt: 'x'.repeat(40_000) });
    await assert.rejects(manager.updateSettings(
      { stop_strings: ['y'.repeat(40_000)] }), { code: 'too_large' });
    await manager.dispose();
  });

  test('that cannot be read end an answer with a code', async () => {
    let isBroken = false;
    const store = new MemoryStore(data, { before: (name) => {
      if (isBroken && name === 'get') throw new Error('it is broken');
    } });
    const manager = await managerOf(store,
      { fetch: hub.fetch, ort: new FakeOrt(saying('Yes.')) });
    await manager.load({ modelId: MODEL });
    isBroken = true;
    await assert.rejects(manager.generate({ message: 'Hi' }),
      { code: 'store_failed', stage: 'settings' });
    isBroken = false;
    assert.equal((await manager.generate({ message: 'Hi' })).text, 'Yes.');
    await manager.dispose();
  });
});
