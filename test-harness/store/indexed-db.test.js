// SPDX-License-Identifier: Apache-2.0
// What IndexedDB does to a store beside the contract, played by
// fake-indexeddb: refusals, aborts, lost connections, old databases.

import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';

import { IDBFactory, IDBKeyRange, IDBObjectStore } from 'fake-indexeddb';

import { openStore } from '../../js-bindings/store/index.js';
import { content, merge, object, record, text } from './values.js';

globalThis.IDBKeyRange = IDBKeyRange;

const NAME = 'TabAgentModels';

/** @type {IDBFactory} */
let factory;
/**
 * The connections that were opened, the store's and ours.
 * @type {IDBDatabase[]}
 */
let connections;

beforeEach(() => {
  factory = new IDBFactory();
  connections = [];
  const open = factory.open.bind(factory);
  factory.open = (...args) => {
    const request = open(...args);
    request.addEventListener('success', () => {
      connections.push(request.result);
    });
    return request;
  };
});

/**
 * @param {number} [version]
 * @param {Record<string, string>} [stores] object stores with their key paths
 * @returns {Promise<IDBDatabase>}
 */
function openRaw(version, stores = {}) {
  return new Promise((resolve, reject) => {
    const request = factory.open(NAME, version);
    request.onupgradeneeded = () => {
      for (const [name, keyPath] of Object.entries(stores)) {
        request.result.createObjectStore(name, { keyPath })
          .put({ [keyPath]: 'old', value: 7 });
      }
    };
    request.onblocked = () => reject(new Error('blocked'));
    request.onerror = () => reject(request.error);
    request.onsuccess = () => resolve(request.result);
  });
}

/**
 * @param {IDBDatabase} database
 * @param {string} store
 */
function readOld(database, store) {
  return new Promise((resolve) => {
    const request = database.transaction(store).objectStore(store).get('old');
    request.onsuccess = () => resolve(request.result);
  });
}

/** @param {string} name */
function domException(name) {
  return new DOMException('as ordered', name);
}

/**
 * Runs |work| while putting into an object store fails.
 * @param {(key: string) => void} onPut
 * @param {() => Promise<void>} work
 */
async function whilePutting(onPut, work) {
  const { put } = IDBObjectStore.prototype;
  IDBObjectStore.prototype.put = function putOrFail(/** @type {any} */ value) {
    onPut(value.url ?? value.repo);
    return put.call(this, value);
  };
  try {
    await work();
  } finally {
    IDBObjectStore.prototype.put = put;
  }
}

describe('old databases', () => {
  test('a new one has version 1, and TabAgent\'s key paths', async () => {
    const store = await openStore({ indexedDB: factory });
    await store.keys('');
    const [database] = connections;
    assert.equal(database.version, 1);
    const paths = [...database.objectStoreNames].map((name) => (
      [name, database.transaction(name).objectStore(name).keyPath]));
    assert.deepEqual(Object.fromEntries(paths),
      { files: 'url', manifest: 'repo', inferenceSettings: 'id' });
  });

  test('that of version 2 with another store keeps it', async () => {
    (await openRaw(2, { TabAgentModels: 'id' })).close();
    const store = await openStore({ indexedDB: factory });
    await store.write([record('a', [1])]);
    const [raw] = connections.slice(-1);
    assert.equal(raw.version, 3);
    assert.deepEqual(await readOld(raw, 'TabAgentModels'),
      { id: 'old', value: 7 });
  });

  test('that of version 2 without settings keeps files and manifest',
    async () => {
      (await openRaw(2, { files: 'url', manifest: 'repo' })).close();
      const store = await openStore({ indexedDB: factory });
      assert.deepEqual(text(await store.get('manifest', 'old')),
        { repo: 'old', value: 7 });
      await store.write([object('inferenceSettings', 's', { a: 1 })]);
      assert.deepEqual(await store.keys(''), ['old']);
    });

  test('that of version 3 is not upgraded', async () => {
    (await openRaw(3, { files: 'url', manifest: 'repo',
      inferenceSettings: 'id' })).close();
    const store = await openStore({ indexedDB: factory });
    assert.deepEqual(await store.keys(''), ['old']);
    assert.deepEqual(connections.map(({ version }) => version), [3, 3]);
  });

  test('an entry that holds neither record nor Blob is seen as none',
    async () => {
      (await openRaw(1, { files: 'url', manifest: 'repo',
        inferenceSettings: 'id' })).close();
      const store = await openStore({ indexedDB: factory });
      assert.equal(await store.get('files', 'old'), null);
      assert.equal(await store.size('old'), null);
      assert.deepEqual(await store.list('files', ''), []);
      await store.write([{ kind: 'delete', store: 'files', key: 'old' }]);
      assert.deepEqual(await store.keys(''), []);
    });

  test('two stores that upgrade at once both open', async () => {
    (await openRaw(2, { TabAgentModels: 'id' })).close();
    const stores = await Promise.all([1, 2, 3].map(() => (
      openStore({ indexedDB: factory }))));
    await Promise.all(stores.map((store, i) => (
      store.write([record(`r${i}`, [i])]))));
    assert.deepEqual(await stores[0].keys(''), ['r0', 'r1', 'r2']);
    assert.equal(Math.max(...connections.map(({ version }) => version)), 3);
  });

  test('another context that upgrades first does not matter', async () => {
    (await openRaw(2, { TabAgentModels: 'id' })).close();
    const { open } = factory;
    factory.open = (name, version) => {
      if (version === 3) {
        open(name, 5).onsuccess = ({ target }) => {
          /** @type {IDBOpenDBRequest} */ (target).result.close();
        };
      }
      return open(name, version);
    };
    const store = await openStore({ indexedDB: factory });
    await store.write([record('a', [1])]);
    assert.equal(connections.slice(-1)[0].version, 6);
  });

  test('a record is a file to TabAgent, of a size and no bytes', async () => {
    const store = await openStore({ indexedDB: factory });
    await store.write([record('old', [1, 2, 3]), content('c', [1])]);
    const entry = await readOld(connections[0], 'files');
    assert.deepEqual(entry.blob,
      { size: 3, type: 'application/octet-stream' });
  });
});

