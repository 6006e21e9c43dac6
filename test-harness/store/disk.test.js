// SPDX-License-Identifier: Apache-2.0
// The store on disk against the contract.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { openStore } from '../../js-bindings/store/index.js';
import { contract } from './contract.js';

describe('the store on disk', () => {
  for (const { title, run } of contract) {
    test(title, async () => {
      const dataDir = await mkdtemp(join(tmpdir(), 'tabagent-store-'));
      /** @type {import('./contract.js').Store[]} */
      const stores = [];
      try {
        await run(async () => {
          const store = await openStore({ dataDir });
          stores.push(store);
          return store;
        });
      } finally {
        for (const store of stores) store.close();
        await rm(dataDir, { recursive: true });
      }
    });
  }
});
