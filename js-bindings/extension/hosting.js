// SPDX-License-Identifier: Apache-2.0
// The host: the page that has the manager, and does what clients and panels ask
// for.

import { Claims } from './claims.js';
import { ClientPort, errorFields, isTerminal } from './client-port.js';
import { becomeHost } from './host-lock.js';
import {
  CLIENT, HOST, IDLE, OPENED_BY_US, PANEL_CHANNEL, REMEMBER, ROUTER,
} from './names.js';
import { send } from './platform.js';
import { isRequest, refusal } from './requests.js';
import { isOwnPage, mayAsk, pathOf } from './senders.js';

/**
 * @typedef {import('./platform.js').Platform} Platform
 * @typedef {import('./platform.js').Port} Port
 * @typedef {import('./platform.js').Sender} Sender
 * @typedef {import('../types/index.d.ts').ModelManager} Manager
 *
 * @typedef {Pick<import('../loop.js').Loop, 'run' | 'jobs' | 'memory'>
 *   & { subscribe?: (jobId: string, fromSeq: number) => AsyncIterable<any>,
 *   cancel?: (jobId: string) => void }} HostedLoop
 *
 * @typedef {object} Made
 * @property {Manager} manager
 * @property {HostedLoop} loop
 *
 * @typedef {object} Welcome what the router says first
 * @property {string} [hubUrl]
 * @property {string[]} [mirrors]
 * @property {string[]} allowContentScripts
 * @property {object} [idle]
 *
 * @typedef {object} Channel what there is of BroadcastChannel
 * @property {(message: any) => void} postMessage
 * @property {(name: 'message', listener: (event: any) => void) => void}
 *   addEventListener
 *
 * @typedef {object} Surroundings
 * @property {(options: { hubUrl?: string, mirrors?: string[],
 *   onMessage: (message: any) => void }) => Promise<Made>} createManager
 * @property {import('./host-lock.js').Locks} locks
 * @property {(name: string) => Channel} openChannel
 * @property {() => number} now
 * @property {(callback: () => void, ms: number) => unknown} setTimeout
 * @property {string} url of the page
 * @property {() => void} close closes it
 */

/** What old panels say on their channel that concerns us. */
const PANEL_TYPES = [
  'uiConnected', 'uiDisconnected', 'uiPong', 'inferenceSettingsUpdate',
];

/** How soon a router that went before it said anything is called again. */
const CALL_AGAIN_MS = 200;

/** Requests that are the router's: they have something to do with the token. */
const OF_ROUTER = ['huggingfaceLogin', 'huggingfaceLogout',
  'saveLastChatSession'];

/** The host of an extension. */
export class Host {
  #platform;
  #around;
  #claims;
  /** @type {Welcome | undefined} */
  #welcome;
  /** @type {(welcome: Welcome) => void} */
  #welcomed = () => {};
  /** @type {Promise<Made>} */
  #made;
  /** Ids of requests whose progress all hear. @type {Set<string>} */
  #aloud = new Set();
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
    const { onMessage, onConnect } = platform.runtime;
    onMessage.addListener((message, sender, sendResponse) => (
      this.#hear(message, sender, sendResponse)));
    onConnect.addListener((port) => this.#meet(port));
    this.#channel = surroundings.openChannel(PANEL_CHANNEL);
    this.#channel.addEventListener('message', ({ data }) => {
      if (PANEL_TYPES.includes(data?.type)) this.#tell(data);
    });
    this.#made = this.#make();
    this.#made.catch(() => {}); // everybody who asks is told
  }

  async #make() {
    /** @type {Promise<Welcome>} */
    const welcome = new Promise((resolve) => { this.#welcomed = resolve; });
    this.#callRouter();
    // Of two hosts the second one waits for the end of the first.
    await becomeHost(this.#around.locks);
    const { hubUrl, mirrors } = await welcome;
    return this.#around.createManager({
      hubUrl, mirrors, onMessage: (message) => this.#spread(message),
    });
  }

  /** Says that there is a host, and hears what it has to know. */
  #callRouter() {
    const port = this.#platform.runtime.connect({ name: HOST });
    port.onMessage.addListener(({ welcome }) => {
      this.#welcome = welcome;
      this.#welcomed(welcome);
    });
    port.onDisconnect.addListener(() => {
      if (this.#welcome) return;
      this.#around.setTimeout(() => this.#callRouter(), CALL_AGAIN_MS);
    });
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
      return this.#take(message, sendResponse);
    }
    const allowed = this.#welcome?.allowContentScripts ?? [];
    if (!isRequest(message) || OF_ROUTER.includes(message.type)
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
    if (!isRequest(take)) return false;
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
    const { id } = message;
    if (id !== undefined) this.#aloud.add(id);
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
    const senderId = `client-${port.sender?.documentId ?? url}`;
    const payload = { senderId, context: pathOf(url) };
    this.#tell({ type: 'uiConnected', payload });
    port.onDisconnect.addListener(
      () => this.#tell({ type: 'uiDisconnected', payload }));
    // The manager is there when the client is told what we were told.
    const loop = this.#made.then(({ loop }) => loop);
    const answer = () => {
      const { hubUrl, mirrors } = this.#welcome ?? {};
      new ClientPort(port, loop, { hubUrl, mirrors });
    };
    loop.then(answer, answer);
  }

  /**
   * Tells the core something to which nobody waits for an answer.
   * @param {any} message
   */
  #tell(message) {
    this.#made.then(({ manager }) => manager.handleMessage(message))
      .catch(() => {});
  }

  /**
   * What the core says to all.
   * @param {any} message
   */
  #spread(message) {
    if (message.type === REMEMBER) {
      send(this.#platform, { to: ROUTER, remember: message.payload });
    } else if (message.type === IDLE) {
      // A page that somebody else opened has other uses.
      if (this.#around.url.endsWith(OPENED_BY_US)) this.#around.close();
    } else if (message.type !== undefined ? !isTerminal(message)
      : this.#aloud.has(message.id) && !isTerminal(message)) {
      send(this.#platform, message);
    }
  }
}
