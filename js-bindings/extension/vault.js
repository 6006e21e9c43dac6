// SPDX-License-Identifier: Apache-2.0
// Where the background of an extension keeps the access token, and how it
// answers logins. The token is in two messages: the login request, and what the
// router tells its host on their port.

/**
 * @typedef {object} Area of the storage of an extension
 * @property {(keys: any) => Promise<Record<string, any>>} get
 * @property {(items: Record<string, any>) => Promise<void>} set
 * @property {(keys: any) => Promise<void>} remove
 * @property {(options: { accessLevel: string }) => Promise<void>}
 *   [setAccessLevel]
 *
 * @typedef {{ code: string, message: string, stage?: string,
 *   retryable?: boolean, userAction?: string, status?: number }} Refusal
 */

const KEY = 'tabagent_access_token';

/** Whose it is, as the Hub said when it came in. */
const ACCOUNT_KEY = 'tabagent_account';

/** Pages and workers of the extension, not its scripts in web pages. */
const TRUSTED = { accessLevel: 'TRUSTED_CONTEXTS' };

/** @typedef {import('../types/index.d.ts').Account} Whose */

/** Keeps one token: until the browser ends, or for good if the user says so. */
export class Vault {
  #storage;
  /** Where there is no such storage, as long as the background lives. */
  #inMemory = /** @type {Record<string, any>} */ ({});
  /** @type {Promise<unknown>} changes, one after the other */
  #last = Promise.resolve();

  /** @param {Record<string, Area> | undefined} storage `chrome.storage` */
  constructor(storage) {
    this.#storage = storage ?? {};
  }

  /** @returns {Promise<string | null>} what is kept */
  async token() {
    return (await this.kept()).token;
  }

  /** @returns {Promise<{ token: string | null, account?: Whose }>} */
  kept() {
    return this.#inTurn(() => this.#read());
  }

  /**
   * Keeps a token instead of the one before.
   * @param {string} token
   * @param {{ persist?: boolean, account?: Whose }} [options] persist: for good
   */
  keep(token, { persist = false, account } = {}) {
    return this.#inTurn(async () => {
      const { local } = this.#storage;
      const items = { [KEY]: token, [ACCOUNT_KEY]: account ?? null };
      if (persist) {
        // What scripts in web pages can read is no place for a secret.
        await local?.setAccessLevel?.(TRUSTED);
        await local?.set(items);
      } else {
        await local?.remove([KEY, ACCOUNT_KEY]);
      }
      await this.#keepForSession(items);
    });
  }

  /**
   * Takes a token over that somebody else kept, unless there is one.
   * @param {string} token
   */
  adopt(token) {
    return this.#inTurn(async () => {
      if ((await this.#read()).token === null) {
        await this.#keepForSession({ [KEY]: token });
      }
    });
  }

  forget() {
    return this.#inTurn(async () => {
      const { session, local } = this.#storage;
      this.#inMemory = {};
      await session?.remove([KEY, ACCOUNT_KEY]);
      await local?.remove([KEY, ACCOUNT_KEY]);
    });
  }

  /** Whether a token can be kept for good where only the extension reads it. */
  get canPersist() {
    const { local } = this.#storage;
    return typeof local?.setAccessLevel === 'function';
  }

  async #read() {
    const { session, local } = this.#storage;
    for (const area of [session, local, { get: async () => this.#inMemory }]) {
      const items = await area?.get([KEY, ACCOUNT_KEY]);
      const token = items?.[KEY];
      if (typeof token === 'string') {
        return { token, account: items?.[ACCOUNT_KEY] ?? undefined };
      }
    }
    return { token: null };
  }

  /** @param {Record<string, any>} items */
  async #keepForSession(items) {
    const { session } = this.#storage;
    if (!session) {
      this.#inMemory = items;
      return;
    }
    await session.setAccessLevel?.(TRUSTED);
    await session.set(items);
  }

  /**
   * @template T
   * @param {() => Promise<T>} work
   * @returns {Promise<T>}
   */
  #inTurn(work) {
    const done = this.#last.then(work, work);
    this.#last = done;
    return done;
  }
}

/** Requests about the account, in the style of TabAgent's panel or in ours. */
const TYPES = ['huggingfaceLogin', 'huggingfaceLogout', 'login', 'logout'];
const ACTIONS = ['login', 'logout'];

