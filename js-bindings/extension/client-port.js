// SPDX-License-Identifier: Apache-2.0
// The host's end of a client's port: requests come in, their progress and their
// ends go out. What a client asked for goes on when it leaves.

import { TabAgentError } from '../errors.js';
import { isAccountRequest } from './vault.js';

/**
 * @typedef {import('./platform.js').Port} Port
 * @typedef {import('./hosting.js').Made} Made
 */

/** By these names messages are known to be the last of their jobs. */
const TERMINAL = /:(done|error)$|^(response|error)$/;

/** Below the number of any message. */
const NOTHING_YET = -1;

/** @param {any} message */
export function isTerminal(message) {
  return TERMINAL.test(message.action ?? message.type ?? '');
}

/** Serves one client. */
export class ClientPort {
  #port;
  #made;
  #jobs;
  #hub;
  /** @type {Map<number, AbortController>} */
  #running = new Map();
  #isOpen = true;

  /**
   * @param {Port} port
   * @param {Promise<Made>} made the manager
   * @param {Map<string | number, AbortController>} jobs what ends them, by
   *   their ids
   * @param {{ hubUrl?: string, mirrors?: string[] }} hub
   */
  constructor(port, made, jobs, hub) {
    this.#port = port;
    this.#made = made;
    this.#jobs = jobs;
    this.#hub = hub;
    port.onMessage.addListener((message) => this.#hear(message ?? {}));
    port.onDisconnect.addListener(() => { this.#isOpen = false; });
    made.then(() => this.#say({ welcome: true }),
      (error) => this.#say({ failure: errorFields(error) }));
  }

  /** @param {any} message */
  #say(message) {
    if (!this.#isOpen) return;
    try {
      this.#port.postMessage(message);
    } catch {
      this.#isOpen = false; // it went just now
    }
  }

  /** @param {any} message */
  #hear({ run, subscribe, cancel, ask, ...rest }) {
    if (run !== undefined) this.#run(run, rest.message);
    else if (subscribe !== undefined) this.#follow(subscribe, rest);
    else if (cancel !== undefined) this.#running.get(cancel)?.abort();
    else if (ask !== undefined) this.#answer(ask, rest.what);
  }

  /**
   * @param {number} call
   * @param {string} text a message as JSON
   */
  async #run(call, text) {
    const controller = this.#begin(call);
    const { signal } = controller;
    let id;
    try {
      const { loop } = await this.#made;
      const request = JSON.parse(text);
      if (isAccountRequest(request)) throw accountError();
      id = request.id;
      // Others, who follow it, can end it as well.
      if (id !== undefined) this.#jobs.set(id, controller);
      const message = await loop.run(request, {
        signal, onProgress: (message) => this.#say({ progress: call, message }),
      });
      this.#say({ end: call, message });
    } catch (error) {
      this.#say({ end: call, error: errorFields(error) });
    } finally {
      this.#running.delete(call);
      if (this.#jobs.get(id) === controller) this.#jobs.delete(id);
    }
  }

  /**
   * Goes on with a job that was begun over another port.
   * @param {number} call
   * @param {{ jobId: string, fromSeq: number, isOwn?: boolean }} job isOwn: who
   *   follows it has begun it, and can end it
   */
  async #follow(call, { jobId, fromSeq, isOwn = false }) {
    const { signal } = this.#begin(call);
    try {
      const { loop } = await this.#made;
      if (!loop.subscribe) throw unknownJob(jobId);
      const end = () => this.#jobs.get(jobId)?.abort();
      if (isOwn) signal.addEventListener('abort', end);
      let isOver = false;
      const say = (/** @type {any} */ message) => {
        isOver = isTerminal(message);
        this.#say(isOver ? { end: call, message } : { progress: call, message });
      };
      const until = isOwn ? undefined : signal;
      for await (const message of loop.subscribe(jobId, fromSeq, until)) {
        say(message);
      }
      if (isOver) return;
      // It ended before it came as far as it had been.
      for await (const message of loop.subscribe(jobId, NOTHING_YET, until)) {
        if (isTerminal(message)) say(message);
      }
      if (!isOver) throw unknownJob(jobId);
    } catch (error) {
      this.#say({ end: call, error: errorFields(error) });
    } finally {
      this.#running.delete(call);
    }
  }

  /**
   * @param {number} call
   * @param {'memory' | 'jobs' | 'allJobs' | 'log' | 'hub'} what
   */
  async #answer(call, what) {
    try {
      const { loop, manager } = await this.#made;
      const value = await {
        memory: () => loop.memory(),
        jobs: () => loop.jobs(),
        allJobs: () => loop.jobs(true),
        log: () => manager.log(),
        hub: () => this.#hub,
      }[what]?.();
      this.#say({ end: call, message: { value } });
    } catch (error) {
      this.#say({ end: call, error: errorFields(error) });
    }
  }

  /** @param {number} call */
  #begin(call) {
    const controller = new AbortController();
    this.#running.set(call, controller);
    return controller;
  }
}

/** @param {string} jobId */
function unknownJob(jobId) {
  return Object.assign(new Error(`there is no job "${jobId}"`),
    { code: 'unknown_job' });
}

/**
 * An error as JSON: all that it says.
 * @param {any} error
 */
export function errorFields(error) {
  const { code = 'internal', message = String(error), cause, stack, ...rest }
    = error ?? {};
  return { ...rest, code, message };
}

/** A token that came this way would be known to the host alone. */
function accountError() {
  return new TabAgentError('invalid_argument',
    'logins and logouts go to the background, as messages',
    { stage: 'protocol' });
}
