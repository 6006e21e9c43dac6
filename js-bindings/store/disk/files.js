// SPDX-License-Identifier: Apache-2.0
// What Node's file system leaves to do.

import { open, rm } from 'node:fs/promises';

/**
 * @param {any} error
 * @returns {undefined} for a file that is not there, and throws otherwise
 */
export function ignoreMissing(error) {
  if (error.code !== 'ENOENT') throw error;
}

/**
 * Deletes files that nobody needs. One that cannot be deleted now, as Windows
 * says of a file that is open, is left for the next sweep.
 * @param {string[]} paths
 */
export async function discard(paths) {
  await Promise.all(paths.map((path) => rm(path).catch(() => {})));
}

/**
 * Makes names in a directory durable. On Windows they are, and a directory
 * cannot be opened.
 * @param {string} path
 */
export async function syncDirectory(path) {
  if (process.platform === 'win32') return;
  const handle = await open(path);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
