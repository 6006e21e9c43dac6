// SPDX-License-Identifier: Apache-2.0
// Results of benchmarks, judged by their targets and printed.

import Table from 'cli-table3';

/**
 * @typedef {object} Target
 * @property {number} floor what must be reached
 * @property {number} [aim] what ought to be
 * @property {boolean} [isMost] the result may be at most this, not at least
 *
 * @typedef {object} Row one result
 * @property {string} what was measured
 * @property {string} [ours] a time or size, for people
 * @property {string} [peer]
 * @property {number} result
 * @property {string} unit of the result and its target; "x" for a ratio
 * @property {Target} [target] none: for information
 *
 * @typedef {object} Section one table
 * @property {string} title
 * @property {string[]} notes what each side does
 * @property {Row[]} rows
 *
 * @typedef {'reached' | 'floor' | 'MISSED' | ''} Verdict
 */

const HEAD = ['what', 'ours', 'peer', 'result', 'floor', 'aim', 'verdict'];

/**
 * @param {Row} row
 * @returns {Verdict}
 */
export function verdictOf({ result, target }) {
  if (!target) return '';
  const reaches = (/** @type {number} */ bound) => (
    target.isMost ? result <= bound : result >= bound);
  if (!reaches(target.floor)) return 'MISSED';
  return reaches(target.aim ?? target.floor) ? 'reached' : 'floor';
}

/**
 * @param {number} value
 * @param {string} unit
 */
function numberText(value, unit) {
  const digits = Number.isInteger(value) || Math.abs(value) >= 1000 ? 0 : 2;
  return `${value.toFixed(digits)}${unit === 'x' ? 'x' : ` ${unit}`}`;
}

/** @param {Row} row */
function cellsOf(row) {
  const { what, ours = '', peer = '', result, unit, target } = row;
  const sign = target?.isMost ? '<=' : '>=';
  const bound = (/** @type {number | undefined} */ value) => (
    value === undefined ? '' : `${sign} ${numberText(value, unit)}`);
  return [what, ours, peer, numberText(result, unit), bound(target?.floor),
    bound(target?.aim), verdictOf(row)];
}

/**
 * A section as text.
 * @param {Section} section
 */
export function sectionText({ title, notes, rows }) {
  const table = new Table({
    head: HEAD, style: { head: [], border: [], compact: true },
    colAligns: ['left', 'right', 'right', 'right', 'right', 'right', 'left'],
  });
  table.push(...rows.map(cellsOf));
  return [title, ...notes.map((note) => `  ${note}`), table.toString(), '']
    .join('\n');
}

/**
 * The last lines: how many targets are met and which are not.
 * @param {Section[]} sections
 */
export function summaryText(sections) {
  const results = sections.flatMap(({ title, rows }) =>
    rows.map((row) => ({ title, row, verdict: verdictOf(row) })));
  const count = (/** @type {Verdict} */ verdict) =>
    results.filter((result) => result.verdict === verdict).length;
  const missed = results.filter(({ verdict }) => verdict === 'MISSED')
    .map(({ title, row }) =>
      `  MISSED ${title}: ${row.what}: ${numberText(row.result, row.unit)}`);
  return [`${count('reached')} targets reached, ${count('floor')} more at `
    + `their floor, ${count('MISSED')} missed`, ...missed].join('\n');
}
