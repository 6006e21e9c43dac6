// SPDX-License-Identifier: Apache-2.0
// What is on its way, what is stored, and what can be done with it.

import { ACCEPT, exportToFile, importFromFile, work } from './backup.js';
import { ago, bytes, splitId } from './format.js';
import { button, fill, h, icon } from './dom.js';
import { problem, wasCancelled } from './problem.js';
import { transferBar } from './transfer-bar.js';

/**
 * @typedef {import('./app.js').App} App
 * @typedef {import('./library.js').StoredModel} StoredModel
 */

/**
 * @param {HTMLElement} root
 * @param {App} app
 */
export function storageView(root, app) {
  const view = new StorageView(root, app);
  return { show: () => view.load() };
}

class StorageView {
  #app;
  #meter = h('div', { class: 'meter-box' });
  /** What came of an import, or how far it is. */
  #imported = h('div', { class: 'outcome-box' });
  #isImporting = false;
  #transfers = h('ul', { class: 'transfers', 'aria-label': 'Downloads' });
  #moving = h('section', { class: 'block', hidden: true },
    h('h2', {}, 'On the way'), this.#transfers);
  #models = h('ul', { class: 'stored', 'aria-label': 'Stored models' });
  #kept = h('section', { class: 'block' }, h('h2', {}, 'Models'), this.#models);
  /** @type {Map<string, ReturnType<typeof transferBar>>} */
  #bars = new Map();
  /** Whose bars are shown. */
  #moved = '';
  /** What was done with a model, to be read below it. @type {Map<string, Node>} */
  #outcomes = new Map();

