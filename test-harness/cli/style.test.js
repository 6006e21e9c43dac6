// SPDX-License-Identifier: Apache-2.0
// Numbers as people read them, and where models are stored by default.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { cacheDirectory } from './data-directory.js';
import { age, size, timeLeft } from './style.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** @type {[string, (number: number) => string, [number, string][]][]} */
const TABLE = [
  ['size', size, [
    [0, '0 B'], [999, '999 B'], [1000, '1.00 kB'], [98_100_082, '98.1 MB'],
    [999_499, '999 kB'], [999_500, '1.00 MB'], [3_000_000_000, '3.00 GB'], [2e15, '2000 TB'],
  ]],
  ['timeLeft', timeLeft, [
    [0, '0 s left'], [1, '1 s left'], [99_000, '99 s left'],
    [100_000, '2 min left'], [90 * MINUTE, '90 min left'],
    [5 * HOUR, '5 h left'],
  ]],
  ['age', age, [
    [0, 'just now'], [MINUTE, '1 min ago'], [59.9 * MINUTE, '59 min ago'],
    [HOUR, '1 h ago'], [47 * HOUR, '47 h ago'], [48 * HOUR, '2 days ago'],
  ]],
];

for (const [name, format, cases] of TABLE) {
  for (const [number, text] of cases) {
    test(`${name} of ${number} is ${text}`, () => {
      assert.equal(format(number), text);
    });
  }
}

for (const [platform, env, path] of /** @type {const} */ ([
  ['linux', {}, '/home/me/.cache/tabagent-wasm'],
  ['linux', { XDG_CACHE_HOME: '/big' }, '/big/tabagent-wasm'],
  ['linux', { XDG_CACHE_HOME: 'relative' }, '/home/me/.cache/tabagent-wasm'],
  ['darwin', {}, '/home/me/Library/Caches/tabagent-wasm'],
  ['win32', { LOCALAPPDATA: 'D:\\Local' }, 'D:\\Local\\tabagent-wasm\\Cache'],
])) {
  test(`models are in ${path} on ${platform}`, () => {
    assert.equal(cacheDirectory(platform, env, '/home/me'), path);
  });
}
