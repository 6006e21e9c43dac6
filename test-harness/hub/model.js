// SPDX-License-Identifier: Apache-2.0
// One model of a catalogue: its listing entry, what the simulator knows about
// it beyond the wire, and the JSON text of each projection.

import { hexOf } from './random.js';

/**
 * @typedef {object} Truth what the model really is; never sent
 * @property {'gen' | 'encoder' | 'unknown'} classification
 * @property {string} why
 * @property {'listing' | 'repository' | 'none'} source where the evidence is
 * @property {string | null} modelType
 * @property {boolean} ambiguous the evidence alone does not decide
 */

/**
 * @typedef {object} Hidden facts behind an entry that the listing does not show
 * @property {Truth} [truth]
 * @property {string | Uint8Array | null} [config] text of config.json when it
 *   is not simply derived from the entry
 * @property {string} [configPath] where config.json lies in the repository
 * @property {number} [parameters] weights of the network
 * @property {string} [chatTemplate]
 * @property {Record<string, any>} [digest] what config.json says when the
 *   listing does not repeat it
 * @property {Files} [files] uploaded files, if not made from the entry
 */

/** @typedef {import('./content.js').Upload} Upload */
/** @typedef {Map<string, Upload>} Files by path */
/** @typedef {Map<string, Upload | null>} Changes by path; null deletes */

/** A catalogue row. */
export class Model {
  /** @type {Map<string, string>} */
  #json = new Map();
  /** @type {{ sha: string, changes: Changes }[]} commits after the first one */
  commits = [];

  /**
   * @param {Record<string, any>} entry every key the row has, nulls included
   * @param {Hidden} [hidden]
   */
  constructor(entry, hidden = {}) {
    this.entry = entry;
    this.hidden = hidden;
    this.id = /** @type {string} */ (entry.id ?? entry.modelId);
    // Catalogues from before cursors have no `_id`; paging needs one.
    this.objectId = /** @type {string} */ (entry._id ?? hexOf(this.id, 24));
    /** The first commit. */
    this.sha = /** @type {string} */ (entry.sha ?? hexOf(`${this.id}@main`, 40));
  }

  get author() {
    return this.entry.author ?? this.id.split('/').at(-2);
  }

  /**
   * @param {string} key
   * @returns {string | number | null}
   */
  sortValue(key) {
    return this.entry[key] ?? null;
  }

  /**
   * JSON text of the entry under a projection, kept because every crawl asks
   * for the same few projections again and again.
   * @param {string[]} keys
   */
  json(keys) {
    const name = keys.join();
    let text = this.#json.get(name);
    if (text === undefined) {
      text = JSON.stringify(this.project(keys));
      this.#json.set(name, text);
    }
    return text;
  }

  /** @param {string[]} keys */
  project(keys) {
    /** @type {Record<string, any>} */
    const row = {};
    const expanded = !keys.includes('modelId');
    for (const key of keys) {
      const value = this.entry[key];
      if (value !== undefined) row[key] = value;
      else if (expanded && key === '_id') row._id = this.objectId;
      else if (expanded && key === 'id') row.id = this.id;
    }
    return row;
  }

  /**
   * Changes the entry, as a like or a download does on the real Hub.
   * @param {Record<string, any>} values
   */
  update(values) {
    Object.assign(this.entry, values);
    this.#json.clear();
  }
}
