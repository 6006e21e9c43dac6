// SPDX-License-Identifier: Apache-2.0
// Routes messages. It can be ended at any time, so it knows nothing that
// matters: it checks who speaks, sees to it that there is a host, and keeps what
// only it can keep.

import { installErrorHandlers } from './error-handlers.js';
import { whenHostGone } from './host-lock.js';
import { openHostPage } from './host-page.js';
import { HOST, ROUTER, STATE_KEY } from './names.js';
import { EVENT_PAGE_MS, send } from './platform.js';
import { isRequest, refusal } from './requests.js';
import { isHost, isOwnPage, mayAsk } from './senders.js';
import { Account, isAccountRequest, Vault } from './vault.js';

/**
 * @typedef {import('./platform.js').Platform} Platform
 * @typedef {import('./platform.js').Sender} Sender
 * @typedef {import('./platform.js').Port} Port
 *
 * @typedef {import('../types/background.d.ts').BackgroundOptions
 *   & { hostUrl: string, allowContentScripts: string[] }} RouterOptions
 *
 * @typedef {object} Surroundings
 * @property {import('./host-lock.js').Locks} [locks]
 * @property {Document} [document]
 * @property {typeof setTimeout} setTimeout
 * @property {typeof clearTimeout} clearTimeout
 * @property {EventTarget} [target] where errors are told that nobody caught
 */

/** A page that takes longer to start will not. */
const HOST_START_MS = 20_000;

/** How soon it is looked again whether a page that has said nothing yet is
 * there: one that was joined may have been about to end. */
const LOOK_MS = 300;

/** How often it is tried to open the page. */
const OPENING_MAX = 3;

/** The background lives so long without anything to do: a login page may be
 * open for longer. */
const AWAKE_MS = 20_000;

/** Requests of which we would tell that the host has died. */
const WAITING_MAX = 64;

/** Routes messages between the pages of an extension and its host. */
export class Router {
  #platform;
  #options;
  #around;
  /** @type {Promise<void> | undefined} */
  #opening;
  /** @type {((port: Port) => void)[]} who waits for a host */
  #arrivals = [];
  /** @type {Port | undefined} to the host, as long as both live */
  #port;
  /** @type {Map<number, (answer: any) => void>} asked over the port */
  #asked = new Map();
  #lastAsk = 0;
  #vault;
  #account;
  /** @type {((answer: { error: any }) => void)[]} */
  #waiting = [];
  #isWatching = false;
  /** @type {Promise<unknown>} changes of the state, one after the other */
  #writing = Promise.resolve();

