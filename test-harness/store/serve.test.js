// SPDX-License-Identifier: Apache-2.0
// What manager.fetch and manager.cache answer: to whom, with which head and
// bytes, and what they leave to the platform.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, test } from 'node:test';

import { uploadedContent } from '../hub/content.js';
import { startMirrored } from '../hub/index.js';
import { emptyData, MemoryStore } from './memory-store.js';
import {
  assertBytes, contentBytes, createModelHub, FILES, HUB_URL, hubOptions,
  managerOf, MODEL, urlOf,
} from './world.js';

/** @typedef {import('./world.js').Manager} Manager */

const BLOCK = 1 << 20;
const GRAPH = 'onnx/model.onnx';
const graph = FILES[GRAPH];
const CONFIG = FILES['config.json'];

/** Answers to what is passed on, and remembers with what it was called. */
function passedOn() {
  /** @type {any[][]} */
  const calls = [];
  const answer = new Response('of the platform');
  return {
    calls, answer,
    /** @type {typeof fetch} */
    fetch: async (...args) => {
      calls.push(args);
      return answer;
    },
  };
}

/**
 * A store that has the model; nobody can be asked.
 * @param {import('./memory-store.js').Watch} [watch]
 */
async function stored(watch) {
  const data = emptyData();
  const hub = createModelHub();
  const online = await managerOf(new MemoryStore(data), { fetch: hub.fetch });
  await online.download(MODEL);
  await online.dispose();
  const platform = passedOn();
  return {
    data, platform,
    manager: await managerOf(
      new MemoryStore(data, watch), { fetch: platform.fetch }),
  };
}

/** @param {number} [from] @param {number} [to] */
function bytesOf(from = 0, to = graph.size) {
  return uploaded(graph, from, to);
}

/**
 * @param {import('./world.js').Files[string]} file
 * @param {number} from
 * @param {number} to
 */
function uploaded(file, from, to) {
  return Buffer.from(uploadedContent(file).read(from, to));
}

/**
 * As the Hub names contents: in LFS, and in git.
 * @param {import('./world.js').Files[string]} file
 */
function hashesOf(file) {
  const bytes = uploaded(file, 0, uploadedContent(file).size);
  return {
    sha256: createHash('sha256').update(bytes).digest('hex'),
    git: createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes)
      .digest('hex'),
  };
}

