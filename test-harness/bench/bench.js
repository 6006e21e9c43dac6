// SPDX-License-Identifier: Apache-2.0
// npm run bench: compares this project with other ways to do the same and
// prints a table per subject, with targets and verdicts.
//
//   npm run bench -- [--only listing,cold] [--quick] [--json]
//
// Ratios are to be trusted, times depend on the machine and its load.

import { cpus } from 'node:os';

import { readArguments, refuseArguments } from '../arguments.js';
import { buildDist } from '../build.js';
import { ensureTestTools } from '../toolchain.js';
import { sectionText, summaryText, verdictOf } from './report.js';

/**
 * @typedef {import('./report.js').Section} Section
 * @typedef {(options: { isQuick: boolean }) => Promise<Section>} Bench
 */

/**
 * The subjects, in order. They are loaded when the build is there.
 * @type {Record<string, () => Promise<Bench>>}
 */
const SUBJECTS = {
  listing: async () => (await import('./listing.js')).benchListing,
  chromium: async () => (await import('./chromium.js')).benchChromium,
  cold: async () => (await import('./listing.js')).benchCold,
  memory: async () => (await import('./listing.js')).benchMemory,
  config: async () => (await import('./config-speed.js')).benchConfig,
  hash: async () => (await import('./hash.js')).benchHash,
  decoding: async () => (await import('./decoding.js')).benchDecoding,
  scheduler: async () => (await import('./scheduler.js')).benchScheduler,
  store: async () => (await import('./store/store.js')).benchStore,
  storeCore: async () => (await import('./store/core.js')).benchStoreCore,
  storeNode: async () => (await import('./store/node.js')).benchStoreNode,
  chat: async () => (await import('./chat/node.js')).benchChat,
  chatChromium: async () => (
    (await import('./chat/chromium.js')).benchChatChromium),
  requests: async () => (await import('./requests.js')).benchRequests,
  startup: async () => (await import('./startup.js')).benchStartup,
};

/** @param {string | undefined} only names, separated by commas */
function chooseSubjects(only) {
  const names = only?.split(',') ?? Object.keys(SUBJECTS);
  const unknown = names.find((name) => !Object.hasOwn(SUBJECTS, name));
  if (unknown !== undefined) {
    refuseArguments(`there is no benchmark "${unknown}", only `
      + Object.keys(SUBJECTS).join(', '));
  }
  return names;
}

/**
 * Runs the subjects one after the other.
 * @param {string[]} names
 * @param {{ isQuick: boolean, say: (text: string) => void }} options
 */
async function runSubjects(names, { isQuick, say }) {
  /** @type {Section[]} */
  const sections = [];
  for (const name of names) {
    const bench = await SUBJECTS[name]();
    const section = await bench({ isQuick });
    say(sectionText(section));
    sections.push(section);
  }
  return sections;
}

/** @param {Section[]} sections */
function jsonText(sections) {
  return JSON.stringify(sections.map(({ title, rows }) => ({
    title, rows: rows.map((row) => ({ ...row, verdict: verdictOf(row) })),
  })), null, 2);
}

async function main() {
  const values = readArguments({
    only: { type: 'string' },
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  });
  const names = chooseSubjects(values.only);
  await ensureTestTools();
  await buildDist();
  const say = (/** @type {string} */ text) => {
    if (!values.json) console.log(text);
  };
  say(`Node ${process.version}, ${cpus().length} x ${cpus()[0].model}\n`);
  const sections = await runSubjects(names, { isQuick: values.quick, say });
  say(summaryText(sections));
  if (values.json) console.log(jsonText(sections));
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}
