// SPDX-License-Identifier: Apache-2.0
// A model that is open: what is known of it, and its variants with their size,
// whether they fit, and how to get them.

import { ago, bytes, whole } from './format.js';
import { button, fill, h, icon } from './dom.js';
import { describe, wasCancelled } from './problem.js';
import { transferBar } from './transfer-bar.js';

/**
 * @typedef {import('./app.js').App} App
 * @typedef {import('./catalogue.js').Row} Row
 * @typedef {import('tabagent-wasm').Plan} Plan
 */

/** As the product chooses among them; others behind. */
const DTYPES = ['q8', 'q4', 'q4f16', 'int8', 'uint8', 'fp16'];

/** @param {string} a @param {string} b */
function byUse(a, b) {
  const place = (/** @type {string} */ dtype) => (
    DTYPES.includes(dtype) ? DTYPES.indexOf(dtype) : DTYPES.length);
  return place(a) - place(b) || 0;
}

/**
 * @param {Row} row
 * @param {App} app
 */
export function modelDetails(row, app) {
  const variants = h('ul', { class: 'variants', 'aria-label': 'Variants' });
  const element = h('div', {
    class: 'details', role: 'group', 'aria-label': `About ${row.id}`,
  }, facts(row, app), variants);
  const dtypes = (row.variants ?? []).map(({ dtype }) => dtype).sort(byUse);
  if (dtypes.length === 0) {
    fill(variants, h('li', { class: 'hint' },
      'The list does not say which variants there are.'));
    return element;
  }
  const lines = dtypes.map((dtype) => new VariantLine(row, dtype, app));
  fill(variants, ...lines.map((line) => line.element));
  const update = () => {
    for (const line of lines) line.update();
  };
  const controller = new AbortController();
  app.library.addEventListener('progress', update, { signal: controller.signal });
  app.library.addEventListener('change', update, { signal: controller.signal });
  planAll(row, lines, app, controller.signal);
  whenGone(element, () => controller.abort());
  return element;
}

/**
 * Details go when their row is closed or scrolled away.
 * @param {HTMLElement} element
 * @param {() => void} act
 */
function whenGone(element, act) {
  let wasThere = false;
  const observer = new MutationObserver(() => {
    wasThere ||= element.isConnected;
    if (!wasThere || element.isConnected) return;
    observer.disconnect();
    act();
  });
  observer.observe(document.body, { childList: true, subtree: true });
}

/**
 * One plan after the other: the first tells which variant is recommended.
 * @param {Row} row
 * @param {VariantLine[]} lines
 * @param {App} app
 * @param {AbortSignal} signal
 */
async function planAll(row, lines, app, signal) {
  try {
    const best = await app.manager.plan(row.id, { signal });
    for (const line of lines) {
      if (line.dtype === best.dtype) line.setPlan(best, true);
    }
  } catch (error) {
    if (wasCancelled(error)) return;
    for (const line of lines) line.setError(error);
    return;
  }
  for (const line of lines) {
    if (line.plan || signal.aborted) continue;
    try {
      line.setPlan(
        await app.manager.plan(row.id, { dtype: line.dtype, signal }), false);
    } catch (error) {
      if (wasCancelled(error)) return;
      line.setError(error);
    }
  }
}

/** @param {Row} row @param {App} app */
function facts(row, app) {
  const page = `${app.hubUrl}/${row.id}`;
  /** @type {[string, string | undefined][]} */
  const terms = [
    // The row above cuts long names off; their ends tell variants apart.
    ['Name', row.id],
    ['Type', row.model_type ?? undefined],
    ['License', row.license],
    ['Updated', row.lastModified === undefined ? undefined
      : ago(row.lastModified)],
    ['Likes', row.likes === undefined ? undefined : whole(row.likes)],
    // Names are long: a line may end behind what names the kind.
    ['Judged by', row.why?.join(', ').replaceAll('=', '=\u200b')],
  ];
  return h('div', { class: 'facts' },
    h('dl', {}, ...terms.filter(([, value]) => value)
      .map(([term, value]) => h('div', {}, h('dt', {}, term), h('dd', {}, value)))),
    row.gated && h('p', { class: 'hint' }, icon('lock'),
      'Its owner wants to be asked: ask on the model\'s page, then sign in '
      + 'under Account.'),
    h('a', { class: 'link', href: page, target: '_blank', rel: 'noreferrer' },
      icon('link'), 'Page on the Hub'));
}

