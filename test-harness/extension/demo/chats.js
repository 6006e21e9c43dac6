// SPDX-License-Identifier: Apache-2.0
// The chats that are kept, in the panel's own storage.

import { forget, keep, recallAll } from './keeper.js';

/**
 * @typedef {object} Turn
 * @property {'user' | 'assistant'} role
 * @property {string} text
 * @property {string} [reasoning]
 * @property {string} [modelId] of an answer
 * @property {Pick<import('tabagent-wasm').GenerateResult, 'stopReason'
 *   | 'newTokens' | 'tokensPerSecond' | 'timeToFirstTokenMs'
 *   | 'droppedMessages'>} [numbers] of an answer
 *
 * @typedef {object} Chat
 * @property {string} id
 * @property {number} at when it was last used
 * @property {Turn[]} turns
 * @property {string} [jobId] of the answer that is on its way
 */

const PREFIX = 'chats/';

/** Letters of a chat's title. */
const TITLE_MAX = 60;

/** @returns {Promise<Chat[]>} the last used first */
export async function keptChats() {
  /** @type {Chat[]} */
  const chats = await recallAll(PREFIX);
  return chats.sort((a, b) => b.at - a.at);
}

/** @returns {Chat} */
export function newChat() {
  return { id: crypto.randomUUID(), at: Date.now(), turns: [] };
}

/** @param {Chat} chat */
export async function keepChat(chat) {
  chat.at = Date.now();
  await keep(PREFIX + chat.id, chat);
}

/** @param {Chat} chat */
export async function forgetChat({ id }) {
  await forget(PREFIX + id);
}

/** @param {Chat} chat */
export function titleOf({ turns }) {
  const text = turns[0]?.text.trim().split('\n')[0] ?? '';
  if (text === '') return 'New chat';
  return text.length <= TITLE_MAX ? text
    : `${text.slice(0, TITLE_MAX).trimEnd()}…`;
}

/**
 * As a request wants it.
 * @param {Turn[]} turns
 */
export function messagesOf(turns) {
  return turns.map(({ role, text }) => ({ role, content: text }));
}
