// SPDX-License-Identifier: Apache-2.0
// Which of the stored models answers, and its way into memory.

import { bytes, splitId } from './format.js';
import { fill, h } from './dom.js';
import { keep, recall } from './keeper.js';
import { progressBar } from './transfer-bar.js';

/**
 * @typedef {import('./app.js').App} App
 * @typedef {import('tabagent-wasm').LoadResult} LoadResult
 * @typedef {{ modelId: string, dtype: string }} Choice
 * @typedef {Choice & { executionProvider: string | null, warning?: string }}
 *   Loaded
 */

const LAST_MODEL = 'model';

export class ModelPicker {
  element;
  progress = h('div', { class: 'loading', hidden: true });
  #app;
  /** @type {Choice | null} */
  #choice = null;
  /** @type {Loaded | null} */
  #loaded = null;
  #isLoading = false;
  #select;
  #state = h('span', { class: 'model-state' });

  /** @param {App} app */
  constructor(app) {
    this.#app = app;
    this.#select = h('select', {
      'aria-label': 'Model', class: 'model-select',
      on: { change: () => this.#choose(JSON.parse(this.#select.value)) },
    });
    this.element = h('div', { class: 'model-picker' }, this.#select, this.#state);
    app.library.addEventListener('change', () => this.update());
    app.addEventListener('chat', (event) => {
      this.#choose(/** @type {CustomEvent} */ (event).detail);
    });
    recall(LAST_MODEL).then((choice) => {
      this.#choice ??= choice ?? null;
      this.update();
    }, () => {});
    this.update();
  }

  /** @returns {Choice | null} */
  chosen() {
    const ready = this.#app.library.ready();
    const found = ready.find(({ modelId, dtype }) => (
      modelId === this.#choice?.modelId && dtype === this.#choice.dtype));
    const { modelId, dtype } = found ?? ready[0] ?? {};
    return modelId === undefined ? null : { modelId, dtype };
  }

  update() {
    const ready = this.#app.library.ready();
    const chosen = this.chosen();
    this.#select.hidden = ready.length === 0;
    fill(this.#select, ...ready.map(({ modelId, dtype, bytes: size }) => h('option', {
      value: JSON.stringify({ modelId, dtype }),
      selected: modelId === chosen?.modelId && dtype === chosen.dtype,
    }, `${splitId(modelId).name} · ${dtype} · ${bytes(size)}`)));
    this.#showState();
  }

  /**
   * Has the chosen model in memory.
   * @param {AbortSignal} signal
   * @returns {Promise<LoadResult>}
   */
  async load(signal) {
    const choice = /** @type {Choice} */ (this.chosen());
    const { name } = splitId(choice.modelId);
    const bar = progressBar(`Loading ${name}`);
    const text = h('span', {}, `Loading ${name}`);
    this.#isLoading = true;
    try {
      const loaded = await this.#app.manager.load(choice, {
        signal,
        onProgress: ({ progress, file }) => {
          if (this.progress.hidden) fill(this.progress, text, bar.element);
          this.progress.hidden = false;
          const percent = Math.floor(progress);
          bar.set(progress / 100, `${percent} %`);
          text.textContent = `Loading ${name} · ${percent} %${
            file ? ` · ${file}` : ''}`;
        },
      });
      this.#loaded = loaded;
      return loaded;
    } catch (error) {
      this.#loaded = null;
      throw error;
    } finally {
      this.#isLoading = false;
      this.progress.hidden = true;
      this.#showState();
    }
  }

  /** Looks whether the model is still in memory, or is by another panel. */
  async look() {
    const { modelId, dtype, executionProvider } = await this.#app.manager.state();
    if (this.#isLoading) return;
    const isSame = modelId !== null && modelId === this.#loaded?.modelId
      && dtype === this.#loaded.dtype;
    if (!isSame) {
      this.#loaded = modelId === null || dtype === null ? null
        : { modelId, dtype, executionProvider };
    }
    this.#showState();
  }

  /** @param {Choice} choice */
  #choose(choice) {
    this.#choice = choice;
    keep(LAST_MODEL, choice).catch(() => {});
    this.update();
  }

  #showState() {
    const { library } = this.#app;
    const chosen = this.chosen();
    const loaded = this.#loaded;
    const isLoaded = loaded !== null && loaded.modelId === chosen?.modelId
      && loaded.dtype === chosen.dtype;
    const place = loaded?.executionProvider === 'webgpu' ? 'GPU' : 'CPU';
    this.#state.textContent = isLoaded
      ? `Ready on the ${place}${loaded.warning ? ` · ${loaded.warning}` : ''}`
      : chosen ? 'Loads with the first question'
      : library.isKnown ? 'No model is stored' : '';
    this.#state.dataset.ready = String(isLoaded);
    this.#state.title = isLoaded ? loaded.warning ?? '' : '';
  }
}
