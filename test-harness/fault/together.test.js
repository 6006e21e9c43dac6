// SPDX-License-Identifier: Apache-2.0
// Several listings of one manager at a time: each ends as if it were alone.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { CATALOGUE, checkNothingIsLeft, createWorld, list } from './listing.js';
import { checkMessages } from './message-rules.js';

const small = /** @type {const} */ ({ maxCandidates: 20, fetchConfigs: 'all' });
const large = /** @type {const} */ ({ pageSize: 200, fetchConfigs: 'all' });

/** As many as a manager runs at a time. */
const LISTINGS_MAX = 16;

/**
 * The messages of one listing.
 * @param {import('./listing.js').World} world
 * @param {number} number from 1, in the order of start
 */
function deliveriesOf({ deliveries }, number) {
  return deliveries.filter(({ message }) => (
    message.id === `listChatModels-${number}`));
}

test('two at once do not disturb each other', async () => {
  const alone = [(await list({ params: small })).models,
    (await list({ params: large })).models];
  const world = await createWorld({});
  const results = await world.clock.run(Promise.all(
    [small, large].map((params) => world.manager.listChatModels(params))));
  results?.forEach(({ models }, i) => {
    assert.deepEqual(models, alone[i]);
    checkMessages(deliveriesOf(world, i + 1));
  });
  await checkNothingIsLeft(world);
});

test('one is cancelled, the other goes on', async () => {
  const { models: expected } = await list({ params: small });
  const world = await createWorld({});
  const controller = new AbortController();
  const cancelled = world.manager.listChatModels(large, {
    signal: controller.signal,
    onProgress: ({ status }) => {
      if (status === 'config_fetching') controller.abort();
    },
  });
  const [first, second] = /** @type {any[]} */ (await world.clock.run(
    Promise.allSettled([cancelled, world.manager.listChatModels(small)])));
  assert.equal(first.reason.code, 'cancelled');
  assert.deepEqual(second.value.models, expected);
  checkMessages(deliveriesOf(world, 1));
  checkMessages(deliveriesOf(world, 2));
  await checkNothingIsLeft(world);
});

test('a rate limit is announced to each, and holds for all', async () => {
  const world = await createWorld({
    hub: { rateLimits: { quotas: { resolvers: 15 } } },
  });
  const results = await world.clock.run(Promise.all(
    [small, small].map((params) => world.manager.listChatModels(params))));
  for (const [i, { meta, models }] of (results ?? []).entries()) {
    assert.equal(models.length, 20);
    assert.equal(meta.rate_limited, true);
    const told = checkMessages(deliveriesOf(world, i + 1));
    assert.equal(told.meta, meta);
    assert.ok(deliveriesOf(world, i + 1).some(({ message }) => (
      message.status === 'rate_limited')));
  }
  const refused = world.hub.requests.filter(({ status }) => status === 429);
  assert.equal(refused.length, 0);
});

test('refusals are counted and announced where they belong', async () => {
  const world = await createWorld({
    hub: { rateLimits: false },
    faults: [
      { bucket: 'api', times: 2, status: 429, rateLimit: false },
      { bucket: 'resolvers', times: 3, status: 429, rateLimit: false },
    ],
  });
  const listing = CATALOGUE.slice(0, 30).map(({ entry: { id } }) => (
    { id, pipeline_tag: 'text-generation' }));
  const [configs, pages] = await world.clock.run(Promise.all([
    world.manager.listChatModels({ listing }),
    world.manager.listChatModels({ fetchConfigs: 'never' }),
  ])) ?? [];
  const refusalsOf = (/** @type {any} */ { meta: { telemetry } }) => [
    telemetry.counters['configFetch.429'], telemetry.counters['listing.429']];
  assert.deepEqual(refusalsOf(configs), [3, 0]);
  assert.deepEqual(refusalsOf(pages), [0, 2]);
  ['resolvers', 'api'].forEach((bucket, i) => {
    const announced = deliveriesOf(world, i + 1)
      .filter(({ message }) => message.status === 'rate_limited')
      .map(({ message }) => message.delta.bucket);
    assert.ok(announced.length > 0);
    assert.deepEqual(new Set(announced), new Set([bucket]));
  });
});

test('one too many is told that the manager is busy', async () => {
  const world = await createWorld({ faults: [{ stallHead: true }] });
  const controller = new AbortController();
  const running = Array.from({ length: LISTINGS_MAX }, () => (
    world.manager.listChatModels({}, { signal: controller.signal })));
  const ends = Promise.allSettled(running);
  await assert.rejects(world.manager.listChatModels(),
    { code: 'busy', retryable: true });
  controller.abort();
  for (const { reason } of /** @type {any[]} */ (await ends)) {
    assert.equal(reason.code, 'cancelled');
  }
  await checkNothingIsLeft(world);
  world.hub.faults.clear();
  const result = await world.clock.run(world.manager.listChatModels(small));
  assert.equal(result?.models.length, 20);
});
