// SPDX-License-Identifier: Apache-2.0
// The client's end: runs requests in the host, over a port that may break. What
// was under way then is subscribed again, and nothing ends twice.

import { attempt } from '../callback.js';
import { cancelled, errorOfMessage, TabAgentError } from '../errors.js';
import { messageStream } from '../message-stream.js';
import { writeMessage } from '../request.js';
import { whenHostGone } from './host-lock.js';
import { CLIENT, ROUTER } from './names.js';
import { send } from './platform.js';

/**
 * @typedef {import('./platform.js').Platform} Platform
 * @typedef {import('./platform.js').Port} Port
 * @typedef {import('../loop.js').CallOptions} CallOptions
 *
 * @typedef {object} Surroundings
 * @property {import('./host-lock.js').Locks} locks
 * @property {(callback: () => void, ms: number) => any} setTimeout
 * @property {(timer: any) => void} clearTimeout
 *
 * @typedef {object} Call a request without an end
 * @property {object} first what is sent to begin it
 * @property {string} [jobId] of jobs, which can be gone on with
 * @property {string} kind
 * @property {boolean} isSent
 * @property {number} beginnings
 * @property {boolean} isCancelled
 * @property {number} lastSeq of its progress
 * @property {number} reached how far it is, as was told
 * @property {CallOptions['onProgress']} onProgress
 * @property {(message: any) => void} resolve
 * @property {(error: unknown) => void} reject
 */

/** After so long without a host there will be none. */
const CONNECT_MS = 30_000;

/** A host that was there and says nothing for so long is asked again. */
const WELCOME_MS = 20_000;

/** What a host said before it died comes behind the news of its death at times,
 * in Firefox: it is heard for so long. */
const LATE_MS = 1000;

/** Below the number of any message. */
const NOTHING_YET = -1;

/** How soon it is tried again. */
const RETRY_MS = 100;

/** Requests that change nothing, or nothing more: sent again when nobody knows of them. */
const READING = [
  'listChatModels', 'plan', 'models', 'checkForUpdate', 'downloads', 'doctor',
  'storage', 'settings', 'state', 'account',
  'storeFile',
];

/**
 * Requests that are written down before anything is heard of them: those of
 * which nothing was heard, and nobody knows, have not begun, and begin again.
 * Not for ever, for it may be them that the host dies of.
 */
const JOBS = ['download', 'load', 'generate'];
const BEGINNINGS_MAX = 3;

/** The request of messages of a job that somebody else may have begun. */
const SUBSCRIPTION = 'subscribe';

/** The request that is cancelled without an error: with what there is. */
const ANSWER = 'generate';

/**
 * What never falls in the progress of a job, for those who only follow it, too.
 * @type {Record<string, string>}
 */
const GROWING = { 'download:progress': 'loaded', 'load:progress': 'progress' };

/** Runs operations in the host. */
export class RemoteLoop {
  /** Stands in ids: no two clients give a job the same. */
  life = `${crypto.randomUUID().slice(0, 8)}-`;
  #platform;
  #around;
  /** @type {Port | undefined} to a host that has said that it is there */
  #port;
  /** @type {Promise<void> | undefined} */
  #connecting;
  #closing = new AbortController();
  /** @type {Map<number, Call>} */
  #calls = new Map();
  #lastCall = 0;

  /**
   * @param {Platform} platform
   * @param {Surroundings} surroundings
   */
  constructor(platform, surroundings) {
    this.#platform = platform;
    this.#around = surroundings;
    this.#connect();
  }

