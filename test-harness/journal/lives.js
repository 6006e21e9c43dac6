// SPDX-License-Identifier: Apache-2.0
// Lives of a program that is killed: what the store held and what had been
// heard at every moment of one run, and the runs that go on from there.

import * as ort from 'onnxruntime-web';

import { copyOf, emptyData, MemoryStore } from '../store/memory-store.js';
import { managerOf } from '../store/world.js';

/**
 * @typedef {import('../store/memory-store.js').Data} Data
 * @typedef {Record<string, any>} Message
 * @typedef {{ data: Data, heard: Message[] }} Moment
 */

/** Keys of what is written down of jobs. */
const JOURNAL = /^tabagent:(job|said)\//;

/**
 * The keys that the journal has.
 * @param {Data} data
 */
export function journalOf(data) {
  return [...data.files.keys()].filter((key) => JOURNAL.test(key));
}

/** @param {readonly any[] | undefined} batch */
function isJournal(batch) {
  return Boolean(batch?.some(({ key }) => JOURNAL.test(key)));
}

/**
 * A manager that keeps the journal in `data`. A moment is noted before and
 * behind each of its transactions, and with each message.
 * @param {typeof fetch} fetch
 * @param {Data} [data]
 * @param {{ clock?: any, seed?: number }} [options]
 */
export async function live(fetch, data = emptyData(), options = {}) {
  /** @type {Moment[]} */
  const moments = [];
  /** @type {Message[]} */
  const heard = [];
  const note = () => {
    moments.push({ data: copyOf(data), heard: [...heard] });
  };
  const watch = (/** @type {string} */ _name, /** @type {any} */ batch) => {
    if (isJournal(batch)) note();
  };
  const store = new MemoryStore(data, { before: watch, after: watch });
  const manager = await managerOf(store, {
    fetch, ort, journal: true, ...options,
    onMessage: (message) => {
      heard.push(message);
      queueMicrotask(note); // what goes out together is heard together
    },
  });
  return { manager, data, heard, moments };
}

/**
 * Has everything go on that was left.
 * @param {import('../../js-bindings/types/index.d.ts').ModelManager} manager
 */
export async function goOn(manager) {
  const jobs = await manager.resumeJobs();
  const ends = await Promise.all(jobs.map(({ request }) => (
    manager.handleMessage({ ...request, resume: true }))));
  return { jobs, ends };
}
