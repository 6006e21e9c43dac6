// SPDX-License-Identifier: Apache-2.0
// The conversations of this folder, played with the module that ships. The
// made-up model is written in C: the native player records the events that it
// feeds, and the module must say to them what is written down.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';

import { loadCore } from '../../js-bindings/core.js';
import { ROOT } from '../paths.js';
import { buildPlayer, CONVERSATIONS, readConversation } from './golden.js';
import { play } from './play.js';

/** A fresh build, where there is one. */
const MODULE = ['build/wasm/tabagent.wasm', 'dist/tabagent.wasm']
  .map((path) => join(ROOT, path))
  .find(existsSync);

const exports = await loadCore(MODULE);

before(buildPlayer);

for (const file of CONVERSATIONS) {
  test(file, () => {
    const { events, count, check } = readConversation(file);
    check(play(exports, events, count));
  });
}
