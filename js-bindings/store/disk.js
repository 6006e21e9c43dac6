// SPDX-License-Identifier: Apache-2.0
// The store in a directory, for Node: contents are files, and the line of a log
// makes a batch happen. Killed at any moment, it opens with every batch that
// was acknowledged and no half one.

import { createHash } from 'node:crypto';
import { statfs } from 'node:fs/promises';
import { join, resolve } from 'node:path';

import { Contents } from './disk/contents.js';
import { Directory } from './disk/directory.js';
import { Entries } from './disk/entries.js';
import { acquireOnDisk } from './disk/lock.js';
import { Log } from './disk/log.js';
import { closedError } from './errors.js';
import { bytesOfBlob, readBatch } from './layout.js';
import { Locks } from './locks.js';

/** @typedef {import('./index.js').Store} Store */

/** Below this size a log is not worth rewriting. */
const LOG_BYTES_MIN = 1024 * 1024;

/** A log is rewritten when it is so many times longer than its entries need. */
const LOG_WASTE_MAX = 3;

/** The lock of the log; the others have hexadecimal names. */
const LOG_LOCK = 'log';

/** @implements {Store} */
export class DiskStore {
  #directory;
  #log;
  #contents;
  #entries = new Entries();
  #locks;
  /** @type {Promise<void> | null} */
  #opening = null;
  #closing = new AbortController();
  /** @type {Promise<unknown>} what works on the log, one after the other */
  #working = Promise.resolve();
  #compactAt = LOG_BYTES_MIN;

