// SPDX-License-Identifier: Apache-2.0
// The parts of a browser that extensions are made of, as Chromium behaves:
// messages are JSON and reach every other context of the extension, the first
// answer wins, ports have several receivers, a service worker starts when it is
// needed and ends at any time, and there is one offscreen document at the most.
// Whatever one context does to another takes a turn of the event loop.

import { acquireInRealm } from '../../js-bindings/store/locks.js';

/**
 * @typedef {import('../../js-bindings/extension/platform.js').Platform} Platform
 * @typedef {import('../../js-bindings/extension/platform.js').Sender} Sender
 * @typedef {(context: FakeContext) => void} Script
 */

const NO_RECEIVER
  = 'Could not establish connection. Receiving end does not exist.';
const CHANNEL_CLOSED = 'A listener indicated an asynchronous response by '
  + 'returning true, but the message channel closed before a response was '
  + 'received';

/** What an object is on the other side. @param {any} value */
const overWire = (value) => (
  value === undefined ? undefined : JSON.parse(JSON.stringify(value)));

/** Listeners of one event in one context. */
class FakeEvent {
  /** @type {Set<(...args: any[]) => any>} */
  all = new Set();

  /** @param {(...args: any[]) => any} listener */
  addListener(listener) { this.all.add(listener); }

  /** @param {(...args: any[]) => any} listener */
  removeListener(listener) { this.all.delete(listener); }

  /** @param {any[]} args */
  fire(...args) { return [...this.all].map((listener) => listener(...args)); }
}

/** One end of a port. */
class FakePort {
  onMessage = new FakeEvent();
  onDisconnect = new FakeEvent();
  isOpen = true;
  context;
  name;
  sender;
  /** @type {FakePort[]} */
  others = [];
  isOpener;

  /**
   * @param {FakeContext} context
   * @param {string} name
   * @param {Sender} [sender] of a receiver
   */
  constructor(context, name, sender) {
    this.context = context;
    this.name = name;
    this.sender = sender;
    this.isOpener = sender === undefined;
    context.ports.add(this);
  }

  /** @param {any} message */
  postMessage(message) {
    if (!this.isOpen) {
      throw new Error('Attempting to use a disconnected port object');
    }
    for (const other of this.others) {
      other.context.deliver(() => {
        if (other.isOpen) other.onMessage.fire(overWire(message), other);
      });
    }
  }

  disconnect() {
    if (this.isOpen) this.close(true);
  }

  /** @param {boolean} isOnPurpose and not by the end of the context */
  close(isOnPurpose) {
    this.isOpen = false;
    this.context.ports.delete(this);
    for (const other of this.others) {
      other.others = other.others.filter((one) => one !== this);
      // Of several receivers the last one counts, unless one says so.
      if (!other.isOpener || isOnPurpose || other.others.length === 0) {
        other.lose();
      }
    }
  }

  lose() {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.context.ports.delete(this);
    for (const other of this.others) {
      other.others = other.others.filter((one) => one !== this);
      if (!other.isOpener) other.lose();
    }
    this.context.deliver(() => this.onDisconnect.fire(this));
  }
}

/** A page, a worker or a content script. */
export class FakeContext {
  isAlive = true;
  onMessage = new FakeEvent();
  onConnect = new FakeEvent();
  onSuspend = new FakeEvent();
  /** How often it called what makes a background busy. */
  calls = 0;
  /** @type {Set<FakePort>} */
  ports = new Set();
  /** @type {(() => void)[] | null} what waits until it is let in */
  #held = null;
  /** @type {Set<() => void>} what to do when it ends */
  ending = new Set();
  browser;
  kind;
  url;
  documentId;
  id;

  /**
   * @param {FakeBrowser} browser
   * @param {'worker' | 'page' | 'offscreen' | 'frame' | 'content'} kind
   * @param {string} url
   * @param {string} [id] of another extension
   */
  constructor(browser, kind, url, id = browser.id) {
    this.browser = browser;
    this.kind = kind;
    this.url = url;
    this.id = id;
    this.documentId = `document-${browser.nextNumber()}`;
    browser.contexts.add(this);
  }

  /** @returns {Sender} */
  get sender() {
    const { origin } = new URL(this.url);
    return this.kind === 'worker'
      ? { id: this.id, url: this.url, origin: `chrome-extension://${this.id}` }
      : { id: this.id, url: this.url, origin, documentId: this.documentId };
  }

