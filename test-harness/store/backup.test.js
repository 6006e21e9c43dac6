// SPDX-License-Identifier: Apache-2.0
// Models as archives: whatever is wrong with one, nothing but verified files ends
// up in the store.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';

import { uploadedContent } from '../hub/content.js';
import { createVirtualClock } from '../hub/virtual-clock.js';
import { assertNothing, emptyStore, FILES, GRAPH } from './backup-world.js';
import { emptyData, MemoryStore } from './memory-store.js';
import {
  assertBytes, assertStored, CHUNK, contentBytes, createModelHub, managerOf,
  MODEL, offline, pass, quiet, readFile, sizeOf, SMALL_FILES, urlOf,
} from './world.js';

/** @typedef {import('./world.js').Files} Files */

/** Names that tar cannot hold in its first form. */
const LONG = `${'a-folder-with-a-long-name/'.repeat(6)}tokenizer.json`;

/** @param {Files} files @param {object} [options] */
async function storedModel(files = FILES, options) {
  const hub = createModelHub(files, options);
  const data = emptyData();
  const manager = await managerOf(new MemoryStore(data), { fetch: hub.fetch });
  const { commit } = await manager.download(MODEL);
  return { hub, data, manager, commit };
}

/** @param {ReadableStream<Uint8Array>} stream */
async function bytesOf(stream) {
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** @type {Promise<Uint8Array<ArrayBuffer>> | undefined} made once */
let exported;

async function archive() {
  exported ??= storedModel().then(async ({ manager }) => {
    const bytes = await bytesOf(manager.exportModel(MODEL));
    await manager.dispose();
    return bytes;
  });
  return exported;
}

const encoder = new TextEncoder();

/**
 * A tar archive, by the format's own rules (POSIX ustar).
 * @param {[string, string | Uint8Array][]} entries
 */
function tar(entries) {
  const parts = entries.flatMap(([name, content]) => {
    const bytes = typeof content === 'string' ? encoder.encode(content) : content.slice();
    const head = new Uint8Array(512);
    const put = (/** @type {string} */ text, /** @type {number} */ at) => {
      head.set(encoder.encode(text), at);
    };
    put(name, 0);
    put('0000644\0', 100);
    put(`${bytes.length.toString(8).padStart(11, '0')}\0`, 124);
    put('00000000000\0', 136);
    put('        ', 148);
    put('0', 156);
    put('ustar\x0000', 257);
    const sum = head.reduce((a, b) => a + b, 0);
    put(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    return [head, bytes, new Uint8Array((512 - bytes.length % 512) % 512)];
  });
  return new Blob([...parts, new Uint8Array(1024)]);
}

/**
 * @param {string} path
 * @param {string} content
 */
function row(path, content) {
  const oid = createHash('sha1')
    .update(`blob ${Buffer.byteLength(content)}\0${content}`).digest('hex');
  return { type: 'file', path, size: Buffer.byteLength(content), oid };
}

const COMMIT = '0123456789abcdef0123456789abcdef01234567';

/**
 * @param {object} [values] of the description, others than these
 * @param {[string, string][]} [files]
 */
function madeUp(values, files = [['config.json', '{}']]) {
  return tar([
    ['tabagent.json', JSON.stringify({
      format: 1, modelId: MODEL, revision: 'main', commit: COMMIT, task: '',
      files: files.map(([path, content]) => row(path, content)), ...values,
    })],
    ...files.map(([path, content]) => (
      /** @type {[string, string]} */ ([`files/${path}`, content]))),
  ]);
}

describe('an archive', () => {
  test('makes the same model in another store, offline', async () => {
    const { data, manager } = await emptyStore();
    const bytes = await archive();
    /** @type {any[]} */
    const progress = [];
    const result = await manager.importModel(new Blob([bytes]),
      { onProgress: (step) => progress.push(step) });
    assert.equal(result.bytes, sizeOf(FILES));
    assert.deepEqual(result.files.map(({ path }) => path).sort(),
      Object.keys(FILES).sort());
    assert.deepEqual(await manager.verifyModel(MODEL),
      { ok: true, damaged: [], repaired: 0 });
    const [model] = await manager.models();
    assert.deepEqual([model.modelId, model.revision, model.commit,
      model.current, model.bytes],
    [MODEL, 'main', result.commit, true, sizeOf(FILES)]);
    assert.deepEqual(model.dtypes, [{ dtype: 'q4', status: 'downloaded',
      bytes: sizeOf(FILES), complete: true }]);
    assert.ok(progress.length > 0);
    const loaded = progress.map((step) => step.loaded);
    assert.deepEqual(loaded, [...loaded].sort((a, b) => a - b));
    assert.equal(loaded.at(-1), sizeOf(FILES));
    assert.ok(progress.every(({ total }) => total === sizeOf(FILES)));
    // And again, the same archive comes out, whatever the time is.
    const again = await bytesOf(manager.exportModel(MODEL));
    assert.ok(Buffer.from(again).equals(bytes));
    // The time of the first entry, in octal digits.
    assert.equal(Buffer.from(again).toString('latin1', 136, 147), '00000000000');
    await manager.dispose();
    await assertStored(data, FILES);
    const entry = /** @type {any} */ (data.manifest.get(MODEL));
    assert.equal(entry.quants[GRAPH].status, 'downloaded');
  });

  test('is known to the Hub afterwards', async () => {
    const hub = createModelHub(FILES);
    const manager = await managerOf(
      new MemoryStore(), { fetch: hub.fetch });
    await manager.importModel(new Blob([await archive()]));
    const { fetchedBytes } = await manager.download(MODEL);
    assert.equal(fetchedBytes, 0);
    const { current, latest } = await manager.checkForUpdate(MODEL);
    assert.equal(current, latest);
    assert.equal(contentBytes(hub), 0);
    await manager.dispose();
  });

  test('can be unpacked by anybody', async () => {
    const input = await archive();
    const list = execFileSync('tar', ['-tf', '-'], { input }).toString();
    assert.deepEqual(list.trim().split('\n').sort(), ['tabagent.json',
      ...Object.keys(FILES).map((path) => `files/${path}`)].sort());
    for (const path of ['config.json', `${GRAPH}_data`]) {
      const bytes = execFileSync('tar', ['-xOf', '-', `files/${path}`],
        { input, maxBuffer: 2 * CHUNK });
      assertBytes(bytes, FILES[path], path);
    }
    const { files } = JSON.parse(execFileSync(
      'tar', ['-xOf', '-', 'tabagent.json'], { input }).toString());
    const data = files.find((/** @type {any} */ file) => (
      file.path === `${GRAPH}_data`));
    const content = uploadedContent(FILES[`${GRAPH}_data`]);
    assert.equal(data.lfs.oid, createHash('sha256')
      .update(content.read(0, content.size)).digest('hex'));
  });

  test('may come as a file, or as a stream in any pieces', async () => {
    const bytes = await archive();
    let at = 0;
    const stream = new ReadableStream({
      pull(controller) {
        const piece = bytes.slice(at, at + 77_777);
        at += piece.length;
        if (piece.length > 0) controller.enqueue(piece);
        else controller.close();
      },
    });
    for (const source of [stream, [new File([bytes], 'model.tar')]]) {
      const { data, manager } = await emptyStore();
      await manager.importModel(source);
      await manager.dispose();
      await assertStored(data, FILES);
    }
  });

  test('holds long paths', async () => {
    const text = '{"long":true}';
    const { manager, data } = await storedModel(
      { 'config.json': FILES['config.json'], 'onnx/model.onnx': 'graph',
        [LONG]: text });
    assert.equal(await readFile(manager, LONG, text), 'right');
    const bytes = await bytesOf(manager.exportModel(MODEL));
    await manager.dispose();
    assert.ok(data.files.size > 0);
    const other = await emptyStore();
    await other.manager.importModel(new Blob([bytes]));
    assert.equal(await readFile(other.manager, LONG, text), 'right');
    await other.manager.dispose();
  });

  test('is made of a certain revision, and not of a missing one', async () => {
    const { hub, manager, commit } = await storedModel();
    hub.commit(MODEL, { files: { 'config.json': '{"model_type":"new"}' } });
    await manager.updateModel(MODEL);
    const old = await bytesOf(manager.exportModel(MODEL, { revision: commit }));
    const other = await emptyStore();
    await other.manager.importModel(new Blob([old]));
    assert.equal((await other.manager.models())[0].commit, commit);
    await other.manager.dispose();
    await assertStored(other.data, FILES);
    await assert.rejects(bytesOf(manager.exportModel('acme/none')),
      { code: 'not_stored' });
    await manager.dispose();
  });

  test('is not made of damaged bytes', async () => {
    const { data, manager } = await storedModel();
    await manager.dispose();
    const key = `${MODEL}/${GRAPH}_data_chunk_0`;
    const blob = /** @type {Blob} */ (data.files.get(key));
    const bytes = new Uint8Array(await blob.arrayBuffer());
    bytes[5_000_000] ^= 1;
    data.files.set(key, new Blob([bytes]));
    const other = await managerOf(new MemoryStore(data));
    await assert.rejects(bytesOf(other.exportModel(MODEL)),
      { code: 'store_damaged' });
    await other.dispose();
  });
});

describe('importing beside what is stored', () => {
  test('makes it the current one, with a way back', async () => {
    const { hub, manager, commit, data } = await storedModel();
    const changed = { ...FILES, 'config.json': '{"model_type":"new"}' };
    const second = hub.commit(MODEL, { files: {
      'config.json': changed['config.json'] } });
    await manager.updateModel(MODEL);
    const newer = await bytesOf(manager.exportModel(MODEL));
    await manager.deleteModel(MODEL);
    await manager.importModel(new Blob([await archive()]));
    const result = await manager.importModel(new Blob([newer]));
    assert.equal(result.commit, second);
    assert.equal(result.resumedBytes,
      sizeOf(FILES) - sizeOf({ a: FILES['config.json'] }));
    assert.deepEqual((await manager.models())
      .map((model) => [model.commit, model.current]).sort(),
    [[commit, false], [second, true]].sort());
    await assertStored(data, changed);
    assert.deepEqual(await manager.rollbackModel(MODEL), { commit });
    await manager.dispose();
    await assertStored(data, FILES);
  });

  test('completes a download that broke off', async () => {
    const hub = createModelHub(FILES);
    hub.faults.add({ match: /model_q4.onnx$/, status: 404 });
    const data = emptyData();
    const manager = await managerOf(new MemoryStore(data), { fetch: hub.fetch });
    await assert.rejects(manager.download(MODEL), { code: 'not_found' });
    await manager.importModel(new Blob([await archive()]));
    await manager.dispose();
    await assertStored(data, FILES);
  });

  test('goes on where it was stopped', async () => {
    const data = emptyData();
    const controller = new AbortController();
    const manager = await managerOf(new MemoryStore(data, {
      after(name) {
        if (name === 'write' && data.files.has(
          `${MODEL}/${GRAPH}_data_chunk_0`)) controller.abort();
      },
    }));
    let isCancelled = false;
    const bytes = await archive();
    let at = 0;
    const source = new ReadableStream({
      pull(stream) {
        // The end never comes.
        if (at >= bytes.length - 2000) return new Promise(() => {});
        stream.enqueue(bytes.slice(at, at += 1000));
        return undefined;
      },
      cancel() { isCancelled = true; },
    }, { highWaterMark: 0 });
    await assert.rejects(
      manager.importModel(source, { signal: controller.signal }),
      { code: 'cancelled' });
    await quiet();
    assert.ok(isCancelled, 'the source is let go');
    await manager.dispose();
    const again = await managerOf(new MemoryStore(data));
    const { resumedBytes, bytes: whole } = await again.importModel(
      new Blob([bytes]));
    assert.ok(resumedBytes >= CHUNK, `${resumedBytes} bytes`);
    assert.equal(whole, sizeOf(FILES));
    await again.dispose();
    await assertStored(data, FILES);
  });
});

describe('a stream', () => {
  /**
   * A manager in virtual time, and a stream of `bytes`.
   * @param {Uint8Array<ArrayBuffer>} bytes
   * @param {{ size: number, everyMs: number, count?: number }} pace of pieces;
   *   behind `count` of them nothing comes
   * @param {import('./memory-store.js').Data} [data] that is stored
   */
  async function timed(bytes, { size, everyMs, count = Infinity }, data) {
    const clock = createVirtualClock(Date.UTC(2026, 0, 1));
    const store = new MemoryStore(data);
    const manager = await managerOf(store, { fetch: offline, clock });
    const seen = { isCancelled: false };
    let at = 0;
    const stream = new ReadableStream({
      async pull(controller) {
        await new Promise((resolve) => {
          if (at < count * size) clock.setTimeout(resolve, everyMs);
        });
        if (at < bytes.length) controller.enqueue(bytes.slice(at, at += size));
        else controller.close();
      },
      cancel() { seen.isCancelled = true; },
    }, { highWaterMark: 0 });
    return { clock, store, manager, stream, seen };
  }

  for (const [what, count] of /** @type {const} */ ([
    ['nothing', 0], ['half of the description', 1], ['half of the files', 40],
  ])) {
    test(`that brings ${what} is given up`, async () => {
      const { clock, manager, stream, seen } = await timed(
        await archive(), { size: 600, everyMs: 0, count });
      const from = clock.now();
      await assert.rejects(pass(clock, manager.importModel(stream)),
        { code: 'timeout' });
      const tookMs = clock.now() - from;
      assert.ok(tookMs >= 20_000 && tookMs < 30_000, `${tookMs} ms`);
      await quiet();
      assert.ok(seen.isCancelled, 'the source is let go');
      assert.equal(clock.pendingTimers, 0);
      await manager.dispose();
    });
  }

  test('that breaks is told in its own words', async () => {
    const bytes = await archive();
    let at = 0;
    const { manager } = await emptyStore();
    await assert.rejects(manager.importModel(new ReadableStream({
      pull(controller) {
        if (at > CHUNK) throw new Error('the disk is gone');
        controller.enqueue(bytes.slice(at, at += 100_000));
      },
    })), { message: 'the bytes handed in broke off: the disk is gone' });
    await manager.dispose();
  });

  const small = { ...SMALL_FILES, [GRAPH]: { size: 6000, seed: 'slow' },
    [`${GRAPH}_data`]: { size: 7000, seed: 'data' } };
  /** @type {[string, import('./world.js').Files, number, string[]][]} */
  const slow = [
    ['', small, 1100, []],
    [' in files that are there', small, 1100, [`${GRAPH}_data_chunk_0`]],
    [' in a part that is there', FILES, 4 << 20, [`${GRAPH}_data_chunk_1`]],
  ];
  for (const [where, files, size, missing] of slow) {
    test(`may be slow${where}`, async () => {
      const { data, manager: from } = await storedModel(files);
      const bytes = await bytesOf(from.exportModel(MODEL));
      await from.dispose();
      for (const key of missing) {
        assert.ok(data.files.delete(`${MODEL}/${key}`), key);
      }
      const { clock, store, manager, stream } = await timed(
        bytes, { size, everyMs: 15_000 }, missing.length > 0 ? data : undefined);
      await pass(clock, manager.importModel(stream));
      await manager.dispose();
      await assertStored(store.data, files);
    });
  }
});

describe('an archive is refused', () => {
  /** @type {[string, (bytes: Uint8Array<ArrayBuffer>) => BlobPart[], any][]} */
  const damages = [
    ['with a flipped bit', (bytes) => {
      const copy = bytes.slice();
      copy[copy.length - CHUNK / 2] ^= 4;
      return [copy];
    }, 'hash_mismatch'],
    ['that ends early', (bytes) => [bytes.subarray(0, CHUNK / 2)], undefined],
    ['that ends in its description', (bytes) => [bytes.subarray(0, 700)],
      'unexpected_shape'],
    ['that is empty', () => [], 'unexpected_shape'],
    ['that is none', () => ['hello'], 'unexpected_shape'],
    ['that is something else', () => [new Uint8Array(5000).fill(7)],
      'unexpected_shape'],
    ['that is compressed', (bytes) => [execFileSync(
      'gzip', ['-1c'], { input: bytes, maxBuffer: 2 * CHUNK })],
    'unexpected_shape'],
  ];
  for (const [name, damage, code] of damages) {
    test(name, async () => {
      const { data, manager } = await emptyStore();
      const error = await manager.importModel(
        new Blob(damage(await archive()))).then(() => null, (reason) => reason);
      assert.ok(error?.code, `${error}`);
      if (code) assert.equal(error.code, code);
      const big = await manager.cache.match(urlOf(`${GRAPH}_data`));
      assert.equal(big, undefined);
      assert.deepEqual(await manager.jobs(), []);
      // What is right in spite of it is kept, and the right one completes it.
      await manager.importModel(new Blob([await archive()]));
      await manager.dispose();
      await assertStored(data, FILES);
    });
  }

  const config = row('config.json', '{}');
  /** @type {[string, () => Blob, any?][]} */
  const hostile = [
    ['of another program', () => tar([['README', 'hello']])],
    ['with the description behind a file',
      () => tar([['files/config.json', '{}'], ['tabagent.json', '{}']])],
    ['whose description is no JSON', () => tar([['tabagent.json', '{']])],
    ['whose description is null', () => tar([['tabagent.json', 'null']])],
    ['of a later format', () => madeUp({ format: 2 })],
    ['without files', () => madeUp({ files: null })],
    ['whose description is huge',
      () => tar([['tabagent.json', `{"a":"${'x'.repeat(9 << 20)}"}`]])],
    ['without a model', () => madeUp({ modelId: undefined }), 'invalid_params'],
    ['of a model that is none', () => madeUp({ modelId: '../x' }),
      'invalid_params'],
    ['of a revision that is none', () => madeUp({ revision: 'a/../b' }),
      'invalid_params'],
    ['without a commit', () => madeUp({ commit: undefined }), 'invalid_params'],
    ['with a short commit', () => madeUp({ commit: 'abc' }), 'invalid_params'],
    ['with the commit of another case',
      () => madeUp({ commit: COMMIT.toUpperCase() }), 'invalid_params'],
    ['without a digest', () => madeUp({
      files: [{ type: 'file', path: 'config.json', size: 2 }] })],
    ['with a wrong digest', () => madeUp({
      files: [{ ...config, oid: '0'.repeat(40) }] }), 'hash_mismatch'],
    ['with a negative size', () => madeUp({ files: [{ ...config, size: -1 }] })],
    ['with a wrong size', () => madeUp({ files: [{ ...config, size: 3 }] }),
      null],
    ['whose file is missing', () => madeUp(
      { files: [config, row('x.json', 'x')] }), null],
    ['with one path twice, in two contents', () => madeUp({
      files: [config, row('config.json', '[]')] }), 'hash_mismatch'],
    ['with rows that are none', () => madeUp({ files: [7, 'x', null] })],
    ...['../config.json', '/etc/passwd', 'a/../../b', './x', 'a//b', '', 'a\0b',
      'a/', 'a\\..\\b'.repeat(200)].map((path) => (
      /** @type {[string, () => Blob]} */ ([
        `with the path ${JSON.stringify(path).slice(0, 30)}`,
        () => madeUp({ files: [row(path, '{}')] })]))),
  ];
  for (const [name, make, code = 'unexpected_shape'] of hostile) {
    test(name, async () => {
      const { data, manager } = await emptyStore();
      const error = await manager.importModel(make())
        .then(() => null, (reason) => reason);
      assert.ok(error?.code, `${error?.stack ?? error}`);
      if (code) assert.equal(error.code, code, error.message);
      await assertNothing(manager, data);
      assert.ok([...data.files.keys()].every(
        (key) => !key.includes('..') && !key.includes('passwd')));
      assert.deepEqual(await manager.jobs(), []);
      await manager.dispose();
    });
  }

  test('but one that was made up well is taken', async () => {
    const { data, manager } = await emptyStore();
    const { commit } = await manager.importModel(madeUp());
    assert.equal(commit, COMMIT);
    await manager.dispose();
    await assertStored(data, { 'config.json': '{}' });
  });
});

describe('an archive that does not come', () => {
  for (const when of ['before', 'meanwhile']) {
    test(`can be given up ${when}`, async () => {
      const { manager } = await emptyStore();
      const controller = new AbortController();
      if (when === 'before') controller.abort('enough');
      const source = new ReadableStream({
        pull: () => controller.abort('enough'),
      }, { highWaterMark: 0 });
      await assert.rejects(
        manager.importModel(source, { signal: controller.signal }),
        { name: 'TabAgentError', code: 'cancelled', cause: 'enough' });
      await manager.dispose();
    });
  }

  test('is not waited for with bad options', async () => {
    const { manager } = await emptyStore();
    await assert.rejects(manager.importModel(
      new ReadableStream(), { signal: /** @type {any} */ (5) }),
    { code: 'invalid_argument' });
    await manager.dispose();
  });

  test('must not be in other hands', async () => {
    const { manager } = await emptyStore();
    const source = new ReadableStream();
    source.getReader();
    await assert.rejects(manager.importModel(source),
      { name: 'TabAgentError', code: 'invalid_argument' });
    await manager.dispose();
  });
});

describe('memory', () => {
  const SIZE = 200_000_000;
  /** The packer and both ends hold something, but no chunk too many. */
  const MOST = 3 * CHUNK;

  test('holds no model of 200 MB, in neither direction', async () => {
    const files = { 'config.json': FILES['config.json'],
      [GRAPH]: { size: SIZE, seed: 'large' } };
    const { data, manager } = await storedModel(files);
    let read = 0;
    for (const [key, blob] of data.files) {
      if (!(blob instanceof Blob) || !key.includes('_chunk_')) continue;
      const slice = blob.slice.bind(blob);
      blob.slice = (from = 0, to = blob.size, type) => {
        read += to - from;
        return slice(from, to, type);
      };
    }
    let taken = 0;
    let written = 0;
    let mostRead = 0;
    let mostTaken = 0;
    const reader = manager.exportModel(MODEL).getReader();
    const source = new ReadableStream({
      async pull(controller) {
        const { done, value } = await reader.read();
        if (done) {
          controller.close();
          return;
        }
        taken += value.length;
        mostRead = Math.max(mostRead, read - taken);
        mostTaken = Math.max(mostTaken, taken - written);
        controller.enqueue(value);
      },
    }, { highWaterMark: 0 });
    // A disk that takes its time.
    const other = await managerOf(new MemoryStore(emptyData(), {
      async before(name, batch) {
        if (name !== 'write') return;
        await quiet(20);
        for (const { kind, blob } of batch ?? []) {
          if (kind === 'content') written += blob.size;
        }
      },
    }), { fetch: offline });
    const { bytes } = await other.importModel(source);
    assert.equal(bytes, SIZE + sizeOf({ a: FILES['config.json'] }));
    assert.ok(mostRead <= MOST, `${mostRead} bytes ahead of the reader`);
    assert.ok(mostTaken <= MOST, `${mostTaken} bytes ahead of the store`);
    await other.dispose();
    await manager.dispose();
  });

  test('is not filled for a reader that does not read', async () => {
    const { data, manager } = await storedModel();
    let read = 0;
    const blob = /** @type {Blob} */ (
      data.files.get(`${MODEL}/${GRAPH}_data_chunk_0`));
    const slice = blob.slice.bind(blob);
    blob.slice = (from = 0, to = blob.size, type) => {
      read += to - from;
      return slice(from, to, type);
    };
    const reader = manager.exportModel(MODEL).getReader();
    for (let at = 0; at < 310_000;) {
      const { value } = await reader.read();
      at += value?.length ?? 0;
    }
    await quiet(200);
    // The packer holds 8 MiB, and what serves some blocks.
    assert.ok(read <= 13 << 20, `${read} bytes`);
    await reader.cancel();
    await quiet();
    assert.deepEqual(await manager.jobs(), []);
    await manager.dispose();
  });
});
