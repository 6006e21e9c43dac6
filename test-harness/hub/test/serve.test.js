// SPDX-License-Identifier: Apache-2.0
// The simulator's command line: what it says of mistakes, and how it ends.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';

import { ROOT } from '../../paths.js';

const FOLDER = mkdtempSync(join(tmpdir(), 'hub-serve-'));
after(() => rmSync(FOLDER, { recursive: true }));

/** @param {string[]} args */
function start(...args) {
  const child = spawn(process.execPath,
    [join(ROOT, 'test-harness', 'hub', 'serve.js'), ...args]);
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (text) => { output.stdout += text; });
  child.stderr.on('data', (text) => { output.stderr += text; });
  const end = once(child, 'close').then(([code]) => ({ code, ...output }));
  return { child, end };
}

describe('1, and one line, for', () => {
  test('a line that is no entry', async () => {
    const file = join(FOLDER, 'bad.ndjson');
    writeFileSync(file, '{"id":"owner/model"}\n{"id":\n');
    assert.deepEqual(await start('--catalogue', file).end, {
      code: 1, stdout: '', stderr: `error: ${file}:2: not a listing entry\n`,
    });
  });

  test('a file that is not there', async () => {
    const { code, stderr } = await start(
      '--catalogue', join(FOLDER, 'none')).end;
    assert.equal(code, 1);
    assert.match(stderr, /^error: ENOENT: no such file .*none'\n$/);
  });

  test('a port in use', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = /** @type {import('node:net').AddressInfo} */ (
      other.address());
    const { code, stderr } = await start(
      '--models', '10', '--port', String(port)).end;
    other.close();
    assert.equal(code, 1);
    assert.match(stderr, /^error: listen EADDRINUSE: .*\n$/);
  });
});

describe('2, and one line, for', () => {
  for (const [args, message] of /** @type {[string[], RegExp][]} */ ([
    [['--models', 'x'], /expected a whole number/],
    [['--port', '65536'], /expected 65535 or less/],
    [['--tier', 'royal'], /Allowed choices are/],
    [['--fast'], /unknown option '--fast'/],
    [['more'], /too many arguments/],
  ])) {
    test(args.join(' '), async () => {
      const { code, stdout, stderr } = await start(...args).end;
      assert.equal(code, 2);
      assert.equal(stdout, '');
      assert.match(stderr, message);
      assert.equal(stderr.trimEnd().split('\n').length, 1);
    });
  }
});

test('0 for help', async () => {
  const { code, stdout } = await start('--help').end;
  assert.equal(code, 0);
  assert.match(stdout, /--catalogue <file>/);
});

test('serves until it is stopped', async () => {
  const { child, end } = start('--models', '10');
  await once(child.stdout, 'data');
  child.kill();
  const { stdout, stderr } = await end;
  assert.match(stdout, /^Hub +http:\/\/127\.0\.0\.1:\d+$/m);
  assert.equal(stderr, '');
});
