// SPDX-License-Identifier: Apache-2.0
// The commands of the README in a clone that has no npm packages yet.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';

import { ROOT } from '../paths.js';

/** All that may be looked at before there are packages. */
const FIRST = ['package.json', 'test-harness/package.json',
  ...['start', 'launch', 'setup', 'paths'].map(
    (name) => `test-harness/${name}.js`)];

/** An npm that only says what it was asked for. */
const NPM = 'process.stderr.write(`npm ${process.argv.slice(2).join(" ")}\\n`);'
  + 'process.exitCode = 1;';

/** @type {string} */
let clone;
before(async () => {
  clone = await mkdtemp(join(tmpdir(), 'tabagent-clone-'));
  for (const path of FIRST) await cp(join(ROOT, path), join(clone, path));
  await writeFile(join(clone, 'npm-cli.js'), NPM);
});
after(() => rm(clone, { recursive: true }));

describe('without packages', () => {
  for (const name of ['start', 'hub', 'extension', 'bench']) {
    test(`npm run ${name} installs them`, async () => {
      const { scripts } = JSON.parse(
        await readFile(join(clone, 'package.json'), 'utf8'));
      const [command, ...args] = scripts[name].split(' ');
      assert.equal(command, 'node');
      const child = spawn(process.execPath, args, {
        cwd: clone,
        env: { ...process.env, npm_execpath: join(clone, 'npm-cli.js') },
      });
      const [stderr] = await Promise.all([
        text(child.stderr), once(child, 'close')]);
      assert.match(stderr, /^setup: installing npm packages \(.*commander/);
      assert.match(stderr, /^npm ci --ignore-scripts/m);
      assert.match(stderr, /npm ci failed; its output above says why\n$/);
      assert.equal(child.exitCode, 1);
    });
  }
});
