// SPDX-License-Identifier: Apache-2.0
// What jobs have said, kept for whoever comes later or was away: running ones,
// and some that have ended.

import { cancelled, TabAgentError } from './errors.js';

/**
 * @typedef {Record<string, any>} Message
 * @typedef {import('./types/index.d.ts').Job} Job
 * @typedef {{ seq: number, message: Message, size: number, kind?: string }}
 *   Entry kind: that of which only the newest counts
 */

/**
 * Bytes of one job: the longest answer, or a listing of 5,000 models with all
 * that was said on the way. Beyond it the oldest are forgotten.
 */
const JOB_BYTES_MAX = 16 << 20;

/** Bytes of all jobs that have ended: as much again. */
const ENDED_BYTES_MAX = 16 << 20;

/** A panel looks for what it left a moment ago, not for history. */
const ENDED_MAX = 64;

/** Members of a message that is a part of something, and not only its state. */
const PARTS = ['text', 'batch', 'items', 'tokenIds', 'models', 'error'];

/** The messages of one job. */
class JobLog {
  /** @type {Entry[]} in the order of their numbers */
  #entries = [];
  /** Of the latest that was forgotten for want of room. */
  #lostSeq = -1;
  /** @type {Set<() => void>} */
  #waiting = new Set();
  /** @type {unknown} why there is no last message */
  #failure;
  /** @type {Message | undefined} how it stands, until it says something new */
  #standing;
  lastSeq = -1;
  bytes = 0;
  /** @type {Job['state']} */
  state = 'running';

  /**
   * @param {string} id
   * @param {string} kind
   * @param {boolean} isListed
   */
  constructor(id, kind, isListed) {
    this.id = id;
    this.kind = kind;
    this.isListed = isListed;
  }

  /** @returns {Job} */
  describe() {
    const { id, kind, state, lastSeq } = this;
    return { id, kind, state, lastSeq };
  }

  /**
   * @param {Message} message
   * @param {number} size in bytes, about
   * @param {boolean} isLast
   * @param {boolean} [isAgain] it was said before
   */
  add(message, size, isLast, isAgain = false) {
    const seq = message.seq ?? this.lastSeq + 1;
    if (!isAgain) this.#standing = undefined;
    const kind = isLast ? undefined : stateOf(message);
    const last = this.#entries.at(-1);
    if (kind !== undefined && last?.kind === kind) {
      this.bytes -= last.size;
      this.#entries.pop();
    }
    this.#entries.push({ seq, message, size, kind });
    this.bytes += size;
    this.lastSeq = seq;
    while (this.bytes > JOB_BYTES_MAX && this.#entries.length > 1) {
      const lost = /** @type {Entry} */ (this.#entries.shift());
      this.bytes -= lost.size;
      this.#lostSeq = lost.seq;
    }
    if (isLast) this.state = message.code === undefined ? 'done' : 'failed';
    this.#wake();
  }

  /** @param {Message} message that says only how the job stands */
  stand(message) {
    this.#standing = message;
    this.#wake();
  }

  /** @param {unknown} failure there will be no last message */
  fail(failure) {
    this.state = 'failed';
    this.#failure = failure;
    this.#wake();
  }

  /**
   * Yields the messages behind `seq`, the last one of the job last. One that
   * says how the job stands has the number of the message before it.
   * @param {number} seq
   * @param {AbortSignal} [signal]
   * @returns {AsyncGenerator<Message, void, void>}
   */
  async* read(seq, signal) {
    let told;
    while (true) {
      if (signal?.aborted) throw cancelled(signal.reason);
      if (seq < this.#lostSeq) {
        throw new TabAgentError('too_large', `messages of ${this.id} up to `
          + `${this.#lostSeq} are no longer kept`, { stage: 'jobs' });
      }
      const entry = this.#entries[this.#behind(seq)];
      if (entry) {
        seq = entry.seq;
        yield entry.message;
      } else if (this.#standing !== told) {
        told = this.#standing;
        if (told) yield { ...told, seq };
      } else if (this.state === 'running') {
        await this.#change(signal);
      } else {
        if (this.#failure !== undefined) throw this.#failure;
        return;
      }
    }
  }

  /**
   * The place of the first message behind `seq`.
   * @param {number} seq
   */
  #behind(seq) {
    let low = 0;
    for (let high = this.#entries.length; low < high;) {
      const middle = (low + high) >> 1;
      if (this.#entries[middle].seq > seq) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** @param {AbortSignal} [signal] */
  async #change(signal) {
    let wake = () => {};
    await new Promise((/** @type {(value: void) => void} */ resolve) => {
      wake = resolve;
      this.#waiting.add(wake);
      signal?.addEventListener('abort', wake);
    });
    this.#waiting.delete(wake);
    signal?.removeEventListener('abort', wake);
  }

  #wake() {
    for (const wake of this.#waiting) wake();
  }
}

/** The logs of all jobs, by their ids. */
export class JobLogs {
  /** @type {Map<string, JobLog>} those that have ended in the order of that */
  #logs = new Map();

  /**
   * Begins the log of a job. Of two that run under one id the first has it.
   * @param {string} id
   * @param {string} kind
   * @param {boolean} [isListed] people know of it; else only who has begun it
   * @returns {JobLog | undefined}
   */
  begin(id, kind, isListed = true) {
    if (this.#logs.get(id)?.state === 'running') return undefined;
    const log = new JobLog(id, kind, isListed);
    this.#logs.set(id, log);
    return log;
  }

  /**
   * A job has ended: it becomes the latest of those. Others that are not listed
   * take no room from those that are.
   * @param {JobLog} log
   */
  end(log) {
    this.#logs.delete(log.id);
    this.#logs.set(log.id, log);
    const ended = this.#ended(log.isListed);
    let bytes = ended.reduce((sum, each) => sum + each.bytes, 0);
    let count = ended.length;
    for (const each of ended) {
      if (count <= ENDED_MAX && bytes <= ENDED_BYTES_MAX) break;
      this.#logs.delete(each.id);
      bytes -= each.bytes;
      count -= 1;
    }
  }

  /**
   * Forgets a job that was not even begun.
   * @param {JobLog} log
   */
  forget(log) {
    if (this.#logs.get(log.id) === log) this.#logs.delete(log.id);
  }

  /** @returns {Job[]} of those that are listed and have ended, the latest last */
  ended() {
    return this.#ended(true).map((log) => log.describe());
  }

  /** @param {boolean} areListed */
  #ended(areListed) {
    return [...this.#logs.values()].filter(({ state, isListed }) => (
      state !== 'running' && isListed === areListed));
  }

  /**
   * @param {string} id
   * @param {number} seq
   * @param {AbortSignal} [signal]
   * @returns {AsyncGenerator<Message, void, void>}
   */
  async* read(id, seq, signal) {
    const log = this.#logs.get(id);
    if (!log) {
      throw new TabAgentError('unknown_job', `there is no job "${id}"`,
        { stage: 'jobs' });
    }
    yield* log.read(seq, signal);
  }
}

/**
 * What kind of state a message tells, when that is all it does: of several in a
 * row the newest says everything.
 * @param {Message} message
 * @returns {string | undefined}
 */
function stateOf(message) {
  if (message.status === 'error'
    || PARTS.some((name) => message[name] !== undefined)) return undefined;
  return `${message.action ?? message.type} ${message.status} ${
    message.phase} ${message.file}`;
}
