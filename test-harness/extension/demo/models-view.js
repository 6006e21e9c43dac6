// SPDX-License-Identifier: Apache-2.0
// The models of the Hub: a list that fills while it is listed, search, filters,
// and what can be done with the model that is open.

import { ago, short, splitId, whole } from './format.js';
import { button, fill, h, icon, oncePerFrame } from './dom.js';
import { modelDetails } from './model-details.js';
import { problem } from './problem.js';
import { VirtualList } from './virtual-list.js';

/**
 * @typedef {import('./app.js').App} App
 * @typedef {import('./catalogue.js').Row} Row
 */

/** @type {Record<Row['classification'], { label: string, hint: string }>} */
const CLASSES = {
  gen: { label: 'Chat', hint: 'Models that answer in text' },
  'auth-protected': {
    label: 'Locked', hint: 'Models that need an account with access',
  },
  unknown: { label: 'Unsure', hint: 'Models of which nothing certain is known' },
  encoder: {
    label: 'Encoders', hint: 'Models that make vectors and cannot chat',
  },
};

/** @type {[string, string, (a: Row, b: Row) => number][]} */
const ORDERS = [
  ['downloads', 'Most downloaded', by((row) => row.downloads)],
  ['likes', 'Most liked', by((row) => row.likes)],
  ['updated', 'Last updated', by((row) => row.lastModified)],
  ['small', 'Smallest first', by((row) => -(row.parameters ?? Infinity))],
];

/** @type {[string, string][]} sizes in parameters */
const SIZES = [
  ['Infinity', 'Any size'], ['5e8', 'Up to 0.5B'], ['1.5e9', 'Up to 1.5B'],
  ['4e9', 'Up to 4B'],
];

/** Rows of a list that is empty because it is being filled. */
const GHOSTS = 7;

/**
 * @param {(row: Row) => number | undefined} value
 * @returns {(a: Row, b: Row) => number} the largest first
 */
function by(value) {
  return (a, b) => (value(b) ?? -Infinity) - (value(a) ?? -Infinity) || 0;
}

/** @param {Row} row */
export function badge({ classification, confidence }) {
  const { label, hint } = CLASSES[classification];
  const isLikely = classification === 'gen' && confidence === 'low';
  return h('span', {
    class: 'badge', 'data-class': classification,
    title: isLikely ? 'Probably a chat model' : hint,
  }, classification === 'auth-protected' && icon('lock'),
  classification === 'encoder' ? 'Encoder' : isLikely ? 'Chat?' : label);
}

/**
 * @param {HTMLElement} root
 * @param {App} app
 */
export function modelsView(root, app) {
  const { catalogue, library } = app;
  const view = new ModelsView(root, app);
  const update = oncePerFrame(() => view.update());
  catalogue.addEventListener('change', update);
  library.addEventListener('change', () => view.refresh());
  view.update();
  return {
    /** Begins to list when there is nothing to show. */
    async show() {
      await app.restored;
      if (catalogue.rows.size === 0 && !catalogue.isListing
          && catalogue.error === null) catalogue.list();
    },
  };
}

class ModelsView {
  #app;
  #search = '';
  #order = ORDERS[0][0];
  #size = Infinity;
  /** @type {Set<string>} */
  #classes = new Set(['gen', 'auth-protected', 'unknown']);
  #onlyStored = false;
  /** @type {Row[]} */
  #shown = [];
  #list;
  #filters = this.#makeFilters();
  #status = h('p', { class: 'status', role: 'status' });
  #act = h('div', { class: 'acts' });
  #notice = h('div', { class: 'notice' });
  #empty = h('div', { class: 'empty', hidden: true });
  #scroller = h('div', { class: 'scroller list-scroller' });
  #said = '';

