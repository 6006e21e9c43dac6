// SPDX-License-Identifier: Apache-2.0
// Where things are, and how to find files.
import { readdirSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the project. */
export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** What nobody wrote: build results and packages. */
const SKIPPED = new Set(['build', 'dist', 'node_modules', '.git']);

/**
 * Returns the files below a folder whose path matches, sorted, relative to
 * ROOT and with forward slashes.
 * @param {string} folder relative to ROOT
 * @param {RegExp} pattern
 * @returns {string[]}
 */
export function findFiles(folder, pattern) {
  /** @type {string[]} */
  const found = [];
  const visit = (/** @type {string} */ path) => {
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      const child = join(path, entry.name);
      if (entry.isDirectory()) {
        if (!SKIPPED.has(entry.name)) visit(child);
        continue;
      }
      const name = relative(ROOT, child).split(sep).join('/');
      if (pattern.test(name)) found.push(name);
    }
  };
  visit(join(ROOT, folder));
  return found.sort();
}
