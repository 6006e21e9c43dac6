// SPDX-License-Identifier: Apache-2.0
// Writes a request for the core: the message as JSON, and apart from it a
// listing that the caller supplied.

import { TabAgentError } from './errors.js';

/** Text gathered before it is handed on: about one event of the core. */
const PIECE_CHARS = 65536;

/** Values that JSON would drop or change without a word. */
const UNWRITABLE = ['bigint', 'function', 'symbol'];

/**
 * The rows of `params.listing`, when it is an array; other values stay in the
 * message, where the core rejects them.
 * @param {any} message
 * @returns {unknown[] | undefined}
 */
export function suppliedListing(message) {
  const params = message?.params ?? message;
  return Array.isArray(params?.listing) ? params.listing : undefined;
}

/**
 * @param {unknown} message
 * @param {unknown[] | undefined} listing left out of the text
 * @returns {string}
 */
export function writeMessage(message, listing) {
  try {
    return JSON.stringify(message, (_key, value) => {
      if (listing !== undefined && value === listing) return undefined;
      return UNWRITABLE.includes(typeof value) || isUnwritableNumber(value)
        ? String(value) : value;
    }) ?? 'null';
  } catch (error) {
    throw new TabAgentError('malformed_message', 'the message cannot be '
      + `written as JSON: ${error}`, { cause: error });
  }
}

/** @param {unknown} value */
function isUnwritableNumber(value) {
  return typeof value === 'number' && !Number.isFinite(value);
}

/**
 * The rows as one JSON array, in pieces.
 * @param {unknown[]} listing
 * @returns {Generator<string, void, void>}
 */
export function* listingPieces(listing) {
  let text = '[';
  for (let i = 0; i < listing.length; i += 1) {
    text += (i === 0 ? '' : ',') + writeRow(listing[i], i);
    if (text.length >= PIECE_CHARS) {
      yield text;
      text = '';
    }
  }
  yield `${text}]`;
}

/**
 * @param {unknown} row
 * @param {number} index
 */
function writeRow(row, index) {
  try {
    return JSON.stringify(row) ?? 'null';
  } catch (error) {
    throw new TabAgentError('invalid_params', `params.listing[${index}] cannot `
      + `be written as JSON: ${error}`, { stage: 'params', cause: error });
  }
}