describe('what is stored', () => {
  /** @type {Awaited<ReturnType<typeof stored>>} */
  let world;
  /** @type {Manager} */
  let manager;
  before(async () => {
    world = await stored();
    ({ manager } = world);
  });
  after(() => {
    assert.equal(world.platform.calls.length, 0);
    return manager.dispose();
  });

  test('is asked for by text, address or request', async () => {
    const url = urlOf('config.json');
    for (const input of [url, new URL(url), new Request(url)]) {
      const response = await manager.fetch(input);
      assert.equal(await response.text(), CONFIG);
    }
  });

  test('has the head that the Hub would give', async () => {
    const response = await manager.fetch(urlOf(GRAPH));
    await response.body?.cancel();
    const { sha256 } = hashesOf(graph);
    assert.equal(response.status, 200);
    assert.equal(response.ok, true);
    assert.equal(response.headers.get('content-length'), String(graph.size));
    assert.equal(response.headers.get('etag'), `"${sha256}"`);
    assert.equal(response.headers.get('accept-ranges'), 'bytes');
    assert.equal(response.headers.get('content-type'),
      'application/octet-stream');
    assert.match(response.headers.get('x-repo-commit') ?? '',
      /^[0-9a-f]{40}$/);
    const config = await manager.fetch(urlOf('config.json'));
    assert.equal(config.headers.get('content-type'), 'application/json');
    assert.equal(config.headers.get('etag'), `"${hashesOf(CONFIG).git}"`);
    assert.deepEqual(await config.json(), JSON.parse(CONFIG));
  });

  test('comes in each of the forms in which bodies are read', async () => {
    const ask = () => manager.fetch(urlOf(GRAPH));
    assertBytes(await (await ask()).arrayBuffer(), graph);
    assertBytes(await (await (await ask()).blob()).arrayBuffer(), graph);
    const response = await ask();
    const copy = response.clone();
    assertBytes(await copy.arrayBuffer(), graph);
    assertBytes(await response.arrayBuffer(), graph);
    assert.equal(response.bodyUsed, true);
    await assert.rejects(response.arrayBuffer(), TypeError);
    await assert.rejects(response.text(), TypeError);
  });

  test('is read into buffers of a block, in a larger one or alone', async () => {
    for (const around of [0, 7]) {
      const response = await manager.fetch(urlOf(GRAPH));
      const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body)
        .getReader({ mode: 'byob' });
      const pieces = [];
      let buffer = new ArrayBuffer(BLOCK + 2 * around);
      new Uint8Array(buffer).fill(9);
      for (;;) {
        const { done, value } = await reader.read(
          new Uint8Array(buffer, around, BLOCK));
        if (done) break;
        pieces.push(Buffer.from(value));
        ({ buffer } = value);
        assert.equal(value.byteOffset, around);
        assert.equal(buffer.byteLength, BLOCK + 2 * around);
        assert.ok(new Uint8Array(buffer, 0, around).every((byte) => byte === 9));
        assert.ok(new Uint8Array(buffer, BLOCK + around)
          .every((byte) => byte === 9));
      }
      assertBytes(Buffer.concat(pieces), graph);
    }
  });

  test('is read into buffers of the reader\'s own', async () => {
    const response = await manager.fetch(urlOf(GRAPH));
    const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body)
      .getReader({ mode: 'byob' });
    const pieces = [];
    let buffer = new ArrayBuffer(3_000_001);
    for (;;) {
      const { done, value } = await reader.read(new Uint8Array(buffer));
      if (done) break;
      pieces.push(Buffer.from(value));
      buffer = value.buffer;
    }
    assertBytes(Buffer.concat(pieces), graph);
  });

  test('is read by two at a time, each at its own pace', async () => {
    const [one, other] = await Promise.all(
      [manager.fetch(urlOf(GRAPH)), manager.fetch(urlOf(GRAPH))]);
    const reader = /** @type {ReadableStream<Uint8Array>} */ (one.body)
      .getReader();
    const first = await reader.read();
    assertBytes(await other.arrayBuffer(), graph);
    const pieces = [Buffer.from(first.value ?? [])];
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      pieces.push(Buffer.from(value));
    }
    assertBytes(Buffer.concat(pieces), graph);
  });

  test('has a head without a body for HEAD', async () => {
    const response = await manager.fetch(urlOf(GRAPH), { method: 'HEAD' });
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('content-length'), String(graph.size));
    assert.equal((await response.arrayBuffer()).byteLength, 0);
  });

  test('has the parts of it that are asked for', async () => {
    const { size } = graph;
    /** @type {[string, number, number][]} */
    const parts = [
      ['bytes=0-0', 0, 1], ['bytes=5-9', 5, 10],
      [`bytes=${BLOCK - 1}-${BLOCK}`, BLOCK - 1, BLOCK + 1],
      ['bytes=-7', size - 7, size], [`bytes=${size - 3}-`, size - 3, size],
      [`bytes=${size - 8}-${2 * size}`, size - 8, size],
      [`bytes=-${2 * size}`, 0, size], ['bytes=0-', 0, size],
    ];
    for (const [range, from, to] of parts) {
      const response = await manager.fetch(
        urlOf(GRAPH), { headers: { range } });
      assert.equal(response.status, 206, range);
      assert.equal(response.headers.get('content-range'),
        `bytes ${from}-${to - 1}/${size}`);
      assert.equal(response.headers.get('content-length'), String(to - from));
      const bytes = Buffer.from(await response.arrayBuffer());
      assert.ok(bytes.equals(bytesOf(from, to)), range);
    }
  });

  test('has no parts beyond its end', async () => {
    for (const range of [`bytes=${graph.size}-`, 'bytes=-0',
      'bytes=99999999-999999999']) {
      const response = await manager.fetch(
        urlOf(GRAPH), { headers: { range } });
      assert.equal(response.status, 416, range);
      assert.equal(response.headers.get('content-range'),
        `bytes */${graph.size}`);
      assert.equal((await response.arrayBuffer()).byteLength, 0);
    }
    const response = await manager.fetch(
      urlOf('vocab.txt'), { headers: { range: 'bytes=0-0' } });
    assert.equal(response.status, 416);
  });

  test('comes whole when the range is none, or several', async () => {
    for (const range of ['bytes=0-1,5-6', 'bytes=9-5', 'lines=0-1', 'bytes=',
      'bytes=-', 'bytes=a-b']) {
      const response = await manager.fetch(
        urlOf('config.json'), { headers: { range } });
      assert.equal(response.status, 200, range);
      assert.equal(await response.text(), CONFIG);
    }
  });

  test('is not sent to those who have it', async () => {
    const etag = `"${hashesOf(graph).sha256}"`;
    for (const value of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
      const response = await manager.fetch(
        urlOf(GRAPH), { headers: { 'if-none-match': value } });
      await response.body?.cancel();
      assert.equal(response.status, 304, value);
      assert.equal(response.headers.get('etag'), etag);
    }
    const other = await manager.fetch(
      urlOf('config.json'), { headers: { 'if-none-match': '"x"' } });
    assert.equal(other.status, 200);
    await other.body?.cancel();
  });

  test('is found with a query behind it', async () => {
    const response = await manager.fetch(
      `${urlOf('config.json')}?download=true`);
    assert.equal(await response.text(), CONFIG);
  });

  test('is empty when the file is', async () => {
    const response = await manager.fetch(urlOf('vocab.txt'));
    assert.equal(response.status, 200);
    assert.equal(await response.text(), '');
  });

  test('is noted as used', async () => {
    const key = `tabagent:used/${MODEL}`;
    world.data.files.delete(key);
    const fresh = await managerOf(new MemoryStore(world.data));
    assert.equal((await fresh.models())[0].lastUsedAt, null);
    await (await fresh.fetch(urlOf('config.json'))).text();
    const [{ lastUsedAt }] = await fresh.models();
    // By the clock of a manager that is offline.
    assert.ok(Number(lastUsedAt) >= Date.UTC(2026, 0, 1));
    await fresh.dispose();
  });

  test('is not looked for on the network when it is not there', async () => {
    for (const method of ['GET', 'HEAD']) {
      const response = await manager.fetch(urlOf('added.json'), { method });
      assert.equal(response.status, 404);
      assert.equal(response.headers.get('x-error-code'), 'EntryNotFound');
      await response.body?.cancel();
    }
  });
});

