// SPDX-License-Identifier: Apache-2.0
// Turns every trace into a seed of manager_fuzz, and writes those of
// store_fuzz, chat_fuzz and journal_fuzz, in place of the old ones:
//   node test-harness/fuzz/seeds.js
// The formats are what the steps of the two programs read. Other files of the
// corpora are inputs that once broke something; they stay.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

import { findFiles, ROOT } from '../paths.js';
import { bytesOf, parseTrace } from '../trace/trace-file.js';

const CORPUS = join(ROOT, 'test-harness/fuzz/corpus/manager_fuzz');
const CHAT_CORPUS = join(ROOT, 'test-harness/fuzz/corpus/chat_fuzz');
const JOURNAL_CORPUS = join(ROOT, 'test-harness/fuzz/corpus/journal_fuzz');
const STORE_CORPUS = join(ROOT, 'test-harness/fuzz/corpus/store_fuzz');

/** Begin the names of the seeds. */
const PREFIX = 'trace-';
const STORE_PREFIX = 'seed-';

/** Numbers of the steps in manager_fuzz.c. */
const STEP = {
  timer: 0, wait: 1, command: 2, rows: 3, 'rows-end': 4, cancel: 5, head: 6,
  data: 7, end: 8, fail: 9,
};

/** Numbers of the steps in chat_fuzz.c. */
const CHAT_STEP = {
  start: 0, one: 1, many: 2, failure: 3, lie: 4, cancel: 5, knobs: 6,
  script: 7, memory: 8, anything: 10, command: 11, text: 12, textEnd: 13,
  file: 14,
};
const CHAT_KINDS = 6;
const CHAT_MESSAGES = 18;
const CHAT_LIES = 17;

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

/** Numbers of the steps in store_fuzz.c. */
const STORE_STEP = {
  start: 0, many: 2, fault: 3, storageFault: 5, damage: 6, cancel: 7, knobs: 9,
  memory: 10, offline: 11, commit: 12, quota: 14, anything: 15,
};

/** Messages of store_fuzz.c. */
const MESSAGE = {
  plan: 0, download: 1, verify: 2, delete: 4, check: 5, update: 6, rollback: 7,
  fetchGraph: 12, fetchConfig: 13, downloadOther: 18,
};
const MESSAGES = 27;
const FAULTS = 14;

const { start, many, fault, damage } = STORE_STEP;
const run = [many, 31, many, 31, many, 31, many, 31];
const stored = [start, MESSAGE.download, ...run];

/**
 * Programs of store_fuzz by their names; each begins with whether the file has
 * one chunk or two.
 * @type {Record<string, number[]>}
 */
const STORE_SEEDS = {
  'damage-served': [0, ...stored, damage, 2, 0, 5, 0,
    start, MESSAGE.fetchGraph, ...run],
  'damage-verified': [0, ...stored, damage, 2, 0, 5, 0,
    start, MESSAGE.verify, ...run],
  'chunks-swapped': [1, ...stored, damage, 3, 3, 2, 0,
    start, MESSAGE.fetchGraph, ...run],
  update: [0, ...stored, STORE_STEP.commit, 3, start, MESSAGE.update, ...run,
    start, MESSAGE.rollback, ...run, start, MESSAGE.fetchConfig, ...run,
    start, MESSAGE.delete, ...run],
  together: [0, start, MESSAGE.download, start, MESSAGE.downloadOther,
    start, MESSAGE.fetchGraph, STORE_STEP.knobs, 0, 0, 7, 2, 3, ...run],
  memory: [0, start, MESSAGE.download, many, 6, STORE_STEP.memory, 20, ...run],
  'storage-full': [0, start, MESSAGE.download, many, 6,
    STORE_STEP.storageFault, 0x20, ...run],
  offline: [0, ...stored, STORE_STEP.offline, 1, start, MESSAGE.plan,
    start, MESSAGE.check, start, MESSAGE.fetchGraph, ...run],
  lies: [0, start, MESSAGE.download, many, 3,
    STORE_STEP.anything, 13, 0, 0, 1, 0, 0, 0,
    STORE_STEP.anything, 11, 0, 0, 5, 0, 2, 0, 65, 66, ...run],
  cancel: [0, start, MESSAGE.download, many, 9, STORE_STEP.cancel, 1,
    ...stored],
  quota: [0, STORE_STEP.quota, 100, 0, ...stored],
};
for (let i = 0; i < MESSAGES; i++) {
  STORE_SEEDS[`message-${i}`] = [0, ...stored, start, i, ...run];
}
for (let i = 1; i < FAULTS; i++) {
  STORE_SEEDS[`fault-${i}`] = [
    0, start, MESSAGE.download, many, 8, fault, i, ...run];
}

const chatRun = Array.from({ length: 6 }, () => [CHAT_STEP.many, 31]).flat();
const loaded = [CHAT_STEP.start, 0, 0, ...chatRun];
const ask = [CHAT_STEP.start, 8, 1, ...chatRun];

/**
 * Programs of chat_fuzz by their names; each begins with the kind of model and
 * what WebGPU does.
 * @type {Record<string, number[]>}
 */
