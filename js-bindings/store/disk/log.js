// SPDX-License-Identifier: Apache-2.0
// The log: a file to which one line is appended for each batch. That line is
// what makes the batch happen: it counts when it is whole.

import { createHash } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

import { storeError } from '../errors.js';
import { ignoreMissing, syncDirectory } from './files.js';

/** Characters of the checksum at the beginning of each line. */
const SUM_LEN = 16;

const NEWLINE = 10;

/** @param {string} text */
function sumOf(text) {
  return createHash('sha256').update(text).digest('hex').slice(0, SUM_LEN);
}

/** @param {unknown} value */
function formatLine(value) {
  const text = JSON.stringify(value);
  return `${sumOf(text)} ${text}\n`;
}

/**
 * @param {string} line
 * @returns {any} undefined when the line is damaged
 */
function parseLine(line) {
  const text = line.slice(SUM_LEN + 1);
  return line.slice(0, SUM_LEN) === sumOf(text) ? JSON.parse(text) : undefined;
}

/** A file of lines that several processes append to. */
export class Log {
  #path;
  /** @type {import('node:fs/promises').FileHandle | null} */
  #handle = null;
  #end = 0;

  /** @param {string} path */
  constructor(path) {
    this.#path = path;
  }

  /** Bytes of all whole lines that were read or written. */
  get size() {
    return this.#end;
  }

  /**
   * Reads what was appended since the last call. A damaged line counts as not
   * written; the last one may still be in the making.
   * @returns {Promise<{ isAnew: boolean, lines: any[] }>} with |isAnew| these
   *   are all lines, and those before are void
   */
  async read() {
    const isAnew = await this.#isAnew();
    const handle = await this.#open();
    const { size } = await handle.stat();
    const bytes = Buffer.alloc(size - this.#end);
    const { bytesRead } = await handle.read(
      bytes, 0, bytes.length, this.#end);
    const lines = [];
    let whole = 0;
    let at = 0;
    for (;;) {
      const end = bytes.subarray(0, bytesRead).indexOf(NEWLINE, at);
      if (end < 0) break;
      const line = parseLine(bytes.toString('utf8', at, end));
      at = end + 1;
      if (line === undefined) continue;
      lines.push(line);
      whole = at;
    }
    this.#end += whole;
    return { isAnew, lines };
  }

  /**
   * Appends a line; durable when it resolves. To be called under the lock of
   * the log, after reading: what stands behind the whole lines was left by a
   * process that died while it wrote.
   * @param {unknown} value
   */
  async append(value) {
    const handle = await this.#open();
    const line = Buffer.from(formatLine(value));
    const end = this.#end;
    try {
      if ((await handle.stat()).size > end) await handle.truncate(end);
      for (let at = 0; at < line.length;) {
        const { bytesWritten } = await handle.write(
          line, at, line.length - at, end + at);
        at += bytesWritten;
      }
      await handle.datasync();
      this.#end = end + line.length;
    } catch (error) {
      await handle.truncate(end).catch(() => {});
      throw error;
    }
  }

  /**
   * Replaces all lines. To be called under the lock of the log, when no other
   * process has it open.
   * @param {unknown[]} values
   */
  async replace(values) {
    const draft = `${this.#path}.new`;
    try {
      const handle = await open(draft, 'w');
      try {
        for (const value of values) await handle.writeFile(formatLine(value));
        await handle.datasync();
      } finally {
        await handle.close();
      }
      // Windows does not replace a file that is open.
      await this.close();
      await rename(draft, this.#path);
      await syncDirectory(dirname(this.#path));
    } finally {
      await rm(draft, { force: true });
    }
  }

  /** Closes the file; the next use opens it again, and reads it anew. */
  async close() {
    const handle = this.#handle;
    this.#handle = null;
    await handle?.close();
  }

  /** Whether the lines that were read need not be there any more. */
  async #isAnew() {
    const handle = await this.#open();
    const { size, nlink } = await handle.stat();
    if (nlink === 0) {
      await this.close();
      throw storeError('ClosedError', 'the directory was deleted');
    }
    if (this.#end > 0 && size >= this.#end) return false;
    this.#end = 0;
    return true;
  }

  async #open() {
    if (this.#handle) return this.#handle;
    this.#end = 0;
    this.#handle = await open(this.#path, 'r+').catch(ignoreMissing) ?? null;
    if (this.#handle) return this.#handle;
    this.#handle = await open(this.#path, 'wx+');
    await syncDirectory(dirname(this.#path));
    return this.#handle;
  }
}
