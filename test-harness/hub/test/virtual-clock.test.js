// SPDX-License-Identifier: Apache-2.0
// The virtual clock: order, exactness, settling, and its refusals.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createVirtualClock } from '../index.js';

test('timers fire by due time, then in the order they were set', async () => {
  const clock = createVirtualClock(1000);
  /** @type {[string, number][]} */
  const fired = [];
  const note = (/** @type {string} */ name) => fired.push([name, clock.now()]);
  clock.setTimeout(note, 30, 'c');
  clock.setTimeout(note, 10, 'a');
  clock.setTimeout(note, 10, 'b');
  await clock.run();
  assert.deepEqual(fired, [['a', 1010], ['b', 1010], ['c', 1030]]);
});

test('a thousand timers in random order come out sorted', async () => {
  const clock = createVirtualClock();
  /** @type {number[]} */
  const fired = [];
  for (let i = 0; i < 1000; i += 1) {
    clock.setTimeout(() => fired.push(clock.now()), (i * 7919) % 1009);
  }
  await clock.run();
  assert.equal(fired.length, 1000);
  assert.deepEqual(fired, [...fired].sort((a, b) => a - b));
});

test('a cleared timer does not fire and is not pending', async () => {
  const clock = createVirtualClock();
  const timer = clock.setTimeout(() => assert.fail('cleared'), 5);
  clock.clearTimeout(timer);
  assert.equal(clock.pendingTimers, 0);
  await clock.run();
});

test('promises settle before the clock moves on', async () => {
  const clock = createVirtualClock();
  const wait = (/** @type {number} */ ms) =>
    new Promise((resolve) => clock.setTimeout(resolve, ms));
  const work = (async () => {
    for (let i = 0; i < 10; i += 1) await wait(100);
    return clock.now();
  })();
  clock.setTimeout(() => {}, 10_000);
  assert.equal(await clock.run(work), 1000);
});

test('advance stops exactly at its end', async () => {
  const clock = createVirtualClock();
  let fired = 0;
  clock.setTimeout(() => { fired += 1; }, 300);
  clock.setTimeout(() => { fired += 1; }, 301);
  await clock.advance(300);
  assert.equal(fired, 1);
  assert.equal(clock.now(), 300);
});

test('a predicate ends the run', async () => {
  const clock = createVirtualClock();
  let ticks = 0;
  const tick = () => { ticks += 1; clock.setTimeout(tick, 1); };
  tick();
  await clock.run(() => ticks === 5);
  assert.equal(clock.now(), 4);
});

test('a promise nobody can settle is an error, not a hang', async () => {
  const clock = createVirtualClock();
  await assert.rejects(clock.run(new Promise(() => {})), /no timer is pending/);
});

test('a run has a limit in virtual time', async () => {
  const clock = createVirtualClock();
  const tick = () => clock.setTimeout(tick, 1000);
  tick();
  await assert.rejects(clock.run(() => false, { maxMs: 5000 }), /5000 ms/);
});

test('the rejection of the awaited promise comes through', async () => {
  const clock = createVirtualClock();
  const failing = new Promise((_, reject) => {
    clock.setTimeout(() => reject(new Error('broken')), 10);
  });
  await assert.rejects(clock.run(failing), /broken/);
});
