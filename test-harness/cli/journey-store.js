// SPDX-License-Identifier: Apache-2.0
// The journey's second half: a model is planned, downloaded, interrupted,
// resumed, verified, served, and found again.

import { createHash } from 'node:crypto';

import { EXAMPLE, slowDown } from './example-model.js';
import { factTable } from './report.js';
import { describeVerification } from './store-commands.js';
import { amount, duration, size, style } from './style.js';
import { createSilence, createTransferDisplay } from './transfer-display.js';

/**
 * @typedef {import('./session.js').Session} Session
 * @typedef {import('./main.js').Options} Options
 * @typedef {import('../../dist/index.js').Plan} Plan
 * @typedef {import('../../dist/index.js').DownloadProgress} Progress
 */

/**
 * @typedef {object} Context
 * @property {Session} session
 * @property {Options} options
 * @property {AbortSignal} signal
 * @property {string} modelId
 * @property {(text?: string) => void} say nothing, when JSON is wanted
 */

/**
 * The model to go on with: the simulated Hub's example, else the first that
 * can chat and that everybody may have.
 * @param {import('../../dist/index.js').ModelEntry[]} models
 * @param {Pick<Session, 'simulator'>} session
 */
export function pick(models, { simulator }) {
  const chats = models.filter(({ classification, gated }) => (
    classification === 'gen' && gated === false));
  const example = simulator && chats.find(({ id }) => id === EXAMPLE);
  return (example || chats[0])?.id ?? null;
}

/**
 * Tells what is stored and how. On a Hub that is not ours it only plans:
 * nobody asked for gigabytes.
 * @param {Context} context
 * @returns {Promise<object>} what happened, for programs
 */
export async function storeJourney(context) {
  const plan = await showPlan(context);
  if (context.session.simulator === null || !plan.fits) {
    sayWhyNot(context, plan);
    return { plan };
  }
  const interrupted = await showInterruption(context);
  const download = await showDownload(context);
  const verification = await showVerification(context);
  const served = await showServing(context, plan);
  const again = await showCached(context);
  return {
    plan, interrupted, download, verification, served, again,
  };
}

/**
 * @param {Context} context
 * @returns {Promise<Plan>}
 */
async function showPlan({ session, options, signal, modelId, say }) {
  const plan = await session.manager.plan(modelId, {
    dtype: options.dtype, revision: options.revision,
    signal,
  });
  const { dtype, files, totalBytes, neededBytes, freeBytes, fits } = plan;
  say(factTable(`The plan for ${modelId}, ${dtype}`, [
    ...files.map(({ path, bytes }) => (
      /** @type {[string, string]} */ ([path, size(bytes)]))),
    [style.title(amount(files.length, 'file')), style.title(size(totalBytes))],
    ['to be fetched', size(neededBytes)],
    ['free here', freeBytes === null ? 'not known' : size(freeBytes)],
    ['fits', fits ? style.good('yes') : style.bad('no')],
  ]));
  say();
  return plan;
}

/**
 * @param {Context} context
 * @param {Plan} plan
 */
function sayWhyNot({ options, modelId, say }, { fits, evict }) {
  if (!fits) {
    say(`No download here: it does not fit.${evict.length === 0 ? ''
      : ` To make room, delete ${evict.join(', ')}.`}\n`);
    return;
  }
  const hub = options.hub === undefined ? '' : ` --hub ${options.hub}`;
  say('No download here: nobody asked for so many bytes. To get them:\n'
    + `  npm start -- download ${modelId}${hub}\n`);
}

/**
 * Downloads, and loses heart at half.
 * @param {Context} context
 * @returns {Promise<{ loaded: number, total: number } | null>} null: it was
 *   complete before
 */
async function showInterruption(context) {
  const { say } = context;
  say(style.title('The download, interrupted at half on purpose'));
  const stop = new AbortController();
  const cancel = () => stop.abort();
  context.signal.addEventListener('abort', cancel);
  /** @type {Progress[]} */
  const seen = [];
  try {
    await runDownload(context, stop.signal, (progress) => {
      seen.push(progress);
      const { loaded, total } = progress;
      if (loaded >= total / 2 && loaded < total) stop.abort();
    });
    say('It was complete before it could be interrupted.\n');
    return null;
  } catch (error) {
    if (!stop.signal.aborted || context.signal.aborted) throw error;
    const { loaded, total } = seen[seen.length - 1];
    say(`Interrupted with ${size(loaded)} of ${size(total)} loaded. Chunks that `
      + 'were stored stay; those on their way are lost.\n');
    return { loaded, total };
  } finally {
    context.signal.removeEventListener('abort', cancel);
  }
}

