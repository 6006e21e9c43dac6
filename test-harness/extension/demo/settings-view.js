// SPDX-License-Identifier: Apache-2.0
// The settings of answers: every parameter, what it may be, and what it did in
// the last answer.

import { describe } from './problem.js';
import { button, fill, h, setAttribute } from './dom.js';
import { splitId } from './format.js';
import { GROUPS, parse, rangeOf, SETTINGS, textOf } from './settings-table.js';

/**
 * @typedef {import('./app.js').App} App
 * @typedef {import('./settings-table.js').Setting} Setting
 * @typedef {import('tabagent-wasm').SettingsScope} Scope
 */

/** Longest value that is quoted of an answer. */
const VALUE_MAX = 40;

/**
 * @param {HTMLElement} root
 * @param {App} app
 */
export function settingsView(root, app) {
  const view = new SettingsView(root, app);
  return { show: () => view.load() };
}

class SettingsView {
  #app;
  /** Counts questions and changes: an answer to an earlier one is out of date. */
  #asked = 0;
  /** @type {Scope} */
  #scope = {};
  #scopes;
  #note = h('p', { class: 'hint' });
  #others = h('ul', {
    class: 'ignored-others', hidden: true,
    'aria-label': 'Others that were ignored',
  });
  #none = h('p', { class: 'hint', hidden: true }, 'No setting has such a name.');
  #lines = SETTINGS.map((setting) => new SettingLine(
    setting, (value) => this.#save(setting.name, value)));

  /** @param {HTMLElement} root @param {App} app */
  constructor(root, app) {
    this.#app = app;
    this.#scopes = h('select', {
      'aria-label': 'For which model',
      on: {
        change: () => {
          this.#scope = JSON.parse(this.#scopes.value);
          this.load();
        },
      },
    });
    const search = h('input', {
      type: 'search', placeholder: 'Find a setting',
      'aria-label': 'Find a setting', autocomplete: 'off',
      on: { input: () => this.#find(search.value) },
    });
    root.append(h('div', { class: 'scroller page' },
      h('header', { class: 'page-head' }, h('h1', {}, 'Settings'),
        button('Reset all', {
          icon: 'undo', kind: 'quiet small', click: () => this.#resetAll(),
        })),
      h('div', { class: 'settings-head' }, this.#scopes, search),
      this.#note, this.#none, this.#others, ...this.#groups()));
    app.addEventListener('answered', () => this.#showAnswer());
    app.library.addEventListener('change', () => this.#drawScopes());
    this.#drawScopes();
    this.#showAnswer();
  }

  #groups() {
    return GROUPS.map(({ title, about, settings }, i) => {
      const lines = this.#lines.filter(({ setting }) => settings.includes(setting));
      return h('details', { class: 'group', open: i === 0 },
        h('summary', {}, h('h2', {}, title),
          h('span', { class: 'muted' }, about)),
        h('div', { class: 'settings' }, ...lines.map(({ element }) => element)));
    });
  }

  async load() {
    this.#asked += 1;
    const asked = this.#asked;
    try {
      const saved = await this.#app.manager.settings(this.#scope);
      if (asked !== this.#asked) return;
      for (const line of this.#lines) {
        if (!line.isBeingEdited) line.set(saved[line.setting.name]);
      }
    } catch (error) {
      this.#app.report(error);
    }
  }

  #drawScopes() {
    const ready = this.#app.library.ready();
    /** @type {[string, Scope][]} */
    const scopes = [['All models', {}]];
    for (const { modelId } of ready) {
      if (scopes.some(([, scope]) => scope.modelId === modelId)) continue;
      const { name } = splitId(modelId);
      scopes.push([name, { modelId }]);
      for (const { dtype } of ready.filter((one) => one.modelId === modelId)) {
        scopes.push([`${name} · ${dtype}`, { modelId, dtype }]);
      }
    }
    const chosen = JSON.stringify(this.#scope);
    fill(this.#scopes, ...scopes.map(([text, scope]) => h('option', {
      value: JSON.stringify(scope), selected: JSON.stringify(scope) === chosen,
    }, text)));
  }

  /** @param {string} text */
  #find(text) {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const line of this.#lines) {
      line.element.hidden = !words.every((word) => line.haystack.includes(word));
      if (!line.element.hidden) count += 1;
    }
    this.#none.hidden = count > 0;
    for (const group of /** @type {Iterable<HTMLDetailsElement>} */ (
      this.#none.parentElement?.querySelectorAll('.group') ?? [])) {
      group.hidden = group.querySelector('.setting:not([hidden])') === null;
      if (words.length > 0) group.open = true;
    }
  }

  /** @param {string} name @param {unknown} value null takes it away */
  async #save(name, value) {
    const line = this.#lines.find(({ setting }) => setting.name === name);
    this.#asked += 1;
    try {
      const saved = await this.#app.manager.updateSettings(
        { [name]: value }, this.#scope);
      line?.set(saved[name]);
    } catch (error) {
      line?.complain(describe(error).message);
    }
  }

  async #resetAll() {
    try {
      const saved = await this.#app.manager.settings(this.#scope);
      await this.#app.manager.updateSettings(Object.fromEntries(
        Object.keys(saved).map((name) => [name, null])), this.#scope);
      this.#app.announce('All settings are reset');
    } catch (error) {
      this.#app.report(error);
    }
    await this.load();
  }

  #showAnswer() {
    const { lastAnswer } = this.#app;
    this.#note.textContent = lastAnswer
      ? `What each did in the last answer, by ${
        splitId(lastAnswer.modelId).name}, stands beside it.`
      : 'After an answer, what each setting did stands beside it.';
    if (!lastAnswer) return;
    const { effective, ignored } = lastAnswer.result;
    for (const line of this.#lines) {
      const { name } = line.setting;
      line.showUse(effective[name] ?? undefined,
        ignored.find((one) => one.name === name)?.reason);
    }
    const others = ignored.filter(({ name }) => (
      !SETTINGS.some((setting) => setting.name === name)));
    this.#others.hidden = others.length === 0;
    fill(this.#others, ...others.map(({ name, reason }) => h('li', {},
      h('code', {}, name), ` was ignored: ${reason}`)));
  }
}

