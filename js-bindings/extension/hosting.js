// SPDX-License-Identifier: Apache-2.0
// The host: the page that has the manager, and does what clients and panels ask
// for.

import { Claims } from './claims.js';
import { ClientPort, errorFields, isTerminal } from './client-port.js';
import { installErrorHandlers } from './error-handlers.js';
import { moveOldToken, takeToken } from './host-account.js';
import { becomeHost } from './host-lock.js';
import {
  BUSY, CLIENT, CONFIGURE, HOST, IDLE, OPENED_BY_US, PANEL_CHANNEL, REMEMBER,
  ROUTER, SUSPEND,
} from './names.js';
import { send } from './platform.js';
import { isRequest, refusal } from './requests.js';
import { isOwnPage, mayAsk, pathOf } from './senders.js';
import { isAccountRequest } from './vault.js';

/**
 * @typedef {import('./platform.js').Platform} Platform
 * @typedef {import('./platform.js').Port} Port
 * @typedef {import('./platform.js').Sender} Sender
 * @typedef {import('../types/index.d.ts').ModelManager} Manager
 *
 * @typedef {{ run: import('../loop.js').Loop['run'],
 *   jobs: (withEnded?: boolean) => any[],
 *   memory: import('../loop.js').Loop['memory'],
 *   subscribe?: (jobId: string, fromSeq: number, signal?: AbortSignal)
 *     => AsyncIterable<any> }} HostedLoop
 *
 * @typedef {object} Made
 * @property {Manager} manager
 * @property {HostedLoop} loop
 * @property {import('../event-log.js').EventLog} [log]
 * @property {() => Promise<import('../store/index.js').Store>} [openStore]
 *
 * @typedef {object} Welcome what the router says first
 * @property {string} [hubUrl]
 * @property {string[]} [mirrors]
 * @property {string[]} allowContentScripts
 * @property {object} [idle]
 * @property {object} [session] what the host before had remembered
 *
 * @typedef {object} Greeting
 * @property {Welcome} welcome
 * @property {string | null} token of whoever is logged in
 * @property {import('../types/index.d.ts').Account} [account] who that is
 *
 * @typedef {object} Channel what there is of BroadcastChannel
 * @property {(message: any) => void} postMessage
 * @property {(name: 'message', listener: (event: any) => void) => void}
 *   addEventListener
 *
 * @typedef {object} Surroundings
 * @property {(options: { hubUrl?: string, mirrors?: string[],
 *   onMessage: (message: any, isForChannel: boolean) => void })
 *   => Promise<Made>} createManager
 * @property {import('./host-lock.js').Locks} locks
 * @property {(name: string) => Channel} openChannel
 * @property {() => number} now
 * @property {(callback: () => void, ms: number) => unknown} setTimeout
 * @property {string} url of the page
 * @property {() => void} close closes it
 * @property {EventTarget} [target] where errors are told that nobody caught
 */

/** What old panels say on their channel that concerns us. */
const PANEL_TYPES = [
  'uiConnected', 'uiDisconnected', 'uiPong', 'inferenceSettingsUpdate',
];

/** How soon a router that went before it said anything is called again. */
const CALL_AGAIN_MS = 200;

/** What the router keeps by itself. */
const OF_ROUTER = 'saveLastChatSession';

/** The host of an extension. */
export class Host {
  #platform;
  #around;
  #claims;
  /** @type {Welcome | undefined} */
  #welcome;
  /** @type {(greeting: Greeting) => void} */
  #greeted = () => {};
  /** @type {Port | undefined} to the router, as long as both live */
  #router;
  /** @type {(token: string | null) => void} */
  #adopted = () => {};
  /**
   * What can end jobs, by their ids.
   * @type {Map<string | number, AbortController>}
   */
  #jobs = new Map();
  /** @type {Promise<Made>} */
  #made;
  /** Ids of requests whose progress all hear. @type {Set<unknown>} */
  #aloud = new Set();
  /** How many ports of clients there have been. */
  #meetings = 0;
  /** @type {Channel} */
  #channel;