/** One variant of a model. */
class VariantLine {
  dtype;
  /** @type {Plan | null} */
  plan = null;
  element = h('li', { class: 'variant' });
  #row;
  #app;
  /** @type {unknown} */
  #error = null;
  #isBest = false;
  #size = h('span', { class: 'variant-size' }, '…');
  #verdict = h('span', { class: 'verdict' });
  #side = h('div', { class: 'variant-side' });
  #name = h('div', { class: 'variant-name' });
  #below = h('div', { class: 'variant-below' });
  /** @type {ReturnType<typeof transferBar> | null} */
  #bar = null;
  #shown = '';

  /** @param {Row} row @param {string} dtype @param {App} app */
  constructor(row, dtype, app) {
    this.#row = row;
    this.dtype = dtype;
    this.#app = app;
    fill(this.element, h('div', { class: 'variant-main' },
      h('div', { class: 'variant-text' },
        this.#name, h('div', { class: 'variant-facts' }, this.#size, this.#verdict)),
      this.#side), this.#below);
    this.update();
  }

  /** @param {Plan} plan @param {boolean} isBest */
  setPlan(plan, isBest) {
    this.plan = plan;
    this.#isBest = isBest;
    this.#shown = '';
    this.update();
  }

  /** @param {unknown} error */
  setError(error) {
    this.#error = error;
    this.#shown = '';
    this.update();
  }

  update() {
    const { library } = this.#app;
    const transfer = library.transferOf(this.#row.id, this.dtype);
    const isStored = library.isStored(this.#row.id, this.dtype);
    const shown = transfer ? 'transfer' : isStored ? 'stored' : 'none';
    if (shown !== this.#shown) {
      this.#shown = shown;
      this.#draw(isStored, transfer);
    }
    this.#bar?.update();
  }

  /**
   * @param {boolean} isStored
   * @param {import('./library.js').Transfer | undefined} transfer
   */
  #draw(isStored, transfer) {
    fill(this.#name, h('span', {}, this.dtype),
      this.#isBest && h('span', { class: 'badge', 'data-class': 'best' },
        'Recommended'));
    this.#drawVerdict(isStored);
    this.#bar = null;
    if (transfer) {
      this.#bar = transferBar(
        this.#app.library, transfer, (error) => this.#app.report(error));
      fill(this.#side);
      fill(this.#below, this.#bar.element);
      return;
    }
    fill(this.#below);
    const name = `${this.#row.id} ${this.dtype}`;
    fill(this.#side, isStored
      ? button('Chat', {
        icon: 'chat', kind: 'primary small',
        attributes: { 'aria-label': `Chat with ${name}` },
        click: () => this.#app.chatWith(this.#row.id, this.dtype),
      })
      : button(this.#isPartial() ? 'Continue' : 'Download', {
        icon: 'storage', kind: this.#isBest ? 'primary small' : 'small',
        attributes: {
          'aria-label': `Download ${name}`,
          disabled: this.#error !== null || this.plan?.fits === false,
        },
        click: () => this.#app.download(this.#row.id, this.dtype),
      }));
  }

  /** Files that variants share may be whole; a part of one tells of a beginning. */
  #isPartial() {
    return this.plan?.files.some(({ bytes: size, cachedBytes }) => (
      cachedBytes > 0 && cachedBytes < size)) ?? false;
  }

  /** @param {boolean} isStored */
  #drawVerdict(isStored) {
    const { plan } = this;
    this.#size.textContent = plan ? bytes(plan.totalBytes)
      : this.#error ? '' : '…';
    const [kind, text] = this.#error ? ['bad', describe(this.#error).title]
      : isStored ? ['good', 'Stored']
      : plan === null ? ['', '']
      : plan.fits ? ['good', this.#isPartial()
        ? `Fits · ${bytes(plan.neededBytes)} to go` : 'Fits']
      : ['bad', roomFor(plan)];
    fill(this.#verdict, text);
    this.#verdict.dataset.kind = kind;
  }
}

/** @param {Plan} plan that does not fit */
function roomFor({ neededBytes, freeBytes, evict }) {
  const missing = freeBytes === null ? 'Does not fit'
    : `Needs ${bytes(neededBytes)}, ${bytes(freeBytes)} free`;
  return evict.length === 0 ? missing
    : `${missing}. Delete ${evict.join(', ')} to make room`;
}
