// SPDX-License-Identifier: Apache-2.0
// The two fronts give the same answers; the server alone adds control routes
// and what only a real connection can show.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';

import { createHub, readCatalogue, startHub } from '../index.js';
import { bearer, ORIGIN, virtualHub } from './support.js';

const OPTIONS = { models: 800, latency: /** @type {const} */ (false) };
const LIST = '/api/models?limit=50&full=true&config=true';
const LARGE = '/openai-community/gpt2/resolve/main/onnx/model.onnx';

/** @type {Awaited<ReturnType<typeof startHub>>} */
let server;
const directory = mkdtempSync(join(tmpdir(), 'hub-test-'));

before(async () => { server = await startHub(OPTIONS); });
after(async () => {
  await server.close();
  rmSync(directory, { recursive: true });
});

/** Headers that name the place, the time or the connection. */
const LOCAL = new Set([
  'date', 'connection', 'keep-alive', 'x-request-id', 'ratelimit', 'link',
  'location', 'content-length', 'transfer-encoding',
]);

/** @param {Headers} headers */
function comparable(headers) {
  return [...headers].filter(([name]) => !LOCAL.has(name)).sort();
}

/** @type {[string, RequestInit?][]} */
const REQUESTS = [
  [LIST],
  ['/api/models?expand=bogus'],
  ['/api/models/openai-community/gpt2?blobs=true'],
  ['/api/models/openai-community/gpt2/tree/main?recursive=true'],
  ['/gpt2/resolve/main/config.json'],
  [LARGE, { headers: { range: 'bytes=100-70000' } }],
  [LARGE, { method: 'HEAD' }],
  ['/openai-community/gpt2/resolve/main/none.json'],
  ['/closed/gated-auto/resolve/main/config.json', bearer('hf_reader')],
  ['/no/repo/resolve/main/config.json'],
  ['/odd-names/non-ascii-0/resolve/main/%E6%A8%A1%E5%9E%8B.txt'],
];

const near = createHub(OPTIONS);

for (const [path, init] of REQUESTS) {
  test(`same answer from both fronts: ${init?.method ?? 'GET'} ${path}`, async () => {
    const inProcess = await near.fetch(ORIGIN + path, init);
    const overHttp = await fetch(server.url + path, init);
    assert.equal(overHttp.status, inProcess.status);
    assert.deepEqual(comparable(overHttp.headers), comparable(inProcess.headers));
    assert.deepEqual(Buffer.from(await overHttp.arrayBuffer()),
      Buffer.from(await inProcess.arrayBuffer()));
  });
}

test('Link and Location name the server\'s own origins', async () => {
  const list = await fetch(server.url + LIST);
  await list.arrayBuffer();
  assert.ok(list.headers.get('link')?.startsWith(`<${server.url}/api/models?`));
  const file = await fetch(server.url + LARGE, { redirect: 'manual' });
  assert.ok(file.headers.get('location')?.startsWith(`${server.cdnUrl}/`));
  assert.notEqual(server.url, server.cdnUrl);
});

test('another process can set faults, move time, and read the log', async () => {
  const control = (/** @type {string} */ route, /** @type {any} */ body,
    method = 'POST') => fetch(`${server.url}/__control/${route}`, {
    method, body: body && JSON.stringify(body),
    headers: body && { 'content-type': 'application/json' },
  });
  await control('faults', { match: '/refs', status: 503, times: 1 });
  const refs = `${server.url}/api/models/openai-community/gpt2/refs`;
  assert.equal((await fetch(refs)).status, 503);
  assert.equal((await fetch(refs)).status, 200);
  await control('faults', undefined, 'DELETE');
  const rules = await (await fetch(`${server.url}/__control/faults`)).json();
  assert.deepEqual(rules, []);

  const moved = await (await control('clock', { advanceMs: 300_000 })).json();
  assert.ok(moved.now >= Date.now() + 299_000);
  const renewed = await fetch(refs);
  assert.match(renewed.headers.get('ratelimit') ?? '', /r=499/);

  const log = await (await fetch(`${server.url}/__control/requests`)).json();
  assert.equal(log.at(-1).url, refs);
  const truth = await (await fetch(
    `${server.url}/__control/truth?id=openai-community/gpt2`)).json();
  assert.equal(truth.classification, 'gen');
});

test('a reset closes the connection in the middle of the body', async () => {
  const rule = server.hub.faults.add({ match: LIST, resetAfter: 1000 });
  const response = await fetch(server.url + LIST);
  assert.equal(response.status, 200);
  await assert.rejects(response.arrayBuffer(), TypeError);
  rule.remove();
});

test('a length too large ends in an error, not in a wait', async () => {
  const rule = server.hub.faults.add(
    { match: LIST, headers: { 'content-length': '99999999' } });
  await assert.rejects(fetch(server.url + LIST).then((r) => r.text()));
  rule.remove();
});

