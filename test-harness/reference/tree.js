// SPDX-License-Identifier: Apache-2.0
// What a page of the tree API says about the files of a repository, on top of
// JSON.parse. What wasm/store/tree_scan.c says is compared with this.
import { isPath } from './hub-file.js';

/** @param {unknown} value @returns {value is Record<string, unknown>} */
function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @param {unknown} value */
function isSize(value) {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

/** @param {unknown} value @param {number} digits */
function isDigest(value, digits) {
  return typeof value === 'string' && value.length === digits &&
    /^[0-9a-f]*$/.test(value);
}

/**
 * @param {unknown} element of the page
 * @returns {string | null} the line of a file or flaw; null for a directory
 */
function lineOf(element) {
  const row = isObject(element) ? element : {};
  if (row.type === 'directory') return null;
  const text = typeof row.path === 'string' ? row.path.toWellFormed() : '';
  const path = isPath(text) ? text : '';
  if (row.type !== 'file') return `no type ${path}`;
  if (path === '') return 'no path ';
  const isLfs = row.lfs !== undefined && row.lfs !== null;
  const content = !isLfs ? row : isObject(row.lfs) ? row.lfs : {};
  if (!isSize(content.size)) return `no size ${path}`;
  if (!isDigest(content.oid, isLfs ? 64 : 40)) return `no digest ${path}`;
  const size = BigInt(Number(content.size));
  return `${isLfs ? 'sha256' : 'git'} ${size} ${content.oid} ${path}`;
}

/**
 * Returns what the files of |page|, a parsed array, are: a line per row that is
 * no directory.
 * @param {unknown[]} page
 */
export function linesOf(page) {
  return page.map(lineOf).filter((line) => line !== null);
}
