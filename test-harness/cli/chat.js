// SPDX-License-Identifier: Apache-2.0
// `chat`: loads a model and talks with it, once or line by line.

import { createInterface } from 'node:readline/promises';

import { withSession } from './session.js';
import { duration, style, whole } from './style.js';
import {
  createSilence, createTransferDisplay, printLine,
} from './transfer-display.js';

/**
 * @typedef {import('./main.js').Options} Options
 * @typedef {import('./session.js').Session} Session
 * @typedef {import('../../dist/index.js').GenerateResult} Result
 * @typedef {import('../../dist/index.js').GenerateRequest} Request
 */

/**
 * @param {string} modelId
 * @param {string | undefined} prompt line by line when it is missing
 * @param {Options} options
 * @param {AbortSignal} signal
 */
export async function chat(modelId, prompt, options, signal) {
  await withSession(options, async (session) => {
    const loaded = await loadModel(session, modelId, options, signal);
    if (options.json) printLine({ event: 'loaded', ...loaded });
    else process.stderr.write(`${describeLoad(loaded)}\n`);
    if (prompt !== undefined) {
      await answer(session, { message: prompt }, options, signal);
    } else {
      await converse(session, options, signal);
    }
  });
}

/**
 * Stores the model with live progress, and loads it.
 * @param {Session} session
 * @param {string} modelId
 * @param {Options & { quiet?: boolean }} options quiet: nothing is shown
 * @param {AbortSignal} signal
 */
export async function loadModel(session, modelId, options, signal) {
  const { manager } = session;
  const { dtype, revision } = options;
  const display = options.quiet ? createSilence()
    : createTransferDisplay(options);
  const startMs = performance.now();
  try {
    const stored = await manager.download(modelId, {
      dtype, revision, signal,
      onProgress: (progress) => display.show(progress),
    });
    display.stop();
    const loaded = await manager.load(
      { modelId, dtype: stored.dtype ?? dtype, revision }, { signal });
    return { ...loaded, durationMs: performance.now() - startMs };
  } finally {
    display.stop();
  }
}

/**
 * @param {Awaited<ReturnType<typeof loadModel>>} loaded
 */
export function describeLoad(loaded) {
  const {
    modelId, dtype, executionProvider, contextLength, durationMs, warning,
  } = loaded;
  return `${style.good('Loaded:')} ${modelId} ${dtype} on ${executionProvider}, `
    + `${whole(contextLength)} tokens of context, in ${duration(durationMs)}${
      warning === undefined ? '' : `\n${style.note(warning)}`}`;
}

/**
 * Streams one answer to the terminal.
 * @param {Session} session
 * @param {Request} request
 * @param {Options & { quiet?: boolean }} options quiet: nothing is shown
 * @param {AbortSignal} signal
 * @returns {Promise<Result>}
 */
export async function answer(session, request, options, signal) {
  const settings = options.seed === undefined ? {} : { seed: options.seed };
  const result = await session.manager.generate({ settings, ...request }, {
    signal,
    onToken(part) {
      if (options.quiet) return;
      if (options.json) printLine({ event: 'part', ...part });
      else if (part.kind === 'content') process.stdout.write(part.text);
      else process.stdout.write(style.note(part.text));
    },
  });
  if (options.quiet) return result;
  if (options.json) {
    printLine({ event: 'done', ...result });
  } else {
    process.stdout.write('\n');
    process.stderr.write(`${style.note(describeAnswer(result))}\n`);
  }
  return result;
}

/** @param {Result} result */
function describeAnswer(result) {
  const {
    newTokens, tokensPerSecond, timeToFirstTokenMs, reusedTokens, promptTokens,
    stopReason, droppedMessages,
  } = result;
  const dropped = droppedMessages === 0 ? ''
    : `; ${whole(droppedMessages)} old messages did not fit`;
  return `${whole(newTokens)} tokens at ${tokensPerSecond.toFixed(1)} a second, `
    + `the first after ${duration(timeToFirstTokenMs)}; ${whole(promptTokens)} `
    + `in the prompt, ${whole(reusedTokens)} of them reused; ended by `
    + `${stopReason}${dropped}`;
}

/**
 * One question and its answer. A chat that gets longer than the model's context
 * loses its oldest turns; a turn that fails is as if it had not been.
 * @param {Session} session
 * @param {import('../../dist/index.js').ChatMessage[]} messages so far
 * @param {string} line
 * @param {Options} options
 * @param {AbortSignal} signal
 */
async function takeTurn(session, messages, line, options, signal) {
  messages.push({ role: 'user', content: line });
  try {
    const { text } = await answer(session,
      { messages, chatId: 'terminal', overflow: 'dropOldest' }, options, signal);
    messages.push({ role: 'assistant', content: text });
  } catch (error) {
    messages.pop();
    if (options.json) throw error;
    process.stderr.write(`${style.bad('error:')} ${
      /** @type {Error} */ (error).message}\n`);
  }
}

/**
 * @param {Session} session
 * @param {Options} options
 * @param {AbortSignal} signal
 */
async function converse(session, options, signal) {
  const lines = createInterface({
    input: process.stdin, output: options.json ? undefined : process.stderr,
    prompt: style.title('> '),
  });
  const close = () => lines.close();
  signal.addEventListener('abort', close);
  /** @type {import('../../dist/index.js').ChatMessage[]} */
  const messages = [];
  lines.prompt();
  try {
    for await (const line of lines) {
      if (line.trim() !== '') {
        await takeTurn(session, messages, line, options, signal);
      }
      if (signal.aborted) break;
      lines.prompt();
    }
    if (signal.aborted) throw signal.reason;
  } finally {
    signal.removeEventListener('abort', close);
    lines.close();
  }
}
