// SPDX-License-Identifier: Apache-2.0
// Turns every trace into a seed of manager_fuzz, in place of the old ones:
//   node test-harness/fuzz/seeds.js
// The format is what the steps of manager_fuzz.c read. Other files of the
// corpus are inputs that once broke something; they stay.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

import { findFiles, ROOT } from '../paths.js';
import { bytesOf, parseTrace } from '../trace/trace-file.js';

const CORPUS = join(ROOT, 'test-harness/fuzz/corpus/manager_fuzz');

/** Begins the names of the seeds. */
const PREFIX = 'trace-';

/** Numbers of the steps in manager_fuzz.c. */
const STEP = {
  timer: 0, wait: 1, command: 2, rows: 3, 'rows-end': 4, cancel: 5, head: 6,
  data: 7, end: 8, fail: 9,
};

/** @param {number} number */
const short = (number) => [number & 0xff, (number >> 8) & 0xff];

/** @param {Uint8Array} bytes */
const text = (bytes) => [...short(bytes.length), ...bytes];

/** @param {number} ms */
const wait = (ms) => (
  [STEP.wait, ...short(ms % 65536), ...short(Math.floor(ms / 65536))]);

/**
 * @param {import('../trace/trace-file.js').Entry} event
 * @param {number} now
 * @returns {number[]}
 */
function stepOf(event, now) {
  const [verb, word, extra] = event.line.split(' ');
  const number = Number(word);
  switch (verb) {
    case 'at':
      return wait(number - now);
    case 'timer':
      return [STEP.timer];
    case 'command':
      return [STEP.command, number, extra ? 1 : 0, ...text(bytesOf(event))];
    case 'head': {
      const block = Buffer.from(event.body.map((line) => `${line}\r\n`).join(''));
      return [STEP.head, number, ...short(Number(extra)), ...text(block)];
    }
    case 'rows':
    case 'data':
    case 'fail':
      return [STEP[verb], number, ...text(bytesOf(event))];
    default:
      return [STEP[/** @type {'end'} */ (verb)], number];
  }
}

/** @param {string} line of an event */
function timeAfter(line) {
  const [, verb, range] = /^(at|timer) (.*)/.exec(line) ?? [];
  return verb ? Number(range.split('..').at(-1)) : null;
}

for (const file of readdirSync(CORPUS)) {
  if (file.startsWith(PREFIX)) rmSync(join(CORPUS, file));
}
for (const file of findFiles('test-harness/trace', /(?<!README)\.md$/)) {
  let now = 0;
  const steps = parseTrace(readFileSync(join(ROOT, file), 'utf8'));
  const bytes = steps.flatMap(({ event }) => {
    const step = stepOf(event, now);
    now = timeAfter(event.line) ?? now;
    return step;
  });
  const name = PREFIX + basename(file, '.md');
  writeFileSync(join(CORPUS, name), Uint8Array.from(bytes));
}
