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

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/**
 * 98100082 becomes "98.1 MB".
 * @param {number} bytes
 */
export function size(bytes) {
  const power = Math.max(0, UNITS.findLastIndex(
    // What would be rounded to a thousand is one of the next unit.
    (_unit, index) => bytes >= 0.9995 * 1000 ** index));
  const value = bytes / 1000 ** power;
  // Three digits: "9.81", "98.1", "981"; of single bytes there are no parts.
  const digits = power === 0 ? 0 : Math.max(0, 3 - value.toFixed(0).length);
  return `${value.toFixed(digits)} ${UNITS[power]}`;
}

/**
 * The time that is left, in one unit that tells enough.
 * @param {number} ms
 */
export function timeLeft(ms) {
  const seconds = Math.ceil(ms / 1000);
  if (seconds < 100) return `${seconds} s left`;
  const minutes = Math.round(seconds / 60);
  return minutes < 100 ? `${minutes} min left`
    : `${Math.round(minutes / 60)} h left`;
}

/**
 * How long ago something was.
 * @param {number} ms
 */
export function age(ms) {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return 'just now';
  if (minutes < 60) return `${minutes} min ago`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ago` : `${Math.floor(hours / 24)} days ago`;
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
