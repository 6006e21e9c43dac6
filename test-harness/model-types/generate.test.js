// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { generateTables, hashOf, staleTables } from './generate.js';

test('the committed tables are what their sources give', () => {
  assert.deepEqual(staleTables(), []);
});

test('words are hashed by FNV-1a, with dashes as underscores', () => {
  assert.equal(hashOf(''), 0x811c9dc5);
  assert.equal(hashOf('a'), 0xe40c292c);
  assert.equal(hashOf('foobar'), 0xbf9cf968);
  assert.equal(hashOf('a-b'), hashOf('a_b'));
});

test('each entry is the hash of the word in its comment', () => {
  const entries = Object.values(generateTables())
    .flatMap((text) => [...text.matchAll(/^ {2}0x(.{8}), \/\/ (\S+)$/gm)]);
  for (const [, hash, word] of entries) {
    assert.equal(parseInt(hash, 16), hashOf(word));
  }
  assert.ok(entries.length > 600);
});
