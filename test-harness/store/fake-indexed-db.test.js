// SPDX-License-Identifier: Apache-2.0
// The store in IndexedDB against the contract, in Node.

import { describe, test } from 'node:test';

import { IDBFactory, IDBKeyRange } from 'fake-indexeddb';

import { openStore } from '../../js-bindings/store/index.js';
import { contract } from './contract.js';

globalThis.IDBKeyRange = IDBKeyRange;

describe('the store in IndexedDB', () => {
  for (const { title, run } of contract) {
    test(title, async () => {
      const indexedDB = new IDBFactory();
      await run(() => openStore({ indexedDB }));
    });
  }
});
