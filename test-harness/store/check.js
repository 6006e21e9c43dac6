// SPDX-License-Identifier: Apache-2.0
// The assertions of the contract, for Node and pages alike.

/**
 * A text that is the same for equal values only.
 * @param {any} value
 * @returns {string}
 */
function describe(value) {
  if (value instanceof Uint8Array) return `bytes [${[...value]}]`;
  if (Array.isArray(value)) return `[${value.map(describe).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const pairs = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${pairs.map(([name, inner]) => (
      `${JSON.stringify(name)}: ${describe(inner)}`)).join(', ')}}`;
  }
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}

/**
 * @param {unknown} actual
 * @param {unknown} expected
 * @param {string} [what]
 */
export function same(actual, expected, what = 'the value') {
  const [is, wanted] = [describe(actual), describe(expected)];
  if (is === wanted) return;
  throw new Error(`${what} is ${is.slice(0, 500)}, `
    + `expected ${wanted.slice(0, 500)}`);
}

/**
 * @param {boolean} condition
 * @param {string} what
 */
export function holds(condition, what) {
  if (!condition) throw new Error(`it does not hold that ${what}`);
}

/**
 * @param {Promise<unknown>} promise
 * @param {string} name of the error
 * @returns {Promise<any>} the error
 */
export async function fails(promise, name) {
  const error = await promise.then(() => undefined, (reason) => reason);
  if (error?.name === name) return error;
  throw new Error(`expected ${name}, got ${error?.name}: ${error?.message}`);
}
