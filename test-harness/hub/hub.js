// SPDX-License-Identifier: Apache-2.0
// One simulated Hub: its models, clock, quotas, faults and log, with a
// handler and an in-process `fetch` in front.

import { Faults } from './faults.js';
import { createHandler } from './handler.js';
import { createFetch } from './in-process.js';
import { generateCatalogue } from './catalogue.js';
import { Model } from './model.js';
import { ModelIndex } from './model-index.js';
import { hexOf, Random } from './random.js';
import { RateLimiter } from './rate-limit.js';
import { RealClock } from './real-clock.js';
import { Repository } from './repository.js';
import { SecondOrigin } from './resolve.js';
import { modelFromFiles } from './uploaded.js';

/**
 * @typedef {object} HubOptions
 * @property {number} [seed] everything random follows from it
 * @property {(Model | Record<string, any>)[]} [catalogue] models, or listing
 *   entries, instead of generated ones
 * @property {number} [models] how many to generate
 * @property {import('./uploaded.js').Publication[]} [repositories] files
 *   published next to the catalogue
 * @property {import('./virtual-clock.js').Clock} [clock]
 * @property {'extension' | 'page'} [personality] who reads the replies of
 *   `fetch`: a page sees only what CORS exposes
 * @property {import('./rate-limit.js').Tier} [tier] of requests without token
 * @property {import('./rate-limit.js').RateLimitOptions | false} [rateLimits]
 * @property {import('./in-process.js').Latency | false} [latency]
 * @property {boolean} [cdnAllowsIfRange] the second origin answers preflights,
 *   so that a page may send If-Range; otherwise it refuses them all
 * @property {number} [weightScale] size of weight files relative to life
 */

/**
 * @typedef {object} LogEntry
 * @property {string} method
 * @property {string} url
 * @property {number} status 0 while there is no reply
 * @property {number} at time of arrival
 * @property {Record<string, string>} headers as sent, names in lower case
 * @property {number} bytesSent of the body, so far
 */

/** @typedef {import('./content.js').Upload} Upload */

/** Requests kept in the log: more than any test makes. */
const LOG_LIMIT = 50_000;

/** Repositories kept ready; hashes of a repository are costly to redo. */
const KEPT_REPOSITORIES = 64;

/** Where large files lie, unless a server moves them to a port of its own. */
const CDN_ORIGIN = 'https://us.aws.cdn.hf.co';

/** See the module comment. */
export class Hub {
  /** @type {LogEntry[]} */
  requests = [];
  /** @type {Map<string, Repository>} */
  #repositories = new Map();
  #weightScale;
  #requestNumber = 0;

  /** @param {HubOptions} options */
  constructor(options) {
    const { seed = 1, tier = 'anonymous', rateLimits = {} } = options;
    this.tier = tier;
    this.clock = options.clock ?? new RealClock();
    this.index = createIndex(options, seed);
    this.rateLimiter = rateLimits === false ? null
      : new RateLimiter(rateLimits, () => this.clock.now());
    this.faults = new Faults(new Random(`faults ${seed}`));
    this.cdn = new SecondOrigin(CDN_ORIGIN, () => this.clock.now(), seed);
    this.handle = createHandler(this);
    this.fetch = createFetch(this, options);
    this.cdnAllowsIfRange = options.cdnAllowsIfRange ?? false;
    this.#weightScale = options.weightScale;
  }

  /** Number of models. */
  get models() {
    return this.index.size;
  }

  /**
   * What a model really is; undefined for rows that came without truth.
   * @param {string} id
   */
  truth(id) {
    return this.index.get(id)?.hidden.truth;
  }

  /**
   * @param {Model} model
   * @returns {Repository}
   */
  repository(model) {
    let repository = this.#repositories.get(model.id);
    if (!repository) {
      repository = new Repository(model, this.#weightScale);
      if (this.#repositories.size >= KEPT_REPOSITORIES) this.#repositories.clear();
      this.#repositories.set(model.id, repository);
    }
    return repository;
  }

  /**
   * Changes an entry between two requests, as downloads and likes do: a crawl
   * under way then meets rows twice or not at all.
   * @param {string} id
   * @param {Record<string, any>} values
   */
  update(id, values) {
    this.index.update(id, values);
  }

  /**
   * Adds a commit to a repository, as an upload does: `main` moves there, and
   * earlier commits stay.
   * @param {string} id
   * @param {{ files: Record<string, Upload | null> | import('./model.js').Changes
   *   }} upload changed files by path, null for deleted ones
   * @returns {string} hash of the commit
   */
  commit(id, { files }) {
    const model = this.index.get(id);
    if (!model) throw new Error(`no model ${id}`);
    const changes = files instanceof Map ? files : new Map(Object.entries(files));
    const sha = hexOf(`${id}@commit ${model.commits.length + 1}`, 40);
    model.commits.push({ sha, changes });
    this.#repositories.delete(id);
    this.index.update(id, {
      sha, lastModified: new Date(this.clock.now()).toISOString(),
      siblings: this.repository(model).files(sha)
        .map(({ path }) => ({ rfilename: path })),
    });
    return sha;
  }

  /**
   * Notes the arrival of a request; its status follows with the reply.
   * @param {Request} request
   * @returns {LogEntry}
   */
  log({ method, url, headers }) {
    const entry = {
      method, url, status: 0, at: this.clock.now(),
      headers: Object.fromEntries(headers), bytesSent: 0,
    };
    if (this.requests.length >= LOG_LIMIT) this.requests.shift();
    this.requests.push(entry);
    return entry;
  }

  /** @param {Headers} headers changed in place */
  addConstantHeaders(headers) {
    this.#requestNumber += 1;
    const id = hexOf(`request ${this.#requestNumber}`, 32);
    headers.set('X-Powered-By', 'huggingface-moon');
    headers.set('X-Request-Id', `Root=1-${id.slice(0, 8)}-${id.slice(8)};${id}`);
    headers.set('Cross-Origin-Opener-Policy', 'same-origin');
    headers.set('Referrer-Policy', 'strict-origin-when-cross-origin');
  }
}

/** @param {HubOptions} [options] */
export function createHub(options = {}) {
  return new Hub(options);
}

/**
 * @param {HubOptions} options
 * @param {number} seed
 */
function createIndex({ catalogue, models, repositories = [] }, seed) {
  const given = catalogue?.map((row) => (row instanceof Model ? row : new Model(row)));
  const { models: rows, renamed } = given ? { models: given, renamed: [] }
    : generateCatalogue({ seed, models });
  const index = new ModelIndex(rows, renamed);
  for (const upload of repositories) index.add(modelFromFiles(upload));
  return index;
}
