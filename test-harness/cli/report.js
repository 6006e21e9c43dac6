// SPDX-License-Identifier: Apache-2.0
// Tables and summaries for people.

import Table from 'cli-table3';

import {
  age, amount, duration, short, size, style, whole, width,
} from './style.js';

/**
 * @typedef {import('../../dist/index.js').ModelEntry} ModelEntry
 * @typedef {import('../../dist/index.js').ListChatModelsMeta} Meta
 */

/** Blanks between columns. */
const GAP = 2;

/** What the columns that can shrink keep at least. */
const DTYPES_MIN = 12;
const NAME_MIN = 16;

/** No lines at all: boxes around everything hide the content. */
const LINES = {
  top: '', 'top-mid': '', 'top-left': '', 'top-right': '',
  bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '',
  left: '', 'left-mid': '', right: '', 'right-mid': '',
  mid: '', 'mid-mid': '', middle: '',
};

/** @param {import('cli-table3').TableConstructorOptions} options */
function plainTable(options) {
  return new Table({
    chars: LINES,
    style: {
      head: [], border: [], 'padding-left': 0, 'padding-right': GAP,
    },
    ...options,
  });
}

/**
 * The word for people.
 * @param {string} classification
 */
export function className(classification) {
  if (classification === 'gen') return 'chat';
  return classification === 'auth-protected' ? 'protected' : classification;
}

/** Columns for a name beside its evidence. */
const VERDICT_NAME = 36;

/** @param {string} classification */
function paintClass(classification) {
  const name = className(classification);
  if (name === 'chat') return style.good(name);
  return name === 'protected' ? style.bad(name) : name;
}

/**
 * As many dtypes as fit, and how many more there are.
 * @param {ModelEntry} model
 * @param {number} columns
 */
function dtypesOf({ variants }, columns) {
  const names = variants.map(({ dtype }) => dtype);
  for (let shown = names.length; shown > 0; shown -= 1) {
    const rest = names.length - shown;
    const text = names.slice(0, shown).join(' ') + (rest ? ` +${rest}` : '');
    if (text.length <= columns) return text;
  }
  return NOTHING;
}

/**
 * @param {string} text
 * @param {number} columns
 */
export function cut(text, columns) {
  return text.length <= columns ? text : `${text.slice(0, columns - 1)}…`;
}

const HEAD = [
  'model', 'class', 'sure', 'dtypes', 'params', 'downloads', 'gated',
];
const ALIGN = /** @type {const} */ (
  ['left', 'left', 'left', 'left', 'right', 'right', 'left']);

/** The columns of `HEAD` that every table has. */
const BASIC = 4;

/** Where the others have no room beside them. */
const NARROW = 60;

/** What stands for nothing. */
const NOTHING = '-';

/** Errors told one by one; the first ones tell most. */
const ERRORS_SHOWN = 3;

/** Columns for a label, and digits that tell commits apart. */
const REVISION = 12;
const SHORT_COMMIT = 7;

/**
 * @param {ModelEntry} model
 * @returns {string[]} in the order of `HEAD`
 */
function modelRow(model) {
  return [
    model.id, className(model.classification), model.confidence,
    dtypesOf(model, Infinity), short(model.parameters),
    short(model.downloads), model.gated || NOTHING,
  ];
}

/**
 * @param {ModelEntry[]} models
 * @param {Meta} meta of their listing
 * @returns {string}
 */
export function modelTable(models, meta) {
  if (models.length === 0) {
    return meta.fetched === 0 ? 'The Hub has no such models.'
      : 'No model of these passes the filter.';
  }
  const all = models.map(modelRow);
  const shown = tellingColumns(all);
  const pick = (/** @type {readonly any[]} */ row) => (
    shown.map((column) => row[column]));
  const rows = all.map(pick);
  const [name, , , dtypes] = fit([pick(HEAD), ...rows]);
  const table = plainTable({
    head: pick(HEAD).map(style.title), colAligns: pick(ALIGN),
  });
  models.forEach((model, index) => {
    const [id, , confidence, , ...rest] = rows[index];
    table.push([cut(id, name), paintClass(model.classification), confidence,
      dtypesOf(model, dtypes), ...rest]);
  });
  return trimLines(table.toString());
}