  /** @param {HTMLElement} root @param {App} app */
  constructor(root, app) {
    this.#app = app;
    root.append(h('div', { class: 'scroller page' },
      h('header', { class: 'page-head' }, h('h1', {}, 'Storage'),
        ...this.#importer()),
      this.#meter, this.#imported, this.#moving,
      this.#kept));
    app.library.addEventListener('change', () => this.#draw());
    app.library.addEventListener('progress', () => this.#drawTransfers());
    this.#draw();
    this.#drawTransfers();
  }

  /** The button, and the file chooser behind it. */
  #importer() {
    const chooser = h('input', {
      type: 'file', accept: ACCEPT, hidden: true, 'aria-label': 'Backup of a model',
      on: {
        change: () => {
          const file = chooser.files?.[0];
          if (file) this.#import(file);
          chooser.value = ''; // the same one may be chosen again
        },
      },
    });
    return [button('Import', {
      icon: 'import', kind: 'small',
      attributes: { title: 'Store a model from a backup' },
      click: () => { if (!this.#isImporting) chooser.click(); },
    }), chooser];
  }

  /** @param {File} file */
  async #import(file) {
    const { element, signal, onBytes } = work(`Import of ${file.name}`);
    const show = (/** @type {Node | null} */ node) => fill(this.#imported, node);
    this.#isImporting = true;
    show(element);
    try {
      const { modelId, bytes: size } = await importFromFile(
        this.#app.manager, file, signal, onBytes);
      show(h('p', { class: 'outcome', role: 'status' },
        `${modelId} is stored: ${bytes(size)}, verified.`));
    } catch (error) {
      show(wasCancelled(error)
        ? h('p', { class: 'outcome', role: 'status' }, 'The import was stopped.')
        : problem(error, { about: 'import', dismiss: () => show(null) }));
    }
    this.#isImporting = false;
    this.load();
  }

  load() {
    this.#app.library.refresh().catch((error) => this.#app.report(error));
  }

  #draw() {
    const { library } = this.#app;
    this.#drawMeter();
    // A button that has the focus is found again by what it says.
    const focused = this.#models.contains(document.activeElement)
      ? document.activeElement?.getAttribute('aria-label') : null;
    // What is only on its way stands above.
    const models = library.models.filter(({ modelId, dtypes }) => (
      dtypes.some(({ complete }) => complete)
      || ![...library.transfers.values()].some((one) => one.modelId === modelId)));
    this.#kept.hidden = models.length === 0 && library.transfers.size > 0;
    if (models.length === 0) {
      fill(this.#models, h('li', { class: 'empty' }, icon('storage'),
        h('h3', {}, library.isKnown ? 'Nothing is stored yet' : 'Looking…'),
        library.isKnown && h('p', {}, 'A stored model answers without a network.'),
        library.isKnown && button('Find models', {
          icon: 'models', kind: 'primary', click: () => this.#app.go('models'),
        })));
    } else {
      fill(this.#models, ...models.map((model) => this.#model(model)));
    }
    if (!focused) return;
    const again = [...this.#models.querySelectorAll('button')]
      .find((one) => one.getAttribute('aria-label') === focused);
    again?.focus();
  }

  #drawMeter() {
    const { use } = this.#app.library;
    if (!use) return;
    const { usedBytes, quotaBytes, persisted } = use;
    const text = usedBytes === null ? 'The browser does not say how much is used.'
      : quotaBytes === null ? `${bytes(usedBytes)} used`
      : `${bytes(usedBytes)} used of ${bytes(quotaBytes)}`;
    fill(this.#meter,
      usedBytes !== null && quotaBytes !== null && h('meter', {
        min: 0, max: quotaBytes, value: usedBytes, 'aria-label': 'Storage used',
        title: text,
      }),
      h('p', { class: 'meter-text' }, h('strong', {}, text),
        persisted === false && !isUnlimited() && h('span', {},
          ' · the browser may delete it when the disk is full')));
  }

  #drawTransfers() {
    const { library } = this.#app;
    for (const transfer of library.transfers.values()) {
      let bar = this.#bars.get(transfer.key);
      if (!bar) {
        bar = transferBar(library, transfer, (error) => this.#app.report(error));
        this.#bars.set(transfer.key, bar);
        this.#transfers.append(h('li', { 'data-key': transfer.key },
          h('p', { class: 'transfer-name' },
            splitId(transfer.modelId).name, ' ',
            h('span', { class: 'muted' }, transfer.dtype ?? '')),
          bar.element));
      }
      bar.update();
    }
    for (const key of this.#bars.keys()) {
      if (library.transfers.has(key)) continue;
      this.#bars.delete(key);
      [...this.#transfers.children].find((line) => (
        /** @type {HTMLElement} */ (line).dataset.key === key))?.remove();
    }
    const keys = [...this.#bars.keys()].join('\n');
    if (keys === this.#moved) return;
    this.#moved = keys;
    this.#moving.hidden = keys === '';
    this.#draw();
  }

  /** @param {StoredModel} model */
  #model(model) {
    const { owner, name } = splitId(model.modelId);
    const outcome = this.#outcomes.get(keyOf(model));
    return h('li', { class: 'card', 'aria-label': model.modelId },
      h('header', { class: 'card-head' },
        h('div', {},
          h('h3', {}, name),
          h('p', { class: 'muted' }, [
            owner, bytes(model.bytes),
            model.lastUsedAt === null ? 'never used'
              : `used ${ago(model.lastUsedAt)}`,
            !model.current && `older revision ${model.commit.slice(0, 7)}`,
          ].filter(Boolean).join(' · '))),
        model.current && button(`${model.pinned ? 'Unpin' : 'Pin'} ${model.modelId}`, {
          icon: 'pin', symbol: true, kind: 'quiet',
          attributes: { 'aria-pressed': String(model.pinned),
            title: model.pinned ? 'Pinned: never proposed to make room'
              : 'Pin: never propose it to make room' },
          click: () => this.#do(model, async () => {
            await this.#app.manager.pinModel(model.modelId, !model.pinned);
          }),
        })),
      h('ul', {
        class: 'dtypes', 'aria-label': `Variants of ${model.modelId}`,
      }, ...model.dtypes
        .filter(({ bytes: size, complete }) => complete || size > 0)
        .map((one) => this.#dtype(model, one))),
      h('div', { class: 'card-acts' }, ...this.#acts(model)),
      outcome);
  }

  /**
   * @param {StoredModel} model
   * @param {StoredModel['dtypes'][number]} one
   */
  #dtype(model, { dtype, bytes: size, complete }) {
    const { library } = this.#app;
    return h('li', {},
      h('span', { class: 'dtype-name' }, dtype),
      h('span', { class: 'muted' },
        complete ? bytes(size) : `${bytes(size)}, not complete`),
      complete
        ? button('Chat', {
          icon: 'chat', kind: 'small quiet',
          attributes: { 'aria-label': `Chat with ${model.modelId} ${dtype}` },
          click: () => this.#app.chatWith(model.modelId, dtype),
        })
        : !library.transferOf(model.modelId, dtype) && button('Continue', {
          icon: 'play', kind: 'small quiet',
          attributes: { 'aria-label': `Continue ${model.modelId} ${dtype}` },
          click: () => this.#app.download(model.modelId, dtype),
        }),
      model.dtypes.filter((other) => other.complete).length > 1
        && button(`Delete ${model.modelId} ${dtype}`, {
          icon: 'trash', symbol: true, kind: 'small quiet',
          click: () => this.#confirm(model, dtype),
        }));
  }

  /** @param {StoredModel} model */
  #acts(model) {
    const { manager } = this.#app;
    const { modelId } = model;
    const isUsable = model.current
      && model.dtypes.some(({ complete }) => complete);
    /** @param {string} label @param {string} name @param {() => void} click */
    const act = (label, name, click) => button(label.split(':')[0], {
      icon: name, kind: 'small quiet', click,
      attributes: { 'aria-label': `${label} ${modelId}` },
    });
    return [
      isUsable && act('Verify', 'shield', () => this.#do(model, async () => {
        const { ok, damaged, repaired } = await manager.verifyModel(modelId);
        return ok ? repaired === 0 ? 'Every byte is as it should be.'
          : `Repaired: ${repaired} parts were fetched again.`
          : `${damaged.length} parts are damaged.`;
      }, 'Verifying…')),
      isUsable && act('Update: look for one of', 'update', () => (
        this.#do(model, () => this.#check(model), 'Asking the Hub…'))),
      isUsable && this.#app.library.models.some((other) => (
        other.modelId === modelId && !other.current))
        && act('Revert', 'undo', () => this.#do(model, async () => {
          await manager.rollbackModel(modelId);
          return 'The revision before is in use again.';
        })),
      isUsable && act('Export', 'export', () => this.#export(model)),
      model.current && button(`Delete ${modelId}`, {
        icon: 'trash', symbol: true, kind: 'small quiet',
        click: () => this.#confirm(model),
      }),
    ];
  }