  /**
   * @param {Platform} platform
   * @param {RouterOptions} options
   * @param {Surroundings} surroundings
   */
  constructor(platform, options, surroundings) {
    this.#platform = platform;
    this.#options = options;
    this.#around = surroundings;
    this.#vault = new Vault(platform.storage);
    const { oauth } = options;
    this.#account = new Account({
      vault: this.#vault, oauth: oauth && (() => this.#stayAwake(oauth)),
      ask: (request) => this.#ask(request),
    });
  }

  listen() {
    const { onMessage, onConnect } = this.#platform.runtime;
    onMessage.addListener((message, sender, sendResponse) => (
      this.#hear(message, sender, sendResponse)));
    onConnect.addListener((port) => this.#meet(port));
    const { target } = this.#around;
    if (target) {
      installErrorHandlers({
        stage: 'router', target,
        say: (message) => send(this.#platform, message),
      });
    }
  }

  /**
   * @param {any} message
   * @param {Sender} sender
   * @param {(answer: any) => void} sendResponse
   * @returns {boolean} whether there will be an answer
   */
  #hear(message, sender, sendResponse) {
    const { hostUrl, allowContentScripts } = this.#options;
    const platform = this.#platform;
    if (message?.to === ROUTER) {
      if (!isOwnPage(platform, sender)) return false;
      this.#serve(message, isHost(platform, sender, hostUrl))
        .then(sendResponse, (error) => sendResponse({ error: wordsOf(error) }));
      return true;
    }
    // What the host says to all is not meant for itself.
    if (!isRequest(message) || isHost(platform, sender, hostUrl)
      || !mayAsk(platform, sender, message, allowContentScripts)) return false;
    if (isAccountRequest(message)) {
      this.#account.answer(message).then(sendResponse);
      return true;
    }
    if (message.type === 'saveLastChatSession') {
      this.#remember({ lastChatSessionId: message.payload?.sessionId })
        .catch((error) => reportError(error));
      return false;
    }
    this.#relay(message, sender, sendResponse);
    return true;
  }

  /**
   * What pages of ours want from the router itself.
   * @param {any} message
   * @param {boolean} isFromHost
   */
  async #serve({ want, remember, busy }, isFromHost) {
    if (want === 'host') {
      if (!await this.#isHostThere()) await this.#openHost();
      return { ready: true };
    }
    if (isFromHost && want === 'state') return { state: await this.#state('local') };
    if (isFromHost && remember) {
      await this.#remember(remember);
      return { done: true };
    }
    if (isFromHost && busy) {
      // Whoever calls the platform, and is not a frame, is not idle.
      await this.#platform.runtime.getPlatformInfo?.();
      return { done: true };
    }
    throw codedError('unknown_message', `there is no wish "${want}"`);
  }

  /**
   * Has the host take a request, in case that it was not there to hear it.
   * @param {any} message
   * @param {Sender} sender
   * @param {(answer: any) => void} sendResponse
   */
  async #relay(message, sender, sendResponse) {
    const { id, url, origin, documentId, frameId, tab } = sender;
    const take = {
      to: HOST, take: message,
      sender: { id, url, origin, documentId, frameId, tab: { id: tab?.id } },
    };
    try {
      let answer = await send(this.#platform, take);
      if (!answer) {
        await this.#openHost();
        answer = await send(this.#platform, take);
      }
      if (!answer) throw codedError('host_died', 'the page of the host ended');
      if (answer.taken) {
        this.#await(({ error }) => sendResponse(refusal(message, error)));
      } else {
        sendResponse(answer.response);
      }
    } catch (error) {
      sendResponse(refusal(message, wordsOf(error)));
    }
  }

  /**
   * The host will answer itself, unless it dies.
   * @param {(answer: { error: any }) => void} tell
   */
  #await(tell) {
    this.#waiting.push(tell);
    // Most have been answered long ago.
    if (this.#waiting.length > WAITING_MAX) this.#waiting.shift();
    const { locks } = this.#around;
    if (this.#isWatching || !locks) return;
    this.#isWatching = true;
    whenHostGone(locks).then(() => {
      this.#isWatching = false;
      const error = codedError('host_died', 'the page of the host ended');
      for (const tell of this.#waiting.splice(0)) tell({ error });
    });
  }

  async #isHostThere() {
    return Boolean(await send(this.#platform, { to: HOST, ping: true }));
  }

  #openHost() {
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async #open() {
    const arrived = this.#arrival();
    try {
      if (await this.#isHostThere()) return;
      do await this.#openPage();
      while (!await Promise.race([arrived.promise, this.#wait(LOOK_MS)]));
    } catch (error) {
      throw codedError('host_unavailable',
        `the host cannot be opened: ${wordsOf(error).message}`);
    } finally {
      arrived.forget();
    }
  }

  /** @param {number} ms @returns {Promise<undefined>} */
  #wait(ms) {
    return new Promise((resolve) => {
      this.#around.setTimeout(() => resolve(undefined), ms);
    });
  }

  /** A page may be ended while it is being opened. */
  async #openPage() {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await openHostPage(
          this.#platform, this.#options.hostUrl, this.#around.document);
        return;
      } catch (error) {
        if (attempt === OPENING_MAX) throw error;
      }
    }
  }

  /**
   * Asks the host over the port, which nobody else hears.
   * @param {any} request
   * @returns {Promise<any>} the last message of it
   */
  async #ask(request) {
    const port = this.#port ?? await this.#call();
    this.#lastAsk += 1;
    const number = this.#lastAsk;
    return new Promise((resolve) => {
      this.#asked.set(number, resolve);
      port.postMessage({ ask: number, request });
    });
  }

  /** Has the host open its port, which went with the router before. */
  async #call() {
    const arrived = this.#arrival();
    try {
      if (!await this.#isHostThere()) await this.#openHost();
      if (!this.#port) send(this.#platform, { to: HOST, connect: true });
      return this.#port ?? await arrived.promise;
    } finally {
      arrived.forget();
    }
  }

  /** Waits for a host that begins to listen. */
  #arrival() {
    const { setTimeout, clearTimeout } = this.#around;
    /** @type {(port: Port) => void} */
    let arrive = () => {};
    /** @type {any} */
    let timer;
    /** @type {Promise<Port>} */
    const promise = new Promise((resolve, reject) => {
      arrive = resolve;
      timer = setTimeout(() => reject(new Error(`${this.#options.hostUrl} did `
        + 'not start; is tabagent-wasm/host in it?')), HOST_START_MS);
    });
    promise.catch(() => {}); // nobody may be waiting any more
    this.#arrivals.push(arrive);
    return {
      promise,
      forget: () => {
        clearTimeout(timer);
        this.#arrivals = this.#arrivals.filter((one) => one !== arrive);
      },
    };
  }

  /** @param {Port} port */
  #meet(port) {
    // Ports of clients are the host's.
    if (port.name !== HOST
      || !isHost(this.#platform, port.sender, this.#options.hostUrl)) return;
    this.#port = port;
    for (const arrive of this.#arrivals.splice(0)) arrive(port);
    port.onMessage.addListener(
      (message) => this.#listenTo(port, message ?? {}));
    port.onDisconnect.addListener(() => {
      if (this.#port !== port) return;
      this.#port = undefined;
      for (const answer of this.#asked.values()) {
        answer({ code: 'host_died', message: 'the page of the host ended' });
      }
      this.#asked.clear();
    });
    this.#greet(port).catch((error) => reportError(error));
  }

  /** @param {Port} port */
  async #greet(port) {
    const { hubUrl, mirrors, allowContentScripts } = this.#options;
    const idle = {
      ...this.#around.document && { suspendAfterMs: EVENT_PAGE_MS },
      ...this.#options.idle,
    };
    const { token, account } = await this.#vault.kept();
    const session = await this.#state('session');
    port.postMessage({
      welcome: { hubUrl, mirrors, allowContentScripts, idle, session },
      token, account,
    });
  }

  /**
   * @param {Port} port
   * @param {any} message of the host
   */
  async #listenTo(port, { answer, message, adopt }) {
    if (answer !== undefined) {
      this.#asked.get(answer)?.(message);
      this.#asked.delete(answer);
    } else if (typeof adopt === 'string') {
      await this.#vault.adopt(adopt);
      port.postMessage({ adopted: await this.#vault.token() });
    }
  }

  /**
   * Does something that takes people a while.
   * @template T
   * @param {() => Promise<T>} work
   * @returns {Promise<T>}
   */
  async #stayAwake(work) {
    const { setTimeout, clearTimeout } = this.#around;
    /** @type {any} */
    let timer;
    const stir = () => {
      // Asking the platform for anything counts as doing something.
      this.#platform.runtime.getPlatformInfo?.();
      timer = setTimeout(stir, AWAKE_MS);
    };
    stir();
    try {
      return await work();
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * @param {'local' | 'session'} area
   * @returns {Promise<Record<string, any>>}
   */
  async #state(area) {
    const stored = await this.#platform.storage?.[area]?.get(STATE_KEY);
    return stored?.[STATE_KEY] ?? {};
  }

  /**
   * @param {Record<string, any>} change session: what does not outlive the
   *   browser
   */
  #remember({ session = {}, ...lasting }) {
    const write = async () => {
      await this.#change('local', lasting);
      await this.#change('session', session);
    };
    this.#writing = this.#writing.then(write, write);
    return this.#writing;
  }

  /**
   * @param {'local' | 'session'} area
   * @param {Record<string, any>} change
   */
  async #change(area, change) {
    if (Object.keys(change).length === 0) return;
    const state = { ...await this.#state(area), ...change };
    for (const [name, value] of Object.entries(state)) {
      if (value === null) delete state[name];
    }
    await this.#platform.storage?.[area]?.set({ [STATE_KEY]: state });
  }
}

/**
 * @param {string} code
 * @param {string} message
 */
function codedError(code, message) {
  return Object.assign(new Error(message), { code });
}

/** @param {any} error */
function wordsOf(error) {
  return { code: error?.code ?? 'internal', message: error?.message ?? `${error}` };
}
