// SPDX-License-Identifier: Apache-2.0
// Finds models: by id (old names and wrong case included) and by query, in a
// total order (sort key, _id) so that keyset paging is exact.

/** Queries whose results are kept; a crawl uses one, tests a handful. */
const KEPT_QUERIES = 16;

/**
 * @typedef {object} Query
 * @property {string} sort
 * @property {boolean} descending
 * @property {string[]} tags all must be present
 * @property {string[]} search every text must occur in the id
 * @property {string | null} author
 * @property {string | null} pipelineTag
 * @property {boolean | null} gated
 */

/** @typedef {import('./model.js').Model} Model */
/** @typedef {import('./cursor.js').Position} Position */

/** The models of one Hub. */
export class ModelIndex {
  /** @type {Map<string, Model>} */
  #byId = new Map();
  /** @type {Map<string, string>} lower-case or former id -> id */
  #aliases = new Map();
  /** @type {Map<string, Model[]>} */
  #results = new Map();

  /**
   * @param {Iterable<Model>} models
   * @param {Iterable<[string, string]>} [renamed] former id, present id
   */
  constructor(models, renamed = []) {
    for (const model of models) this.add(model);
    for (const [former, present] of renamed) {
      this.#aliases.set(former.toLowerCase(), present);
    }
  }

  get size() {
    return this.#byId.size;
  }

  /** @returns {IterableIterator<Model>} */
  [Symbol.iterator]() {
    return this.#byId.values();
  }

  /** @param {Model} model */
  add(model) {
    this.#byId.set(model.id, model);
    this.#aliases.set(model.id.toLowerCase(), model.id);
    this.#results.clear();
  }

  /** @param {string} id */
  get(id) {
    return this.#byId.get(id);
  }

  /**
   * The present id of a model asked for by an old name or in wrong case.
   * @param {string} id
   */
  canonicalId(id) {
    return this.#aliases.get(id.toLowerCase());
  }

  /**
   * Changes an entry; orders that contained it are rebuilt.
   * @param {string} id
   * @param {Record<string, any>} values
   */
  update(id, values) {
    const model = this.get(id);
    if (!model) throw new Error(`no model ${id}`);
    model.update(values);
    this.#results.clear();
  }

  /**
   * All models of a query, in order.
   * @param {Query} query
   */
  select(query) {
    const name = JSON.stringify(query);
    let models = this.#results.get(name);
    if (!models) {
      models = [...this].filter((model) => matches(model, query));
      models.sort(comparator(query.sort, query.descending));
      if (this.#results.size >= KEPT_QUERIES) this.#results.clear();
      this.#results.set(name, models);
    }
    return models;
  }
}

/**
 * @param {Model[]} models in the order of the position's sort key
 * @param {Position} position
 * @returns {number} index of the first model after the position
 */
export function firstAfter(models, position) {
  const { sort, descending, value, id } = position;
  const order = valueOrder(descending);
  let low = 0;
  let high = models.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const model = models[middle];
    const difference = order(model.sortValue(sort), value)
      || compareText(model.objectId, id);
    if (difference <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * @param {Model} model
 * @param {Query} query
 */
function matches({ entry, id, author }, query) {
  return query.tags.every((tag) => hasTag(entry, tag))
    && query.search.every((text) => id.toLowerCase().includes(text))
    && (query.author === null || author === query.author)
    && (query.pipelineTag === null || entry.pipeline_tag === query.pipelineTag)
    && (query.gated === null || Boolean(entry.gated) === query.gated)
    && !entry.private;
}

/**
 * Task and library count as tags, whether or not the list repeats them.
 * @param {Record<string, any>} entry
 * @param {string} tag
 */
function hasTag(entry, tag) {
  return entry.tags?.includes(tag) || entry.pipeline_tag === tag
    || entry.library_name === tag;
}

/**
 * @param {string} sort
 * @param {boolean} descending
 */
function comparator(sort, descending) {
  const order = valueOrder(descending);
  return (/** @type {Model} */ a, /** @type {Model} */ b) =>
    order(a.sortValue(sort), b.sortValue(sort))
    || compareText(a.objectId, b.objectId);
}

/**
 * Order of sort values; rows without a value come last either way.
 * @param {boolean} descending
 */
function valueOrder(descending) {
  const sign = descending ? -1 : 1;
  return (/** @type {any} */ a, /** @type {any} */ b) => {
    if (a === b) return 0;
    if (a === null) return 1;
    if (b === null) return -1;
    return a < b ? -sign : sign;
  };
}

/**
 * @param {string} a
 * @param {string} b
 */
function compareText(a, b) {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
