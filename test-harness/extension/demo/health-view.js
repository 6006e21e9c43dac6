// SPDX-License-Identifier: Apache-2.0
// Whether all is well here, what memory is used, and a report for whoever is
// asked for help. No text of chats is in it.

import { bytes, whole } from './format.js';
import { button, fill, h, icon } from './dom.js';
import { describe, problem, sentence } from './problem.js';

/** @typedef {import('./app.js').App} App */

/** What numbers of `memory()` are called. @type {Record<string, string>} */
const MEMORY = {
  wasmBytes: 'The core',
  jsHeapBytes: 'JavaScript',
  storeBytes: 'Stored on disk',
};

/** What checks are called; others by their own names. @type {Record<string, string>} */
const CHECKS = {
  browser: 'Browser',
  manifestVersion: 'Manifest',
  storagePermission: 'Permission to keep',
  hubAccess: 'Access to the Hub',
  csp: 'WebAssembly is allowed',
  offscreen: 'A page to work in',
  minimumVersion: 'Oldest browser',
  threads: 'Threads',
  webgpu: 'Graphics card',
  f16: 'Half precision',
  locks: 'Locks',
  storage: 'Storage works',
  room: 'Room for models',
  persistence: 'Storage is kept',
  unlimitedStorage: 'Unlimited storage',
};

/**
 * @param {HTMLElement} root
 * @param {App} app
 */
export function healthView(root, app) {
  const view = new HealthView(root, app);
  return { show: () => view.load() };
}

class HealthView {
  #app;
  #checks = h('ul', { class: 'checks', 'aria-label': 'Checks' });
  #memory = h('dl', { class: 'numbers-list' });
  #state = h('p', { class: 'status', role: 'status' });

  /** @param {HTMLElement} root @param {App} app */
  constructor(root, app) {
    this.#app = app;
    root.append(h('div', { class: 'scroller page' },
      h('header', { class: 'page-head' }, h('h1', {}, 'Health'),
        button('Check again', {
          icon: 'refresh', kind: 'quiet small', click: () => this.load(),
        })),
      this.#state, this.#checks,
      h('section', { class: 'block' },
        h('header', { class: 'block-head' }, h('h2', {}, 'Memory'),
          button('Free memory', {
            kind: 'quiet small', click: () => this.#free(),
          })),
        this.#memory),
      h('section', { class: 'block' }, h('h2', {}, 'Report'),
        h('p', { class: 'help' }, 'For a bug report: checks, memory and the last '
          + 'events. Neither chats nor tokens are in it.'),
        button('Save the report', {
          icon: 'save', click: () => this.#saveReport(),
        }))));
  }

  async load() {
    this.#state.textContent = 'Checking…';
    try {
      const checks = await this.#app.manager.doctor();
      const bad = checks.filter(({ ok }) => !ok).length;
      this.#state.textContent = bad === 0 ? 'All is well.'
        : `${bad} of ${checks.length} checks found something.`;
      fill(this.#checks, ...checks.map(({ check, ok, message, fix }) => h('li', {
        class: 'check', 'data-ok': String(ok),
      }, icon(ok ? 'check' : 'warning'),
      h('div', {},
        h('h3', {}, CHECKS[check] ?? check,
          h('span', { class: 'unseen' }, ok ? ' (well)' : ' (not well)')),
        h('p', {}, sentence(message)), fix && h('p', { class: 'fix' }, fix)))));
    } catch (error) {
      this.#state.textContent = '';
      fill(this.#checks, h('li', {}, problem(error, { retry: () => this.load() })));
    }
    await this.#showMemory();
  }

  async #showMemory() {
    try {
      const [use, { state, modelId, executionProvider }] = await Promise.all(
        [this.#app.manager.memory(), this.#app.manager.state()]);
      /** @type {[string, string][]} */
      const lines = Object.entries(use)
        .filter(([, value]) => typeof value === 'number')
        .map(([name, value]) => [MEMORY[name] ?? name, bytes(Number(value))]);
      lines.push(['Sessions', whole(use.sessions.length)]);
      lines.push(['Model', modelId === null ? 'none'
        : `${modelId}, ${state}${
          executionProvider ? ` on ${executionProvider}` : ''}`]);
      fill(this.#memory, ...lines.map(([name, value]) => (
        h('div', {}, h('dt', {}, name), h('dd', {}, value)))));
    } catch (error) {
      this.#app.report(error);
    }
  }

  async #free() {
    try {
      await this.#app.manager.reset();
      this.#app.announce('The model is released');
    } catch (error) {
      this.#app.report(error);
    }
    await this.#showMemory();
  }

  async #saveReport() {
    const text = JSON.stringify(await this.#report(), null, 2);
    const url = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
    h('a', { href: url, download: 'tabagent-report.json' }).click();
    URL.revokeObjectURL(url);
  }

  async #report() {
    const { manager } = this.#app;
    const parts = {
      checks: () => manager.doctor(),
      memory: () => manager.memory(),
      storage: () => manager.storage(),
      state: () => manager.state(),
      downloads: () => manager.downloads(),
      jobs: () => manager.jobs(),
      log: () => manager.log(),
    };
    const entries = await Promise.all(Object.entries(parts).map(
      async ([name, ask]) => {
        try {
          return [name, await ask()];
        } catch (error) {
          const { code, message } = describe(error);
          return [name, { code, message }];
        }
      }));
    return {
      at: new Date().toISOString(), browser: navigator.userAgent,
      ...Object.fromEntries(entries),
    };
  }
}
