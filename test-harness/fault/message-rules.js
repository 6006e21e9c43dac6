// SPDX-License-Identifier: Apache-2.0
// What holds for the messages of every listing, whatever went wrong in it.

import assert from 'node:assert/strict';

import { pipelinePreference } from '../reference/prefilter.js';

/** A panel is promised no more messages than this in any second. */
const MESSAGES_PER_SECOND = 20;

/** Errors that meta tells word by word. */
const ERRORS_TOLD = 100;

/**
 * @typedef {{ at: number, message: Record<string, any> }} Delivery a message
 *   and the time of its arrival
 */

/**
 * Checks the messages of one listing that has ended.
 * @param {Delivery[]} deliveries
 * @returns {Record<string, any>} the terminal message
 */
export function checkMessages(deliveries) {
  const messages = deliveries.map(({ message }) => message);
  const end = /** @type {Record<string, any>} */ (messages.at(-1));
  const progress = messages.slice(0, -1);
  assert.match(end.action, /^listChatModels:(done|error)$/);
  for (const { action } of progress) {
    assert.equal(action, 'listChatModels:progress');
  }
  assert.deepEqual(messages.map(({ seq }) => seq), [...messages.keys()]);
  for (const { at, message } of deliveries) {
    // Numbers are written with three decimals.
    assert.ok(Math.abs(message.ts - at) < 0.001, `${message.ts} at ${at}`);
  }
  checkPace(deliveries);
  if (end.meta) checkMeta(end, progress);
  if (end.action === 'listChatModels:done') checkResult(end, progress);
  return end;
}

/** @param {Delivery[]} deliveries */
function checkPace(deliveries) {
  deliveries.forEach(({ at }, i) => {
    const later = deliveries.slice(i).findIndex((next) => next.at >= at + 1000);
    const count = later < 0 ? deliveries.length - i : later;
    assert.ok(count <= MESSAGES_PER_SECOND, `${count} messages from ${at} on`);
  });
}

/**
 * Numbers that must agree, also in a run that was cut short.
 * @param {Record<string, any>} end
 * @param {Record<string, any>[]} progress
 */
function checkMeta({ meta }, progress) {
  const { counters } = meta.telemetry;
  const { duplicate, ...drops } = meta.dropped;
  assert.equal(meta.fetched, meta.filtered + sum(drops), 'rows add up');
  for (const [name, count] of Object.entries(meta.classified)) {
    assert.equal(counters[`classification.${name}`], count, name);
  }
  assert.equal(meta.errors.length, Math.min(meta.errorCount, ERRORS_TOLD));
  assert.deepEqual(itemsOf(progress, 'error').map(({ modelId, delta }) => (
    modelId === undefined ? delta : { modelId, ...delta })), meta.errors);
  assert.equal(meta.rate_limited, counters['listing.429'] > 0
    || counters['configFetch.429'] > 0
    || progress.some(({ status }) => status === 'rate_limited'));
  assert.equal(typeof meta.durationMs, 'number');
}

/**
 * What must hold when the models arrived.
 * @param {Record<string, any>} end
 * @param {Record<string, any>[]} progress
 */
function checkResult({ models, meta }, progress) {
  assert.equal(meta.filtered, models.length);
  assert.equal(sum(meta.classified), models.length);
  assert.equal(meta.hasMore || meta.partial || meta.cursor === null, true,
    'a cursor without more rows');

  const [found, ...others] = of(progress, 'listing_done');
  assert.deepEqual(others, []);
  assert.equal(found.delta.totalFound, meta.fetched);
  const [prefiltered, ...more] = of(progress, 'prefiltered');
  assert.deepEqual(more, []);
  assert.deepEqual(prefiltered.delta,
    { survivors: models.length, dropped: meta.dropped });

  checkVerdicts(models, itemsOf(progress, 'classified'));
  const ids = new Set(models.map((/** @type {any} */ { id }) => id));
  for (const { modelId } of itemsOf(progress, 'config_fetching')) {
    assert.ok(ids.has(modelId), `${modelId} was fetched but is no survivor`);
  }
  models.slice(1).forEach((/** @type {any} */ worse, /** @type {number} */ i) => {
    const better = models[i];
    assert.ok(rank(better, worse) <= 0, `${better.id} before ${worse.id}`);
  });
}

/**
 * Each model was told of once, as it is in the result.
 * @param {Record<string, any>[]} models
 * @param {Record<string, any>[]} items
 */
function checkVerdicts(models, items) {
  const told = new Map(items.map(({ modelId, delta }) => [modelId, delta]));
  assert.equal(told.size, items.length, 'a model was told of twice');
  assert.equal(told.size, models.length);
  for (const model of models) {
    const delta = told.get(model.id);
    assert.ok(delta, `${model.id} was not told of`);
    for (const [key, value] of Object.entries(delta)) {
      assert.deepEqual(model[key], value, `${model.id} ${key}`);
    }
    for (const key of ['classification', 'confidence', 'fetchStatus']) {
      assert.ok(key in delta, key);
    }
  }
}

/**
 * The documented order: task, downloads, likes; equals as they were listed.
 * @param {Record<string, any>} a
 * @param {Record<string, any>} b
 */
function rank(a, b) {
  return pipelinePreference(a.pipeline_tag ?? undefined)
    - pipelinePreference(b.pipeline_tag ?? undefined)
    || b.downloads - a.downloads || b.likes - a.likes;
}

/**
 * @param {Record<string, any>[]} progress
 * @param {string} status
 */
function of(progress, status) {
  return progress.filter((message) => message.status === status);
}

/**
 * What the messages of one status told, one item after the other.
 * @param {Record<string, any>[]} progress
 * @param {string} status
 * @returns {Record<string, any>[]}
 */
export function itemsOf(progress, status) {
  return of(progress, status).flatMap((message) => message.batch ?? [message]);
}

/** @param {Record<string, number>} counts */
function sum(counts) {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}
