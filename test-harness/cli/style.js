// SPDX-License-Identifier: Apache-2.0
// Colours and number formats. Only colours that read well on dark and on
// light ground, and none where the terminal has none.

import { styleText } from 'node:util';

/** @param {Parameters<typeof styleText>[0]} format */
function painter(format) {
  return (/** @type {string} */ text) => (
    hasColors() ? styleText(format, text) : text);
}

/** `hasColors` honours NO_COLOR, FORCE_COLOR and TERM; a pipe has none. */
function hasColors() {
  return process.stdout.isTTY && process.stdout.hasColors();
}

/** Ways to paint a text. */
export const style = {
  title: painter('bold'),
  good: painter('green'),
  bad: painter('red'),
  note: painter('cyan'),
};

const compact = new Intl.NumberFormat('en', {
  notation: 'compact', maximumSignificantDigits: 3,
});
const grouped = new Intl.NumberFormat('en');

/**
 * 8030261248 becomes "8.03B".
 * @param {number | undefined} number
 */
export function short(number) {
  return number === undefined ? '-' : compact.format(number);
}

/**
 * 5000 becomes "5,000".
 * @param {number} number
 */
export function whole(number) {
  return grouped.format(number);
}

/**
 * "1 model", "5,000 models".
 * @param {number} number
 * @param {string} noun in the singular
 */
export function amount(number, noun) {
  return `${whole(number)} ${noun}${number === 1 ? '' : 's'}`;
}

/** @param {number} ms */
export function duration(ms) {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/**
 * Columns to fill; a pipe gets what most windows have.
 */
export function width() {
  return Math.min(process.stdout.columns ?? 100, 120);
}