describe('the platform gets', () => {
  /** @type {[string, string | URL | Request, RequestInit?][]} */
  const cases = [
    ['other hosts', 'https://example.org/acme/tiny/resolve/main/config.json'],
    ['other schemes', 'data:text/plain,hello'],
    ['the API', `${HUB_URL}/api/models/${MODEL}`],
    ['data sets', `${HUB_URL}/datasets/acme/tiny/resolve/main/config.json`],
    ['spaces', `${HUB_URL}/spaces/acme/tiny/resolve/main/config.json`],
    ['pages', new URL(`${HUB_URL}/${MODEL}/blob/main/config.json`)],
    ['POST', urlOf('config.json'), { method: 'POST', body: 'x' }],
    ['PUT in a request', new Request(urlOf('config.json'),
      { method: 'PUT', body: 'x' })],
    ['parts of what is not stored', urlOf('config.json', 'v9'),
      { headers: { range: 'bytes=0-0' } }],
    ['heads of what is not stored', urlOf('config.json', 'v9'),
      { method: 'HEAD' }],
    ['relative addresses, where there is no page', 'models/config.json'],
  ];
  for (const [name, input, init] of cases) {
    test(name, async () => {
      const { calls, fetch, answer } = passedOn();
      const data = emptyData();
      const manager = await managerOf(new MemoryStore(data), { fetch });
      assert.equal(await manager.fetch(input, init), answer);
      assert.equal(calls.length, 1);
      assert.equal(calls[0][0], input);
      assert.equal(calls[0][1], init);
      assert.equal(data.files.size, 0);
      await manager.dispose();
    });
  }

  test('addresses of a page that are not of the Hub', async () => {
    const { calls, fetch } = passedOn();
    const manager = await managerOf(new MemoryStore(), { fetch });
    Object.defineProperty(globalThis, 'location',
      { value: new URL('https://example.org/app/'), configurable: true });
    try {
      await manager.fetch('models/config.json');
      assert.deepEqual(calls, [['models/config.json', undefined]]);
    } finally {
      Reflect.deleteProperty(globalThis, 'location');
    }
    await manager.dispose();
  });
});