  /** @param {StoredModel} model */
  #export(model) {
    const { element, signal, onBytes } = work(`Export of ${model.modelId}`);
    this.#do(model, async () => {
      try {
        const name = await exportToFile(
          this.#app.manager, model, signal, onBytes);
        return `Written to ${name}.`;
      } catch (error) {
        if (wasCancelled(error)) return 'Nothing was exported.';
        throw error;
      }
    }, element, 'export');
  }

  /** @param {StoredModel} model */
  async #check({ modelId }) {
    const { current, latest, changedBytes } =
      await this.#app.manager.checkForUpdate(modelId);
    if (current === latest) return 'This is the latest revision.';
    return h('span', {}, `There is a newer one, ${bytes(changedBytes)}. `,
      button('Update', {
        icon: 'update', kind: 'small',
        attributes: { 'aria-label': `Update ${modelId}` },
        click: () => this.#update(modelId),
      }));
  }

  /** @param {string} modelId */
  #update(modelId) {
    const model = this.#app.library.models.find((one) => (
      one.modelId === modelId && one.current));
    if (!model) return;
    this.#do(model, async () => {
      await this.#app.manager.updateModel(modelId);
      return 'Updated. The revision before stays until it is deleted.';
    }, 'Updating…');
  }

  /**
   * Asks before anything is deleted, in place.
   * @param {StoredModel} model
   * @param {string} [dtype] only what this one needs
   */
  #confirm(model, dtype) {
    const what = dtype === undefined ? model.modelId : `${model.modelId} ${dtype}`;
    const no = button('Keep', {
      kind: 'small', attributes: { 'aria-label': `Keep ${what}` },
      click: () => {
        this.#outcomes.delete(keyOf(model));
        this.#draw();
      },
    });
    this.#outcomes.set(keyOf(model), h('div', { class: 'confirm', role: 'group' },
      h('p', {}, dtype === undefined
        ? `Delete ${bytes(model.bytes)}? It can be downloaded again.`
        : `Delete ${dtype}? It can be downloaded again.`),
      h('div', { class: 'confirm-acts' }, button('Delete', {
        kind: 'danger small', attributes: { 'aria-label': `Really delete ${what}` },
        click: () => this.#do(model, async () => {
          await this.#app.manager.deleteModel(model.modelId, dtype ? { dtype } : {});
          this.#app.announce(`${what} is deleted`);
        }),
      }), no)));
    this.#draw();
    no.focus();
  }

  /**
   * Does something with a model, and says below it what came of it.
   * @param {StoredModel} model
   * @param {() => Promise<string | Node | void>} act
   * @param {string | Node} [meanwhile]
   * @param {string} [about] what an error of it is about
   */
  async #do(model, act, meanwhile, about) {
    const key = keyOf(model);
    const set = (/** @type {Node | null} */ node) => {
      if (node) this.#outcomes.set(key, node);
      else this.#outcomes.delete(key);
    };
    set(meanwhile === undefined ? null : meanwhile instanceof Node ? meanwhile
      : h('p', { class: 'outcome', role: 'status' }, meanwhile));
    this.#draw();
    try {
      const said = await act();
      set(said ? h('p', { class: 'outcome', role: 'status' }, said) : null);
    } catch (error) {
      set(problem(error, {
        about,
        dismiss: () => {
          set(null);
          this.#draw();
        },
      }));
    }
    await this.#app.library.refresh().catch((error) => this.#app.report(error));
  }
}

/** With this permission the browser evicts nothing, whatever it calls that. */
function isUnlimited() {
  const { chrome } = /** @type {any} */ (globalThis);
  return chrome?.runtime?.getManifest?.().permissions
    ?.includes('unlimitedStorage') ?? false;
}

/** @param {StoredModel} model */
function keyOf({ modelId, commit }) {
  return `${modelId} ${commit}`;
}