  /**
   * Runs one request to its end, as the loop of a manager does.
   * @param {any} message
   * @param {CallOptions} [options]
   * @returns {Promise<any>} the terminal message
   */
  run(message, { onProgress, signal } = {}) {
    const kind = String(message?.action ?? message?.type);
    if (signal?.aborted && kind !== ANSWER) {
      return Promise.reject(cancelled(signal.reason));
    }
    return this.#call({ message: writeMessage(message, undefined) }, 'run',
      { kind, jobId: message?.id, onProgress, signal });
  }

  /** @param {boolean} [withEnded] */
  jobs(withEnded) {
    return this.#know(withEnded ? 'allJobs' : 'jobs');
  }

  memory() {
    return this.#know('memory');
  }

  /** What happened in the host. */
  log() {
    return this.#know('log');
  }

  /** @returns {Promise<{ hubUrl?: string, mirrors?: string[] }>} of the host */
  hub() {
    return this.#know('hub');
  }

  /** @param {string} what */
  async #know(what) {
    return (await this.#call({ what }, 'ask', { kind: what })).value;
  }

  /**
   * The messages of a job that come behind |fromSeq|, its last one last.
   * @param {string} jobId
   * @param {number} fromSeq
   * @param {AbortSignal} [signal]
   */
  subscribe(jobId, fromSeq, signal) {
    return messageStream((options) => this.#call(
      { jobId, fromSeq }, 'subscribe',
      { kind: SUBSCRIPTION, jobId, lastSeq: fromSeq, ...options }), signal);
  }

  /**
   * Asks the router, which alone handles what has to do with the token.
   * @param {'login' | 'logout'} action
   * @param {object} params
   * @returns {Promise<any>} the last message
   */
  async account(action, params) {
    const end = await send(this.#platform,
      { action, id: `${action}-${this.life}account`, params });
    if (!end) {
      throw new TabAgentError('host_unavailable',
        'the background of the extension does not answer',
        { stage: 'connection', retryable: true });
    }
    if (end.code !== undefined) throw errorOfMessage(end);
    return end;
  }

  /** Leaves the host. What runs there goes on. */
  dispose() {
    this.#closing.abort();
    this.#failAll(new TabAgentError(
      'cancelled', 'the client was disposed', { stage: 'connection' }));
  }

  /**
   * @param {object} first
   * @param {'run' | 'ask' | 'subscribe'} verb
   * @param {{ kind: string, jobId?: string, lastSeq?: number,
   *   onProgress?: CallOptions['onProgress'],
   *   signal?: AbortSignal | null }} options
   * @returns {Promise<any>}
   */
  async #call(first, verb, { kind, jobId, lastSeq = NOTHING_YET, onProgress, signal }) {
    if (this.#closing.signal.aborted) {
      throw new TabAgentError('invalid_state', 'the client was disposed');
    }
    this.#lastCall += 1;
    const number = this.#lastCall;
    const cancel = () => this.#cancel(number, signal?.reason);
    signal?.addEventListener('abort', cancel);
    try {
      return await new Promise((resolve, reject) => {
        /** @type {Call} */
        const call = {
          first: { [verb]: number, ...first }, kind, jobId, lastSeq,
          onProgress, resolve, reject, reached: 0,
          isSent: false, beginnings: 0, isCancelled: Boolean(signal?.aborted),
        };
        this.#calls.set(number, call);
        if (this.#port) this.#begin(number, call);
        else this.#connect();
      });
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
  }

  /**
   * @param {number} number
   * @param {Call} call
   */
  #begin(number, call) {
    const { first, jobId, lastSeq } = call;
    const isKnown = call.isSent && jobId !== undefined;
    call.isSent = true;
    if (!isKnown) call.beginnings += 1;
    this.#say(isKnown ? {
      subscribe: number, jobId, fromSeq: lastSeq,
      isOwn: call.kind !== SUBSCRIPTION,
    } : first);
    if (call.isCancelled) this.#say({ cancel: number });
  }

  /**
   * @param {number} number
   * @param {unknown} reason
   */
  #cancel(number, reason) {
    const call = this.#calls.get(number);
    if (!call) return;
    call.isCancelled = true;
    if (call.isSent) this.#say({ cancel: number });
    // Nobody knows of it yet. An answer ends with what there is of it.
    else if (call.kind !== ANSWER) this.#end(number)?.reject(cancelled(reason));
  }

  /** @param {any} message */
  #say(message) {
    try {
      this.#port?.postMessage(message);
    } catch {
      // The port is gone, as we will hear.
    }
  }

  /** @param {number} number */
  #end(number) {
    const call = this.#calls.get(number);
    this.#calls.delete(number);
    return call;
  }

  /** @param {any} message */
  #hear({ progress, end, message, error }) {
    if (progress !== undefined) {
      const call = this.#calls.get(progress);
      // What was said before the port broke is not said again; that the job
      // was taken up again has no number of its own.
      if (!call || (message.seq <= call.lastSeq && !message.resumed)) return;
      call.lastSeq = message.seq ?? call.lastSeq;
      // What a host had not stored when it died is done again: nobody counts it
      // twice.
      const reached = message[GROWING[message.action]] ?? call.reached;
      if (reached < call.reached) return;
      call.reached = reached;
      attempt(() => call.onProgress?.(message));
    } else if (end !== undefined) {
      if (error) this.#fail(end, error);
      else this.#end(end)?.resolve(message);
    }
  }

  /**
   * @param {number} number
   * @param {any} error
   */
  #fail(number, error) {
    const call = this.#calls.get(number);
    if (!call) return;
    if (error.code === 'unknown_job' && call.kind !== SUBSCRIPTION) {
      const hasNotBegun = JOBS.includes(call.kind)
        && call.lastSeq === NOTHING_YET && call.beginnings < BEGINNINGS_MAX;
      if (READING.includes(call.kind) || hasNotBegun) {
        // Whatever became of it, it can be had again.
        call.isSent = false;
        call.lastSeq = NOTHING_YET;
        this.#begin(number, call);
        return;
      }
      this.#end(number)?.reject(new TabAgentError('host_died',
        'the page that worked on it has ended',
        { stage: 'connection', retryable: true }));
      return;
    }
    this.#end(number)?.reject(errorOf(error));
  }

  /** @param {TabAgentError} error */
  #failAll(error) {
    for (const number of [...this.#calls.keys()]) {
      this.#end(number)?.reject(error);
    }
  }

  #connect() {
    this.#connecting ??= this.#reach().catch((error) => {
      this.#failAll(error);
    }).finally(() => {
      this.#connecting = undefined;
      // Somebody may have asked in the meantime.
      if (!this.#port) this.#lose();
    });
  }

  /** Reaches a host, or gives up. */
  async #reach() {
    const attempts = Math.ceil(CONNECT_MS / RETRY_MS);
    /** @type {any} */
    let failure;
    for (let i = 0; i < attempts && !this.#closing.signal.aborted; i += 1) {
      const answer = await send(
        this.#platform, { to: ROUTER, want: 'host' });
      failure = answer?.error;
      // It has tried itself for long enough.
      if (failure) break;
      if (answer?.ready && await this.#open()) return;
      await this.#wait(RETRY_MS);
    }
    throw errorOf(failure ?? {
      code: 'host_unavailable', retryable: true,
      message: 'the background of the extension does not answer',
    });
  }

  /** @param {number} ms */
  #wait(ms) {
    return new Promise((resolve) => {
      this.#around.setTimeout(() => resolve(undefined), ms);
    });
  }

  /**
   * Opens a port to the host.
   * @returns {Promise<boolean>} whether the host is at its other end
   */
  #open() {
    return new Promise((resolve, reject) => {
      const port = this.#platform.runtime.connect({ name: CLIENT });
      const over = new AbortController();
      const { setTimeout, clearTimeout, locks } = this.#around;
      const lose = () => {
        if (over.signal.aborted) return;
        over.abort();
        clearTimeout(timer);
        if (this.#closing.signal.aborted) port.disconnect();
        else setTimeout(() => port.disconnect(), LATE_MS);
        resolve(false);
        if (this.#port === port) this.#lose();
      };
      const timer = setTimeout(lose, WELCOME_MS);
      // The router holds the port, too: it stays open without a host. Whoever is
      // there has asked for the lock before it said so.
      whenHostGone(locks, over.signal).then(lose);
      port.onDisconnect.addListener(lose);
      this.#closing.signal.addEventListener('abort', lose);
      port.onMessage.addListener((message) => {
        if (message.progress !== undefined || message.end !== undefined) {
          this.#hear(message);
        } else if (over.signal.aborted) {
          return;
        } else if (message.failure) {
          over.abort();
          clearTimeout(timer);
          port.disconnect();
          reject(errorOf(message.failure));
        } else if (message.welcome) {
          clearTimeout(timer);
          this.#use(port);
          resolve(true);
        }
      });
    });
  }

  /** @param {Port} port */
  #use(port) {
    this.#port = port;
    for (const [number, call] of this.#calls) this.#begin(number, call);
  }

  #lose() {
    this.#port = undefined;
    if (this.#calls.size > 0 && !this.#closing.signal.aborted) this.#connect();
  }
}

/** @param {any} fields */
function errorOf({ code, message, ...details }) {
  return new TabAgentError(code, message, details);
}
