// SPDX-License-Identifier: Apache-2.0
// The account at the Hub: a token in, a name out. The token is held nowhere
// here: the field is emptied as soon as it is handed on.

import { button, fill, h, icon } from './dom.js';
import { forget, keep, recall } from './keeper.js';
import { problem } from './problem.js';

/**
 * @typedef {import('./app.js').App} App
 * @typedef {import('tabagent-wasm').Account} Account
 */

/** Name of the account, never its token. */
const ACCOUNT = 'account';

/**
 * What lasts as long as a token that is not kept: until the browser closes.
 * @returns {{ get: () => Promise<Account | undefined>,
 *   set: (account: Account) => Promise<void>, clear: () => Promise<void> }}
 */
function session() {
  const area = /** @type {any} */ (globalThis).chrome?.storage?.session;
  if (area) {
    return {
      get: async () => (await area.get(ACCOUNT))[ACCOUNT],
      set: (account) => area.set({ [ACCOUNT]: account }),
      clear: () => area.remove(ACCOUNT),
    };
  }
  return {
    get: async () => JSON.parse(sessionStorage.getItem(ACCOUNT) ?? 'null'),
    set: async (account) => sessionStorage.setItem(
      ACCOUNT, JSON.stringify(account)),
    clear: async () => sessionStorage.removeItem(ACCOUNT),
  };
}

/**
 * @param {HTMLElement} root
 * @param {App} app
 */
export function accountView(root, app) {
  const view = new AccountView(root, app);
  return { show: () => view.load() };
}

class AccountView {
  #app;
  #body = h('div', { class: 'account' });
  #outcome = h('div', { class: 'outcome-box' });

  /** @param {HTMLElement} root @param {App} app */
  constructor(root, app) {
    this.#app = app;
    root.append(h('div', { class: 'scroller page' },
      h('header', { class: 'page-head' }, h('h1', {}, 'Account')),
      h('p', { class: 'lead' }, 'Most models need no account. With a token of the '
        + 'Hub, locked models that you may use open, too.'),
      this.#body, this.#outcome));
  }

  load() {
    this.#show().catch((error) => this.#app.report(error));
  }

  async #show() {
    const account = await session().get() ?? await recall(ACCOUNT);
    if (account) this.#drawAccount(account);
    else this.#drawForm();
  }

  /** @param {Account} account */
  #drawAccount({ name, role }) {
    fill(this.#body, h('div', { class: 'card account-card' },
      h('span', { class: 'account-mark' }, icon('account')),
      h('div', {}, h('h2', {}, name),
        h('p', { class: 'muted' }, role ? `Signed in · ${role} token` : 'Signed in')),
      button('Sign out', { kind: 'small', click: () => this.#logout() })));
  }

  #drawForm() {
    const token = h('input', {
      type: 'password', id: 'token', autocomplete: 'off', spellcheck: 'false',
      placeholder: 'hf_…', required: true, 'aria-describedby': 'token-help',
    });
    const persist = h('input', { type: 'checkbox', id: 'persist', role: 'switch' });
    fill(this.#body, h('form', {
      class: 'card form',
      on: {
        submit: (event) => {
          event.preventDefault();
          const secret = token.value.trim();
          token.value = '';
          this.#login(secret, persist.checked);
        },
      },
    },
    h('div', { class: 'field' }, h('label', { for: 'token' }, 'Access token'), token,
      h('p', { class: 'help', id: 'token-help' },
        'It goes to the Hub and nowhere else. A token that may only read is enough. ',
        h('a', { href: `${this.#app.hubUrl}/settings/tokens`, target: '_blank',
          rel: 'noreferrer' }, 'Make one'))),
    h('div', { class: 'field switch-field' },
      h('label', { for: 'persist' }, 'Stay signed in'), persist,
      h('p', { class: 'help' },
        'Else it is forgotten when the browser closes.')),
    h('button', { type: 'submit', class: 'button primary' },
      h('span', {}, 'Sign in'))));
  }

  /** @param {string} token @param {boolean} persist */
  async #login(token, persist) {
    fill(this.#outcome, h('p', { class: 'outcome', role: 'status' },
      'Asking the Hub…'));
    try {
      const account = await this.#app.manager.login(token, { persist });
      const { name, role } = account;
      if (persist) await keep(ACCOUNT, { name, role });
      else await session().set({ name, role });
      this.#drawAccount(account);
      fill(this.#outcome);
      this.#app.announce(`Signed in as ${name}`);
    } catch (error) {
      fill(this.#outcome, problem(error, { dismiss: () => fill(this.#outcome) }));
    }
  }

  async #logout() {
    try {
      await this.#app.manager.logout();
      await Promise.all([forget(ACCOUNT), session().clear()]);
      this.#drawForm();
      this.#app.announce('Signed out');
    } catch (error) {
      fill(this.#outcome, problem(error));
    }
  }
}
