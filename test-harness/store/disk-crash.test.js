// SPDX-License-Identifier: Apache-2.0
// The store on disk when processes die: killed at any moment, it opens with
// every batch that was acknowledged and no half one.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFile, mkdir, mkdtemp, open, readdir, readFile, rm, stat, truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { openStore } from '../../js-bindings/store/index.js';
import { content, merge, object, record, text } from './values.js';

const CHILD = fileURLToPath(new URL('./disk-child.js', import.meta.url));

/** How often a process is killed; more by hand. */
const KILLS = Number(process.env.TAM_KILLS ?? 100);

/** What may pass from reopening until a lock of a dead process is ours. */
const TAKE_OVER_MS = 300;

/** @type {string} */
let dataDir;
/** @type {import('../../js-bindings/store/index.js').Store[]} */
let stores = [];

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'tabagent-store-'));
});

afterEach(async () => {
  for (const store of stores.splice(0)) store.close();
  await rm(dataDir, { recursive: true, force: true });
});

async function reopen() {
  const store = await openStore({ dataDir });
  stores.push(store);
  return store;
}

/**
 * Starts a process on the directory.
 * @param {string} task
 * @param {string} [name]
 */
function start(task, name = '') {
  const child = spawn(process.execPath, [CHILD, dataDir, task, name],
    { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  return { child, lines, exited: once(child, 'exit') };
}

/**
 * Lets a process write, and kills it.
 * @param {number} last the last batch there is
 * @param {{ skip: number, delayMs: number }} when after so many batches of its
 *   own (0: while it begins) and such a time
 * @returns {Promise<number>} the last batch that is acknowledged
 */
async function writeUntilKilled(last, { skip, delayMs }) {
  const { child, lines, exited } = start('writeForEver');
  const kill = () => setTimeout(() => child.kill('SIGKILL'), delayMs);
  if (skip === 0) kill();
  let batches = 0;
  for await (const line of lines) {
    last = Number(line);
    batches += 1;
    if (batches === skip) kill();
  }
  await exited;
  return last;
}

/**
 * A source of numbers that look random, and are the same in each run.
 * @param {number} seed
 */
function randomSource(seed) {
  return (/** @type {number} */ below) => {
    seed = seed * 48271 % 2147483647;
    return seed % below;
  };
}

/**
 * Checks that the store is as some batch has left it.
 * @param {number} acknowledged
 * @returns {Promise<number>} that batch
 */
async function checkWhole(acknowledged) {
  const store = await reopen();
  const counter = (await store.get('files', 'counter'))?.[0] ?? 0;
  assert.ok(counter === acknowledged || counter === acknowledged + 1,
    `acknowledged ${acknowledged}, found ${counter}`);
  const stays = Array.from({ length: counter },
    (_, i) => `stays-${String(i + 1).padStart(3, '0')}`);
  assert.deepEqual(await store.keys(''),
    counter === 0 ? []
      : ['bulk', 'counter', `goes-${counter}`, 'replaced', ...stays]);
  for (const [i, key] of stays.entries()) {
    assert.deepEqual(await store.get('files', key), Uint8Array.of(i + 1));
  }
  const blob = await store.blob('replaced');
  const replaced = new Uint8Array(await blob?.arrayBuffer() ?? []);
  const bulk = await store.get('files', 'bulk') ?? new Uint8Array(0);
  const size = counter > 0 && counter % 7 === 0 ? 3 * 1024 * 1024 : counter;
  assert.deepEqual([replaced.length, bulk.length],
    [size, counter === 0 ? 0 : 60_000]);
  assert.ok([replaced, bulk].every((all) => (
    all.every((byte) => byte === counter))));
  const files = await readdir(join(dataDir, 'content'));
  assert.equal(files.length, counter === 0 ? 0 : counter + 2,
    'nothing is left over');
  store.close();
  return counter;
}

describe('killed at any moment', () => {
  test(`${KILLS} times, all that was acknowledged is there`, async () => {
    const random = randomSource(1);
    let counter = 0;
    for (let kills = 0; kills < KILLS; kills += 1) {
      const skip = random(4);
      const delayMs = random(skip === 0 ? 120 : 12);
      counter = await checkWhole(
        await writeUntilKilled(counter, { skip, delayMs }));
      // Batches are told apart by one byte.
      if (counter > 200) {
        await rm(dataDir, { recursive: true });
        counter = 0;
      }
    }
  });

  test('the lock of a killed process is taken at once', async () => {
    for (let i = 0; i < 5; i += 1) {
      const { child, lines, exited } = start('holdLock', 'model');
      await once(lines, 'line');
      const store = await reopen();
      const waiting = store.lock('model');
      await store.keys('');
      child.kill('SIGKILL');
      await exited;
      // One that waited all along, and one that comes later.
      (await waiting)();
      store.close();

      const other = start('holdLock', 'model');
      await once(other.lines, 'line');
      other.child.kill('SIGKILL');
      await other.exited;
      const from = performance.now();
      (await (await reopen()).lock('model'))();
      const ms = performance.now() - from;
      assert.ok(ms < TAKE_OVER_MS, `${ms} ms`);
    }
  });

  test('a lock is taken whose owner had the number of this process',
    async () => {
      const store = await reopen();
      (await store.lock('model'))();
      store.close();
      // What a process of long ago would have left in every lock.
      const dead = `${process.pid}-1-abcdef`;
      await mkdir(join(dataDir, 'lock/log'));
      await writeFile(join(dataDir, 'lock/log', dead), '');
      await mkdir(join(dataDir, 'lock', dead));
      await writeFile(join(dataDir, 'open', dead), '');
      const again = await reopen();
      await again.write([record('a', [1])]);
      assert.deepEqual(await readdir(join(dataDir, 'lock')), []);
      assert.equal((await readdir(join(dataDir, 'open'))).length, 1);
    });
});

describe('two processes', () => {
  test('lose nothing of what the other writes', async () => {
    const store = await reopen();
    const children = ['a', 'b'].map((name) => start('mergeMany', name));
    for (let i = 0; i < 50; i += 1) {
      await store.write([merge('m', { quants: { [`c-${i}`]: i } })]);
    }
    for (const { exited } of children) assert.deepEqual(await exited, [0, null]);
    const { quants } = text(await store.get('manifest', 'm'));
    assert.deepEqual(quants, Object.fromEntries(['a', 'b', 'c'].flatMap(
      (name) => Array.from({ length: 50 }, (_, i) => [`${name}-${i}`, i]))));
    assert.equal((await store.keys('')).length, 100);
    assert.deepEqual(await store.get('files', 'b-49'), Uint8Array.of(49));
  });

  test('exclude each other by locks', async () => {
    const { child, lines, exited } = start('holdLock', 'model');
    await once(lines, 'line');
    const store = await reopen();
    const controller = new AbortController();
    let isOurs = false;
    const waiting = store.lock('model', controller.signal)
      .then(() => { isOurs = true; });
    await store.write([record('a', [1])]);
    (await store.lock('other'))();
    assert.equal(isOurs, false);
    controller.abort();
    await assert.rejects(waiting, { name: 'AbortError' });
    child.kill('SIGKILL');
    await exited;
  });

  test('what is written beside is swept only when nobody has it open',
    async () => {
      const { child, lines, exited } = start('holdLock', 'model');
      await once(lines, 'line');
      const path = join(dataDir, 'content/77');
      await writeFile(path, 'in the making');
      await (await reopen()).keys('');
      assert.equal((await stat(path)).size, 13);
      for (const store of stores.splice(0)) store.close();
      child.kill('SIGKILL');
      await exited;
      await (await reopen()).keys('');
      await assert.rejects(stat(path), { code: 'ENOENT' });
    });
});

describe('a damaged log', () => {
  /** Three batches; resolves to the sizes of the log after each. */
  async function writeThree() {
    const store = await reopen();
    const sizes = [];
    for (let i = 1; i <= 3; i += 1) {
      await store.write([record(`r${i}`, [i]), content('c', [i])]);
      sizes.push((await stat(join(dataDir, 'index'))).size);
    }
    store.close();
    return sizes;
  }

  test('cut anywhere, it opens with the whole lines before', async () => {
    const sizes = await writeThree();
    const log = join(dataDir, 'index');
    const bytes = await readFile(log);
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      await writeFile(log, bytes.subarray(0, cut));
      const whole = sizes.filter((size) => size <= cut).length;
      const store = await reopen();
      assert.deepEqual((await store.keys('r')).length, whole, `at ${cut}`);
      await store.write([record('new', [cut % 256])]);
      store.close();
      const again = await reopen();
      assert.deepEqual(await again.get('files', 'new'),
        Uint8Array.of(cut % 256));
      assert.equal((await again.keys('r')).length, whole);
      again.close();
    }
  });

  test('a line that has changed counts as not written', async () => {
    const sizes = await writeThree();
    const handle = await open(join(dataDir, 'index'), 'r+');
    await handle.write('~', sizes[0] + 30);
    await handle.close();
    const store = await reopen();
    assert.deepEqual(await store.keys('r'), ['r1', 'r3']);
  });

  test('garbage behind the last line is cut off', async () => {
    await writeThree();
    await appendFile(join(dataDir, 'index'), 'garbage\n'.repeat(1000));
    const store = await reopen();
    await store.write([record('r4', [4])]);
    store.close();
    assert.deepEqual(await (await reopen()).keys('r'),
      ['r1', 'r2', 'r3', 'r4']);
    assert.equal((await readFile(join(dataDir, 'index'), 'latin1'))
      .includes('garbage'), false);
  });
});

describe('a content that is damaged', () => {
  test('is an error, not other bytes', async () => {
    const store = await reopen();
    await store.write([content('a', [1, 2, 3]), content('b', [4])]);
    const [a, b] = (await readdir(join(dataDir, 'content'))).sort();
    await truncate(join(dataDir, 'content', a), 2);
    await rm(join(dataDir, 'content', b));
    for (const key of ['a', 'b']) {
      await assert.rejects(store.blob(key), { name: 'NotReadableError' });
      await assert.rejects(store.get('files', key),
        { name: 'NotReadableError' });
    }
    // And can be replaced.
    await store.write([content('a', [5])]);
    assert.deepEqual(await store.get('files', 'a'), Uint8Array.of(5));
    const left = await readdir(join(dataDir, 'content'));
    assert.equal(left.length, 1);
    assert.notEqual(left[0], a);
  });
});

describe('a batch that cannot be written', () => {
  test('leaves nothing when a Blob cannot be read', async () => {
    const store = await reopen();
    await store.write([content('a', [1])]);
    const source = join(dataDir, 'source');
    await writeFile(source, new Uint8Array(10));
    const { openAsBlob } = await import('node:fs');
    const blob = await openAsBlob(source);
    await rm(source);
    await assert.rejects(store.write([content('a', [2]),
      { kind: 'content', key: 'b', blob }, record('c', [1])]),
    { name: 'NotReadableError' });
    assert.deepEqual(await store.keys(''), ['a']);
    assert.deepEqual(await store.get('files', 'a'), Uint8Array.of(1));
    assert.equal((await readdir(join(dataDir, 'content'))).length, 1);
  });

  test('leaves nothing when the disk has no room for its line', {
    skip: process.platform === 'win32' && 'there is no ulimit',
  }, async () => {
    // 100 KiB for a file; the signal would kill the process otherwise.
    const child = spawn('/bin/bash', ['-c',
      'trap "" XFSZ; ulimit -f 100; exec "$0" "$@"',
      process.execPath, CHILD, dataDir, 'fillUp'],
    { stdio: ['ignore', 'pipe', 'inherit'] });
    const lines = [];
    for await (const line of createInterface({ input: child.stdout })) {
      lines.push(line);
    }
    assert.deepEqual(lines, ['EFBIG', 'after,small', '1']);
    assert.deepEqual(await readdir(join(dataDir, 'content')), []);
    assert.deepEqual(await (await reopen()).keys(''), ['after', 'small']);
  });
});

describe('a log of old lines', () => {
  const LOG_BYTES_MAX = 4 * 1024 * 1024;
  const bytes = new Uint8Array(100_000);

  /** @param {import('../../js-bindings/store/index.js').Store} store */
  async function writeMuch(store) {
    let largest = 0;
    for (let i = 1; i <= 60; i += 1) {
      bytes.fill(i);
      await store.write([record('a', bytes), content(`c${i}`, [i]),
        object('manifest', 'm', { i }),
        { kind: 'delete', store: 'files', key: `c${i - 1}` }]);
      largest = Math.max(largest, (await stat(join(dataDir, 'index'))).size);
    }
    return largest;
  }

  /** @param {import('../../js-bindings/store/index.js').Store} store */
  async function check(store) {
    assert.deepEqual(await store.keys(''), ['a', 'c60']);
    assert.deepEqual(await store.get('files', 'a'), bytes);
    assert.deepEqual(await store.get('files', 'c60'), Uint8Array.of(60));
    assert.equal(text(await store.get('manifest', 'm')).i, 60);
    await store.write([content('c61', [61])]);
    assert.deepEqual(await store.get('files', 'c60'), Uint8Array.of(60));
    await store.write([{ kind: 'delete', store: 'files', key: 'c61' }]);
  }

  test('is written anew while the store is open', async () => {
    const store = await reopen();
    assert.ok(await writeMuch(store) < LOG_BYTES_MAX);
    await check(store);
    store.close();
    await check(await reopen());
  });

  test('does not forget which numbers of contents were used', async () => {
    const store = await reopen();
    await writeMuch(store);
    await store.write([{ kind: 'delete', store: 'files', key: 'c60' }]);
    for (let i = 0; i < 30; i += 1) await store.write([record('a', bytes)]);
    const log = await readFile(join(dataDir, 'index'), 'latin1');
    assert.equal(log.includes('"c60"'), false);
    await (await reopen()).write([content('c61', [61])]);
    assert.deepEqual(await readdir(join(dataDir, 'content')), ['61']);
  });

  test('is left alone while another one has it open, and then is not',
    async () => {
      const [store, other] = [await reopen(), await reopen()];
      await other.keys('');
      assert.ok(await writeMuch(store) > LOG_BYTES_MAX);
      await check(other);
      store.close();
      other.close();
      const again = await reopen();
      await check(again);
      assert.ok((await stat(join(dataDir, 'index'))).size < LOG_BYTES_MAX / 4);
      again.close();
      await check(await reopen());
    });
});

test('a directory that is deleted begins anew', {
  skip: process.platform === 'win32' && 'open files cannot be deleted',
}, async () => {
  const store = await reopen();
  await store.write([record('a', [1])]);
  await rm(dataDir, { recursive: true });
  await assert.rejects(store.get('files', 'a'), { name: 'ClosedError' });
  assert.equal(await store.get('files', 'a'), null);
  await store.write([record('b', [1])]);
  assert.deepEqual(await (await reopen()).keys(''), ['b']);
});
