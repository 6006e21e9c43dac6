// SPDX-License-Identifier: Apache-2.0
// The directory of the store, and who has it open:
//
//   index         the log
//   content/<n>   contents
//   lock/<name>   locks
//   open/<owner>  one empty file for each store that has it open

import { rmSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { discard } from './files.js';
import { sweepLocks } from './lock.js';
import { isAlive, newOwner } from './owner.js';

/** A directory that this store has open. */
export class Directory {
  #owner = newOwner();

  /** @param {string} path */
  constructor(path) {
    this.log = join(path, 'index');
    this.contents = join(path, 'content');
    this.locks = join(path, 'lock');
    this.users = join(path, 'open');
  }

  /** Makes what is not there, and says that we have it open. */
  async enter() {
    for (const path of [this.contents, this.locks, this.users]) {
      await makeDirectory(path);
    }
    await writeFile(join(this.users, this.#owner), '');
  }

  /**
   * Says that we have it open no more. Whoever comes after us does it in our
   * place when that fails, as where no directory could be made.
   */
  leave() {
    try {
      rmSync(join(this.users, this.#owner), { force: true });
    } catch {
      // Why it could not be opened is told by whoever tried.
    }
  }

  /** Whether nobody else has it open. Whoever comes waits for the log. */
  async isOurs() {
    const names = await readdir(this.users);
    const dead = names.filter((name) => !isAlive(name));
    await discard(dead.map((name) => join(this.users, name)));
    return names.length - dead.length === 1;
  }

  /** Deletes what dead processes left of locks. */
  async sweepLocks() {
    await sweepLocks(this.locks);
  }
}

/**
 * Makes a directory and those above it. Node's own `recursive` never ends where
 * the system says of a folder that is there that it is not, as /proc does.
 * @param {string} path
 */
async function makeDirectory(path) {
  const parent = dirname(path);
  for (const isLast of [false, true]) {
    try {
      await mkdir(path);
      return;
    } catch (error) {
      const { code } = /** @type {NodeJS.ErrnoException} */ (error);
      if (code === 'EEXIST') return;
      if (isLast || code !== 'ENOENT' || parent === path) throw error;
    }
    await makeDirectory(parent);
  }
}
