// SPDX-License-Identifier: Apache-2.0
// `npm start` without a command: everything the product can do, once.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { version } from '../../dist/index.js';
import { TINY_CHAT } from '../models/tiny-chat.js';
import { answer, describeLoad, loadModel } from './chat.js';
import { pick, storeJourney } from './journey-store.js';
import { runListing } from './list.js';
import {
  chatFirst, className, factTable, modelTable, reasons, summary, verdictTable,
} from './report.js';
import { isSimulated, withSession } from './session.js';
import { duration, style, whole } from './style.js';

/** The best models, few enough to leave the start on the screen. */
const ROWS_SHOWN = 10;

/** One of those that the small model was trained to answer. */
const QUESTION = 'What is tabagent-wasm?';

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
  await withOwnStore(options, async (data) => {
    await withSession({ ...options, data }, async (session) => {
      if (!options.json) greet(session);
      const listing = await runListing(
        session, { limit: ALL, ...options }, signal);
      if (!options.json) {
        const { wasmBytes } = await session.manager.memory();
        report(listing, session, wasmBytes);
      }
      const store = await goOn(listing, session, options, signal);
      const chat = await talk(session, options, signal);
      if (options.json) {
        print(JSON.stringify(
          { hub: session.hubUrl, ...listing, store, chat }, null, 2));
      } else {
        advise(session.simulator !== null, pick(listing.models, session)
          ?? '<model>');
      }
    });
  });
}

/**
 * The journey shows a download, so it begins with nothing stored, and leaves
 * nothing behind; unless it was told where to store, or goes to a real Hub.
 * @param {import('./main.js').Options} options
 * @param {(data: string | undefined) => Promise<void>} work
 */
async function withOwnStore(options, work) {
  if (options.data !== undefined || !isSimulated(options)) {
    return work(options.data);
  }
  const data = await mkdtemp(join(tmpdir(), 'tabagent-journey-'));
  try {
    await work(data);
  } finally {
    await rm(data, { recursive: true, force: true });
  }
}

/**
 * Picks a model and does with it what the store can do.
 * @param {import('../../dist/index.js').ListChatModelsResult} listing
 * @param {import('./session.js').Session} session
 * @param {import('./main.js').Options} options
 * @param {AbortSignal} signal
 */
async function goOn({ models }, session, options, signal) {
  const modelId = pick(models, session);
  if (modelId === null) return null;
  const say = options.json ? () => {} : print;
  say(`Picked: ${style.good(modelId)}\n`);
  return storeJourney({ session, options, signal, modelId, say });
}

/**
 * Loads the simulated Hub's small real model and asks it something. On another
 * Hub nobody has chosen a model.
 * @param {import('./session.js').Session} session
 * @param {import('./main.js').Options} options
 * @param {AbortSignal} signal
 */
async function talk(session, options, signal) {
  if (session.simulator === null) return null;
  const { dtype, revision, ...rest } = options;
  const general = { ...rest, quiet: options.json };
  if (!options.json) print(style.title(`A chat with ${TINY_CHAT}`));
  const loaded = await loadModel(session, TINY_CHAT, general, signal);
  if (!options.json) print(`${describeLoad(loaded)}\n> ${QUESTION}`);
  const result = await answer(
    session, { message: QUESTION }, general, signal);
  if (!options.json) print();
  return { loaded, question: QUESTION, result };
}

/** @param {import('./session.js').Session} session */
function greet({ hubUrl, simulator }) {
  const hub = simulator === null ? 'the Hub'
    : `a simulated Hub with ${whole(simulator.models)} models`;
  print(`${style.title(`tabagent-wasm ${version}`)} finds, keeps and runs the `
    + `chat models of ${hub}\n${hubUrl}`);
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

/**
 * @param {boolean} simulated
 * @param {string} model
 */
function advise(simulated, model) {
  const rows = [
    ['list --search qwen --limit 10', 'search by name'],
    [`download ${model}`, 'Ctrl-C, and go on later'],
    [`chat ${simulated ? TINY_CHAT : model}`, 'talk with a model'],
    ['models', 'what is stored'],
    ['list --json', 'for programs'],
    ['doctor', 'when something is wrong'],
  ];
  if (simulated) {
    rows.unshift(['list --hub https://huggingface.co',
      'the same on the real Hub']);
  }
  const columns = Math.max(...rows.map(([args]) => args.length));
  print(style.title('Next'));
  for (const [args, what] of rows) {
    print(`  npm start -- ${args.padEnd(columns)}  ${what}`);
  }
}
