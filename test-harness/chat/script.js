// SPDX-License-Identifier: Apache-2.0
// A model that says what a test wrote down.

import { makeLlama } from '../models/llama.js';
import { FakeOrt } from './fake-ort.js';
import { chatManager, END, MODEL, PAD, START, tokensOf } from './world.js';

/** @typedef {import('../../js-bindings/types/index.d.ts').GenerateRequest} Request */

/** What every prompt of TEMPLATE ends with. */
const ASSISTANT = [START, ...tokensOf('assistant\n')];

/** A graph that is opened but never run. */
export const NO_MODEL = makeLlama({
  layers: 1, vocab: 259, contextLength: 4096, bos: START, eos: END, pad: PAD,
});

/**
 * The tokens behind a prompt of TEMPLATE, or null in the midst of it.
 * @param {number[]} tokens
 */
export function answerOf(tokens) {
  const at = tokens.lastIndexOf(START);
  const isAnswer = ASSISTANT.every((id, i) => tokens[at + i] === id);
  return at >= 0 && isAnswer ? tokens.slice(at + ASSISTANT.length) : null;
}

/**
 * Says the tokens, and then that it is over.
 * @param {(string | number)[]} said texts, and tokens
 * @returns {import('./fake-ort.js').Next}
 */
export function saying(...said) {
  const script = said.flatMap((one) => (
    typeof one === 'string' ? tokensOf(one) : [one]));
  return (tokens) => script[answerOf(tokens)?.length ?? 0] ?? END;
}

/**
 * A manager with the model loaded.
 * @param {import('./fake-ort.js').Next} next
 * @param {Parameters<typeof chatManager>[1] & { vocab?: number,
 *   model?: import('../models/llama.js').TestModel }} [options]
 */
export async function scriptedManager(
  next, { vocab, model = NO_MODEL, ...options } = {},
) {
  const ort = new FakeOrt(next, { vocab });
  const { manager, hub } = await chatManager(model, { ...options, ort });
  const loaded = await manager.load({ modelId: MODEL });
  ort.takePasses();
  return { manager, hub, ort, loaded };
}

/**
 * Generates, and keeps the parts.
 * @param {import('./world.js').Manager} manager
 * @param {Request} request
 */
export async function generate(manager, request) {
  /** @type {import('../../js-bindings/types/index.d.ts').AnswerPart[]} */
  const parts = [];
  const result = await manager.generate(request,
    { onToken: (part) => parts.push(part) });
  return { result, parts, tokens: parts.flatMap(({ tokenIds }) => tokenIds) };
}

/**
 * What TEMPLATE makes of a chat.
 * @param {{ role: string, content: string }[]} messages
 */
export function promptOf(messages) {
  return [
    ...messages.flatMap(({ role, content }) => [
      START, ...tokensOf(`${role}\n${content}`), END, ...tokensOf('\n')]),
    ...ASSISTANT,
  ];
}

/**
 * @param {string} content
 * @returns {{ role: string, content: string }}
 */
export function user(content) {
  return { role: 'user', content };
}

/**
 * @param {string} content
 * @returns {{ role: string, content: string }}
 */
export function assistant(content) {
  return { role: 'assistant', content };
}
