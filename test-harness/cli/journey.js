// SPDX-License-Identifier: Apache-2.0
// `npm start` without a command: everything the product can do, once.

import { version } from '../../dist/index.js';
import { runListing } from './list.js';
import {
  chatFirst, className, factTable, modelTable, reasons, summary, verdictTable,
} from './report.js';
import { withSession } from './session.js';
import { duration, style, whole } from './style.js';

/** The best models, few enough to leave the start on the screen. */
const ROWS_SHOWN = 10;

/** Every survivor is judged, to show more than the best chat models. */
const ALL = 5000;

/** @param {string} [text] */
function print(text = '') {
  process.stdout.write(`${text}\n`);
}

/**
 * @param {import('./main.js').Options} options
 * @param {AbortSignal} signal
 */
export async function journey(options, signal) {
  await withSession(options, async (session) => {
    if (!options.json) greet(session);
    const result = await runListing(
      session, { limit: ALL, ...options }, signal);
    if (options.json) {
      print(JSON.stringify({ hub: session.hubUrl, ...result }, null, 2));
      return;
    }
    const { wasmBytes } = await session.manager.memory();
    report(result, session, wasmBytes);
  });
}

/** @param {import('./session.js').Session} session */
function greet({ hubUrl, simulatedModels }) {
  const hub = simulatedModels === null ? 'the Hub'
    : `a simulated Hub with ${whole(simulatedModels)} models`;
  print(`${style.title(`tabagent-wasm ${version}`)} lists the chat models of `
    + `${hub}\n${hubUrl}`);
}

/**
 * @param {import('../../dist/index.js').ListChatModelsResult} result
 * @param {import('./session.js').Session} session
 * @param {number} wasmBytes
 */
function report({ models, meta }, session, wasmBytes) {
  const shown = chatFirst(models).slice(0, ROWS_SHOWN);
  const { counters, configFetchMs } = meta.telemetry;
  print(`\n${style.title('The best models')}`);
  print(modelTable(shown, meta));
  print();
  if (meta.fetched > 0) {
    print(factTable('Dropped before anything was fetched for them',
      counted(meta.dropped)));
    print();
  }
  if (models.length > 0) {
    print(factTable('What the rest is', counted(meta.classified, className)));
    print();
    print(verdictTable('Why, for the first of each', firstOfEach(models)));
    print();
  }
  print(factTable('Cost', [
    ['requests for pages', whole(counters['listing.total'])],
    ['requests for config.json', whole(counters['configFetch.total'])],
    ['config.json, median', duration(configFetchMs.p50)],
    ['start of the module', duration(session.loadMs)],
    ['whole listing', duration(meta.durationMs)],
    ['memory of the module, all kept',
      `${whole(Math.round(wasmBytes / 1024))} KiB`],
  ]));
  print(`\n${summary(meta)}${reasons(meta)}\n`);
  advise(session.simulatedModels !== null);
}

/**
 * The first model of every class that occurs.
 * @param {import('../../dist/index.js').ModelEntry[]} models
 */
function firstOfEach(models) {
  const first = new Map();
  for (const model of models) {
    if (!first.has(model.classification)) {
      first.set(model.classification, model);
    }
  }
  return [...first.values()];
}

/**
 * @param {Record<string, number>} counts
 * @param {(name: string) => string} [nameOf]
 */
function counted(counts, nameOf = (name) => name) {
  return Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => (
      /** @type {[string, string]} */ ([nameOf(name), whole(count)])));
}

/** @param {boolean} isSimulated */
function advise(isSimulated) {
  print(style.title('Next'));
  if (isSimulated) {
    print('  npm start -- list --hub https://huggingface.co   '
      + 'the same on the real Hub');
  }
  print('  npm start -- list --search qwen --limit 10       '
    + 'search by name');
  print('  npm start -- list --json                         '
    + 'for programs');
  print('  npm start -- doctor                              '
    + 'when something is wrong');
}
