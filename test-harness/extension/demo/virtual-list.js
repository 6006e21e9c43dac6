// SPDX-License-Identifier: Apache-2.0
// A list of any length of which only what is seen exists. Rows have one height;
// one of them may be open and is then as high as it needs.

import { h, oncePerFrame } from './dom.js';

/** Rows that exist above and below what is seen. */
const OVERSCAN = 8;

/**
 * @template {{ id: string }} Item
 * @typedef {object} Face
 * @property {(item: Item) => HTMLElement} summary what is always seen; it gets
 *   the focus
 * @property {(item: Item) => HTMLElement} details what an open row shows as well
 * @property {string} label of the list
 */

/** @template {{ id: string }} Item */
export class VirtualList {
  /** @type {Item[]} */
  #items = [];
  /** @type {Map<string, number>} */
  #places = new Map();
  /** @type {Map<string, { row: HTMLElement, item: Item }>} */
  #rows = new Map();
  /** @type {string | null} */
  #open = null;
  #openHeight = 0;
  /** Row that Tab leads to. @type {string | null} */
  #current = null;
  #rowHeight = 0;
  #scroller;
  #list;
  #face;
  #observer;

  /**
   * @param {HTMLElement} scroller what it lives in and scrolls
   * @param {Face<Item>} face
   */
  constructor(scroller, face) {
    this.#scroller = scroller;
    this.#face = face;
    this.#list = h('ul', {
      class: 'virtual', role: 'list', 'aria-label': face.label,
    });
    this.#list.addEventListener('keydown', (event) => this.#onKey(event));
    this.#list.addEventListener('focusin', (event) => this.#onFocus(event));
    scroller.append(this.#list);
    const show = oncePerFrame(() => this.#show());
    scroller.addEventListener('scroll', show, { passive: true });
    new ResizeObserver(() => {
      this.#rowHeight = 0;
      show();
    }).observe(scroller);
    this.#observer = new ResizeObserver(([{ target }]) => {
      this.#openHeight = /** @type {HTMLElement} */ (target).offsetHeight;
      show();
    });
  }

  /** @param {Item[]} items each with an id of its own */
  setItems(items) {
    this.#items = items;
    this.#places = new Map(items.map(({ id }, i) => [id, i]));
    if (this.#open !== null && !this.#places.has(this.#open)) this.#close();
    if (this.#current === null || !this.#places.has(this.#current)) {
      this.#current = items[0]?.id ?? null;
    }
    this.#show();
    this.#order();
  }

  /** Makes the rows that are seen anew. */
  refresh() {
    for (const entry of this.#rows.values()) this.#renew(entry);
    this.#show();
  }

  /** @param {string} id */
  toggle(id) {
    const wasOpen = this.#open;
    this.#close();
    if (wasOpen !== id) {
      this.#open = id;
      const entry = this.#rows.get(id);
      if (entry) this.#addDetails(entry);
    }
    this.#show();
  }

  /** @param {string} id */
  isOpen(id) {
    return this.#open === id;
  }

  scrollToTop() {
    this.#scroller.scrollTop = 0;
  }

  #close() {
    if (this.#open === null) return;
    const entry = this.#rows.get(this.#open);
    this.#open = null;
    this.#openHeight = 0;
    this.#observer.disconnect();
    if (entry) this.#renew(entry);
  }

  /** @param {{ row: HTMLElement, item: Item }} entry */
  #renew(entry) {
    const hadFocus = entry.row.firstElementChild === document.activeElement;
    const summary = this.#summary(entry.item);
    entry.row.firstElementChild?.replaceWith(summary);
    if (this.#open !== entry.item.id) entry.row.children[1]?.remove();
    if (hadFocus) summary.focus({ preventScroll: true });
  }

  /** @param {Item} item */
  #summary(item) {
    const summary = this.#face.summary(item);
    summary.setAttribute('aria-expanded', String(this.#open === item.id));
    return summary;
  }

  /** @param {{ row: HTMLElement, item: Item }} entry */
  #addDetails(entry) {
    const details = this.#face.details(entry.item);
    entry.row.append(details);
    this.#renew(entry);
    this.#openHeight = details.offsetHeight;
    this.#observer.observe(details);
  }

  /** @param {{ row: HTMLElement, item: Item }} entry */
  #replaceDetails(entry) {
    this.#observer.disconnect();
    entry.row.children[1]?.remove();
    this.#addDetails(entry);
  }

  /** @param {number} index */
  #top(index) {
    const open = this.#open === null ? -1
      : this.#places.get(this.#open) ?? -1;
    return index * this.#rowHeight
      + (open >= 0 && index > open ? this.#openHeight : 0);
  }

  #show() {
    this.#rowHeight ||= parseFloat(
      getComputedStyle(this.#list).getPropertyValue('--row')) || 64;
    const { scrollTop, clientHeight } = this.#scroller;
    const from = Math.max(
      0, Math.floor((scrollTop - this.#openHeight) / this.#rowHeight) - OVERSCAN);
    const to = Math.min(this.#items.length,
      Math.ceil((scrollTop + clientHeight) / this.#rowHeight) + OVERSCAN);
    this.#list.style.height = `${this.#top(this.#items.length)}px`;
    const seen = new Set();
    for (let i = from; i < to; i += 1) {
      seen.add(this.#items[i].id);
      this.#place(i);
    }
    for (const [id, { row }] of this.#rows) {
      if (seen.has(id)) continue;
      // What has the focus stays, so that the keyboard does not lose its place.
      const place = this.#places.get(id);
      if (place !== undefined && row.contains(document.activeElement)) {
        this.#place(place);
      } else {
        row.remove();
        this.#rows.delete(id);
      }
    }
  }

  /** @param {number} index */
  #place(index) {
    const item = this.#items[index];
    let entry = this.#rows.get(item.id);
    if (!entry) {
      entry = { row: h('li', {}), item };
      entry.row.append(this.#summary(item));
      this.#rows.set(item.id, entry);
      this.#insert(entry.row, index);
      if (this.#open === item.id) this.#addDetails(entry);
    } else if (entry.item !== item) {
      entry.item = item;
      this.#renew(entry);
      if (this.#open === item.id) this.#replaceDetails(entry);
    }
    const { row } = entry;
    row.style.transform = `translateY(${this.#top(index)}px)`;
    row.dataset.index = String(index);
    row.setAttribute('aria-setsize', String(this.#items.length));
    row.setAttribute('aria-posinset', String(index + 1));
    const summary = /** @type {HTMLElement} */ (row.firstElementChild);
    summary.tabIndex = item.id === this.#current ? 0 : -1;
  }

  /**
   * Readers read in the order of the document.
   * @param {HTMLElement} row
   * @param {number} index
   */
  #insert(row, index) {
    let next = this.#list.lastElementChild;
    while (next
        && Number(/** @type {HTMLElement} */ (next).dataset.index) > index) {
      next = next.previousElementSibling;
    }
    if (next) next.after(row);
    else this.#list.prepend(row);
  }

  /** Puts the rows into the order of the items, after these have changed. */
  #order() {
    const focused = /** @type {HTMLElement | null} */ (document.activeElement);
    const rows = /** @type {HTMLElement[]} */ ([...this.#list.children])
      .sort((a, b) => Number(a.dataset.index) - Number(b.dataset.index));
    rows.forEach((row, i) => {
      const there = this.#list.children[i];
      if (there !== row) this.#list.insertBefore(row, there);
    });
    if (focused && focused !== document.activeElement && focused.isConnected) {
      focused.focus({ preventScroll: true });
    }
  }

  /** @param {FocusEvent} event */
  #onFocus({ target }) {
    const row = /** @type {HTMLElement} */ (target).closest('li');
    const item = this.#items[Number(row?.dataset.index)];
    if (!item || item.id === this.#current) return;
    this.#current = item.id;
    this.#show();
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    const row = /** @type {HTMLElement} */ (event.target).closest('li');
    if (!row || row.firstElementChild !== event.target) return;
    const page = Math.max(1,
      Math.floor(this.#scroller.clientHeight / this.#rowHeight) - 1);
    /** @type {Record<string, number>} */
    const steps = {
      ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page,
      Home: -Infinity, End: Infinity,
    };
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    this.#focus(Number(row.dataset.index) + step);
  }

  /** @param {number} wanted */
  #focus(wanted) {
    const index = Math.min(this.#items.length - 1, Math.max(0, wanted));
    const top = this.#top(index);
    const { scrollTop, clientHeight } = this.#scroller;
    if (top < scrollTop) this.#scroller.scrollTop = top;
    else if (top + this.#rowHeight > scrollTop + clientHeight) {
      this.#scroller.scrollTop = top + this.#rowHeight - clientHeight;
    }
    this.#current = this.#items[index].id;
    this.#show();
    const row = this.#rows.get(this.#current)?.row;
    /** @type {HTMLElement | null | undefined} */ (row?.firstElementChild)
      ?.focus({ preventScroll: true });
  }
}