/** One setting: its name, its field, and what became of it. */
class SettingLine {
  setting;
  element;
  haystack;
  #save;
  #field;
  #use = h('span', { class: 'use', hidden: true });
  #complaint = h('p', { class: 'complaint', role: 'alert', hidden: true });
  #reset;

  /** @param {Setting} setting @param {(value: unknown) => void} save */
  constructor(setting, save) {
    this.setting = setting;
    this.#save = save;
    const { name, label, help } = setting;
    const id = `setting-${name}`;
    this.haystack = `${name} ${label} ${help}`.toLowerCase();
    this.#field = this.#makeField(id);
    this.#reset = button(`Reset ${label}`, {
      icon: 'undo', symbol: true, kind: 'quiet small',
      attributes: { hidden: true },
      click: () => {
        this.#save(null);
        this.#field.focus();
      },
    });
    const standard = setting.standardText
      ?? textOf(setting, setting.standard);
    const limits = [rangeOf(setting),
      standard && setting.kind !== 'switch' && `default ${standard}`]
      .filter(Boolean).join(' · ');
    this.element = h('div', { class: `setting kind-${setting.kind}` },
      h('div', { class: 'setting-head' },
        h('label', { for: id }, label), this.#use),
      h('div', { class: 'setting-field' }, this.#reset, this.#field),
      h('p', { class: 'help', id: `${id}-help` }, help,
        h('span', { class: 'limits' }, h('code', {}, name),
          limits && ` · ${limits}`)),
      this.#complaint);
  }

  get isBeingEdited() {
    return document.activeElement === this.#field;
  }

  /** @param {unknown} value undefined: nothing is saved */
  set(value) {
    this.#reset.hidden = value === undefined;
    this.#complaint.hidden = true;
    setAttribute(this.#field, 'aria-invalid', null);
    this.element.dataset.saved = String(value !== undefined);
    if (this.#field instanceof HTMLInputElement && this.#field.type === 'checkbox') {
      this.#field.checked = Boolean(value ?? this.setting.standard);
    } else if (this.setting.kind === 'choice') {
      this.#field.value = JSON.stringify(value ?? this.setting.standard);
    } else {
      this.#field.value = textOf(this.setting, value);
    }
  }

  /** @param {string} text */
  complain(text) {
    this.#complaint.textContent = text;
    this.#complaint.hidden = false;
    this.#field.setAttribute('aria-invalid', 'true');
  }

  /** @param {unknown} value @param {string | undefined} reason */
  showUse(value, reason) {
    this.#use.hidden = value === undefined && reason === undefined;
    const text = textOf(this.setting, value);
    this.#use.textContent = reason !== undefined ? `Ignored: ${reason}`
      : `Used: ${text.length > VALUE_MAX ? `${text.slice(0, VALUE_MAX)}…` : text}`;
    this.#use.dataset.kind = reason === undefined ? 'used' : 'ignored';
  }

  /** @param {string} id */
  #makeField(id) {
    const { kind, choices = [], example, standard, standardText } = this.setting;
    const shared = { id, 'aria-describedby': `${id}-help` };
    const on = { change: () => this.#changed() };
    switch (kind) {
      case 'switch':
        return h('input', { ...shared, type: 'checkbox', role: 'switch', on });
      case 'choice':
        return h('select', { ...shared, on }, ...choices.map(
          ([text, value]) => h('option', { value: JSON.stringify(value) }, text)));
      case 'text':
      case 'lines':
        return h('textarea', { ...shared, rows: '2', placeholder: example, on });
      default:
        return h('input', {
          ...shared, type: 'text', autocomplete: 'off', spellcheck: 'false',
          inputmode: kind === 'number' || kind === 'integer' ? 'decimal' : 'text',
          placeholder: example ?? standardText ?? textOf(this.setting, standard), on,
        });
    }
  }

  #changed() {
    const { setting } = this;
    const field = this.#field;
    if (field instanceof HTMLInputElement && field.type === 'checkbox') {
      this.#save(field.checked);
      return;
    }
    if (setting.kind === 'choice') {
      this.#save(JSON.parse(field.value));
      return;
    }
    if (field.value.trim() === '') {
      this.#save(null);
      return;
    }
    const { value, problem } = parse(setting, field.value.trim());
    if (problem) this.complain(problem);
    else this.#save(value);
  }
}
