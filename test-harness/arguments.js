// SPDX-License-Identifier: Apache-2.0
// The options of scripts that have no commands.

import { parseArgs } from 'node:util';

/** What a process that was called in a wrong way ends with. */
const WRONG_USAGE = 2;

/**
 * Reads the options that the process was called with. Ends it, with one line
 * that says why, when they are wrong.
 * @template {NonNullable<import('node:util').ParseArgsConfig['options']>} T
 * @param {T} options as `parseArgs` takes them
 * @returns {ReturnType<typeof parseArgs<{ options: T }>>['values']}
 */
export function readArguments(options) {
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    const names = Object.keys(options).map((name) => `--${name}`).join(', ');
    // Its second sentence is about arguments, which there are none of.
    const [what] = /** @type {Error} */ (error).message.split('. ');
    return refuseArguments(`${what}; there are ${names}`);
  }
}

/**
 * Ends the process, which was called in a wrong way.
 * @param {string} why
 * @returns {never}
 */
export function refuseArguments(why) {
  process.stderr.write(`error: ${why}\n`);
  process.exit(WRONG_USAGE);
}
