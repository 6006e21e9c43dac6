// SPDX-License-Identifier: Apache-2.0
// What tests ask of a page of the extension.

import { connect } from 'tabagent-wasm/client';

import { loadCore } from '../../../js-bindings/core.js';
import { play } from '../../conversation/play.js';

const scope = /** @type {any} */ (globalThis);
const { chrome } = scope;

/** @type {any} */
let client;

/** Messages to all. @type {any[]} */
const heard = [];

chrome.runtime.onMessage.addListener((/** @type {any} */ message) => {
  heard.push(message);
});

/** What became of calls that go on. @type {Map<string, any>} */
const calls = new Map();

/** @type {Promise<void>} settles when the host that was there has ended */
let hostEnd;
let isHostGone = false;

/** @param {any} error */
const failureOf = ({ code, message, name, retryable }) => (
  { failure: { code, message, name, retryable } });

/** @param {() => boolean} isSo */
async function until(isSo) {
  while (!isSo()) {
    await new Promise((resolve) => { setTimeout(resolve, 5); });
  }
}

Object.assign(scope, {
  openClient: () => { client = connect(); },

  /** @param {{ name: string, args: any[] }} call */
  async callManager({ name, args }) {
    try {
      return await client[name](...args);
    } catch (error) {
      return failureOf(error);
    }
  },

  /**
   * Begins a call whose end is asked for later.
   * @param {{ id: string, name: string, args: any[] }} call
   */
  begin({ id, name, args: [first, options = {}] }) {
    const call = {
      /** @type {any[]} */ progress: [], ends: 0, /** @type {any} */ end: null,
      /** When each message came. @type {number[]} */ timesMs: [],
    };
    calls.set(id, call);
    const onProgress = (/** @type {any} */ one) => {
      call.progress.push(one);
      call.timesMs.push(Date.now());
    };
    const listener = name === 'generate'
      ? { onToken: onProgress } : { onProgress };
    const finish = (/** @type {any} */ end) => {
      call.ends += 1;
      call.end = end;
      call.timesMs.push(Date.now());
    };
    client[name](first, { ...options, ...listener })
      .then(finish, (/** @type {any} */ error) => finish(failureOf(error)));
  },

  /** @param {string} id */
  look: (id) => calls.get(id),

  /** How far a call is. @param {string} id */
  progressOf: (id) => calls.get(id).progress.length,

  /** @param {string} id */
  async whenEnded(id) {
    const call = calls.get(id);
    await until(() => call.ends > 0);
    return call;
  },

  /** All messages of a job, to its last one. @param {string} id */
  async messagesOf(id) {
    const messages = [];
    for await (const message of client.subscribe(id, 0)) messages.push(message);
    return messages;
  },

  /** To be called when there is one. */
  watchHost() {
    isHostGone = false;
    hostEnd = navigator.locks.request('tabagent-host', { mode: 'shared' },
      () => { isHostGone = true; });
  },

  isHostGone: () => isHostGone,
  whenHostGone: () => hostEnd,

  /** @param {any} message */
  send: async (message) => {
    try {
      return await chrome.runtime.sendMessage(message);
    } catch (error) {
      return { rejected: String(error) };
    }
  },

  heard: () => heard,

  /** @param {string} type */
  whenHeard: (type) => until(() => heard.some((one) => one.type === type)),

  /** Waits until a call has said more. @param {{ id: string, seen: number }} call */
  async whenSaid({ id, seen }) {
    const call = calls.get(id);
    await until(() => call.progress.length > seen || call.ends > 0);
    return { said: call.progress.length, ends: call.ends };
  },

  /** @param {string} url */
  fetchText: async (url) => (await client.fetch(url)).text(),

  /** Milliseconds until the app's own listener has answered. */
  async askApp() {
    const startMs = performance.now();
    const answer = await chrome.runtime.sendMessage({ type: 'of the app' });
    return { roundMs: performance.now() - startMs, ...answer };
  },

  /**
   * Feeds a recorded conversation to the module of the extension.
   * @param {{ events: import('../../conversation/play.js').Recorded[],
   *   count: number }} conversation
   */
  playConversation: async ({ events, count }) => play(
    await loadCore(chrome.runtime.getURL('tabagent.wasm')), events, count),

  /** What the extension has open. */
  contexts: async () => (await chrome.runtime.getContexts({}))
    .map((/** @type {any} */ one) => one.contextType),

  isIsolated: () => crossOriginIsolated,
});