const CHAT_SEEDS = {
  turns: [0, ...loaded, ...ask, CHAT_STEP.start, 8, 2, ...chatRun,
    CHAT_STEP.start, 9, 3, ...chatRun],
  queue: [0, CHAT_STEP.start, 0, 0, CHAT_STEP.start, 7, 1,
    CHAT_STEP.start, 10, 2, CHAT_STEP.start, 3, 0, ...chatRun],
  cancel: [0, ...loaded, CHAT_STEP.start, 7, 1, CHAT_STEP.many, 5,
    CHAT_STEP.cancel, 1, ...chatRun, ...ask],
  memory: [0, CHAT_STEP.start, 0, 0, CHAT_STEP.many, 6, CHAT_STEP.memory, 20,
    ...chatRun, ...loaded, ...ask],
  pieces: [0, ...loaded, CHAT_STEP.command, 1,
    ...text(Buffer.from('{"action":"generate","params":{}}')),
    CHAT_STEP.text, 1, ...text(Buffer.from('[{"role":"user",')),
    CHAT_STEP.text, 1, ...text(Buffer.from('"content":"a"}]')),
    CHAT_STEP.textEnd, 1, ...chatRun],
  script: [0, ...loaded, CHAT_STEP.script,
    ...text(Buffer.from('\xffhm\xfe{"a": [1, "b"]} ab', 'latin1')),
    CHAT_STEP.start, 14, 1, ...chatRun, CHAT_STEP.start, 13, 1, ...chatRun],
  file: [0, CHAT_STEP.file, 0, ...text(Buffer.from('{"eos_token_id":3}')),
    ...loaded, ...ask],
  late: [0, CHAT_STEP.knobs, 1, 3, 7, CHAT_STEP.start, 0, 0, CHAT_STEP.many, 9,
    CHAT_STEP.cancel, 0, ...loaded],
  anything: [0, ...loaded, CHAT_STEP.start, 7, 1, CHAT_STEP.one,
    CHAT_STEP.anything, 16, 0, 0, 1, 0, 4, 0, 1, 2, 3, 4,
    CHAT_STEP.anything, 17, 0, 0, 0, 0, 0, 0, ...chatRun],
};
for (let i = 0; i < CHAT_KINDS; i++) {
  for (let webgpu = 0; webgpu < 4; webgpu++) {
    CHAT_SEEDS[`kind-${i}-${webgpu}`] = [
      webgpu * 8 + (i + CHAT_KINDS - (webgpu * 8) % CHAT_KINDS) % CHAT_KINDS,
      ...loaded, ...ask, CHAT_STEP.start, 12, 2, ...chatRun];
  }
}
for (let i = 0; i < CHAT_MESSAGES; i++) {
  CHAT_SEEDS[`message-${i}`] = [0, ...loaded, CHAT_STEP.start, i, 1, ...chatRun,
    CHAT_STEP.start, i, 2, ...chatRun];
}
for (let i = 1; i < CHAT_LIES; i++) {
  CHAT_SEEDS[`lie-${i}`] = [0, CHAT_STEP.start, 0, 0, CHAT_STEP.many, 4,
    CHAT_STEP.lie, i, ...chatRun, CHAT_STEP.start, 7, 1, CHAT_STEP.many, 3,
    CHAT_STEP.lie, i, ...chatRun, CHAT_STEP.failure, i, ...ask];
}

/** As in journal_fuzz.c: an entry, the place in it, bytes removed and added. */
const edit = (/** @type {number} */ entry, /** @type {number} */ at,
  /** @type {number} */ removed, /** @type {string} */ added) => (
  [0, entry, ...short(at), removed, ...text(Buffer.from(added))]);

/**
 * Programs of journal_fuzz by their names; each begins with what runs and how
 * many steps it does before it is killed.
 * @type {Record<string, number[]>}
 */
const JOURNAL_SEEDS = {
  'other-record': [2, 9, 3, 0, ...text(Buffer.from('"x"')),
    ...text(Buffer.from([0xc1, 3, 1, 3]))],
};
for (let kind = 0; kind < 8; kind += 1) {
  for (const steps of [4, 9, 14, 20, 200]) {
    JOURNAL_SEEDS[`killed-${kind}-${steps}`] = [kind, steps];
  }
  JOURNAL_SEEDS[`edited-${kind}`] = [
    kind, 9, ...edit(0, 30, 1, 'x'), ...edit(1, 20, 4, '\xff\xff')];
}

/**
 * @param {string} corpus
 * @param {string} prefix
 */
function removeSeeds(corpus, prefix) {
  for (const file of readdirSync(corpus)) {
    if (file.startsWith(prefix)) rmSync(join(corpus, file));
  }
}

removeSeeds(STORE_CORPUS, STORE_PREFIX);
for (const [name, bytes] of Object.entries(STORE_SEEDS)) {
  writeFileSync(join(STORE_CORPUS, STORE_PREFIX + name), Uint8Array.from(bytes));
}

removeSeeds(JOURNAL_CORPUS, STORE_PREFIX);
for (const [name, bytes] of Object.entries(JOURNAL_SEEDS)) {
  writeFileSync(
    join(JOURNAL_CORPUS, STORE_PREFIX + name), Uint8Array.from(bytes));
}

removeSeeds(CHAT_CORPUS, STORE_PREFIX);
for (const [name, bytes] of Object.entries(CHAT_SEEDS)) {
  writeFileSync(join(CHAT_CORPUS, STORE_PREFIX + name), Uint8Array.from(bytes));
}

removeSeeds(CORPUS, PREFIX);
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