describe('a connection', () => {
  test('is opened once, on first use', async () => {
    const store = await openStore({ indexedDB: factory });
    assert.equal(connections.length, 0);
    await Promise.all([store.keys(''), store.size('a'),
      store.write([record('a', [1])])]);
    await store.keys('');
    assert.equal(connections.length, 1);
  });

  test('lets others upgrade and delete, and is opened again', async () => {
    const store = await openStore({ indexedDB: factory });
    await store.write([record('a', [1])]);
    (await openRaw(7, { extra: 'id' })).close();
    assert.deepEqual(await store.keys(''), ['a']);
    await new Promise((resolve, reject) => {
      const request = factory.deleteDatabase(NAME);
      request.onblocked = () => reject(new Error('blocked'));
      request.onsuccess = resolve;
    });
    assert.deepEqual(await store.keys(''), []);
    assert.equal(connections.slice(-1)[0].version, 1);
  });

  test('that the browser closed is opened again', async () => {
    const store = await openStore({ indexedDB: factory });
    await store.write([record('a', [1])]);
    // With the event, and without it.
    connections[0].close();
    connections[0].onclose?.(new Event('close'));
    assert.deepEqual(await store.keys(''), ['a']);
    connections[1].close();
    assert.deepEqual(await store.keys(''), ['a']);
    assert.equal(connections.length, 3);
  });

  test('that does not stay open is reported', async () => {
    const store = await openStore({ indexedDB: factory });
    const { open } = factory;
    let opened = 0;
    factory.open = (...args) => {
      const request = open(...args);
      request.addEventListener('success', () => {
        opened += 1;
        request.result.close();
      });
      return request;
    };
    await assert.rejects(store.keys(''), { name: 'ClosedError' });
    assert.equal(opened, 2);
    factory.open = open;
    assert.deepEqual(await store.keys(''), []);
  });

  test('that dies takes its transaction along, under a name', async () => {
    const store = await openStore({ indexedDB: factory });
    await store.keys('');
    const [database] = connections;
    const transaction = database.transaction.bind(database);
    database.transaction = (...args) => {
      const made = transaction(...args);
      // As Chromium does it: no error is said.
      queueMicrotask(() => {
        made.abort();
        database.close();
        database.onclose?.(new Event('close'));
      });
      return made;
    };
    await assert.rejects(store.write([record('a', [1])]),
      { name: 'ClosedError' });
    assert.deepEqual(await store.keys(''), []);
    assert.equal(connections.length, 2);
  });

  test('is not kept when the store was closed meanwhile', async () => {
    const store = await openStore({ indexedDB: factory });
    const reading = store.keys('');
    store.close();
    await assert.rejects(reading, { name: 'ClosedError' });
    // A connection left open would block this.
    (await openRaw(5)).close();
  });
});