  /**
   * Listens at once; the manager comes later.
   * @param {Platform} platform
   * @param {Surroundings} surroundings
   */
  constructor(platform, surroundings) {
    this.#platform = platform;
    this.#around = surroundings;
    this.#claims = new Claims(surroundings.now);
    const { onMessage, onConnect, onSuspend } = platform.runtime;
    onMessage.addListener((message, sender, sendResponse) => (
      this.#hear(message, sender, sendResponse)));
    onConnect.addListener((port) => this.#meet(port));
    // Where the host ends with the background. It waits for what is returned.
    onSuspend?.addListener(() => this.#tell({ type: SUSPEND }));
    this.#channel = surroundings.openChannel(PANEL_CHANNEL);
    this.#channel.addEventListener('message', ({ data }) => {
      if (PANEL_TYPES.includes(data?.type)) this.#tell(data);
    });
    this.#made = this.#make();
    this.#made.catch(() => {}); // everybody who asks is told
  }

  async #make() {
    const { locks, createManager, target } = this.#around;
    /** @type {Promise<Greeting>} */
    const greeting = new Promise((resolve) => { this.#greeted = resolve; });
    this.#callRouter();
    // Of two hosts the second one waits for the end of the first.
    await becomeHost(locks);
    const { welcome, token, account } = await greeting;
    const { hubUrl, mirrors, idle, session } = welcome;
    const made = await createManager({
      hubUrl, mirrors, onMessage: (...said) => this.#spread(...said),
    });
    const { manager, log } = made;
    if (target) {
      installErrorHandlers({
        stage: 'host', target, log,
        say: (message) => send(this.#platform, message),
      });
    }
    await manager.handleMessage(
      { type: CONFIGURE, payload: { ...idle, ...session } });
    if (token) await takeToken(manager, token, account);
    this.#moveOldToken(made).catch((error) => reportError(error));
    await this.#resume(made);
    return made;
  }

  /**
   * A token that an older version kept in the database goes to the router.
   * @param {Made} made
   */
  async #moveOldToken({ manager, openStore }) {
    if (!openStore) return;
    const store = await openStore();
    try {
      await moveOldToken(store, async (adopt) => {
        /** @type {Promise<string | null>} */
        const adopted = new Promise((resolve) => { this.#adopted = resolve; });
        if (!this.#router) this.#callRouter();
        this.#router?.postMessage({ adopt });
        await takeToken(manager, await adopted);
      });
    } finally {
      store.close();
    }
  }

  /**
   * Goes on with what the host before left.
   * @param {Made} made
   */
  async #resume({ manager, loop }) {
    // What does not need the store works without it.
    const left = await manager.resumeJobs().catch(() => []);
    for (const { id, request } of left) {
      const controller = new AbortController();
      this.#jobs.set(id, controller);
      loop.run({ ...request, resume: true }, { signal: controller.signal })
        .catch(() => {}) // whoever follows it is told
        .finally(() => this.#jobs.delete(id));
    }
  }

  /** Says that there is a host, and hears what it has to know. */
  #callRouter() {
    const port = this.#platform.runtime.connect({ name: HOST });
    this.#router = port;
    port.onMessage.addListener(
      (message) => this.#listenTo(port, message ?? {}));
    port.onDisconnect.addListener(() => {
      if (this.#router === port) this.#router = undefined;
      if (this.#welcome) return;
      this.#around.setTimeout(() => this.#callRouter(), CALL_AGAIN_MS);
    });
  }

  /**
   * @param {Port} port
   * @param {any} message of the router
   */
  async #listenTo(port, message) {
    const { welcome, token, account, adopted, ask, request } = message;
    if (welcome) {
      this.#welcome = welcome;
      this.#greeted({ welcome, token, account });
    } else if (adopted !== undefined) {
      this.#adopted(adopted);
    } else if (ask !== undefined) {
      const end = await this.#made.then(
        ({ manager }) => manager.handleMessage(request))
        .catch((error) => refusal(request, errorFields(error)));
      port.postMessage({ answer: ask, message: end });
    }
  }

  /**
   * @param {any} message
   * @param {Sender} sender
   * @param {(answer: any) => void} sendResponse
   * @returns {boolean} whether there will be an answer
   */
  #hear(message, sender, sendResponse) {
    if (message?.to === HOST) {
      if (!isOwnPage(this.#platform, sender)) return false;
      if (message.ping) {
        sendResponse({ here: true });
        return false;
      }
      if (message.connect) {
        if (!this.#router) this.#callRouter();
        return false;
      }
      return this.#take(message, sendResponse);
    }
    const allowed = this.#welcome?.allowContentScripts ?? [];
    if (!isRequest(message) || isAccountRequest(message)
      || message.type === OF_ROUTER
      || !mayAsk(this.#platform, sender, message, allowed)
      || !this.#claims.claim(message, sender, 'direct')) return false;
    this.#answer(message, sender).then(sendResponse);
    return true;
  }

  /**
   * @param {any} message from the router
   * @param {(answer: any) => void} sendResponse
   */
  #take({ take, sender }, sendResponse) {
    if (!isRequest(take) || isAccountRequest(take)) return false;
    if (!this.#claims.claim(take, sender, 'relayed')) {
      sendResponse({ taken: true });
      return false;
    }
    this.#answer(take, sender).then(
      (response) => sendResponse({ response }));
    return true;
  }

  /**
   * @param {any} message
   * @param {Sender} sender
   * @returns {Promise<any>} what is answered; never rejects
   */
  async #answer(message, sender) {
    const { id = null } = message;
    this.#aloud.add(id);
    try {
      const { manager } = await this.#made;
      const request = message.type === 'restoreLastState'
        ? { ...message, payload: await this.#lastState() } : message;
      return await manager.handleMessage(request, sender);
    } catch (error) {
      return refusal(message, errorFields(error));
    } finally {
      this.#aloud.delete(id);
    }
  }

  async #lastState() {
    return (await send(
      this.#platform, { to: ROUTER, want: 'state' }))?.state ?? {};
  }

  /** @param {Port} port */
  #meet(port) {
    if (port.name !== CLIENT || !isOwnPage(this.#platform, port.sender)) return;
    const { url } = port.sender ?? {};
    // A panel may have two ports for a moment: the end of one is not its end.
    this.#meetings += 1;
    const senderId = `client-${this.#meetings}-${
      port.sender?.documentId ?? url}`;
    const payload = { senderId, context: pathOf(url) };
    this.#tell({ type: 'uiConnected', payload });
    port.onDisconnect.addListener(
      () => this.#tell({ type: 'uiDisconnected', payload }));
    const answer = () => {
      const { hubUrl, mirrors } = this.#welcome ?? {};
      new ClientPort(port, this.#made, this.#jobs, { hubUrl, mirrors });
    };
    this.#made.then(answer, answer);
  }

  /**
   * Tells the core something to which nobody waits for an answer.
   * @param {any} message
   */
  #tell(message) {
    return this.#made.then(({ manager }) => manager.handleMessage(message))
      .catch(() => {});
  }

  /**
   * What the core says to all.
   * @param {any} message
   * @param {boolean} isForChannel
   */
  #spread(message, isForChannel) {
    if (isForChannel) {
      this.#channel.postMessage(message);
    } else if (message.type === REMEMBER) {
      send(this.#platform, { to: ROUTER, remember: message.payload });
    } else if (message.type === BUSY) {
      // It may be another one than that which the port leads to.
      send(this.#platform, { to: ROUTER, busy: true });
    } else if (message.type === IDLE) {
      // A page that somebody else opened has other uses.
      if (this.#around.url.endsWith(OPENED_BY_US)) this.#around.close();
    } else if (message.id === undefined
      || (this.#aloud.has(message.id) && !isTerminal(message))) {
      // An end is for who asked; progress of clients goes over their ports.
      send(this.#platform, message);
    }
  }
}
