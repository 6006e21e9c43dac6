// SPDX-License-Identifier: Apache-2.0
// The account at the Hub: a token in, a name out. The token is held nowhere
// here: the field is emptied as soon as it is handed on.

import { button, fill, h, icon } from './dom.js';
import { problem } from './problem.js';

/**
 * @typedef {import('./app.js').App} App
 * @typedef {import('tabagent-wasm').KnownAccount} KnownAccount
 */

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
  /** Counts questions: an answer to an earlier one is out of date. */
  #asked = 0;

  /** @param {HTMLElement} root @param {App} app */
  constructor(root, app) {
    this.#app = app;
    root.append(h('div', { class: 'scroller page' },
      h('header', { class: 'page-head' }, h('h1', {}, 'Account')),
      h('p', { class: 'lead' }, 'Most models need no account. A token of the Hub '
        + 'also opens locked models that you may use.'),
      this.#body, this.#outcome));
  }

  async load() {
    if (this.#isTyping) return;
    this.#asked += 1;
    const asked = this.#asked;
    try {
      const account = await this.#app.manager.account();
      if (asked !== this.#asked || this.#isTyping) return;
      if (account) this.#drawAccount(account);
      else this.#drawForm();
    } catch (error) {
      fill(this.#outcome, problem(error, { retry: () => this.load() }));
    }
  }

  get #isTyping() {
    return Boolean(this.#body.querySelector('input')?.value);
  }

  /** @param {KnownAccount} account */
  #drawAccount({ name, role }) {
    fill(this.#outcome);
    fill(this.#body, h('div', { class: 'card account-card' },
      h('span', { class: 'account-mark' }, icon('account')),
      h('div', {}, h('h2', {}, name ?? 'Signed in'),
        h('p', { class: 'muted' }, [name ? 'Signed in' : 'The name is not known',
          role && `${role} token`].filter(Boolean).join(' · '))),
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
    this.#asked += 1;
    fill(this.#outcome, h('p', { class: 'outcome', role: 'status' },
      'Asking the Hub…'));
    try {
      const account = await this.#app.manager.login(token, { persist });
      this.#drawAccount(account);
      this.#app.announce(`Signed in as ${account.name}`);
      this.#body.querySelector('button')?.focus();
    } catch (error) {
      fill(this.#outcome, problem(error, {
        about: 'login', dismiss: () => fill(this.#outcome),
      }));
      this.#body.querySelector('input')?.focus();
    }
  }

  async #logout() {
    this.#asked += 1;
    try {
      await this.#app.manager.logout();
      this.#drawForm();
      this.#app.announce('Signed out');
      this.#body.querySelector('input')?.focus();
    } catch (error) {
      fill(this.#outcome, problem(error));
    }
  }
}