describe('an upgrade that another tab blocks', () => {
  test('is reported until that tab closes', async () => {
    const other = await openRaw(2, { TabAgentModels: 'id' });
    const store = await openStore({ indexedDB: factory });
    for (let i = 0; i < 3; i += 1) {
      await assert.rejects(store.keys(''), { name: 'BlockedError' });
    }
    other.close();
    await new Promise((resolve) => {
      factory.open(NAME).onsuccess = resolve;
    });
    assert.deepEqual(await store.keys(''), []);
    // The store's own lets go when asked, too.
    connections.slice(-1)[0].close();
    (await openRaw(8)).close();
  });

  test('does not leave a connection behind a closed store', async () => {
    const other = await openRaw(2, { TabAgentModels: 'id' });
    const store = await openStore({ indexedDB: factory });
    await assert.rejects(store.keys(''), { name: 'BlockedError' });
    store.close();
    other.close();
    (await openRaw(9)).close();
  });
});

describe('an IndexedDB that cannot be used', () => {
  const answers = /** @type {[string, any, string][]} */ ([
    ['throws', () => { throw domException('SecurityError'); },
      'UnavailableError'],
    ['is refused', 'InvalidStateError', 'UnavailableError'],
    ['cannot be read', 'UnknownError', 'UnavailableError'],
    ['finds no room', 'QuotaExceededError', 'QuotaExceededError'],
  ]);
  for (const [title, answer, name] of answers) {
    test(`because opening ${title}`, async () => {
      const open = typeof answer === 'function' ? answer : () => {
        const request = /** @type {any} */ ({ error: domException(answer) });
        queueMicrotask(() => request.onerror());
        return request;
      };
      const indexedDB = /** @type {any} */ ({ open });
      const store = await openStore({ indexedDB });
      await assert.rejects(store.keys(''), { name });
      await assert.rejects(store.write([record('a', [1])]), { name });
    });
  }

  test('because there is none', async () => {
    const store = await openStore({});
    await assert.rejects(store.keys(''), { name: 'UnavailableError' });
  });

  test('because the page may not even look at it', async () => {
    Object.defineProperty(globalThis, 'indexedDB', {
      configurable: true,
      get() { throw domException('SecurityError'); },
    });
    try {
      const store = await openStore({});
      await assert.rejects(store.keys(''), { name: 'UnavailableError' });
    } finally {
      Reflect.deleteProperty(globalThis, 'indexedDB');
    }
  });
});

describe('a transaction', () => {
  test('is one for the whole batch, and strictly durable', async () => {
    const store = await openStore({ indexedDB: factory });
    await store.keys('');
    const [database] = connections;
    const transaction = database.transaction.bind(database);
    /** @type {any[]} */
    const calls = [];
    database.transaction = (...args) => {
      calls.push(args);
      return transaction(...args);
    };
    await store.write([record('a', [1]), content('b', [2]), merge('m', {}),
      { kind: 'delete', store: 'files', key: 'c' }]);
    assert.deepEqual(calls, [
      [['files', 'manifest'], 'readwrite', { durability: 'strict' }]]);
  });

  test('that fails in the middle or at a merge changes nothing', async () => {
    const store = await openStore({ indexedDB: factory });
    await store.write([record('a', [1]), object('manifest', 'm', { v: 1 })]);
    for (const place of ['b', 'm', 'z']) {
      await whilePutting((key) => {
        if (key === place) throw domException('DataCloneError');
      }, async () => {
        await assert.rejects(store.write([record('a', [9]), record('b', [9]),
          merge('m', { v: 9 }), record('z', [9])]), { name: 'DataCloneError' });
      });
      assert.deepEqual(await store.keys(''), ['a']);
      assert.deepEqual(await store.get('files', 'a'), Uint8Array.of(1));
      assert.equal(text(await store.get('manifest', 'm')).v, 1);
    }
  });

  test('that is aborted at commit is not reported as written', async () => {
    const store = await openStore({ indexedDB: factory });
    await store.keys('');
    const [database] = connections;
    const transaction = database.transaction.bind(database);
    database.transaction = (...args) => {
      const made = transaction(...args);
      const { put } = IDBObjectStore.prototype;
      // As quota does it: all requests succeed, then the whole aborts.
      const objects = made.objectStore('files');
      objects.put = (/** @type {any} */ value) => {
        const request = put.call(objects, value);
        request.addEventListener('success', () => {
          Object.defineProperty(made, 'error',
            { value: domException('QuotaExceededError') });
          made.abort();
        });
        return request;
      };
      made.objectStore = () => objects;
      return made;
    };
    await assert.rejects(store.write([record('a', [1])]),
      { name: 'QuotaExceededError' });
    database.transaction = transaction;
    assert.deepEqual(await store.keys(''), []);
  });
});