describe('a miss', () => {
  test('downloads the file and serves it', async () => {
    const hub = createModelHub();
    const data = emptyData();
    const manager = await managerOf(new MemoryStore(data), { fetch: hub.fetch });
    const all = await Promise.all(Array.from({ length: 3 },
      async () => (await manager.fetch(urlOf(GRAPH))).arrayBuffer()));
    for (const bytes of all) assertBytes(bytes, graph);
    assert.equal(contentBytes(hub), graph.size);
    const from = hub.requests.length;
    assert.equal((await manager.fetch(urlOf('nothing.json'))).status, 404);
    assert.equal(hub.requests.length, from);
    await manager.dispose();
  });

  test('counts for the dtype of a graph that was asked for by itself', async () => {
    const hub = createModelHub();
    const manager = await managerOf(
      new MemoryStore(emptyData()), { fetch: hub.fetch });
    await (await manager.fetch(urlOf('config.json'))).text();
    assert.deepEqual((await manager.models())[0].dtypes, []);
    await (await manager.fetch(urlOf(GRAPH))).arrayBuffer();
    const [{ dtypes: [part], bytes }] = await manager.models();
    assert.deepEqual(part,
      { dtype: 'fp32', status: 'available', bytes, complete: false });
    for (const path of ['tokenizer.json', 'vocab.txt']) {
      await (await manager.fetch(urlOf(path))).text();
    }
    const [{ dtypes: [whole] }] = await manager.models();
    assert.equal(whole.complete, true);
    await manager.dispose();
  });

  test('takes a revision with a slash', async () => {
    const hub = createModelHub();
    const data = emptyData();
    const manager = await managerOf(new MemoryStore(data), { fetch: hub.fetch });
    const response = await manager.fetch(urlOf('config.json', 'refs%2Fpr%2F1'));
    const direct = await hub.fetch(urlOf('config.json', 'refs%2Fpr%2F1'));
    assert.equal(response.status, direct.status);
    assert.equal(await response.text(), await direct.text());
    await manager.dispose();
  });

  for (const [name, entry, token, status] of /** @type {const} */ ([
    ['401', { private: true }, null, 401],
    ['403', { gated: 'manual' }, 'hf_reader', 403],
    ['404', { private: true }, 'hf_reader', 404],
  ])) {
    test(`passes a ${name} of the Hub on and stores nothing`, async () => {
      const hub = createModelHub(FILES, { entry });
      const data = emptyData();
      const manager = await managerOf(
        new MemoryStore(data), { fetch: hub.fetch });
      /** @type {RequestInit} */
      const init = token
        ? { headers: { authorization: `Bearer ${token}` } } : {};
      const response = await manager.fetch(urlOf(GRAPH), init);
      assert.equal(response.status, status);
      await response.body?.cancel();
      // Of a gated repository the list is open to all.
      assert.deepEqual([...data.files.keys()]
        .filter((key) => !key.startsWith('tabagent:revision/')), []);
      assert.deepEqual(await manager.models(), []);
      // Who may, gets it afterwards.
      const granted = { headers: {
        authorization: `Bearer ${'private' in entry ? 'hf_owner' : 'hf_granted'}` } };
      const right = await manager.fetch(urlOf('config.json'), granted);
      assert.equal(await right.text(), CONFIG);
      await manager.dispose();
      assert.ok(!JSON.stringify([...data.files.keys()]).includes('hf_'));
    });
  }

  test('of a repository that does not exist is the Hub\'s answer', async () => {
    const hub = createModelHub();
    const data = emptyData();
    const manager = await managerOf(new MemoryStore(data), { fetch: hub.fetch });
    const url = `${HUB_URL}/acme/none/resolve/main/config.json`;
    const response = await manager.fetch(url);
    assert.equal(response.status, (await hub.fetch(url)).status);
    assert.ok(response.status >= 400);
    assert.equal(data.files.size, 0);
    await manager.dispose();
  });

  test('tells a network error as fetch does', async () => {
    const manager = await managerOf(new MemoryStore());
    await assert.rejects(manager.fetch(urlOf('config.json')));
    assert.deepEqual(await manager.jobs(), []);
    await manager.dispose();
  });
});

