// SPDX-License-Identifier: Apache-2.0
// The models of the Hub as far as they are known: listed page by page, so that
// rows can be shown as they come, and kept for when there is no Hub.

import { splitId } from './format.js';
import { forgetAll, keep, recall, recallAll } from './keeper.js';
import { wasCancelled } from './problem.js';

/**
 * @typedef {import('tabagent-wasm').ModelManager} ModelManager
 * @typedef {import('tabagent-wasm').ModelEntry} ModelEntry
 * @typedef {Pick<ModelEntry, 'id' | 'name' | 'classification'>
 *   & Partial<ModelEntry> & { haystack: string }} Row haystack: what a search
 *   looks into; the rest may still be on its way
 * @typedef {{ at: number, search: string, whole: boolean }} Note what a kept
 *   listing is: whole if it was not ended early
 */

/** Rows of the first page: few, so that they are soon there. */
const FIRST_PAGE = 100;

/** Rows of the other pages. */
const PAGE = 500;

/** Rows at the most, as the product has it. */
const ROWS_MAX = 5000;

/** Rows that are kept under one key: writing them must not be felt. */
const KEPT_TOGETHER = 100;

const ROWS = 'listing/rows/';
const NOTE = 'listing/note';

/** Emits `change`. */
export class Catalogue extends EventTarget {
  /** @type {Map<string, Row>} */
  rows = new Map();
  /** Of the rows that are there. @type {Note | null} */
  note = null;
  isListing = false;
  /** Rows looked at. */
  fetched = 0;
  /** @type {unknown} why the last listing ended early */
  error = null;
  /** When the Hub takes requests again, if it asked for a pause. */
  pausedUntil = 0;
  #manager;
  /** @type {AbortController | null} */
  #controller = null;
  #saved = Promise.resolve();
  /** The listing has rows of its own. */
  #begun = false;

  /** @param {ModelManager} manager */
  constructor(manager) {
    super();
    this.#manager = manager;
  }

  /** Takes up what was kept. @returns {Promise<boolean>} whether there was */
  async restore() {
    const note = await recall(NOTE);
    if (!note) return false;
    for (const part of await recallAll(ROWS)) {
      for (const row of part) this.rows.set(row.id, row);
    }
    this.note = note;
    this.#changed();
    return true;
  }

  /**
   * Lists anew. What is there stays until the first rows have come.
   * @param {string} [search] has the Hub search instead of listing all
   */
  async list(search = '') {
    this.#controller?.abort();
    const controller = new AbortController();
    this.#controller = controller;
    Object.assign(this, {
      isListing: true, fetched: 0, error: null, pausedUntil: 0,
    });
    this.#changed();
    let whole = true;
    try {
      await this.#listPages(search, controller.signal);
    } catch (error) {
      whole = false;
      if (this.#controller !== controller) return;
      if (!wasCancelled(error)) this.error = error;
    }
    if (this.#controller !== controller) return;
    this.#controller = null;
    this.isListing = false;
    this.pausedUntil = 0;
    if (this.note && this.fetched > 0) {
      this.note.whole = whole;
      this.#save();
    }
    this.#changed();
  }

  stop() {
    this.#controller?.abort();
  }

  /** Resolves when everything is kept. */
  saved() {
    return this.#saved;
  }

  /**
   * @param {string} search
   * @param {AbortSignal} signal
   */
  async #listPages(search, signal) {
    let cursor = null;
    this.#begun = false;
    do {
      const before = this.fetched;
      const size = Math.min(before === 0 ? FIRST_PAGE : PAGE, ROWS_MAX - before);
      const page = /** @type {Awaited<ReturnType<ModelManager['listChatModels']>>} */ (
        await this.#manager.listChatModels({
          cursor, pageSize: size, maxListing: size, maxCandidates: size,
          ...(search && { query: { search } }),
        }, { signal, onProgress: (message) => {
          if (!signal.aborted) this.#onProgress(message, search, before);
        } }));
      signal.throwIfAborted();
      const known = this.rows.size;
      this.#add(search, page.models.map(rowOf));
      this.fetched = before + page.meta.fetched;
      this.pausedUntil = 0;
      this.#changed();
      cursor = page.meta.hasMore ? page.meta.cursor : null;
      // A page that leads to itself must not be followed for ever.
      if (page.meta.fetched === 0 && this.rows.size === known) break;
    } while (cursor !== null && this.fetched < ROWS_MAX);
  }

  /**
   * The first rows of a listing take the place of the one before.
   * @param {string} search
   * @param {Row[]} rows
   */
  #add(search, rows) {
    if (!this.#begun) {
      this.#begun = true;
      this.rows = new Map();
      this.note = { at: Date.now(), search, whole: false };
    }
    for (const row of rows) this.rows.set(row.id, row);
  }

  /**
   * @param {import('tabagent-wasm').ListChatModelsProgress} message
   * @param {string} search
   * @param {number} before rows of the pages before this one
   */
  #onProgress(message, search, before) {
    if (message.status === 'rate_limited') {
      this.pausedUntil = message.delta.resetAtMs;
    } else if (message.status === 'listing_page') {
      this.fetched = before + message.delta.fetched;
    } else if (message.status === 'classified') {
      // What is judged is shown; the rest of the row comes with its page.
      const items = message.batch ?? [message];
      this.#add(search, items.filter(({ modelId }) => !this.rows.has(modelId)
        || !this.#begun).map(({ modelId, delta }) => rowOf({
        id: modelId, name: splitId(modelId).name, ...delta,
      })));
    } else {
      return;
    }
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }

  #save() {
    const rows = [...this.rows.values()];
    const note = this.note;
    this.#saved = this.#saved.then(async () => {
      await forgetAll(ROWS);
      for (let i = 0; i < rows.length; i += KEPT_TOGETHER) {
        const key = `${ROWS}${String(i).padStart(6, '0')}`;
        await keep(key, rows.slice(i, i + KEPT_TOGETHER));
      }
      await keep(NOTE, note);
    }).catch(() => {
      // Without room for it there is no list for offline: everything else goes
      // on.
    });
  }
}

/**
 * @param {Omit<Row, 'haystack'>} model
 * @returns {Row}
 */
function rowOf(model) {
  const { tags, ...rest } = model;
  const { id, model_type: type, license } = model;
  return {
    ...rest, haystack: `${id} ${type ?? ''} ${license ?? ''}`.toLowerCase(),
  };
}
