// SPDX-License-Identifier: Apache-2.0
// The part of the contract about changes of objects, by RFC 7386.

import { mergePatch } from '../../js-bindings/store/json-object.js';
import { same } from './check.js';
import { merge, object, text } from './values.js';

/**
 * Appendix A of the RFC: original, patch, result.
 * @type {[string, string, string][]}
 */
const RFC_TABLE = [
  ['{"a":"b"}', '{"a":"c"}', '{"a":"c"}'],
  ['{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'],
  ['{"a":"b"}', '{"a":null}', '{}'],
  ['{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'],
  ['{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'],
  ['{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'],
  ['{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'],
  ['{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'],
  ['["a","b"]', '["c","d"]', '["c","d"]'],
  ['{"a":"b"}', '["c"]', '["c"]'],
  ['{"a":"foo"}', 'null', 'null'],
  ['{"a":"foo"}', '"bar"', '"bar"'],
  ['{"e":null}', '{"a":1}', '{"e":null,"a":1}'],
  ['[1,2]', '{"a":"b","c":null}', '{"a":"b"}'],
  ['{}', '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'],
];

/** @type {import('./contract.js').Case[]} */
export const mergeCases = [
  {
    title: 'the table of the RFC holds',
    async run() {
      for (const row of RFC_TABLE) {
        const [original, patch, result] = row.map((json) => JSON.parse(json));
        same(mergePatch(original, patch), result, row.join(' '));
      }
    },
  },
  {
    title: 'the table of the RFC holds within an entry',
    async run(open) {
      const store = await open();
      for (const row of RFC_TABLE) {
        const [original, patch, result] = row.map((json) => JSON.parse(json));
        await store.write([object('manifest', 'm', { value: original })]);
        await store.write([merge('m', { value: patch })]);
        same(text(await store.get('manifest', 'm')), patch === null
          ? { repo: 'm' } : { repo: 'm', value: result }, row.join(' '));
      }
    },
  },
  {
    title: 'a patch makes an entry that is not there, and keeps its key',
    async run(open) {
      const store = await open();
      await store.write([merge('m', { a: { b: null }, repo: 'other' })]);
      same(text(await store.get('manifest', 'm')), { repo: 'm', a: {} });
      await store.write([merge('m', { repo: null })]);
      same(text(await store.get('manifest', 'm')), { repo: 'm', a: {} });
    },
  },
  {
    title: 'a name like __proto__ is a name',
    async run(open) {
      const store = await open();
      const odd = JSON.parse('{"__proto__":{"a":1},"constructor":{"b":2}}');
      await store.write([merge('m', odd)]);
      await store.write([merge('m', JSON.parse('{"__proto__":{"c":3}}'))]);
      const made = text(await store.get('manifest', 'm'));
      same(Object.keys(made).sort(), ['__proto__', 'constructor', 'repo']);
      same(Object.getOwnPropertyDescriptor(made, '__proto__')?.value,
        { a: 1, c: 3 });
    },
  },
  {
    title: 'changes of one object in one batch build on each other',
    async run(open) {
      const store = await open();
      await store.write([object('manifest', 'm', { old: 1 })]);
      await store.write([
        merge('m', { a: { b: 1 } }), merge('m', { a: { c: 2 } }),
        merge('n', { a: 1 }),
        { kind: 'delete', store: 'manifest', key: 'n' }, merge('n', { b: 2 }),
        merge('o', { a: 1 }), object('manifest', 'o', { c: 3 }),
        merge('o', { d: 4 }),
      ]);
      same(text(await store.get('manifest', 'm')),
        { repo: 'm', old: 1, a: { b: 1, c: 2 } });
      same(text(await store.get('manifest', 'n')), { repo: 'n', b: 2 });
      same(text(await store.get('manifest', 'o')), { repo: 'o', c: 3, d: 4 });
    },
  },
  {
    title: 'patches of two stores at once lose nothing',
    async run(open) {
      const stores = [await open(), await open()];
      await Promise.all(Array.from({ length: 40 }, (_, i) => (
        stores[i % 2].write([merge('m', { quants: { [`q${i}`]: i } })]))));
      const wanted = Object.fromEntries(
        Array.from({ length: 40 }, (_, i) => [`q${i}`, i]));
      for (const store of stores) {
        same(text(await store.get('manifest', 'm')),
          { repo: 'm', quants: wanted });
      }
    },
  },
];
