// SPDX-License-Identifier: Apache-2.0
// What the C code asks of its platform: the undefined symbols of the objects
// that go into the module. No I/O, no clock and no randomness is among them.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';

import { buildPreset, output } from '../run.js';

const LIBRARIES = [
  'tam_core', 'tam_net', 'tam_hub', 'tam_store', 'tam_chat', 'tam_account',
  'tam_journal',
  'tam_protocol', 'cjson',
];

/** What compilers may call on their own, and the allocator of core/mem.c. */
const ALLOWED = new Set([
  'memcmp', 'memcpy', 'memmove', 'memset', 'strlen',
  'malloc', 'realloc', 'free',
]);

/** What cJSON names besides. Most belongs to its printer, which is dropped. */
const ALLOWED_IN_CJSON = new Set([
  ...ALLOWED, 'strcmp', 'strcpy', 'strncmp', 'tolower',
  'sscanf', 'siprintf', '__small_sprintf', // Emscripten's names of sprintf
]);

/**
 * @typedef {object} Symbols
 * @property {Set<string>} defined
 * @property {Set<string>} missing
 */

/**
 * @param {string} library
 * @returns {Symbols}
 */
function readSymbols(library) {
  const symbols = { defined: new Set(), missing: new Set() };
  const listing = output('emnm', [`build/wasm/lib${library}.a`]);
  for (const line of listing.split('\n')) {
    const [, kind, name] = /^\S* +(\w) (\S+)$/.exec(line) ?? [];
    if (kind) (kind === 'U' ? symbols.missing : symbols.defined).add(name);
  }
  return symbols;
}

describe('undefined symbols', () => {
  /** @type {Map<string, Symbols>} */
  const libraries = new Map();
  const defined = new Set();

  before(() => {
    buildPreset('wasm');
    for (const library of LIBRARIES) {
      const symbols = readSymbols(library);
      libraries.set(library, symbols);
      for (const name of symbols.defined) defined.add(name);
    }
  });

  for (const library of LIBRARIES) {
    it(`of ${library} are few`, () => {
      const symbols = libraries.get(library);
      assert.ok(symbols && symbols.defined.size > 0, 'no symbols were read');
      const allowed = library === 'cjson' ? ALLOWED_IN_CJSON : ALLOWED;
      assert.deepEqual([...symbols.missing]
        .filter((name) => !defined.has(name) && !allowed.has(name)), []);
    });
  }
});