  /** @param {string} path of the directory; made when it is not there */
  constructor(path) {
    this.#directory = new Directory(resolve(path));
    this.#log = new Log(this.#directory.log);
    this.#contents = new Contents(this.#directory.contents);
    this.#locks = new Locks((name, signal) => (
      acquireOnDisk(join(this.#directory.locks, nameOf(name)), signal)));
  }

  /** @type {Store['get']} */
  async get(store, key) {
    await this.#refresh();
    const entry = this.#entries.get(store, key);
    if (!entry) return null;
    return 'bytes' in entry ? entry.bytes.slice()
      : bytesOfBlob(await this.#contents.blob(entry.number, entry.size));
  }

  /** @type {Store['list']} */
  async list(store, prefix) {
    await this.#refresh();
    return this.#entries.keys(store, prefix).flatMap((key) => {
      const entry = this.#entries.get(store, key);
      return entry && 'bytes' in entry
        ? [{ key, bytes: entry.bytes.slice() }] : [];
    });
  }

  /** @type {Store['keys']} */
  async keys(prefix) {
    await this.#refresh();
    return this.#entries.keys('files', prefix);
  }

  /** @type {Store['size']} */
  async size(key) {
    await this.#refresh();
    const entry = this.#entries.get('files', key);
    return entry && 'size' in entry ? entry.size : null;
  }

  /** @type {Store['blob']} */
  async blob(key) {
    await this.#refresh();
    const entry = this.#entries.get('files', key);
    return entry && 'number' in entry
      ? this.#contents.blob(entry.number, entry.size) : null;
  }

  /** @type {Store['write']} */
  async write(batch) {
    const steps = readBatch(batch);
    if (steps.length === 0) return;
    await this.#open();
    const numbers = await this.#contents.add(steps.flatMap(({ step }) => (
      step.kind === 'content' ? [step.blob] : [])));
    try {
      await this.#serial(() => this.#commit(steps, numbers));
    } catch (error) {
      await this.#contents.remove(numbers);
      throw error;
    }
  }

  /** @type {Store['estimate']} */
  async estimate() {
    await this.#refresh();
    const { bavail, bsize } = await statfs(this.#directory.contents);
    const usage = this.#entries.contents().reduce(
      (sum, { size }) => sum + size, this.#log.size);
    return { usage, quota: usage + bavail * bsize, persisted: true };
  }

  /** @type {Store['lock']} */
  async lock(name, signal) {
    signal?.throwIfAborted();
    await this.#open();
    return this.#locks.lock(name, signal);
  }

  /** @type {Store['close']} */
  close() {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort(closedError());
    this.#locks.close();
    const leave = () => this.#directory.leave();
    this.#opening?.then(leave, leave);
    this.#serial(() => this.#log.close()).catch(() => {});
  }

  /** Opens the directory on first use, and later after a failure. */
  async #open() {
    this.#closing.signal.throwIfAborted();
    const opening = this.#opening ??= this.#enter();
    await opening.catch((error) => {
      this.#reopen(opening);
      throw error;
    });
    this.#closing.signal.throwIfAborted();
  }

  /**
   * Lets the next use open the directory again.
   * @param {Promise<void> | null} opening the one that is over
   */
  #reopen(opening) {
    if (this.#opening !== opening) return;
    this.#opening = null;
    this.#directory.leave();
  }

  async #enter() {
    await this.#directory.enter();
    await this.#underLock(async () => {
      await this.#read();
      if (!await this.#directory.isOurs()) return;
      const used = this.#entries.contents().map(({ number }) => number);
      await this.#contents.sweep(new Set(used));
      await this.#directory.sweepLocks();
      if (this.#isWasteful()) await this.#compact();
    });
  }

  /** Takes in what other stores have written. */
  async #refresh() {
    await this.#open();
    await this.#serial(() => this.#read());
  }

  async #read() {
    const opening = this.#opening;
    const { isAnew, lines } = await this.#log.read().catch((error) => {
      this.#reopen(opening);
      throw error;
    });
    if (isAnew) this.#entries.clear();
    for (const items of lines) {
      for (const item of items) {
        if (item[0] === 'content') this.#contents.reserve(item[2]);
        if (item[0] === 'next') this.#contents.reserve(item[1] - 1);
      }
      this.#entries.apply(items);
    }
  }

  /**
   * @param {ReturnType<typeof readBatch>} steps
   * @param {number[]} numbers of the contents
   */
  async #commit(steps, numbers) {
    const dropped = await this.#underLock(async () => {
      await this.#read();
      const items = this.#entries.itemsOf(steps, numbers);
      await this.#log.append(items);
      const dropped = this.#entries.apply(items);
      if (this.#log.size > this.#compactAt) await this.#compactIfOurs();
      return dropped;
    });
    await this.#contents.remove(dropped);
  }

  /**
   * Once closed, others may think that they are alone, and have swept what we
   * wrote.
   * @template T
   * @param {() => Promise<T>} work
   */
  async #underLock(work) {
    const release = await acquireOnDisk(
      join(this.#directory.locks, LOG_LOCK), this.#closing.signal);
    try {
      this.#closing.signal.throwIfAborted();
      return await work();
    } finally {
      release();
    }
  }

  /** The batch before it is done, so this must not fail. */
  async #compactIfOurs() {
    this.#compactAt = this.#log.size * 2;
    try {
      if (this.#isWasteful() && await this.#directory.isOurs()) {
        await this.#compact();
      }
    } catch {
      // The log is as long as before, or is read anew.
    }
  }

  #isWasteful() {
    return this.#log.size > LOG_BYTES_MIN
      && this.#log.size > LOG_WASTE_MAX * this.#entries.weight();
  }

  async #compact() {
    await this.#log.replace([
      [['next', this.#contents.next]],
      ...[...this.#entries.items()].map((item) => [item]),
    ]);
    await this.#read();
    this.#compactAt = Math.max(LOG_BYTES_MIN, this.#log.size * LOG_WASTE_MAX);
  }

  /**
   * @template T
   * @param {() => Promise<T>} work
   * @returns {Promise<T>}
   */
  #serial(work) {
    const done = this.#working.then(work);
    this.#working = done.catch(() => {});
    return done;
  }
}

/**
 * Any text as the name of a file.
 * @param {string} text
 */
function nameOf(text) {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}
