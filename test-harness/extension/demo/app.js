// SPDX-License-Identifier: Apache-2.0
// What the views share.

import { Catalogue } from './catalogue.js';
import { HUB_URL } from './hub.js';
import { Library } from './library.js';

/**
 * @typedef {import('tabagent-wasm').ModelManager} ModelManager
 * @typedef {import('tabagent-wasm').GenerateResult} Result
 */

/**
 * Emits `report` for errors that have no place of their own, `answered` when an
 * answer has ended, and `chat` when a model is chosen to chat with.
 */
export class App extends EventTarget {
  /** Whose pages links lead to. */
  hubUrl = HUB_URL;
  manager;
  catalogue;
  library;
  /** Resolves when what was kept is there. */
  restored;
  /** @type {{ modelId: string, result: Result } | null} */
  lastAnswer = null;
  #announcer;

  /**
   * @param {ModelManager} manager
   * @param {HTMLElement} announcer what it says is read aloud
   */
  constructor(manager, announcer) {
    super();
    this.manager = manager;
    this.catalogue = new Catalogue(manager);
    this.library = new Library(manager);
    this.#announcer = announcer;
    this.restored = this.catalogue.restore().catch(() => false);
  }

  /** @param {string} text */
  announce(text) {
    this.#announcer.textContent = text;
  }

  /** @param {unknown} error */
  report(error) {
    this.dispatchEvent(new CustomEvent('report', { detail: error }));
  }

  /** @param {string} view */
  go(view) {
    this.dispatchEvent(new CustomEvent('go', { detail: view }));
  }

  /** @param {string} modelId @param {string} dtype */
  download(modelId, dtype) {
    this.announce(`Downloading ${modelId} ${dtype}`);
    this.library.download(modelId, dtype).then(
      () => {
        if (this.library.isStored(modelId, dtype)) {
          this.announce(`${modelId} ${dtype} is stored`);
        }
      }, (error) => this.report(error));
  }

  /** @param {string} modelId @param {string} dtype */
  chatWith(modelId, dtype) {
    this.dispatchEvent(new CustomEvent('chat', { detail: { modelId, dtype } }));
    this.go('chat');
  }

  /** @param {string} modelId @param {Result} result */
  answered(modelId, result) {
    this.lastAnswer = { modelId, result };
    this.dispatchEvent(new Event('answered'));
  }
}