/**
 * The columns that say something, and for which there is room.
 * @param {string[][]} rows
 */
function tellingColumns(rows) {
  return [...HEAD.keys()].filter((column) => column < BASIC
    || (width() >= NARROW && rows.some((row) => row[column] !== NOTHING)));
}

/**
 * Widths of the columns: dtypes give way first, then names.
 * @param {string[][]} rows
 */
function fit(rows) {
  const widths = rows[0].map((_, column) => (
    Math.max(...rows.map((row) => row[column].length))));
  let excess = widths.reduce(
    (sum, columns) => sum + columns + GAP, -width());
  for (const [column, least] of [[3, DTYPES_MIN], [0, NAME_MIN]]) {
    const less = Math.max(0, Math.min(excess, widths[column] - least));
    widths[column] -= less;
    excess -= less;
  }
  return widths;
}

/** @param {string} text */
function trimLines(text) {
  return text.replace(/ +$/gm, '');
}

/**
 * Two columns, the numbers aligned.
 * @param {string} title
 * @param {[string, string][]} rows
 */
export function factTable(title, rows) {
  const table = plainTable({ colAligns: ['left', 'right'] });
  for (const [name, value] of rows) table.push([`  ${name}`, value]);
  return trimLines(`${style.title(title)}\n${table}`);
}

/**
 * Models with what their verdict rests on.
 * @param {string} title
 * @param {ModelEntry[]} models
 */
export function verdictTable(title, models) {
  const table = plainTable({});
  for (const { id, classification, confidence, why } of models) {
    table.push([`  ${paintClass(classification)}`, confidence,
      cut(id, VERDICT_NAME), why.join(', ')]);
  }
  return trimLines(`${style.title(title)}\n${table}`);
}

/** @param {Meta} meta */
export function summary(meta) {
  const found = `${amount(meta.fetched, 'model')} listed, `
    + `${whole(meta.filtered)} kept, ${whole(meta.classified.gen)} of them `
    + `for chat, in ${duration(meta.durationMs)}`;
  const notes = [];
  if (meta.partial) notes.push('the listing is incomplete');
  if (meta.rate_limited) notes.push('the Hub asked for pauses');
  if (meta.errorCount > 0) notes.push(amount(meta.errorCount, 'error'));
  return notes.length === 0 ? found : `${found}; ${notes.join(', ')}`;
}

/**
 * The first errors, a line each; nothing when there is none.
 * @param {Meta} meta
 */
export function reasons({ errors }) {
  return errors.slice(0, ERRORS_SHOWN).map(({ modelId, message }) => (
    `\n  ${modelId ? `${modelId}: ` : ''}${message}`)).join('');
}

/**
 * Chat models first; otherwise the order of the listing.
 * @param {ModelEntry[]} models
 */
export function chatFirst(models) {
  const isChat = (/** @type {ModelEntry} */ model) => (
    model.classification === 'gen');
  return [...models.filter(isChat),
    ...models.filter((model) => !isChat(model))];
}

/**
 * What is stored, a row for each revision.
 * @param {import('../../dist/index.js').StoredModel[]} models
 * @param {number} nowMs
 */
export function storedTable(models, nowMs) {
  const table = plainTable({
    head: ['model', 'revision', 'dtypes', 'size', 'used', ''].map(style.title),
    colAligns: ['left', 'left', 'left', 'right', 'left', 'left'],
  });
  for (const model of models) {
    const { modelId, revision, commit, dtypes, bytes, lastUsedAt } = model;
    const notes = [];
    if (model.pinned) notes.push('pinned');
    if (!model.current) notes.push('not the current one');
    table.push([
      modelId, `${cut(revision, REVISION)} ${commit.slice(0, SHORT_COMMIT)}`,
      dtypes.map(({ dtype, complete }) => (
        complete ? dtype : `${dtype} (part)`)).join(', '),
      size(bytes), lastUsedAt === null ? NOTHING : age(nowMs - lastUsedAt),
      notes.join(', '),
    ]);
  }
  return trimLines(table.toString());
}