test('a stalled reply can be aborted, and does not keep the server open', async () => {
  const own = await startHub({ models: 100 });
  own.hub.faults.add({ stallHead: true });
  const controller = new AbortController();
  const waiting = fetch(own.url + LIST, { signal: controller.signal });
  while (own.hub.requests.length === 0) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  controller.abort();
  await assert.rejects(waiting, { name: 'AbortError' });
  await own.close();
});

test('the page personality hides the quota on the wire as well', async () => {
  const own = await startHub({ models: 100, personality: 'page' });
  const reply = await fetch(`${own.url}/api/models?limit=1`);
  assert.equal(reply.headers.get('ratelimit'), null);
  assert.ok(reply.headers.get('link'));
  assert.ok(reply.headers.get('access-control-expose-headers'));
  await own.close();
});

const OLD_ROWS = [
  '{"modelId":"gpt2","sha":"abc","tags":[],"pipeline_tag":null,"siblings":[{"rfilename":"config.json"}],"config":null,"private":false,"downloads":5,"likes":0}',
  '{"modelId":"a/b","tags":["onnx"],"config":{"model_type":"bert"},"private":false}',
];

for (const name of ['rows.ndjson', 'rows.ndjson.gz']) {
  test(`a catalogue from ${name} is served as it is`, async () => {
    const file = join(directory, name);
    const text = `${OLD_ROWS.join('\n')}\n\n`;
    writeFileSync(file, name.endsWith('.gz') ? gzipSync(text) : text);
    const { get } = virtualHub({ catalogue: readCatalogue(file) });
    const rows = (await get('/api/models?full=true&config=true&sort=downloads')).json();
    const expected = OLD_ROWS.map((row) => JSON.parse(row));
    assert.deepEqual(rows, expected);
    const expanded = (await get('/api/models?expand=config&sort=downloads')).json();
    assert.equal(expanded[0].id, 'gpt2');
    assert.match(expanded[0]._id, /^[0-9a-f]{24}$/);
  });
}

test('a broken line of a catalogue is named', () => {
  const file = join(directory, 'broken.ndjson');
  writeFileSync(file, '{"modelId":"a/b"}\n{oops\n');
  assert.throws(() => readCatalogue(file), /broken\.ndjson:2: not a listing entry/);
});

test('real files are published as a model', async () => {
  const config = '{"architectures":["LlamaForCausalLM"],"model_type":"llama"}';
  const files = new Map([
    ['config.json', Buffer.from(config)],
    ['onnx/model.onnx', Buffer.from('graph')],
  ]);
  const { get } = virtualHub({ repositories: [{
    id: 'me/tiny', files, entry: { pipeline_tag: 'text-generation' },
  }] });
  const [row] = (await get('/api/models?author=me&full=true&config=true')).json();
  assert.equal(row.pipeline_tag, 'text-generation');
  assert.deepEqual(row.config, JSON.parse(config));
  assert.deepEqual(row.tags, ['onnx']);
  assert.equal((await get('/me/tiny/resolve/main/config.json')).text, config);
  assert.equal((await get('/me/tiny/resolve/main/onnx/model.onnx')).text, 'graph');
});

test('a directory is published with its paths', async () => {
  const root = join(directory, 'model');
  mkdirSync(join(root, 'onnx'), { recursive: true });
  writeFileSync(join(root, 'config.json'), '{"model_type":"t5"}');
  writeFileSync(join(root, 'onnx', 'model.onnx'), 'graph');
  const { get } = virtualHub({ repositories: [{ id: 'me/dir', files: root }] });
  const info = (await get('/api/models/me/dir')).json();
  assert.deepEqual(info.siblings,
    [{ rfilename: 'config.json' }, { rfilename: 'onnx/model.onnx' }]);
});

test('latencies come from the seed', async () => {
  const times = async (/** @type {number} */ seed) => {
    const { clock, get } = virtualHub({ seed, latency: undefined });
    const seen = [];
    for (let i = 0; i < 50; i += 1) {
      const before_ = clock.now();
      await get('/api/models?limit=1');
      seen.push(clock.now() - before_);
    }
    return seen;
  };
  const first = await times(3);
  assert.deepEqual(await times(3), first);
  assert.notDeepEqual(await times(4), first);
  const median = first.sort((a, b) => a - b)[25];
  assert.ok(median > 50 && median < 130, `${median}`);
});

test('the command line tells its addresses', async () => {
  const main = new URL('../serve.js', import.meta.url).pathname;
  const child = execFile(process.execPath, [main, '--models', '60']);
  let output = '';
  for await (const piece of /** @type {any} */ (child.stdout)) {
    output += piece;
    if (output.includes('models')) break;
  }
  const url = /http:\/\/127\.0\.0\.1:\d+/.exec(output)?.[0];
  const rows = await (await fetch(`${url}/api/models?limit=5`)).json();
  assert.equal(rows.length, 5);
  child.kill();
});

test('the command line refuses nonsense', async () => {
  const main = new URL('../serve.js', import.meta.url).pathname;
  const code = await new Promise((resolve) => {
    execFile(process.execPath, [main, '--port', 'x'], (error) => resolve(error?.code));
  });
  assert.equal(code, 2);
});
