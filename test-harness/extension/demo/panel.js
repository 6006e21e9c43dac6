// SPDX-License-Identifier: Apache-2.0
// The panel: opens the manager, and the views as they are asked for.

import { accountView } from './account-view.js';
import { App } from './app.js';
import { chatView } from './chat-view.js';
import { openManager } from './connection.js';
import { fill, h, icon } from './dom.js';
import { healthView } from './health-view.js';
import { keep, recall } from './keeper.js';
import { modelsView } from './models-view.js';
import { problem } from './problem.js';
import { settingsView } from './settings-view.js';
import { storageView } from './storage-view.js';

/**
 * @typedef {(root: HTMLElement, app: App) => { show?: () => void }} View
 */

/** @type {Record<string, View>} */
const VIEWS = {
  chat: chatView,
  models: modelsView,
  storage: storageView,
  settings: settingsView,
  account: accountView,
  health: healthView,
};

const LAST_VIEW = 'view';

/** From this width on the tabs stand one below the other. */
const WIDE = '(min-width: 640px)';

const tabs = /** @type {HTMLElement[]} */ (
  [...document.querySelectorAll('[role=tab]')]);
const main = /** @type {HTMLElement} */ (document.querySelector('main'));
const toast = h('div', { class: 'toast' });

/** @param {string} id */
function byId(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

/** @type {Map<string, { show?: () => void }>} */
const opened = new Map();

/** @param {App} app @param {string} name @param {boolean} [withFocus] */
function show(app, name, withFocus = false) {
  for (const tab of tabs) {
    const isChosen = tab.dataset.view === name;
    tab.setAttribute('aria-selected', String(isChosen));
    tab.tabIndex = isChosen ? 0 : -1;
    if (isChosen && withFocus) tab.focus();
    byId(`view-${tab.dataset.view}`).hidden = !isChosen;
  }
  if (!opened.has(name)) {
    opened.set(name, VIEWS[name](byId(`view-${name}`), app));
  }
  opened.get(name)?.show?.();
  keep(LAST_VIEW, name).catch(() => {});
}

/** @param {App} app */
function connectTabs(app) {
  tabs.forEach((tab, i) => {
    const name = /** @type {string} */ (tab.dataset.view);
    tab.addEventListener('click', () => show(app, name));
    tab.addEventListener('keydown', ({ key }) => {
      const to = { ArrowRight: i + 1, ArrowDown: i + 1, ArrowLeft: i - 1,
        ArrowUp: i - 1, Home: 0, End: -1 }[key];
      if (to === undefined) return;
      const next = tabs[(to + tabs.length) % tabs.length];
      show(app, /** @type {string} */ (next.dataset.view), true);
    });
  });
  app.addEventListener('go', (event) => show(
    app, /** @type {CustomEvent} */ (event).detail));
}

/** @param {App} app */
function connectReports(app) {
  app.addEventListener('report', (event) => {
    fill(toast, problem(/** @type {CustomEvent} */ (event).detail, {
      dismiss: () => fill(toast),
    }));
  });
  addEventListener('unhandledrejection', ({ reason }) => app.report(reason));
  addEventListener('error', ({ error, message }) => app.report(error ?? message));
}

/** The number of downloads stands on the tab. @param {App} app */
function connectMarks(app) {
  const mark = h('span', { class: 'mark', 'aria-hidden': 'true' });
  byId('tab-storage').append(mark);
  app.library.addEventListener('progress', () => {
    const count = app.library.transfers.size;
    mark.textContent = count === 0 ? '' : String(count);
    byId('tab-storage').setAttribute('aria-label',
      count === 0 ? 'Storage' : `Storage, ${count} on the way`);
  });
}

function drawTabs() {
  const wide = matchMedia(WIDE);
  const turn = () => byId('tabs').setAttribute(
    'aria-orientation', wide.matches ? 'vertical' : 'horizontal');
  wide.addEventListener('change', turn);
  turn();
  for (const tab of tabs) {
    tab.prepend(icon(/** @type {string} */ (tab.dataset.view)));
  }
  document.body.append(toast);
}

async function start() {
  drawTabs();
  try {
    const app = new App(await openManager(), byId('announcer'));
    connectReports(app);
    connectTabs(app);
    connectMarks(app);
    app.library.refresh().catch((error) => app.report(error));
    const last = await recall(LAST_VIEW).catch(() => undefined);
    show(app, last in VIEWS ? last : 'chat');
    document.documentElement.dataset.ready = '';
  } catch (error) {
    fill(main, problem(error, { retry: () => location.reload() }));
  }
}

await start();