describe('stopping', () => {
  test('before it begins', async () => {
    const { manager } = await stored();
    const reason = new Error('no more');
    await assert.rejects(manager.fetch(
      urlOf('config.json'), { signal: AbortSignal.abort(reason) }),
    (error) => error === reason);
    await assert.rejects(manager.fetch(new Request(
      urlOf('config.json'), { signal: AbortSignal.abort(reason) })),
    (error) => error === reason);
    await manager.dispose();
  });

  test('while it is downloaded', async () => {
    const hub = createModelHub();
    const controller = new AbortController();
    const manager = await managerOf(new MemoryStore(undefined, {
      after: (name) => { if (name === 'write') controller.abort(); },
    }), { fetch: hub.fetch });
    await assert.rejects(
      manager.fetch(urlOf(GRAPH), { signal: controller.signal }),
      { name: 'AbortError' });
    assert.deepEqual(await manager.jobs(), []);
    assertBytes(await (await manager.fetch(urlOf(GRAPH))).arrayBuffer(), graph);
    await manager.dispose();
  });

  test('while it is read', async () => {
    const { manager } = await stored();
    const controller = new AbortController();
    const response = await manager.fetch(
      urlOf(GRAPH), { signal: controller.signal });
    const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body)
      .getReader();
    await reader.read();
    controller.abort();
    await assert.rejects(async () => {
      while (!(await reader.read()).done);
    }, { name: 'AbortError' });
    assert.deepEqual(await manager.jobs(), []);
    assertBytes(await (await manager.fetch(urlOf(GRAPH))).arrayBuffer(), graph);
    await manager.dispose();
  });

  test('by cancelling the body ends the reading of the store', async () => {
    let reads = 0;
    const { manager } = await stored({
      before: (name) => { reads += Number(name === 'blob'); },
    });
    const response = await manager.fetch(urlOf(GRAPH));
    const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body)
      .getReader();
    await reader.read();
    await reader.cancel('enough');
    assert.deepEqual(await manager.jobs(), []);
    assertBytes(await (await manager.fetch(urlOf(GRAPH))).arrayBuffer(), graph);
    assert.ok(reads >= 2);
    await manager.dispose();
  });
});

/** Lets everything happen that waits for nobody. */
async function idle() {
  for (let i = 0; i < 50; i += 1) {
    await new Promise((resolve) => { setImmediate(resolve); });
  }
}

/**
 * @param {Blob} blob
 * @param {(count: number) => void} onBytes told how many were taken out of it
 */
function countedStream(blob, onBytes) {
  let at = 0;
  return new ReadableStream({
    type: 'bytes',
    async pull(controller) {
      const view = /** @type {any} */ (controller.byobRequest).view;
      const part = new Uint8Array(
        await blob.slice(at, at + view.byteLength).arrayBuffer());
      view.set(part);
      at += part.length;
      onBytes(part.length);
      controller.byobRequest?.respond(part.length);
    },
  });
}

describe('a reader that does not read', () => {
  test('of short files holds nothing', async () => {
    const { manager } = await stored();
    for (let i = 0; i < 300; i += 1) {
      const response = await manager.fetch(urlOf('config.json'));
      assert.equal(response.status, 200);
    }
    await idle();
    assert.deepEqual(await manager.jobs(), []);
    await manager.dispose();
  });

  test('of large files leaves room for others', async () => {
    const { manager } = await stored();
    const answers = [];
    for (let i = 0; i < 100; i += 1) {
      answers.push(await manager.fetch(urlOf(GRAPH)));
    }
    assert.equal((await manager.models()).length, 1);
    await Promise.all(answers.map((answer) => answer.body?.cancel()));
    await idle();
    assert.deepEqual(await manager.jobs(), []);
    await manager.dispose();
  });

  test('leaves the rest in the store', async () => {
    const { manager, data } = await stored();
    const key = `${MODEL}/${GRAPH}_chunk_0`;
    const blob = /** @type {Blob} */ (data.files.get(key));
    let bytes = 0;
    blob.stream = () => countedStream(blob.slice(), (count) => {
      bytes += count;
    });
    const response = await manager.fetch(urlOf(GRAPH));
    await idle();
    assert.equal(bytes, 0, 'nobody has read yet');
    const reader = /** @type {any} */ (response.body).getReader();
    await reader.read();
    await idle();
    // What was read, what is ready for the next read, and what is on its way.
    assert.ok(bytes >= BLOCK && bytes <= 4 * BLOCK, `${bytes} bytes`);
    await reader.cancel();
    await manager.dispose();
  });
});

