// SPDX-License-Identifier: Apache-2.0
// JavaScript and C agree on every number, and the module that ships asks for
// nothing and offers exactly its list.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';

import { ROOT } from '../paths.js';
import { generate, readSchema } from './generate.js';

/** @type {import('./generate.js').Schema} */
let schema;

before(() => {
  schema = readSchema();
});

describe('the generated files in js-bindings', () => {
  it('are what the C headers say', async () => {
    for (const [file, text] of generate(schema)) {
      assert.equal(await readFile(file, 'utf8'), text,
        'run node test-harness/abi/generate.js and commit the result');
    }
  });
});

describe('the schema', () => {
  it('has no error number, name or code twice', () => {
    for (const key of /** @type {const} */ (['number', 'name', 'code'])) {
      const values = schema.errors.map((error) => error[key]);
      assert.equal(new Set(values).size, values.length, key);
    }
  });

  it('gives errors of one range to one cause', () => {
    for (const { name, number } of schema.errors) {
      assert.ok(number <= -100 && number > -1000, name);
    }
  });

  it('gives each word of a record one field', () => {
    const words = Object.values(schema.actionWords);
    assert.deepEqual(words, words.map((_, i) => i));
  });
});

describe('docs/abi.md', () => {
  it('names every export, event, action and error', async () => {
    const text = await readFile(join(ROOT, 'docs/abi.md'), 'utf8');
    const wanted = [
      ...Object.entries({ ...schema.events, ...schema.actions })
        .map(([name, number]) => `| \`${name}\` | ${number} |`),
      ...schema.errors.map(({ code }) => `\`${code}\``),
      ...schema.exports,
    ];
    assert.deepEqual(wanted.filter((words) => !text.includes(words)), []);
  });
});

describe('dist/tabagent.wasm', () => {
  /** @type {Buffer<ArrayBuffer>} */
  let bytes;
  /** @type {WebAssembly.Module} */
  let module;

  before(async () => {
    bytes = await readFile(join(ROOT, 'dist/tabagent.wasm'));
    module = await WebAssembly.compile(bytes);
  });

  it('imports nothing', () => {
    assert.deepEqual(WebAssembly.Module.imports(module), []);
  });

  it('exports its memory, its start and the listed functions', () => {
    const names = WebAssembly.Module.exports(module)
      .map(({ name, kind }) => `${kind} ${name}`).sort();
    assert.deepEqual(names, [
      'memory memory',
      'function _initialize',
      ...schema.exports.map((name) => `function ${name}`),
    ].sort());
  });

  it('carries no names, debug information or source paths', () => {
    for (const section of ['name', '.debug_info', 'sourceMappingURL']) {
      assert.deepEqual(
        WebAssembly.Module.customSections(module, section), [], section);
    }
  });

  it('holds neither the printer of cJSON nor a printf', () => {
    for (const text of ['%1.15g', '(null)']) {
      assert.equal(bytes.includes(text), false, text);
    }
  });

  it('starts and tells its version', async () => {
    const { exports } = await WebAssembly.instantiate(module);
    const functions = /** @type {Record<string, () => number>} */ (exports);
    functions._initialize();
    assert.equal(functions.tam_abi_version(), schema.abiVersion);
  });
});
