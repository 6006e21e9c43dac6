// SPDX-License-Identifier: Apache-2.0
// What happened lately, for a bug report: names of requests, codes, times and
// sizes. Texts are never kept, so no chat, token, prompt or address can be in it.

import { ACTION, EVENT, MESSAGE_FLAG } from './abi.js';

/**
 * @typedef {import('./types/index.d.ts').LogEntry} LogEntry
 * @typedef {import('./core.js').CoreEvent} CoreEvent
 * @typedef {import('./core.js').Action} Action
 * @typedef {Pick<import('./core.js').Core, keyof import('./core.js').Core>}
 *   CoreFace
 */

/** Entries that are kept: some minutes of work, some 20 KB. */
export const LOG_ENTRIES_MAX = 300;

/** The longest message that may be an error; longer ones are results. */
const ERROR_BYTES_MAX = 8192;

/**
 * Names are ours and have letters only; what a stranger calls himself may be
 * anything, also a secret.
 */
const NAME = /^[A-Za-z]{1,32}(:[a-z]{1,16})?$/;

/** Requests whose names nobody knows, so that they may be anything. */
const NAMELESS = ['unknown_message', 'malformed_message'];

/** How requests begin, in the one spelling or the other. */
const REQUEST = /^\{"(?:action|type)":"([^"\\]*)"/;

const FAILURES = new Map(/** @type {[number, string][]} */ ([
  [EVENT.HTTP_FAIL, 'network'],
  [EVENT.STORE_FAIL, 'storage'],
  [EVENT.RUNTIME_FAIL, 'runtime'],
]));

const decoder = new TextDecoder();

/**
 * A name as it may be kept.
 * @param {unknown} name
 */
function safeName(name) {
  return typeof name === 'string' && NAME.test(name) ? name : 'other';
}

/**
 * A code of ours, or the name of a platform's error.
 * @param {unknown} code
 */
function safeCode(code) {
  return typeof code === 'string' && /^(?!hf_)[A-Za-z_]{1,40}$/.test(code)
    ? code : 'unknown';
}

/** A ring of entries: the newest take the place of the oldest. */
export class EventLog {
  /** @type {LogEntry[]} */
  #entries = [];
  #now;

  /** @param {() => number} now */
  constructor(now) {
    this.#now = now;
  }

  /**
   * Notes something. What happens again and again is one entry that counts.
   * @param {Omit<LogEntry, 'at' | 'count' | 'lastAt'>} what
   */
  note(what) {
    const at = this.#now();
    const last = this.#entries.at(-1);
    if (last && isSame(last, what)) {
      last.count = (last.count ?? 1) + 1;
      last.lastAt = at;
      return;
    }
    if (this.#entries.length === LOG_ENTRIES_MAX) this.#entries.shift();
    this.#entries.push({ at, ...what });
  }

  /**
   * Notes an error by its names alone.
   * @param {unknown} error
   * @param {string} stage a constant
   */
  noteError(error, stage) {
    const { code, name } = /** @type {any} */ (error ?? {});
    this.note({ kind: 'error', name: stage, code: safeCode(code ?? name) });
  }

  /** @returns {LogEntry[]} the oldest first */
  entries() {
    return this.#entries.map((entry) => ({ ...entry }));
  }

  /**
   * Notes what the core is told, unless that happens for every piece of data.
   * @param {number} kind one of `EVENT`
   * @param {CoreEvent} event
   * @param {number} result of the core
   */
  event(kind, { op, request, status, payload }, result) {
    const failure = FAILURES.get(kind);
    if (kind === EVENT.COMMAND) {
      const start = decoder.decode(payload?.subarray(0, 100));
      this.note({
        kind: 'request', op, name: safeName(REQUEST.exec(start)?.[1]),
        bytes: payload?.length,
      });
    } else if (kind === EVENT.CANCEL) {
      this.note({ kind: 'cancel', op });
    } else if (kind === EVENT.HTTP_HEAD) {
      this.note({ kind: 'http', status });
    } else if (failure) {
      const words = decoder.decode(payload?.subarray(0, 100));
      this.note({ kind: 'failure', name: failure, request,
        code: safeCode(words.split(':', 1)[0]) });
    }
    if (result < 0) this.note({ kind: 'refused', op, status: result });
  }

  /** @param {number} op */
  #forgetName(op) {
    const request = this.#entries.findLast(
      (entry) => entry.kind === 'request' && entry.op === op);
    if (request) request.name = 'other';
  }

  /**
   * Notes how operations end, and what is said to all.
   * @param {Action} action
   */
  action({ kind, op, flags, first }) {
    if (kind !== ACTION.MESSAGE) return;
    const isTerminal = (flags & MESSAGE_FLAG.TERMINAL) !== 0;
    if (!isTerminal && op !== 0) return;
    const message = first.length > ERROR_BYTES_MAX
      ? {} : JSON.parse(decoder.decode(first));
    if (op === 0) {
      this.note({ kind: 'broadcast', name: safeName(message.type) });
    } else {
      const { code, stage, status } = message;
      if (NAMELESS.includes(code)) this.#forgetName(op);
      this.note(code === undefined
        ? { kind: 'done', op, bytes: first.length }
        : { kind: 'failed', op, code: safeCode(code), status,
          name: stage === undefined ? undefined : safeName(stage) });
    }
  }
}

/**
 * @param {LogEntry} entry
 * @param {object} what
 */
function isSame({ at, count, lastAt, ...entry }, what) {
  return JSON.stringify(entry) === JSON.stringify(what);
}

/**
 * The core, with everything noted that passes.
 * @param {import('./core.js').Core} core
 * @param {EventLog} log
 * @returns {CoreFace}
 */
export function loggedCore(core, log) {
  return {
    get memoryBytes() { return core.memoryBytes; },
    get busy() { return core.busy; },
    feed(kind, event = {}) {
      const result = core.feed(kind, event);
      log.event(kind, event, result);
      return result;
    },
    next() {
      const action = core.next();
      if (action) log.action(action);
      return action;
    },
    deadline: () => core.deadline(),
    delete: () => core.delete(),
  };
}
