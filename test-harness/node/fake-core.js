// SPDX-License-Identifier: Apache-2.0
// A core whose answers a test writes down: it records the events it is fed
// and hands out the actions that the test's function returns for them.

import { ACTION, EVENT, MESSAGE_FLAG } from '../../js-bindings/abi.js';

const encoder = new TextEncoder();
const NAMES = Object.fromEntries(
  Object.entries(EVENT).map(([name, number]) => [number, name]));

/** Stands in for `Core` of js-bindings/core.js. */
export class FakeCore {
  memoryBytes = 65536;
  /** @type {{ kind: string, op?: number, request?: number,
   *   status?: number, text: string }[]} */
  events = [];
  isDeleted = false;
  delayMs = -1;
  #onEvent;
  /** @type {any[]} */
  #queue = [];

  /**
   * @param {(event: { kind: string, op?: number, request?: number,
   *   status?: number, text: string }) => any[] | number | void} onEvent
   *   returns actions, or a negative error
   */
  constructor(onEvent) {
    this.#onEvent = onEvent;
  }

  /**
   * @param {number} kind
   * @param {import('../../js-bindings/core.js').CoreEvent} [event]
   */
  feed(kind, { payload, ...rest } = {}) {
    const event = {
      kind: NAMES[kind], ...rest,
      text: payload ? new TextDecoder().decode(payload) : '',
    };
    this.events.push(event);
    const answer = this.#onEvent(event);
    if (typeof answer === 'number') return answer;
    this.#queue.push(...answer ?? []);
    return 0;
  }

  next() {
    return this.#queue.shift() ?? null;
  }

  deadline() {
    return this.delayMs;
  }

  delete() {
    this.isDeleted = true;
  }

  /** @param {string} kind */
  eventsOf(kind) {
    return this.events.filter((event) => event.kind === kind);
  }
}

/**
 * @param {number} kind
 * @param {object} fields
 */
function action(kind, fields) {
  const nothing = new Uint8Array(0);
  return {
    kind, op: 0, request: 0, flags: 0, first: nothing, second: nothing,
    ...fields,
  };
}

/**
 * @param {number} op
 * @param {object} message
 */
export function say(op, message) {
  return action(ACTION.MESSAGE,
    { op, first: encoder.encode(JSON.stringify(message)) });
}

/**
 * @param {number} op
 * @param {object} message
 */
export function end(op, message) {
  return { ...say(op, message), flags: MESSAGE_FLAG.TERMINAL };
}

/**
 * @param {number} request
 * @param {string} url
 * @param {string} [headers]
 */
export function fetchUrl(request, url, headers = '') {
  return action(ACTION.FETCH, {
    request, first: encoder.encode(url), second: encoder.encode(headers),
  });
}

/** @param {number} request */
export function abort(request) {
  return action(ACTION.ABORT, { request });
}
