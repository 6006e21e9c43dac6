// SPDX-License-Identifier: Apache-2.0
// The host's end of a client's port: requests come in, their progress and their
// ends go out. What a client asked for goes on when it leaves.

import { attempt } from '../callback.js';

/**
 * @typedef {import('./platform.js').Port} Port
 * @typedef {import('./hosting.js').HostedLoop} HostedLoop
 */

/** By these names messages are known to be the last of their jobs. */
const TERMINAL = /:(done|error)$/;

/** @param {any} message */
export function isTerminal(message) {
  return TERMINAL.test(message.action ?? message.type ?? '');
}

/** Serves one client. */
export class ClientPort {
  #port;
  #loop;
  #hub;
  /** @type {Map<number, AbortController>} */
  #running = new Map();
  #isOpen = true;

  /**
   * @param {Port} port
   * @param {Promise<HostedLoop>} loop that of the manager, once it is there
   * @param {{ hubUrl?: string, mirrors?: string[] }} hub
   */
  constructor(port, loop, hub) {
    this.#port = port;
    this.#hub = hub;
    this.#loop = loop;
    port.onMessage.addListener((message) => this.#hear(message));
    port.onDisconnect.addListener(() => { this.#isOpen = false; });
    loop.then(() => this.#say({ welcome: true }),
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
    const { signal } = this.#begin(call);
    try {
      const loop = await this.#loop;
      const message = await loop.run(JSON.parse(text), {
        signal, onProgress: (message) => this.#say({ progress: call, message }),
      });
      this.#say({ end: call, message });
    } catch (error) {
      this.#say({ end: call, error: errorFields(error) });
    } finally {
      this.#running.delete(call);
    }
  }

  /**
   * Goes on with a job that was begun over another port.
   * @param {number} call
   * @param {{ jobId: string, fromSeq: number }} job
   */
  async #follow(call, { jobId, fromSeq }) {
    const { signal } = this.#begin(call);
    try {
      const loop = await this.#loop;
      if (!loop.subscribe) throw unknownJob(jobId);
      signal.addEventListener('abort', () => attempt(
        () => loop.cancel?.(jobId)));
      for await (const message of loop.subscribe(jobId, fromSeq)) {
        this.#say(isTerminal(message) ? { end: call, message }
          : { progress: call, message });
      }
    } catch (error) {
      this.#say({ end: call, error: errorFields(error) });
    } finally {
      this.#running.delete(call);
    }
  }

  /**
   * @param {number} call
   * @param {string} what
   */
  async #answer(call, what) {
    try {
      const loop = await this.#loop;
      const value = what === 'memory' ? await loop.memory()
        : what === 'jobs' ? loop.jobs() : this.#hub;
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