  /** Does something in this context, in a turn of its own. */
  /** @param {() => void} act */
  deliver(act) {
    if (this.#held) this.#held.push(act);
    else setImmediate(() => { if (this.isAlive) act(); });
  }

  /** From now on nothing gets in. */
  hold() { this.#held ??= []; }

  /** What has waited gets in, in its order. */
  letIn() {
    const held = this.#held ?? [];
    this.#held = null;
    for (const act of held) this.deliver(act);
  }

  /** Ends, as by the browser. */
  kill() {
    this.isAlive = false;
    this.browser.contexts.delete(this);
    for (const port of [...this.ports]) port.close(false);
    for (const end of [...this.ending]) end();
  }

  /** @returns {any} `chrome` in this context */
  get platform() {
    const { browser } = this;
    const area = (/** @type {Map<string, any>} */ items) => ({
      get: async (/** @type {string} */ key) => (
        Object.fromEntries([key].flat().filter((one) => items.has(one))
          .map((one) => [one, overWire(items.get(one))]))),
      set: async (/** @type {Record<string, any>} */ change) => {
        for (const [key, value] of Object.entries(change)) {
          items.set(key, overWire(value));
        }
      },
      remove: async (/** @type {string | string[]} */ key) => {
        for (const one of [key].flat()) items.delete(one);
      },
    });
    const runtime = {
      id: browser.id,
      getURL: (/** @type {string} */ path) => browser.urlOf(path),
      sendMessage: (/** @type {any} */ message) => (
        browser.sendMessage(this, message)),
      connect: (/** @type {{ name: string }} */ { name }) => (
        browser.connect(this, name)),
      onMessage: this.onMessage,
      onConnect: this.onConnect,
      getContexts: async () => [...browser.contexts]
        .filter(({ kind }) => kind === 'offscreen')
        .map(({ url }) => ({ documentUrl: url })),
    };
    // An offscreen document has nothing else.
    return this.kind === 'offscreen' ? { runtime } : {
      runtime: {
        ...runtime,
        onSuspend: this.onSuspend,
        getPlatformInfo: async () => {
          this.calls += 1;
          return { os: 'linux' };
        },
      },
      offscreen: browser.hasOffscreen
        ? { createDocument: browser.createDocument } : undefined,
      storage: { local: area(browser.local), session: area(browser.session) },
    };
  }

  /** @returns {any} `navigator.locks` in this context */
  get locks() {
    return {
      request: async (
        /** @type {string} */ name, /** @type {any} */ options,
        /** @type {any} */ callback = options,
      ) => {
        const stop = new AbortController();
        const abort = () => stop.abort(new Error('AbortError'));
        options.signal?.addEventListener('abort', abort);
        if (options.signal?.aborted) abort();
        this.ending.add(abort);
        const release = await acquireInRealm(
          `${this.browser.id}/${name}`, stop.signal);
        const ended = new Promise((resolve) => {
          this.ending.add(() => resolve(undefined));
        });
        try {
          if (!this.isAlive) return undefined;
          return await Promise.race([callback(), ended]);
        } finally {
          release();
        }
      },
    };
  }

  /** @param {string} name @returns {any} a BroadcastChannel */
  openChannel(name) {
    const { browser } = this;
    const listeners = new FakeEvent();
    const channel = {
      name, context: this, listeners,
      postMessage: (/** @type {any} */ data) => {
        for (const other of browser.channels) {
          if (other === channel || other.name !== name) continue;
          other.context.deliver(
            () => other.listeners.fire({ data: structuredClone(data) }));
        }
      },
      addEventListener: (/** @type {string} */ _, /** @type {any} */ listener) => (
        listeners.addListener(listener)),
    };
    browser.channels.add(channel);
    this.ending.add(() => browser.channels.delete(channel));
    return channel;
  }
}

/** A browser with one extension. */
export class FakeBrowser {
  /** @type {Set<FakeContext>} */
  contexts = new Set();
  /** @type {Set<any>} */
  channels = new Set();
  /** @type {Map<string, any>} */
  local = new Map();
  /** @type {Map<string, any>} */
  session = new Map();
  hasOffscreen = true;
  /** Of a background that is a document. @type {any} */
  document;
  id;
  /** What runs in pages, by their paths. @type {Map<string, Script>} */
  pages = new Map();
  /** @type {Script | undefined} */
  #workerScript;
  /** @type {FakeContext | undefined} */
  worker;
  #number = 0;
  #isCreating = false;
  /** How often the worker was started. */
  starts = 0;
  /** How often a document was created. */
  created = 0;
  /** Everything that was sent, as it was sent. @type {any[]} */
  sent = [];

  constructor() {
    this.id = `extension-${FakeBrowser.#count += 1}`;
  }

  static #count = 0;

  nextNumber() {
    this.#number += 1;
    return this.#number;
  }

  /** @param {string} path */
  urlOf(path) {
    return `chrome-extension://${this.id}/${path}`;
  }

  /** @param {Script} script of the service worker */
  install(script) {
    this.#workerScript = script;
    this.wake();
  }

  /** Starts the worker if it does not run. */
  wake() {
    if (this.worker?.isAlive || !this.#workerScript) return;
    this.starts += 1;
    this.worker = new FakeContext(this, 'worker', this.urlOf('background.js'));
    this.#workerScript(this.worker);
  }

  killWorker() {
    this.worker?.kill();
  }

  /**
   * From now on the background is a document, and ends with the frames in it, as
   * in Firefox.
   */
  useEventPage() {
    this.hasOffscreen = false;
    /** @type {any[]} */
    let frames = [];
    this.document = {
      querySelectorAll: () => frames,
      createElement: () => ({ src: '' }),
      documentElement: {
        append: (/** @type {any} */ frame) => {
          frames.push(frame);
          this.created += 1;
          const page = new FakeContext(this, 'frame', frame.src);
          this.worker?.ending.add(() => {
            frames = [];
            page.kill();
          });
          this.pages.get(new URL(frame.src).pathname.slice(1))?.(page);
        },
      },
    };
    this.killWorker(); // the next one is such a document
  }

  /** @returns {FakeContext | undefined} */
  get frame() {
    return [...this.contexts].find(({ kind }) => kind === 'frame');
  }

  /** @returns {FakeContext | undefined} */
  get offscreen() {
    return [...this.contexts].find(({ kind }) => kind === 'offscreen');
  }

  /** @param {string} [path] */
  openPage(path = 'panel.html') {
    const page = new FakeContext(this, 'page', this.urlOf(path));
    this.pages.get(path)?.(page);
    return page;
  }

  /** @param {string} url of the page that it is in */
  openContentScript(url = 'https://example.org/') {
    return new FakeContext(this, 'content', url);
  }

  /** @param {{ url: string, reasons: string[], justification: string }} options */
  createDocument = async ({ url, reasons, justification }) => {
    if (this.#isCreating || this.offscreen) {
      throw new Error('Only a single offscreen document may be created.');
    }
    if (!reasons?.length || !justification) {
      throw new TypeError('Error in invocation of offscreen.createDocument');
    }
    this.#isCreating = true;
    this.created += 1;
    await new Promise((resolve) => { setImmediate(resolve); });
    this.#isCreating = false;
    const page = new FakeContext(
      this, 'offscreen', new URL(url, this.urlOf('')).href);
    this.pages.get(url.replace(/[?#].*/, ''))?.(page);
  };

  /**
   * @param {FakeContext} from
   * @param {any} message
   */
  sendMessage(from, message) {
    if (!from.isAlive) return new Promise(() => {});
    const text = JSON.stringify(message);
    this.sent.push({ from: from.kind, message: JSON.parse(text) });
    this.wake();
    // Content scripts get messages from tabs.sendMessage only.
    const receivers = [...this.contexts].filter((context) => (
      context !== from && context.kind !== 'content'
      && context.onMessage.all.size > 0));
    return new Promise((resolve, reject) => {
      if (receivers.length === 0) {
        setImmediate(() => reject(new Error(NO_RECEIVER)));
        return;
      }
      const waiting = new Set(receivers);
      let isLate = false;
      const leave = (/** @type {FakeContext} */ receiver) => {
        waiting.delete(receiver);
        if (waiting.size > 0) return;
        if (isLate) reject(new Error(CHANNEL_CLOSED));
        else resolve(undefined);
      };
      for (const receiver of receivers) {
        const gone = () => leave(receiver);
        receiver.ending.add(gone);
        receiver.deliver(() => {
          const answer = (/** @type {any} */ response) => {
            const copy = overWire(response);
            setImmediate(() => { if (from.isAlive) resolve(copy); });
          };
          const said = receiver.onMessage.fire(
            JSON.parse(text), from.sender, answer);
          if (said.includes(true)) isLate = true;
          else setImmediate(() => setImmediate(gone));
        });
      }
    });
  }

  /**
   * @param {FakeContext} from
   * @param {string} name
   */
  connect(from, name) {
    const opener = new FakePort(from, name);
    this.wake();
    const receivers = [...this.contexts].filter((context) => (
      context !== from && context.kind !== 'content'
      && context.onConnect.all.size > 0));
    opener.others = receivers.map((context) => {
      const port = new FakePort(context, name, from.sender);
      port.others = [opener];
      context.deliver(() => { context.onConnect.fire(port); });
      return port;
    });
    if (receivers.length === 0) setImmediate(() => opener.lose());
    return opener;
  }
}
