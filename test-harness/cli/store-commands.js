// SPDX-License-Identifier: Apache-2.0
// `download`, `models`, `verify`, `delete`: what the model store does.

import { TabAgentError } from '../../dist/index.js';
import { storedTable } from './report.js';
import {
  isSimulated, ReportedFailure, withSession, withStore,
} from './session.js';
import { amount, duration, size, style } from './style.js';
import { createTransferDisplay, printLine } from './transfer-display.js';

/**
 * @typedef {import('./main.js').Options} Options
 * @typedef {import('../../dist/index.js').ModelManager} Manager
 * @typedef {import('../../dist/index.js').StoredModel} StoredModel
 */

/** Damaged chunks told one by one. */
const DAMAGES_SHOWN = 10;

/** @param {string} text */
function print(text) {
  process.stdout.write(`${text}\n`);
}

/** @param {object} document */
function printDocument(document) {
  print(JSON.stringify(document, null, 2));
}

/**
 * @param {string} modelId
 * @param {Options} options
 * @param {AbortSignal} signal
 */
export async function download(modelId, options, signal) {
  await withSession(options, async (session) => {
    const result = await runDownload(session, modelId, options, signal);
    if (options.json) printLine({ event: 'done', ...result });
    else print(`${describeDownload(modelId, result)}\n  in ${session.dataDir}`);
  });
}

/**
 * Downloads with live progress.
 * @param {import('./session.js').Session} session
 * @param {string} modelId
 * @param {Options} options
 * @param {AbortSignal} signal
 */
async function runDownload(session, modelId, options, signal) {
  const display = createTransferDisplay(options);
  let isBegun = false;
  try {
    return await session.manager.download(modelId, {
      dtype: options.dtype, revision: options.revision,
      signal,
      onProgress(progress) {
        isBegun = true;
        display.show(progress);
      },
    });
  } catch (error) {
    display.stop();
    if (isBegun) {
      process.stderr.write('What is stored so far is kept. The same command '
        + `goes on from there:\n  ${style.note(options.commandLine ?? '')}\n`);
    }
    throw error;
  } finally {
    display.stop();
  }
}

/**
 * @param {string} modelId
 * @param {import('../../dist/index.js').DownloadResult} result
 */
function describeDownload(modelId, result) {
  const { dtype, commit, files, bytes, fromCache, resumedBytes } = result;
  const what = `${modelId} ${dtype}, ${amount(files.length, 'file')}, `
    + `${size(bytes)}, commit ${commit.slice(0, 7)}`;
  if (fromCache) return `${style.good('Stored already:')} ${what}`;
  const old = resumedBytes === 0 ? ''
    : `\n  ${size(resumedBytes)} of it were there and not fetched again`;
  return `${style.good('Stored and verified:')} ${what}, `
    + `in ${duration(result.durationMs)}${old}`;
}

/** @param {Options} options */
export async function models(options) {
  await withStore(options, async (manager, dataDir) => {
    const stored = await manager.models();
    if (options.json) return printDocument({ data: dataDir, models: stored });
    print(stored.length === 0 ? 'No models are stored.'
      : `${storedTable(stored, Date.now())}\n`);
    const bytes = stored.reduce((sum, model) => sum + model.bytes, 0);
    print(`${stored.length === 0 ? '' : `${size(bytes)} `}in ${dataDir}`);
    if (options.data === undefined && isSimulated(options)) {
      print('These are of the simulated Hub; for others give --hub or --data.');
    }
  });
}

/**
 * @param {string} modelId
 * @param {Options} options
 * @param {AbortSignal} signal
 */
export async function verify(modelId, options, signal) {
  await withSession(options, async ({ manager }) => {
    const startMs = performance.now();
    const result = await manager.verifyModel(modelId, {
      revision: options.revision, signal,
    });
    if (options.json) printDocument({ modelId, ...result });
    else print(describeVerification(modelId, result,
      performance.now() - startMs));
    if (!result.ok) {
      throw new ReportedFailure(
        `${modelId} is damaged and could not be repaired`);
    }
  });
}

/**
 * @param {string} modelId
 * @param {import('../../dist/index.js').Verification} result
 * @param {number} ms
 */
export function describeVerification(modelId, { damaged, repaired }, ms) {
  if (damaged.length === 0) {
    return `${style.good('Verified:')} every stored byte of ${modelId} is `
      + `what the Hub vouched for, in ${duration(ms)}`;
  }
  const places = damaged.slice(0, DAMAGES_SHOWN)
    .map(({ file, chunk }) => `\n  ${file}, chunk ${chunk}`).join('');
  const rest = damaged.length - DAMAGES_SHOWN;
  return `${style.bad('Damaged:')} ${amount(damaged.length, 'chunk')} of `
    + `${modelId}, ${repaired} fetched again, in ${duration(ms)}${places}`
    + (rest > 0 ? `\n  and ${rest} more` : '');
}

/**
 * @param {string} modelId
 * @param {Options} options
 * @param {AbortSignal} signal
 */
export async function remove(modelId, options, signal) {
  const { dtype } = options;
  await withStore(options, async (manager) => {
    const before = await rowsOf(manager, modelId);
    checkStored(before, modelId, dtype);
    await manager.deleteModel(modelId, { dtype, signal });
    const deletedBytes = bytesOf(before)
      - bytesOf(await rowsOf(manager, modelId));
    if (options.json) {
      return printDocument({ modelId, dtype: dtype ?? null, deletedBytes });
    }
    print(`${style.good('Deleted:')} ${modelId}${dtype ? ` ${dtype}` : ''}, `
      + size(deletedBytes));
  });
}

/**
 * @param {Manager} manager
 * @param {string} modelId
 */
async function rowsOf(manager, modelId) {
  return (await manager.models()).filter((row) => row.modelId === modelId);
}

/** @param {StoredModel[]} rows */
function bytesOf(rows) {
  return rows.reduce((sum, { bytes }) => sum + bytes, 0);
}

/**
 * To delete what is not there is no error for the store, but a typing mistake
 * of a person.
 * @param {StoredModel[]} rows
 * @param {string} modelId
 * @param {string | undefined} dtype
 */
function checkStored(rows, modelId, dtype) {
  const stored = new Set(rows.flatMap(({ dtypes }) => (
    dtypes.map((row) => row.dtype))));
  if (rows.length === 0 || (dtype !== undefined && !stored.has(dtype))) {
    const others = rows.length === 0 ? ''
      : `; stored dtypes: ${[...stored].join(', ')}`;
    throw new TabAgentError('not_stored', `${modelId}${dtype ? ` ${dtype}` : ''}`
      + ` is not stored${others}`, { userAction: '`models` lists what is.' });
  }
}
