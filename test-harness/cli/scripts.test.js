// SPDX-License-Identifier: Apache-2.0
// Scripts that are called in a wrong way: one line that says what is wrong.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

import { ROOT } from '../paths.js';

for (const [script, args, said] of /** @type {[string, string[], string][]} */ ([
  ['extension/build-demo.js', ['--bogus'],
    "Unknown option '--bogus'; there are --firefox, --hub, --out"],
  ['extension/build-demo.js', ['--hub', 'garbage'],
    '--hub: expected an http or https address, got "garbage"'],
  ['bench/bench.js', ['--quick=1'], "Option '--quick' does not take an argument; "
    + 'there are --only, --quick, --json'],
  ['test.js', ['native'],
    "Unexpected argument 'native'; there are --only"],
])) {
  test(`2 for ${script} ${args.join(' ')}`, () => {
    const { status, stdout, stderr } = spawnSync(process.execPath,
      [join(ROOT, 'test-harness', script), ...args], { encoding: 'utf8' });
    assert.deepEqual([status, stdout, stderr], [2, '', `error: ${said}\n`]);
  });
}
