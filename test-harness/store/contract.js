// SPDX-License-Identifier: Apache-2.0
// What every executor of the store does. The same cases run on disk, on
// fake-indexeddb and in Chromium, so nothing of Node is used here.

import { fails, holds, same } from './check.js';
import { lockCases } from './contract-locks.js';
import { mergeCases } from './contract-merge.js';
import { content, digest, object, record, text } from './values.js';

/**
 * @typedef {import('../../js-bindings/store/index.js').Store} Store
 * @typedef {import('../../js-bindings/store/layout.js').Change} Change
 *
 * @typedef {() => Promise<Store>} Open opens one more store on the data of the
 *   case; the data of each case begins empty, and whoever runs the case closes
 *   what it has opened
 *
 * @typedef {{ title: string, run: (open: Open) => Promise<void> }} Case
 */

const MIB = 1024 * 1024;

/** Keys that something might take for more than a text. */
const ODD_KEYS = [
  '', ' ', '.', '..', '/', 'a/b', 'a\\b', 'C:', 'con', 'a\u0000b', '%2f', '"',
  'line\nbreak', '__proto__', 'constructor', 'ключ', 'é', 'e\u0301', '模型',
  '\u{1f916}', '\ud800', '\uffff', 'a'.repeat(1000),
];

/** @type {Case[]} */
const cases = [
  {
    title: 'what is not there is null',
    async run(open) {
      const store = await open();
      same(await store.get('files', 'a'), null);
      same(await store.get('manifest', 'a'), null);
      same(await store.size('a'), null);
      same(await store.blob('a'), null);
      same(await store.list('files', ''), []);
      same(await store.keys(''), []);
      await store.write([{ kind: 'delete', store: 'files', key: 'a' }]);
      await store.write([]);
    },
  },
  {
    title: 'a record is replaced and deleted',
    async run(open) {
      const store = await open();
      await store.write([record('a', [1]), record('b', [])]);
      await store.write([record('a', [2, 3])]);
      same(await store.get('files', 'a'), Uint8Array.of(2, 3));
      same(await store.get('files', 'b'), new Uint8Array(0));
      same(await store.size('a'), null, 'the size of no content');
      same(await store.blob('a'), null, 'the Blob of no content');
      await store.write([{ kind: 'delete', store: 'files', key: 'a' }]);
      same(await store.get('files', 'a'), null);
      same(await store.keys(''), ['b']);
    },
  },
  {
    title: 'all values of bytes come back, and only those of the view',
    async run(open) {
      const store = await open();
      const all = Uint8Array.from({ length: 256 }, (_, i) => i);
      const view = new Uint8Array(8).fill(9).subarray(2, 4);
      await store.write([record('all', all), record('view', view)]);
      same(await store.get('files', 'all'), all);
      same(await store.get('files', 'view'), Uint8Array.of(9, 9));
    },
  },
  {
    title: 'bytes may change once the call has returned',
    async run(open) {
      const store = await open();
      const bytes = Uint8Array.of(1, 2, 3);
      const patch = object('manifest', 'm', { a: 1 });
      const written = store.write([
        { kind: 'record', store: 'files', key: 'a', bytes }, patch]);
      bytes.fill(0);
      patch.bytes.fill(0);
      await written;
      same(await store.get('files', 'a'), Uint8Array.of(1, 2, 3));
      same(text(await store.get('manifest', 'm')), { repo: 'm', a: 1 });
      (await store.get('files', 'a'))?.fill(0);
      same(await store.get('files', 'a'), Uint8Array.of(1, 2, 3));
    },
  },
  {
    title: 'an object says its own key',
    async run(open) {
      const store = await open();
      await store.write([
        object('manifest', 'm', { repo: 'other', quants: { a: [1, null] } }),
        object('inferenceSettings', 's', { temperature: 0.5 }),
        object('manifest', '__proto__', { ['__proto__']: 1 }),
      ]);
      same(text(await store.get('manifest', 'm')),
        { repo: 'm', quants: { a: [1, null] } });
      same(text(await store.get('inferenceSettings', 's')),
        { id: 's', temperature: 0.5 });
      same(Object.entries(text(await store.get('manifest', '__proto__')))
        .sort(), [['__proto__', 1], ['repo', '__proto__']]);
      const listed = await store.list('manifest', '');
      same(listed.map(({ key, bytes }) => [key, text(bytes).repo]),
        [['__proto__', '__proto__'], ['m', 'm']]);
    },
  },
  {
    title: 'a content has size, bytes and a Blob',
    async run(open) {
      const store = await open();
      await store.write([content('a', [1, 2, 3]), content('empty', [])]);
      same(await store.size('a'), 3);
      same(await store.get('files', 'a'), Uint8Array.of(1, 2, 3));
      const blob = await store.blob('a');
      same(new Uint8Array(await blob?.arrayBuffer() ?? []),
        Uint8Array.of(1, 2, 3));
      same(await store.size('empty'), 0);
      same(await store.get('files', 'empty'), new Uint8Array(0));
      same((await store.blob('empty'))?.size, 0);
    },
  },
  {
    title: 'record and content replace each other',
    async run(open) {
      const store = await open();
      await store.write([record('a', [1]), content('b', [2])]);
      await store.write([content('a', [3, 4]), record('b', [5])]);
      same([await store.size('a'), await store.size('b')], [2, null]);
      same(await store.get('files', 'a'), Uint8Array.of(3, 4));
      same(await store.get('files', 'b'), Uint8Array.of(5));
    },
  },
  {
    title: 'a content of 16 MiB is the same after reopening',
    async run(open) {
      const store = await open();
      const bytes = new Uint8Array(16 * MIB + 1);
      for (let at = 0; at < bytes.length; at += 65536) {
        crypto.getRandomValues(bytes.subarray(at, at + 65536));
      }
      await store.write([
        { kind: 'content', key: 'large', blob: new Blob([bytes]) }]);
      store.close();
      const reopened = await open();
      same(await reopened.size('large'), bytes.length);
      same(await digest(await reopened.blob('large')),
        await digest(new Blob([bytes])));
      await fails(reopened.get('files', 'large'), 'TooLargeError');
    },
  },
  {
    title: 'a content of 1 MiB is read at once, one byte more is not',
    async run(open) {
      const store = await open();
      await store.write([content('fits', new Uint8Array(MIB)),
        content('larger', new Uint8Array(MIB + 1))]);
      same((await store.get('files', 'fits'))?.length, MIB);
      await fails(store.get('files', 'larger'), 'TooLargeError');
    },
  },
  {
    title: 'any text is a key, and the order is that of code units',
    async run(open) {
      const store = await open();
      await store.write(ODD_KEYS.map((key, i) => record(key, [i])));
      const sorted = [...ODD_KEYS].sort();
      same(await store.keys(''), sorted);
      same((await store.list('files', '')).map(({ key }) => key), sorted);
      for (const [i, key] of ODD_KEYS.entries()) {
        same(await store.get('files', key), Uint8Array.of(i), `of ${key}`);
      }
      store.close();
      same(await (await open()).keys(''), sorted);
    },
  },
  {
    title: 'a prefix selects, and nothing else does',
    async run(open) {
      const store = await open();
      const keys = ['a', 'a/', 'a/1', 'a/10', 'a/2', 'a/\uffff', 'a/\uffff\uffff',
        'a0', 'b', '\uffff', '\uffffa', '\uffff\uffff'];
      await store.write(keys.map((key) => record(key, [1])));
      await store.write([content('a/3', [1])]);
      same(await store.keys('a/'), ['a/', 'a/1', 'a/10', 'a/2', 'a/3',
        'a/\uffff', 'a/\uffff\uffff']);
      same((await store.list('files', 'a/')).map(({ key }) => key),
        ['a/', 'a/1', 'a/10', 'a/2', 'a/\uffff', 'a/\uffff\uffff']);
      same(await store.keys('a/\uffff'), ['a/\uffff', 'a/\uffff\uffff']);
      same(await store.keys('\uffff'), ['\uffff', '\uffffa', '\uffff\uffff']);
      same(await store.keys('c'), []);
    },
  },
  {
    title: 'the object stores are apart',
    async run(open) {
      const store = await open();
      await store.write([record('k', [1]), object('manifest', 'k', {}),
        object('inferenceSettings', 'k', {})]);
      await store.write([{ kind: 'delete', store: 'manifest', key: 'k' }]);
      same(await store.get('files', 'k'), Uint8Array.of(1));
      same(await store.get('manifest', 'k'), null);
      same(text(await store.get('inferenceSettings', 'k')), { id: 'k' });
    },
  },
  {
    title: 'the changes of a batch happen in their order',
    async run(open) {
      const store = await open();
      await store.write([
        record('a', [1]), content('a', [2]), record('a', [3]),
        content('b', [1]), { kind: 'delete', store: 'files', key: 'b' },
        { kind: 'delete', store: 'files', key: 'c' }, content('c', [4]),
      ]);
      same(await store.get('files', 'a'), Uint8Array.of(3));
      same(await store.keys(''), ['a', 'c']);
      same(await store.get('files', 'c'), Uint8Array.of(4));
    },
  },
  {
    title: 'a batch that fails changes nothing',
    async run(open) {
      const store = await open();
      await store.write([record('a', [1]), content('b', [2]),
        object('manifest', 'm', { a: 1 })]);
      /** @type {any[]} */
      const wrong = [
        { kind: 'merge', store: 'manifest', key: 'm', patch: Uint8Array.of(1) },
        { kind: 'merge', store: 'files', key: 'a', patch: Uint8Array.of(1) },
        { kind: 'record', store: 'manifest', key: 'm', bytes: Uint8Array.of(91, 93) },
        { kind: 'record', store: 'others', key: 'm', bytes: Uint8Array.of(1) },
        { kind: 'record', store: 'files', key: 7, bytes: Uint8Array.of(1) },
        { kind: 'content', key: 'b', blob: { size: 1 } },
        { kind: 'other', store: 'files', key: 'b' },
      ];
      for (const change of wrong) {
        const outcome = await store.write([
          record('a', [9]), content('b', [9]), record('new', [9]),
          object('manifest', 'm', {}), change,
        ]).then(() => 'written', () => 'refused');
        same(outcome, 'refused', JSON.stringify(change));
      }
      same(await store.keys(''), ['a', 'b']);
      same(await store.get('files', 'a'), Uint8Array.of(1));
      same(await store.get('files', 'b'), Uint8Array.of(2));
      same(text(await store.get('manifest', 'm')), { repo: 'm', a: 1 });
    },
  },
  {
    title: 'all is there after reopening, and deleted things are not',
    async run(open) {
      const store = await open();
      await store.write([record('a', [1]), content('b', [2]), content('c', [3]),
        record('gone', [4]), object('manifest', 'm', { a: 1 })]);
      await store.write([record('a', [5]), content('c', [6]),
        { kind: 'delete', store: 'files', key: 'gone' }]);
      store.close();
      const reopened = await open();
      same(await reopened.keys(''), ['a', 'b', 'c']);
      same(await reopened.get('files', 'a'), Uint8Array.of(5));
      same(await reopened.get('files', 'b'), Uint8Array.of(2));
      same(await reopened.get('files', 'c'), Uint8Array.of(6));
      same(text(await reopened.get('manifest', 'm')), { repo: 'm', a: 1 });
    },
  },
  {
    title: 'a store sees at once what another one wrote',
    async run(open) {
      const [one, two] = [await open(), await open()];
      for (let i = 0; i < 10; i += 1) {
        const [writer, reader] = i % 2 ? [one, two] : [two, one];
        await writer.write([record('a', [i]), content('b', [i, i])]);
        same(await reader.get('files', 'a'), Uint8Array.of(i));
        same(await reader.get('files', 'b'), Uint8Array.of(i, i));
      }
      await two.write([{ kind: 'delete', store: 'files', key: 'b' }]);
      same(await one.keys(''), ['a']);
    },
  },
  {
    title: 'batches of two stores at once are all whole',
    async run(open) {
      const stores = [await open(), await open()];
      await Promise.all(Array.from({ length: 20 }, (_, i) => (
        stores[i % 2].write([record('same', [i]), content('content', [i]),
          content(`own-${i}`, [i])]))));
      const last = await stores[0].get('files', 'same');
      same(await stores[1].get('files', 'content'), last);
      for (let i = 0; i < 20; i += 1) {
        same(await stores[i % 2].get('files', `own-${i}`), Uint8Array.of(i));
      }
    },
  },
  {
    title: 'the estimate has numbers where they are known',
    async run(open) {
      const { usage, quota, persisted } = await (await open()).estimate();
      holds(usage === null || usage >= 0, 'usage is a size');
      holds(quota === null || quota >= (usage ?? 0), 'it is within the quota');
      holds([true, false, null].includes(persisted), 'persisted is known or not');
    },
  },
  {
    title: 'a closed store refuses everything',
    async run(open) {
      const store = await open();
      await store.write([record('a', [1])]);
      store.close();
      store.close();
      await fails(store.get('files', 'a'), 'ClosedError');
      await fails(store.keys(''), 'ClosedError');
      await fails(store.write([record('a', [2])]), 'ClosedError');
      await fails(store.lock('a'), 'ClosedError');
      same(await (await open()).get('files', 'a'), Uint8Array.of(1));
    },
  },
  {
    title: 'closed in the middle, a batch is whole or not there',
    async run(open) {
      const store = await open();
      await store.keys('');
      const written = store.write([record('a', [1]), content('b', [2])])
        .then(() => true, ({ name }) => same(name, 'ClosedError'));
      store.close();
      const isWritten = await written === true;
      same(await (await open()).keys(''), isWritten ? ['a', 'b'] : []);
    },
  },
];

/** @type {Case[]} */
export const contract = [...cases, ...mergeCases, ...lockCases];
