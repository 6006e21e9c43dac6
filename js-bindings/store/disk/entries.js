// SPDX-License-Identifier: Apache-2.0
// The entries of the store in memory, as the lines of the log make them.

import { formatObject, parseObject } from '../json-object.js';
import { STORE_NAMES } from '../layout.js';

/**
 * @typedef {import('../layout.js').StoreName} StoreName
 * @typedef {import('../layout.js').Step} Step
 *
 * @typedef {{ bytes: Uint8Array } | { number: number, size: number }} Entry
 *   a record, the text of an object, or a content
 *
 * @typedef {['bytes', StoreName, string, string]
 *   | ['content', string, number, number]
 *   | ['delete', StoreName, string]
 *   | ['next', number]} Item of a line: bytes are base64; `next` says that all
 *   numbers below it are used up
 */

/** What an item weighs beside key and bytes. */
const ITEM_BYTES = 32;

/** All entries. */
export class Entries {
  /** @type {Map<string, Map<string, Entry>>} */
  #stores = new Map(STORE_NAMES.map((name) => [name, new Map()]));

  /**
   * @param {StoreName} store
   * @param {string} key
   */
  get(store, key) {
    return this.#store(store).get(key);
  }

  /**
   * @param {StoreName} store
   * @param {string} prefix
   * @returns {string[]} in the order of IndexedDB, by code units
   */
  keys(store, prefix) {
    return [...this.#store(store).keys()]
      .filter((key) => key.startsWith(prefix)).sort();
  }

  clear() {
    for (const store of this.#stores.values()) store.clear();
  }

  /**
   * @param {Item[]} items
   * @returns {number[]} the contents that nothing refers to any more
   */
  apply(items) {
    /** @type {number[]} */
    const dropped = [];
    for (const item of items) {
      if (item[0] === 'next') continue;
      const [store, key] = item[0] === 'content'
        ? /** @type {const} */ (['files', item[1]]) : [item[1], item[2]];
      const old = this.get(store, key);
      if (old && 'number' in old) dropped.push(old.number);
      const entry = entryOf(item);
      if (entry) this.#store(store).set(key, entry);
      else this.#store(store).delete(key);
    }
    return dropped;
  }

  /**
   * What a batch does to these entries.
   * @param {{ store: StoreName, step: Step }[]} steps
   * @param {number[]} numbers of the contents, in their order
   * @returns {Item[]}
   */
  itemsOf(steps, numbers) {
    const left = numbers.values();
    /**
     * What steps before have made of objects.
     * @type {Map<string, Uint8Array | undefined>}
     */
    const changed = new Map();
    return steps.map(({ store, step }) => {
      const { kind, key } = step;
      if (kind === 'content') {
        return [kind, key, Number(left.next().value), step.blob.size];
      }
      if (kind === 'record') return ['bytes', store, key, toBase64(step.bytes)];
      const place = JSON.stringify([store, key]);
      if (kind === 'delete') {
        changed.set(place, undefined);
        return [kind, store, key];
      }
      const entry = this.get(store, key);
      const old = changed.has(place) ? changed.get(place)
        : entry && 'bytes' in entry ? entry.bytes : undefined;
      const bytes = formatObject(step.change(old && parseObject(old)));
      changed.set(place, bytes);
      return ['bytes', store, key, toBase64(bytes)];
    });
  }

  /** @returns {Generator<Item>} that make these entries of nothing */
  * items() {
    for (const [name, store] of this.#stores) {
      for (const [key, entry] of store) {
        if ('number' in entry) {
          yield ['content', key, entry.number, entry.size];
        } else {
          const place = /** @type {StoreName} */ (name);
          yield ['bytes', place, key, toBase64(entry.bytes)];
        }
      }
    }
  }

  /** @returns {{ number: number, size: number }[]} */
  contents() {
    return [...this.#store('files').values()].flatMap((entry) => (
      'number' in entry ? [entry] : []));
  }

  /** About how many bytes of a log these entries need. */
  weight() {
    let bytes = 0;
    for (const store of this.#stores.values()) {
      for (const [key, entry] of store) {
        bytes += ITEM_BYTES + key.length
          + ('bytes' in entry ? entry.bytes.length * 4 / 3 : 0);
      }
    }
    return bytes;
  }

  /** @param {StoreName} name */
  #store(name) {
    const store = this.#stores.get(name);
    if (!store) throw new TypeError(`no object store ${name}`);
    return store;
  }
}

/**
 * @param {Exclude<Item, ['next', number]>} item
 * @returns {Entry | undefined}
 */
function entryOf(item) {
  if (item[0] === 'content') return { number: item[2], size: item[3] };
  if (item[0] === 'delete') return undefined;
  return { bytes: new Uint8Array(Buffer.from(item[3], 'base64')) };
}

/** @param {Uint8Array} bytes */
function toBase64({ buffer, byteOffset, length }) {
  return Buffer.from(buffer, byteOffset, length).toString('base64');
}