/**
 * Whether a message is for the account, and so for the router alone: the host,
 * which hears it as well, must leave it alone.
 * @param {any} message
 */
export function isAccountRequest(message) {
  const { action, type, to } = message ?? {};
  return to === undefined && (typeof action === 'string'
    ? ACTIONS.includes(action) : TYPES.includes(type));
}

/** Answers logins and logouts of pages of the extension. */
export class Account {
  #vault;
  #ask;
  #oauth;
  /** Number of the latest request: an earlier login is over. */
  #turn = 0;

  /**
   * @param {object} parts
   * @param {Vault} parts.vault
   * @param {(request: object) => Promise<any>} parts.ask has the host's manager
   *   handle a request, over their port, and brings what came of it
   * @param {() => Promise<string>} [parts.oauth] brings a token, for a login
   *   without one
   */
  constructor({ vault, ask, oauth }) {
    this.#vault = vault;
    this.#ask = ask;
    this.#oauth = oauth;
  }

  /**
   * @param {any} message that `isAccountRequest` and comes from a page of ours
   * @returns {Promise<object>} what the sender is answered; never rejects
   */
  async answer(message) {
    const { action, type, id, payload } = message;
    const isPanel = typeof action !== 'string'
      && String(type).startsWith('huggingface');
    const params = payload ?? message.params ?? message;
    const name = /login$/i.test(action ?? type) ? 'login' : 'logout';
    this.#turn += 1;
    const result = /** @type {any} */ (await (name === 'login'
      ? this.#login(params, this.#turn, isPanel)
      : this.#logout()).catch(refusalOf));
    return isPanel ? panelAnswer(result) : answerIn(
      typeof action === 'string' ? 'action' : 'type', name, id, result);
  }

  /**
   * @param {any} params
   * @param {number} turn
   * @param {boolean} isPanel a model may wait for it, as the core knows
   */
  async #login(params, turn, isPanel) {
    const persist = params.persist === true;
    if (persist && !this.#vault.canPersist) {
      return refusal('invalid_argument', 'persist: this browser has no storage '
        + 'that is closed to scripts in web pages');
    }
    const token = params.token ?? await this.#oauth?.();
    const end = await this.#ask(isPanel
      ? { type: 'huggingfaceLogin', payload: { ...params, token } }
      : { action: 'login', id: `account-${turn}`, params: { token } });
    if (end.code !== undefined) {
      return refusalOf({ message: end.error, ...end });
    }
    if (turn !== this.#turn) {
      return refusal('cancelled', 'the login was cancelled');
    }
    const account = { name: end.name, role: end.role };
    await this.#vault.keep(token, { persist, account });
    return account;
  }

  async #logout() {
    // First what lasts: it must not come back, whatever happens to the host.
    await this.#vault.forget();
    const end = await this.#ask(
      { action: 'logout', id: `account-${this.#turn}`, params: {} });
    return end.code === undefined ? {} : refusalOf(end);
  }
}

/**
 * @param {any} result
 */
function panelAnswer({ code, message, ...result }) {
  return code === undefined ? { success: true, ...result }
    : { success: false, error: message, code };
}

/**
 * The last message of the request, as the core would say it.
 * @param {'action' | 'type'} style
 * @param {string} name
 * @param {unknown} id
 * @param {any} result
 */
function answerIn(style, name, id, { message, ...result }) {
  const failed = result.code !== undefined;
  if (style === 'action') {
    return { action: `${name}:${failed ? 'error' : 'done'}`, id,
      ...(failed && { message }), ...result };
  }
  return failed ? { type: 'error', id, error: message, ...result }
    : { type: 'response', id, result };
}

/**
 * @param {string} code
 * @param {string} message
 * @returns {Refusal}
 */
function refusal(code, message) {
  return { code, message, stage: 'login', retryable: false };
}

/**
 * Only members of ours: what else an error has may be anything.
 * @param {any} error
 * @returns {Refusal}
 */
function refusalOf(error) {
  const { code = 'internal', stage = 'login', retryable = false, status,
    userAction } = error ?? {};
  return { code, stage, retryable, message: safeText(error?.message ?? error),
    ...(userAction && { userAction }), ...(status && { status }) };
}

/**
 * A text without what looks like a token.
 * @param {unknown} text
 */
function safeText(text) {
  return String(text).replace(/hf_[\w.-]+/g, 'hf_…');
}
