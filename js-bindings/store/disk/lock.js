// SPDX-License-Identifier: Apache-2.0
// Locks between processes. A lock is a directory with one file in it, named by
// its owner. Every move is safe whoever else makes it at the same time:
//
// - taking: a directory that holds the file already is renamed to the lock,
//   which works only when there is none, or an empty one
// - releasing, and clearing away a dead owner: the file is deleted by its name,
//   which is of no other owner; then the directory, which works only when it
//   is empty

import { rmdirSync, unlinkSync } from 'node:fs';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { isAlive, isOwner, newOwner } from './owner.js';
import { acquireInRealm } from '../locks.js';

/**
 * The system tells nobody that a lock is free, so it is asked again: soon,
 * because most are held for a moment only, then less and less often.
 */
const DELAY_MIN_MS = 1;
const DELAY_MAX_MS = 20;

/**
 * @param {string} path of the lock; its directory is there
 * @param {AbortSignal} signal
 * @returns {Promise<() => void>} releases it
 */
export async function acquireOnDisk(path, signal) {
  // One of this process at a time, in the order of asking.
  const leave = await acquireInRealm(path, signal);
  try {
    const owner = await take(path, signal);
    return () => {
      clear(path, owner);
      leave();
    };
  } catch (error) {
    leave();
    throw error;
  }
}

/**
 * @param {string} path
 * @param {AbortSignal} signal
 * @returns {Promise<string>} the owner
 */
async function take(path, signal) {
  const owner = newOwner();
  const draft = join(path, '..', owner);
  try {
    await mkdir(draft);
    await writeFile(join(draft, owner), '');
    let delay = DELAY_MIN_MS;
    while (!await renameUnlessThere(draft, path)) {
      if (await clearUnlessAlive(path)) continue;
      await wait(delay, signal);
      delay = Math.min(delay * 2, DELAY_MAX_MS);
    }
    return owner;
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    throw error;
  }
}

/**
 * @param {string} draft
 * @param {string} path
 */
async function renameUnlessThere(draft, path) {
  try {
    await rename(draft, path);
    return true;
  } catch (error) {
    if (isOneOf(error, 'ENOTEMPTY', 'EEXIST')) return false;
    // What Windows says of it; also of a file that a scanner looks at.
    if (process.platform === 'win32' && isOneOf(error, 'EPERM', 'EACCES')) {
      return false;
    }
    throw error;
  }
}

/**
 * @param {string} path
 * @returns {Promise<boolean>} whether the lock is free
 */
async function clearUnlessAlive(path) {
  try {
    const [owner] = await readdir(path);
    if (owner !== undefined && isAlive(owner)) return false;
    clear(path, owner);
    return true;
  } catch (error) {
    if (isOneOf(error, 'ENOENT')) return true;
    throw error;
  }
}

/**
 * Not a promise: it is done when a process ends in the next moment.
 * @param {string} path
 * @param {string} [owner]
 */
function clear(path, owner) {
  try {
    if (owner !== undefined) unlinkSync(join(path, owner));
    rmdirSync(path);
  } catch (error) {
    // Another one was faster, and may have taken the lock since. On Windows a
    // file that somebody looks at goes a moment later.
    if (!isOneOf(error, 'ENOENT', 'ENOTEMPTY', 'EEXIST', 'EPERM', 'EBUSY')) {
      throw error;
    }
  }
}

/**
 * @param {number} ms
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
function wait(ms, signal) {
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      if (signal.aborted) reject(signal.reason);
      else resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
  });
}

/**
 * @param {unknown} error
 * @param {string[]} codes
 */
function isOneOf(error, ...codes) {
  return codes.includes(
    String(/** @type {NodeJS.ErrnoException} */ (error).code));
}

/**
 * Deletes what dead processes left.
 * @param {string} directory of the locks
 */
export async function sweepLocks(directory) {
  for (const name of await readdir(directory)) {
    const path = join(directory, name);
    if (!isOwner(name)) await clearUnlessAlive(path);
    else if (!isAlive(name)) await rm(path, { recursive: true, force: true });
  }
}
