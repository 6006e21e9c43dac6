// SPDX-License-Identifier: Apache-2.0
// Reads a trace and compares actions with it; trace_file.c and trace_match.c
// in JavaScript. README.md describes the language.

/**
 * @typedef {object} Entry
 * @property {string} line without the leading mark
 * @property {string[]} body the indented lines below it
 * @property {number} number of the line in the file
 *
 * @typedef {{ event: Entry, actions: Entry[] }} Step
 */

const FENCE = '```';

/** Actions whose text is JSON. */
const JSON_ACTION = /^(message|terminal|models|request) /;

/**
 * @param {string} text of the Markdown file
 * @returns {Step[]}
 */
export function parseTrace(text) {
  /** @type {Step[]} */
  const steps = [];
  let isInside = false;
  /** @type {Entry | undefined} */
  let entry;
  text.split('\n').forEach((line, i) => {
    if (line.startsWith(FENCE)) {
      isInside = line.startsWith(`${FENCE}trace`);
      entry = undefined;
    } else if (isInside && line.startsWith('  ') && entry) {
      entry.body.push(line.slice(2));
    } else if (isInside && line !== '') {
      entry = { line: line.slice(2), body: [], number: i + 1 };
      if (line.startsWith('> ')) steps.push({ event: entry, actions: [] });
      else if (line.startsWith('< ')) steps.at(-1)?.actions.push(entry);
      else throw new Error(`line ${i + 1}: not an event or an action`);
    }
  });
  return steps;
}

/**
 * The bytes of a body.
 * @param {Entry} entry
 * @returns {Buffer}
 */
export function bytesOf({ body }) {
  const parts = body.join('\n').split(/(\\x[0-9a-f]{2})/);
  return Buffer.concat(parts.map((part, i) => (
    i % 2 === 0 ? Buffer.from(part) : Buffer.from(part.slice(2), 'hex'))));
}

/**
 * The text of an action as the log has it.
 * @param {Entry} entry
 */
export function textOf({ line, body }) {
  return tidy([line, ...body].join('\n'));
}

/**
 * Takes the blanks out of JSON, so that a trace may lay it out at will.
 * @param {string} text of an action
 */
export function tidy(text) {
  if (!JSON_ACTION.test(`${text} `)) return text;
  return text.replace(/("(?:\\.|[^"\\])*")|\s+/g, '$1');
}

/**
 * The text without what a trace leaves open.
 * @param {string} pattern
 * @param {string} text
 * @returns {boolean} whether |text| is what |pattern| describes
 */
export function matches(pattern, text) {
  /** @type {number[][]} */
  const ranges = [];
  const source = pattern
    .split(/(\[\[\*\]\]|\[\[[\d.]+?\.\.[\d.]+?\]\])/)
    .map((part, i) => {
      if (i % 2 === 0) return part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
      if (part === '[[*]]') return '[^]*?';
      ranges.push(part.slice(2, -2).split('..').map(Number));
      return '(-?\\d+(?:\\.\\d+)?)';
    })
    .join('');
  const found = new RegExp(`^${source}$`).exec(text);
  return found !== null && ranges.every(([from, to], i) => {
    const number = Number(found[i + 1]);
    return number >= from && number <= to;
  });
}
