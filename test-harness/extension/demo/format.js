// SPDX-License-Identifier: Apache-2.0
// Numbers as people read them.

const UNITS = ['bytes', 'KB', 'MB', 'GB', 'TB'];

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/**
 * Sizes as browsers and shops tell them, by thousands.
 * @param {number} count
 */
export function bytes(count) {
  let unit = 0;
  let value = count;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : 1;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

/**
 * A part of something, with one unit if it is the same.
 * @param {number} part
 * @param {number} whole
 */
export function bytesOf(part, whole) {
  const [number, unit] = bytes(part).split(' ');
  const all = bytes(whole);
  return all.endsWith(` ${unit}`) ? `${number} of ${all}`
    : `${number} ${unit} of ${all}`;
}

/** @param {number} count e.g. of downloads: 1.2M */
export function short(count) {
  for (const [size, letter] of /** @type {[number, string][]} */ (
    [[1e9, 'B'], [1e6, 'M'], [1e3, 'K']])) {
    if (count >= size) {
      const value = count / size;
      return `${value >= 99.95 ? Math.round(value)
        : Number(value.toFixed(1))}${letter}`;
    }
  }
  return String(count);
}

/** @param {number} count with separators */
export function whole(count) {
  return Math.round(count).toLocaleString('en');
}

/** @param {number} ms */
export function duration(ms) {
  if (ms < SECOND) return `${Math.round(ms)} ms`;
  if (ms < 10 * SECOND) return `${(ms / SECOND).toFixed(1)} s`;
  if (ms < MINUTE) return `${Math.round(ms / SECOND)} s`;
  if (ms < HOUR) {
    return `${Math.floor(ms / MINUTE)} min ${Math.floor(ms % MINUTE / SECOND)} s`;
  }
  return `${Math.floor(ms / HOUR)} h ${Math.floor(ms % HOUR / MINUTE)} min`;
}

/**
 * @param {number} then milliseconds since the epoch
 * @param {number} [now]
 */
export function ago(then, now = Date.now()) {
  const ms = Math.max(0, now - then);
  const [count, unit] = ms < MINUTE ? [0, '']
    : ms < HOUR ? [Math.floor(ms / MINUTE), 'minute']
    : ms < DAY ? [Math.floor(ms / HOUR), 'hour']
    : ms < 60 * DAY ? [Math.floor(ms / DAY), 'day']
    : ms < 730 * DAY ? [Math.floor(ms / (30 * DAY)), 'month']
    : [Math.floor(ms / (365 * DAY)), 'year'];
  return count === 0 ? 'just now' : `${count} ${unit}${count === 1 ? '' : 's'} ago`;
}

/** @param {string} modelId owner/name */
export function splitId(modelId) {
  const slash = modelId.indexOf('/');
  return slash < 0 ? { owner: '', name: modelId }
    : { owner: modelId.slice(0, slash), name: modelId.slice(slash + 1) };
}