/** @param {Context} context */
async function showDownload(context) {
  const { session, say, signal } = context;
  say(style.title('The same download once more'));
  const before = session.simulator?.requests.length ?? 0;
  const result = await runDownload(context, signal);
  const { files, bytes, resumedBytes, fetchedBytes, durationMs } = result;
  say(`${style.good('Stored and verified:')} ${amount(files.length, 'file')}, `
    + `${size(bytes)}, in ${duration(durationMs)}.`);
  say(`${size(resumedBytes)} were there and not fetched again; `
    + `${size(fetchedBytes)} were, in ${requestsSince(session, before)}.\n`);
  return result;
}

/**
 * @param {Context} context
 * @param {AbortSignal} signal
 * @param {(progress: Progress) => void} [onProgress]
 */
async function runDownload(
  { session, options, modelId }, signal, onProgress = () => {},
) {
  const display = options.json ? createSilence()
    : createTransferDisplay(options);
  const pace = session.simulator && slowDown(session.simulator);
  try {
    return await session.manager.download(modelId, {
      dtype: options.dtype, revision: options.revision,
      signal,
      onProgress(progress) {
        display.show(progress);
        onProgress(progress);
      },
    });
  } finally {
    pace?.remove();
    display.stop();
  }
}

/** @param {Context} context */
async function showVerification({ session, options, modelId, signal, say }) {
  say(style.title('Is it still what it was?'));
  const startMs = performance.now();
  const result = await session.manager.verifyModel(
    modelId, { revision: options.revision, signal });
  say(`${describeVerification(modelId, result, performance.now() - startMs)}\n`);
  return result;
}

/**
 * Reads the largest file as a library would, through `fetch`.
 * @param {Context} context
 * @param {Plan} plan
 */
async function showServing({ session, options, modelId, signal, say }, plan) {
  const { path, sha256 } = plan.files.reduce(
    (largest, file) => (file.bytes > largest.bytes ? file : largest));
  say(style.title('Read through fetch, as any library would'));
  const revision = encodeURIComponent(options.revision ?? 'main');
  const url = `${session.hubUrl}/${modelId}/resolve/${revision}/${path}`;
  const before = session.simulator?.requests.length ?? 0;
  const startMs = performance.now();
  const response = await session.manager.fetch(url, { signal });
  const { digest, bytes } = await digestOf(response);
  const ms = performance.now() - startMs;
  const isSame = digest === sha256;
  say(`GET ${path} answered ${response.status}, ${size(bytes)} in `
    + `${duration(ms)}, with ${requestsSince(session, before)} to the Hub.`);
  say(`sha256 ${digest.slice(0, 16)}… `
    + `${isSame ? style.good('is') : style.bad('is not')} the Hub's.\n`);
  return {
    path, status: response.status, bytes, sha256: digest, isSame,
    durationMs: Math.round(ms),
  };
}

/** @param {Response} response */
async function digestOf(response) {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const piece of /** @type {any} */ (response.body)) {
    hash.update(piece);
    bytes += piece.length;
  }
  return { digest: hash.digest('hex'), bytes };
}

/** @param {Context} context */
async function showCached({ session, options, modelId, signal, say }) {
  say(style.title('A second download of the same'));
  const before = session.simulator?.requests.length ?? 0;
  const result = await session.manager.download(modelId, {
    dtype: options.dtype, revision: options.revision, signal,
  });
  say(`${result.fromCache ? style.good('All from the store') : 'Fetched'} in `
    + `${duration(result.durationMs)}, with ${requestsSince(session, before)} `
    + `to ask whether ${options.revision ?? 'main'} has moved.\n`);
  return result;
}

/**
 * @param {Session} session
 * @param {number} before
 */
function requestsSince({ simulator }, before) {
  return amount((simulator?.requests.length ?? 0) - before, 'request');
}
