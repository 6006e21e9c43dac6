// SPDX-License-Identifier: Apache-2.0
// A database that is deleted while it is being opened is opened again: a
// browser does that when its user clears the data of a site.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { IDBFactory } from 'fake-indexeddb';

import { IndexedDbStore } from '../../js-bindings/store/indexed-db.js';

/** A factory whose first |failures| openings are aborted. @param {number} failures */
function abortingFactory(failures) {
  const factory = new IDBFactory();
  let opened = 0;
  return {
    get opened() { return opened; },
    /** @type {IDBFactory['open']} */
    open(...args) {
      opened += 1;
      if (opened > failures) return factory.open(...args);
      const request = /** @type {any} */ ({
        error: new DOMException('The connection was closed.', 'AbortError'),
      });
      queueMicrotask(() => request.onerror());
      return request;
    },
  };
}

test('an opening that is aborted is tried again', async () => {
  const factory = abortingFactory(1);
  const store = new IndexedDbStore(/** @type {any} */ (factory));
  assert.equal(await store.blob('nothing'), null);
  assert.ok(factory.opened > 1);
  store.close();
});

test('one that is always aborted is given up', async () => {
  const store = new IndexedDbStore(
    /** @type {any} */ (abortingFactory(Infinity)));
  await assert.rejects(store.blob('nothing'), { name: 'UnavailableError' });
  store.close();
});