describe('the cache', () => {
  test('has what is stored, and fetches nothing', async () => {
    const { manager, platform } = await stored();
    const hit = await manager.cache.match(urlOf('config.json'));
    assert.equal(await hit?.text(), CONFIG);
    for (const url of [urlOf('config.json', 'v9'), urlOf('nothing.json'),
      'https://example.org/x', 'relative.json']) {
      assert.equal(await manager.cache.match(url), undefined);
    }
    assert.equal(platform.calls.length, 0);
    await manager.dispose();
  });

  test('takes a body, verified', async () => {
    const hub = createModelHub();
    const data = emptyData();
    const manager = await managerOf(new MemoryStore(data), { fetch: hub.fetch });
    await manager.cache.put(urlOf('config.json'), new Response(CONFIG));
    assert.equal(contentBytes(hub), 0);
    const hit = await manager.cache.match(urlOf('config.json'));
    assert.equal(await hit?.text(), CONFIG);
    const wrong = CONFIG.replace('llama', 'llame');
    await assert.rejects(manager.cache.put(
      urlOf('tokenizer.json'), new Response(wrong)));
    await assert.rejects(manager.cache.put(
      urlOf('tokenizer.json'), new Response('{"version":"2.0"}')),
    { code: 'hash_mismatch' });
    assert.equal(await manager.cache.match(urlOf('tokenizer.json')), undefined);
    await manager.dispose();
  });
});

describe('a mirror', () => {
  test('serves while the Hub cannot be reached, and gets no token', async () => {
    const world = await startMirrored(hubOptions(FILES));
    const data = emptyData();
    const options = {
      hubUrl: world.main.url, mirrors: [world.mirror.url],
      fetch: globalThis.fetch,
    };
    const init = { headers: { authorization: 'Bearer hf_granted' } };
    const url = `${world.main.url}/${MODEL}/resolve/main`;
    try {
      let manager = await managerOf(new MemoryStore(data), options);
      const config = await manager.fetch(`${url}/config.json`, init);
      assert.equal(await config.text(), CONFIG);
      // From now on the files of the Hub itself are out of reach.
      world.main.hub.faults.add({ match: '/resolve/', status: 503 });
      world.main.hub.faults.add({ content: true, resetAfter: 0 });
      const response = await manager.fetch(`${url}/${GRAPH}`, init);
      assertBytes(await response.arrayBuffer(), graph);
      assert.ok(contentBytes(world.mirror.hub) >= graph.size);
      assert.deepEqual(world.leaks('hf_granted'), []);
      await manager.dispose();
      // What came from a mirror is of the Hub.
      manager = await managerOf(new MemoryStore(data));
      const again = await manager.fetch(urlOf(GRAPH));
      assertBytes(await again.arrayBuffer(), graph);
      await manager.dispose();
    } finally {
      await world.close();
    }
  });
});

describe('a condition on a part', () => {
  test('that does not hold gives the whole file', async () => {
    const { manager } = await stored();
    const { headers } = await manager.fetch(urlOf('config.json'));
    const etag = headers.get('etag') ?? '';
    const ask = (/** @type {string} */ ifRange) => manager.fetch(
      urlOf('config.json'),
      { headers: { range: 'bytes=1-3', 'if-range': ifRange } });
    assert.equal(await (await ask(etag)).text(), CONFIG.slice(1, 4));
    const other = await ask('"of another revision"');
    assert.deepEqual([other.status, await other.text()], [200, CONFIG]);
    await manager.dispose();
  });
});

describe('after dispose', () => {
  test('other addresses are still fetched', async () => {
    const { manager, platform } = await stored();
    await manager.dispose();
    await manager.fetch('https://example.org/x');
    assert.equal(platform.calls.length, 1);
    await assert.rejects(manager.fetch(urlOf(GRAPH)), { code: 'invalid_state' });
  });
});

describe('arguments', () => {
  test('of a wrong kind are refused by name', async () => {
    const { manager } = await stored();
    const wrong = /** @type {any} */ (manager);
    const refused = { name: 'TabAgentError' };
    for (const source of [null, undefined, 5, {}, [], [null], 'x']) {
      await assert.rejects(wrong.importModel(source), refused);
    }
    for (const response of [undefined, 'x', new Response('', { status: 404 })]) {
      await assert.rejects(
        wrong.cache.put(urlOf('config.json'), response), refused);
    }
    await assert.rejects(wrong.plan(MODEL, { dtpye: 'q4' }),
      { code: 'invalid_params', stage: 'params', message: /^dtpye: / });
    await assert.rejects(wrong.download(), { stage: 'params' });
    await manager.dispose();
  });

  test('files of another model are refused', async () => {
    const manager = await managerOf(
      new MemoryStore(), { fetch: createModelHub().fetch });
    await assert.rejects(
      manager.importModel([new File(['x'], 'zz.bin')], { modelId: MODEL }),
      { code: 'not_found' });
    await manager.dispose();
  });
});
