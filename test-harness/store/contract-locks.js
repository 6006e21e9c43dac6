// SPDX-License-Identifier: Apache-2.0
// The part of the contract about locks.

import { fails, same } from './check.js';

/** @type {import('./contract.js').Case[]} */
export const lockCases = [
  {
    title: 'a lock is held by one store at a time',
    async run(open) {
      const stores = [await open(), await open()];
      let holders = 0;
      let most = 0;
      let turns = 0;
      await Promise.all(Array.from({ length: 12 }, async (_, i) => {
        const release = await stores[i % 2].lock('model');
        holders += 1;
        most = Math.max(most, holders);
        // Something that takes time, so that others could slip in.
        await stores[i % 2].keys('');
        holders -= 1;
        turns += 1;
        release();
      }));
      same([most, turns, holders], [1, 12, 0]);
    },
  },
  {
    title: 'locks of other names are free, whatever the names',
    async run(open) {
      const store = await open();
      const names = ['', '-', '..', 'a/b', 'a\\b', 'A/b', 'con', '模型', '\u0000'];
      const releases = await Promise.all(names.map((name) => store.lock(name)));
      for (const release of releases) release();
    },
  },
  {
    title: 'releasing twice does not release the next holder',
    async run(open) {
      const store = await open();
      const first = await store.lock('model');
      const second = store.lock('model');
      first();
      const release = await second;
      first();
      const signal = AbortSignal.abort();
      await fails(store.lock('model', signal), 'AbortError');
      let isFree = false;
      const third = store.lock('model').then((free) => {
        isFree = true;
        return free;
      });
      await store.keys('');
      await store.keys('');
      same(isFree, false);
      release();
      (await third)();
    },
  },
  {
    title: 'a signal ends the waiting, not the queue',
    async run(open) {
      const [one, two] = [await open(), await open()];
      const release = await one.lock('model');
      const controller = new AbortController();
      const waiting = [one, two].map((store) => (
        store.lock('model', controller.signal)));
      const patient = two.lock('model');
      await two.keys('');
      controller.abort();
      for (const wait of waiting) await fails(wait, 'AbortError');
      release();
      (await patient)();
      const reason = new Error('mine');
      reason.name = 'MyError';
      await fails(one.lock('model', AbortSignal.abort(reason)), 'MyError');
      // A signal that comes later has nothing to end.
      const late = new AbortController();
      const held = await one.lock('model', late.signal);
      late.abort();
      held();
      (await two.lock('model'))();
    },
  },
  {
    title: 'closing releases the locks and ends the waiting',
    async run(open) {
      const [one, two] = [await open(), await open()];
      await one.lock('model');
      await one.lock('other');
      const own = one.lock('model');
      const others = two.lock('model');
      await two.keys('');
      one.close();
      await fails(own, 'ClosedError');
      (await others)();
      (await two.lock('other'))();
    },
  },
];
