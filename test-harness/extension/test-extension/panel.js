// SPDX-License-Identifier: Apache-2.0
// What tests ask of a page of the extension.

import { connect } from 'tabagent-wasm/client';

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

/** @param {any} error */
const failureOf = ({ code, message, name, retryable }) => (
  { failure: { code, message, name, retryable } });

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
    };
    calls.set(id, call);
    const onProgress = (/** @type {any} */ one) => call.progress.push(one);
    const listener = name === 'generate'
      ? { onToken: onProgress } : { onProgress };
    const finish = (/** @type {any} */ end) => {
      call.ends += 1;
      call.end = end;
    };
    client[name](first, { ...options, ...listener })
      .then(finish, (/** @type {any} */ error) => finish(failureOf(error)));
  },

  /** @param {string} id */
  look: (id) => {
    const { progress, ends, end } = calls.get(id);
    return { progress, ends, end };
  },

  /** How far a call is. @param {string} id */
  progressOf: (id) => calls.get(id).progress.length,

  /** @param {string} id */
  async whenEnded(id) {
    const call = calls.get(id);
    while (call.ends === 0) {
      await new Promise((resolve) => { setTimeout(resolve, 5); });
    }
    return { progress: call.progress, ends: call.ends, end: call.end };
  },

  /** @param {any} message */
  send: async (message) => {
    try {
      return await chrome.runtime.sendMessage(message);
    } catch (error) {
      return { rejected: String(error) };
    }
  },

  heard: () => heard,

  /** @param {string} url */
  fetchText: async (url) => (await client.fetch(url)).text(),

  /** Milliseconds until the app's own listener has answered. */
  async askApp() {
    const startMs = performance.now();
    const answer = await chrome.runtime.sendMessage({ type: 'of the app' });
    return { roundMs: performance.now() - startMs, ...answer };
  },

  /** What the extension has open. */
  contexts: async () => (await chrome.runtime.getContexts({}))
    .map((/** @type {any} */ one) => one.contextType),

  isIsolated: () => crossOriginIsolated,
});