  /** @param {HTMLElement} root @param {App} app */
  constructor(root, app) {
    this.#app = app;
    root.append(
      h('header', { class: 'head' },
        h('h1', { class: 'unseen' }, 'Models'),
        h('div', { class: 'search-line' },
          this.#searchField(), this.#filterButton(), this.#act),
        this.#filters, this.#status),
      this.#notice, this.#empty, this.#scroller);
    this.#list = new VirtualList(this.#scroller, {
      label: 'Models of the Hub',
      summary: (/** @type {Row} */ row) => this.#summary(row),
      details: (row) => modelDetails(row, this.#app),
    });
  }

  refresh() {
    this.#list.refresh();
    if (this.#onlyStored) this.update();
  }

  update() {
    const { catalogue } = this.#app;
    this.#shown = this.#select([...catalogue.rows.values()]);
    this.#list.setItems(this.#shown);
    this.#showStatus();
    this.#showNotice();
    this.#showEmpty();
  }

  #filtered() {
    this.update();
    this.#list.scrollToTop();
  }

  /** @param {Row[]} rows */
  #select(rows) {
    const words = this.#search.toLowerCase().split(/\s+/).filter(Boolean);
    const { library } = this.#app;
    const chosen = rows.filter((row) => (
      this.#classes.has(row.classification)
      && (this.#size === Infinity || (row.parameters ?? Infinity) <= this.#size)
      && (!this.#onlyStored || library.isStored(row.id))
      && words.every((word) => row.haystack.includes(word))));
    const order = ORDERS.find(([name]) => name === this.#order);
    return order ? chosen.sort(order[2]) : chosen;
  }

  #searchField() {
    const input = h('input', {
      type: 'search', placeholder: 'Search models', 'aria-label': 'Search models',
      autocomplete: 'off', spellcheck: 'false',
      on: {
        input: () => {
          this.#search = input.value.trim();
          this.#filtered();
        },
        keydown: (event) => {
          if (event.key === 'Enter' && this.#search) this.#searchHub();
        },
      },
    });
    return h('div', { class: 'search' }, icon('search'), input);
  }

  #filterButton() {
    const element = button('Filters', {
      icon: 'filter', symbol: true, kind: 'quiet filter-button',
      attributes: { 'aria-expanded': 'false', 'aria-controls': 'model-filters' },
      click: () => {
        const isOpen = this.#filters.toggleAttribute('data-open');
        element.setAttribute('aria-expanded', String(isOpen));
      },
    });
    return element;
  }

  #searchHub() {
    this.#app.catalogue.list(this.#search);
  }

  #makeFilters() {
    return h('div', { class: 'filters', id: 'model-filters' },
      h('div', { class: 'chips', role: 'group', 'aria-label': 'Show' },
        ...Object.entries(CLASSES).map(([name, { label, hint }]) => this.#chip(
          label, hint, this.#classes.has(name), (on) => {
            if (on) this.#classes.add(name);
            else this.#classes.delete(name);
          })),
        this.#chip('Stored', 'Only models that are stored here', false, (on) => {
          this.#onlyStored = on;
        })),
      h('div', { class: 'selects' },
        select('Size', SIZES, (value) => {
          this.#size = Number(value);
          this.#filtered();
        }),
        select('Order', ORDERS.map(([value, label]) => [value, label]), (value) => {
          this.#order = value;
          this.#filtered();
        })));
  }

  /**
   * @param {string} label
   * @param {string} hint
   * @param {boolean} isOn
   * @param {(on: boolean) => void} set
   */
  #chip(label, hint, isOn, set) {
    const chip = h('button', {
      type: 'button', class: 'chip', 'aria-pressed': String(isOn), title: hint,
      on: {
        click: () => {
          const on = chip.getAttribute('aria-pressed') !== 'true';
          chip.setAttribute('aria-pressed', String(on));
          set(on);
          this.#filtered();
        },
      },
    }, label);
    return chip;
  }

  /** @param {Row} row */
  #summary(row) {
    const { owner, name } = splitId(row.id);
    const isStored = this.#app.library.isStored(row.id);
    return h('button', {
      type: 'button', class: 'row',
      on: { click: () => this.#list.toggle(row.id) },
    },
    h('span', { class: 'row-text' },
      h('span', { class: 'row-name' }, name),
      h('span', { class: 'row-facts' },
        badge(row),
        row.gated && row.classification !== 'auth-protected'
          && h('span', { class: 'badge', 'data-class': 'auth-protected' },
            icon('lock'), 'Gated'),
        h('span', { class: 'row-owner' }, owner || 'Hub'),
        row.parameters !== undefined
          && h('span', {}, `${short(row.parameters)} params`),
        row.downloads !== undefined && h('span', {
          'aria-label': `${whole(row.downloads)} downloads`,
        }, `↓ ${short(row.downloads)}`))),
    isStored && h('span', { class: 'row-stored' }, icon('check'),
      h('span', { class: 'unseen' }, 'Stored')),
    h('span', { class: 'row-chevron' }, icon('chevron')));
  }

  #showStatus() {
    const { catalogue } = this.#app;
    const { rows, isListing, fetched, note } = catalogue;
    const search = note?.search ? ` for “${note.search}”` : '';
    const text = isListing
      ? `Listing… ${whole(fetched)} looked at, ${whole(this.#shown.length)} shown`
      : rows.size === 0 ? ''
      : `${whole(this.#shown.length)} of ${whole(rows.size)} models${search}${
        note ? `, listed ${ago(note.at)}` : ''}`;
    this.#status.textContent = text;
    const act = isListing ? 'stop' : note?.search ? 'all' : 'refresh';
    if (act === this.#said) return;
    this.#said = act;
    fill(this.#act,
      act === 'stop'
        ? button('Stop listing', {
          icon: 'stop', symbol: true, kind: 'quiet',
          click: () => catalogue.stop(),
        })
        : button(act === 'all' ? 'List all models' : 'List again', {
          icon: act === 'all' ? 'close' : 'refresh', symbol: true, kind: 'quiet',
          click: () => catalogue.list(),
        }));
    this.#scroller.setAttribute('aria-busy', String(isListing));
  }

  #showNotice() {
    const { catalogue } = this.#app;
    const { error, rows, pausedUntil, note } = catalogue;
    if (error && rows.size > 0) {
      fill(this.#notice, problem(error, {
        retry: () => catalogue.list(),
        dismiss: () => {
          catalogue.error = null;
          this.#showNotice();
        },
      }), note && h('p', { class: 'hint' },
        `This is the list from ${ago(note.at)}. Stored models work as ever.`));
    } else if (pausedUntil > 0) {
      fill(this.#notice, h('p', { class: 'hint' },
        `The Hub asks for a pause until ${
          new Date(pausedUntil).toLocaleTimeString()}. The list goes on then.`));
    } else {
      fill(this.#notice);
    }
  }

  #showEmpty() {
    const { catalogue } = this.#app;
    const isEmpty = this.#shown.length === 0;
    this.#scroller.hidden = isEmpty;
    this.#empty.hidden = !isEmpty;
    if (!isEmpty) return;
    if (catalogue.rows.size > 0) {
      fill(this.#empty, icon('search'), h('h2', {}, 'No model matches'),
        h('p', {}, this.#search
          ? `None of the ${whole(catalogue.rows.size)} listed models matches `
            + `“${this.#search}” and the filters.`
          : 'Choose other filters to see more.'),
        this.#search && !catalogue.isListing && button(
          'Search the whole Hub', {
            icon: 'search', kind: 'primary', click: () => this.#searchHub(),
          }));
    } else if (catalogue.isListing) {
      fill(this.#empty, h('div', { class: 'ghosts' },
        ...Array.from({ length: GHOSTS }, () => h('div', { class: 'ghost' }))));
    } else if (catalogue.error) {
      fill(this.#empty,
        problem(catalogue.error, { retry: () => catalogue.list() }));
    } else if (catalogue.note) {
      fill(this.#empty, icon('models'), h('h2', {}, 'The Hub knows none'),
        h('p', {}, 'Nothing that can run here was found.'));
    } else {
      fill(this.#empty, icon('models'), h('h2', {}, 'Find a model'),
        h('p', {}, 'Models come from the Hugging Face Hub and run on this '
          + 'computer: nothing that you write leaves it.'),
        button('List the models', {
          kind: 'primary', click: () => catalogue.list(),
        }));
    }
  }
}

/**
 * @param {string} label
 * @param {[string, string][]} choices value and text
 * @param {(value: string) => void} set
 */
function select(label, choices, set) {
  const element = h('select', {
    'aria-label': label, on: { change: () => set(element.value) },
  }, ...choices.map(([value, text]) => h('option', { value }, text)));
  return element;
}
