// SPDX-License-Identifier: Apache-2.0
// `download`, `models`, `verify`, `delete` and the journey as their users meet
// them, over a Hub that can be slowed down, broken and counted.

import assert from 'node:assert/strict';
import { mkdtemp, open, readdir, rm, stat, writeFile }
  from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { startHub } from '../hub/index.js';
import { promiseWithResolvers, run, start, unusedAddress }
  from './command-process.js';
import { pick } from './journey-store.js';

const MODEL = 'owner/model';

/** What is downloaded in one piece. */
const CHUNK = 16 * 1024 * 1024;

/** Half a chunk more than four. */
const WEIGHT_BYTES = 4.5 * CHUNK;
const Q4_BYTES = 1_000_000;
const CONFIG = '{"model_type":"llama","architectures":["LlamaForCausalLM"]}';
const TOKENIZER = '{}';

/** What every dtype needs besides the weights. */
const SMALL_BYTES = CONFIG.length + TOKENIZER.length;

/** @type {Awaited<ReturnType<typeof startHub>>} */
let server;
/** @type {string[]} */
const directories = [];

before(async () => {
  const files = new Map(Object.entries({
    'config.json': CONFIG,
    'tokenizer.json': TOKENIZER,
    'onnx/model_quantized.onnx': { size: WEIGHT_BYTES, seed: 'q8' },
    'onnx/model_q4.onnx': { size: Q4_BYTES, seed: 'q4' },
  }));
  server = await startHub({
    models: 1, rateLimits: false,
    repositories: [
      { id: MODEL, files, entry: { pipeline_tag: 'text-generation' } },
    ],
  });
});
after(async () => {
  await server.close();
  for (const path of directories) await rm(path, { recursive: true });
});

/** @returns {Promise<string>} an empty directory */
async function newDirectory() {
  const path = await mkdtemp(join(tmpdir(), 'tabagent-cli-'));
  directories.push(path);
  return path;
}

/**
 * @param {string} data
 * @param {string} [hub]
 */
function places(data, hub = server.url) {
  return ['--data', data, '--hub', hub];
}

/**
 * Bytes of the file that the Hub has sent, redirects not counted.
 * @param {string} path
 * @param {number} since entry of the log
 */
function sentOf(path, since) {
  return server.hub.requests.slice(since)
    .filter(({ url, status }) => url.includes(path) && status < 300)
    .reduce((sum, { bytesSent }) => sum + bytesSent, 0);
}

/** @param {string} text */
function linesOf(text) {
  return text.trimEnd().split('\n').map((line) => JSON.parse(line));
}

describe('a model from its download to its end', () => {
  /** @type {string} */
  let data;
  before(async () => { data = await newDirectory(); });

  test('nothing is stored at first', async () => {
    const { code, stdout } = await run(['models', ...places(data)]);
    assert.equal(code, 0);
    assert.equal(stdout, `No models are stored.\nin ${data}\n`);
  });

  test('a download says what it stored, and how far it is', async () => {
    const { code, stdout, stderr } = await run(
      ['download', MODEL, '--dtype', 'q4', ...places(data)]);
    assert.equal(code, 0);
    assert.match(stdout, /^Stored and verified: owner\/model q4, 3 files, /);
    assert.match(stdout, /1\.00 MB, commit [0-9a-f]{7}, in /);
    assert.match(stdout, new RegExp(`in ${data}$`, 'm'));
    assert.match(stderr, /^100 % {2}1\.00 MB of 1\.00 MB/m);
    assert.doesNotMatch(stdout + stderr, /\x1b/, 'no colours in a pipe');
  });

  test('the second time nothing is fetched', async () => {
    const since = server.hub.requests.length;
    const { code, stdout } = await run(
      ['download', MODEL, '--dtype', 'q4', ...places(data)]);
    assert.equal(code, 0);
    assert.match(stdout, /^Stored already: owner\/model q4, 3 files, /);
    assert.equal(server.hub.requests.slice(since)
      .some(({ url }) => url.includes('/resolve/')), false);
  });

  test('models lists it, for people and for programs', async () => {
    const { stdout } = await run(['models', '--data', data]);
    assert.match(stdout, /^owner\/model +main [0-9a-f]{7} +q4 +1\.00 MB /m);
    const { code, ...output } = await run(['models', '--data', data, '--json']);
    assert.equal(code, 0);
    assert.equal(output.stderr, '');
    const document = JSON.parse(output.stdout);
    assert.equal(document.data, data);
    assert.deepEqual(document.models.map((/** @type {any} */ row) => (
      [row.modelId, row.revision, row.dtypes, row.bytes])), [
      [MODEL, 'main', [{
        dtype: 'q4', status: 'downloaded', complete: true,
        bytes: Q4_BYTES + SMALL_BYTES,
      }], Q4_BYTES + SMALL_BYTES],
    ]);
  });

  test('doctor counts it', async () => {
    const { code, stdout } = await run(['doctor', '--json', ...places(data)]);
    assert.equal(code, 0);
    assert.deepEqual(JSON.parse(stdout).at(-1), {
      check: 'store', ok: true, message: '1 model, 1.00 MB', fix: null,
    });
  });

  test('verify reads it', async () => {
    const { code, stdout } = await run(['verify', MODEL, ...places(data)]);
    assert.equal(code, 0);
    assert.match(stdout, /^Verified: every stored byte of owner\/model is /);
  });

  test('verify repairs what was damaged, and names it', async () => {
    await flipByte(join(data, 'content'), Q4_BYTES);
    const { code, stdout } = await run(
      ['verify', MODEL, '--json', ...places(data)]);
    assert.equal(code, 0);
    assert.deepEqual(JSON.parse(stdout), {
      modelId: MODEL, ok: true, repaired: 1,
      damaged: [{ file: 'onnx/model_q4.onnx', chunk: 0 }],
    });
    const again = await run(['verify', MODEL, '--json', ...places(data)]);
    assert.deepEqual(JSON.parse(again.stdout).damaged, []);
  });

  test('delete of another dtype says what there is', async () => {
    const { code, stdout, stderr } = await run(
      ['delete', MODEL, '--dtype', 'q8', '--data', data]);
    assert.equal(code, 1);
    assert.equal(stdout, '');
    assert.match(stderr, /owner\/model q8 is not stored; stored dtypes: q4 /);
  });

  test('delete removes it', async () => {
    const { code, stdout } = await run(
      ['delete', MODEL, '--json', '--data', data]);
    assert.equal(code, 0);
    assert.deepEqual(JSON.parse(stdout), {
      modelId: MODEL, dtype: null, deletedBytes: Q4_BYTES + SMALL_BYTES,
    });
    const models = await run(['models', '--json', '--data', data]);
    assert.deepEqual(JSON.parse(models.stdout).models, []);
    const again = await run(['delete', MODEL, '--data', data]);
    assert.equal(again.code, 1);
    assert.match(again.stderr, /owner\/model is not stored \(not_stored\)/);
  });
});

/**
 * @param {string} directory
 * @param {number} size of the file in it to damage
 */
async function flipByte(directory, size) {
  for (const name of await readdir(directory)) {
    const path = join(directory, name);
    if ((await stat(path)).size !== size) continue;
    const file = await open(path, 'r+');
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, 1000);
    await file.write(Buffer.of(buffer[0] ^ 1), 0, 1, 1000);
    await file.close();
    return;
  }
  assert.fail(`no file of ${size} bytes in ${directory}`);
}

describe('download --json', () => {
  test('prints JSON lines: progress, then the result', async () => {
    const data = await newDirectory();
    const { code, stdout, stderr } = await run(
      ['download', MODEL, '--dtype', 'q4', '--json', ...places(data)]);
    assert.equal(code, 0);
    assert.equal(stderr, '');
    const lines = linesOf(stdout);
    const done = lines.pop();
    assert.equal(lines.length > 0, true);
    for (const line of lines) {
      assert.deepEqual(Object.keys(line), ['event', 'phase', 'file', 'loaded',
        'total', 'bytesPerSecond', 'etaMs']);
      assert.equal(line.event, 'progress');
      assert.equal(line.total, Q4_BYTES + SMALL_BYTES);
    }
    const { event, modelId, dtype, bytes, fromCache, files } = done;
    assert.deepEqual({ event, modelId, dtype, bytes, fromCache }, {
      event: 'done', modelId: MODEL, dtype: 'q4', fromCache: false,
      bytes: Q4_BYTES + SMALL_BYTES,
    });
    assert.deepEqual(files.map((/** @type {any} */ { path }) => path).sort(),
      ['config.json', 'onnx/model_q4.onnx', 'tokenizer.json']);
  });

  test('ends with the error when there is one', async () => {
    const data = await newDirectory();
    const { code, stdout } = await run(
      ['download', MODEL, '--dtype', 'fp16', '--json', ...places(data)]);
    assert.equal(code, 1);
    const { error } = linesOf(stdout).at(-1);
    assert.equal(error.code, 'dtype_unavailable');
  });
});

describe('Ctrl-C in a download', { timeout: 60_000 }, () => {
  for (const flags of [[], ['--json']]) {
    test(`keeps what is stored, ${flags.join('') || 'in words'}`, async (context) => {
      const data = await newDirectory();
      const args = ['download', MODEL, '--dtype', 'q8', ...flags,
        ...places(data)];
      const { code, stdout, stderr } = await interruptedRun(context, args);
      assert.equal(code, 130);
      assert.match(stderr, /^What is stored so far is kept\. The same command /m);
      assert.equal(stderr.includes(`  npm start -- ${args.join(' ')}\n`), true);
      assert.match(stderr, /cancelled\n$/);
      if (flags.length > 0) {
        assert.equal(linesOf(stdout).at(-1).error.code, 'cancelled');
      }

      const since = server.hub.requests.length;
      const resumed = await run(
        ['download', MODEL, '--dtype', 'q8', '--json', ...places(data)]);
      assert.equal(resumed.code, 0);
      const done = linesOf(resumed.stdout).at(-1);
      // Two chunks were sent whole, and the third was not.
      assert.equal(done.resumedBytes >= 2 * CHUNK, true, resumed.stdout);
      assert.equal(done.resumedBytes + done.fetchedBytes,
        WEIGHT_BYTES + SMALL_BYTES);
      assert.equal(sentOf('xet-bridge', since), done.fetchedBytes);
    });
  }
});

/**
 * Interrupts a download when two chunks are stored: of three on their way at a
 * time, the fifth is asked for then. All but the first two hang in the middle.
 * @param {import('node:test').TestContext} context
 * @param {string[]} args
 */
async function interruptedRun(context, args) {
  const { hub } = server;
  const fault = hub.faults.add(
    { match: 'xet-bridge', skip: 2, stallAfter: CHUNK / 2 });
  const since = hub.requests.length;
  const isSoFar = () => hub.requests.slice(since)
    .filter(({ url }) => url.includes('xet-bridge')).length >= 5;
  const { promise, resolve } = promiseWithResolvers();
  const timer = setInterval(() => { if (isSoFar()) resolve(undefined); }, 5);
  const { child, end } = start(args);
  context.after(() => child.kill('SIGKILL'));
  try {
    await Promise.race([promise, end]);
    child.kill('SIGINT');
    return await end;
  } finally {
    clearInterval(timer);
    fault.remove();
  }
}

describe('what cannot be done', () => {
  for (const [args, status, message] of
    /** @type {[string[], number, RegExp][]} */ ([
      [['download'], 2, /missing required argument 'model'/],
      [['download', MODEL, 'more'], 2, /too many arguments/],
      [['download', '../model'], 2, /modelId: expected the id of a repository/],
      [['download', ''], 2, /modelId: expected the id of a repository/],
      [['download', MODEL, '--dtype', 'q99'], 1,
        /these dtypes: q8, q4 \(dtype_unavailable\)/],
      [['download', MODEL, '--revision', 'none'], 1, /\(not_found\)/],
      [['download', 'no/such'], 1, /\(unauthorized\)\nCheck the id /],
      [['download', MODEL, '--token-env', 'NO_SUCH'], 2,
        /variable NO_SUCH is not set/],
      [['verify', 'no/such'], 1, /not in the store \(not_stored\)/],
      [['verify', MODEL, '--dtype', 'q4'], 2, /verify takes no option '--dtype'/],
      [['delete', 'no/such'], 1, /no\/such is not stored \(not_stored\)/],
      [['delete', MODEL, '--revision', 'main'], 2,
        /delete takes no option '--revision'/],
      [['models', 'more'], 2, /too many arguments/],
      [['models', '--revision', 'main'], 2,
        /models takes no option '--revision'/],
    ])) {
    test(`${status} for ${args.join(' ')}`, async () => {
      const { code, stdout, stderr } = await run(
        [...args, ...places(await newDirectory())]);
      assert.equal(code, status, stderr);
      assert.match(stderr, message);
      assert.equal(stdout, '');
    });
  }

  test('1 for a download without a network', async () => {
    const hub = await unusedAddress();
    const { code, stdout } = await run(['download', MODEL, '--json',
      ...places(await newDirectory(), hub)]);
    assert.equal(code, 1);
    const { error } = linesOf(stdout).at(-1);
    assert.equal(error.code, 'network');
    assert.equal(error.retryable, true);
  });

  test('models and delete need no network', async () => {
    const data = await newDirectory();
    const hub = await unusedAddress();
    const download = await run(
      ['download', MODEL, '--dtype', 'q4', ...places(data)]);
    assert.equal(download.code, 0);
    const models = await run(['models', '--json', ...places(data, hub)]);
    assert.equal(JSON.parse(models.stdout).models.length, 1);
    const verification = await run(['verify', MODEL, ...places(data, hub)]);
    assert.equal(verification.code, 0);
    const deletion = await run(['delete', MODEL, ...places(data, hub)]);
    assert.equal(deletion.code, 0);
  });

  test('a file in place of the directory is told by doctor, too', async () => {
    const path = join(await newDirectory(), 'file');
    await writeFile(path, '');
    const models = await run(['models', '--json', '--data', path]);
    assert.equal(models.code, 1);
    assert.equal(JSON.parse(models.stdout).error.code, 'store_failed');
    const { code, stdout } = await run(
      ['doctor', '--json', ...places(path)]);
    assert.equal(code, 1);
    assert.deepEqual(JSON.parse(stdout).at(-1), {
      check: 'data', ok: false, message: `${path} is not a directory`,
      fix: 'give another directory with --data',
    });
  });
});

describe('the token', () => {
  test('opens what is gated, and goes to the Hub only', async (context) => {
    const files = new Map(Object.entries({
      'config.json': CONFIG, 'onnx/model.onnx': { size: 20_000_000, seed: 1 },
    }));
    const gated = await startHub({
      models: 1,
      repositories: [{ id: MODEL, files, entry: { gated: 'auto' } }],
    });
    context.after(() => gated.close());
    const data = await newDirectory();
    const args = ['download', MODEL, ...places(data, gated.url)];
    const refused = await run(args);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /\(unauthorized\)/);
    const letIn = await run([...args, '--token-env', 'MINE'],
      { MINE: 'hf_granted' });
    assert.equal(letIn.code, 0, letIn.stderr);
    await flipByte(join(data, 'content'), CHUNK);
    const repair = await run(['verify', MODEL, ...places(data, gated.url)],
      { HF_TOKEN: 'hf_granted' });
    assert.equal(repair.code, 0, repair.stderr);
    assert.match(repair.stdout, /^Damaged: 1 chunk of owner\/model, 1 fetched /);
    const carriers = gated.hub.requests
      .filter(({ headers }) => headers.authorization !== undefined)
      .map(({ url }) => new URL(url).origin);
    assert.deepEqual([...new Set(carriers)], [gated.url]);
    assert.doesNotMatch(letIn.stdout + letIn.stderr, /hf_granted/);
  });
});

describe('the journey', () => {
  test('interrupts, resumes, verifies, serves, answers', async () => {
    const { code, stdout } = await run(['--json', '--seed', '1']);
    assert.equal(code, 0);
    const { store, chat } = JSON.parse(stdout);
    const {
      plan, interrupted, download, verification, served, again,
    } = store;
    assert.equal(plan.fits, true);
    assert.equal(plan.neededBytes, plan.totalBytes);
    assert.equal(interrupted.loaded >= plan.totalBytes / 2, true);
    assert.equal(interrupted.loaded < plan.totalBytes, true);
    assert.equal(download.resumedBytes >= CHUNK, true);
    assert.equal(download.resumedBytes + download.fetchedBytes,
      plan.totalBytes);
    assert.deepEqual(verification, { ok: true, damaged: [], repaired: 0 });
    assert.equal(served.isSame, true);
    assert.equal(served.sha256, plan.files.find(
      (/** @type {any} */ { path }) => path === served.path).sha256);
    assert.equal(again.fromCache, true);
    assert.equal(chat.loaded.executionProvider, 'wasm');
    assert.match(chat.result.text, /^tabagent-wasm finds chat models /);
    assert.equal(chat.result.stopReason, 'eos');
  });

  test('picks a chat model that everybody may have', () => {
    const rows = /** @type {any[]} */ ([
      { id: 'a/encoder', classification: 'encoder', gated: false },
      { id: 'a/gated', classification: 'gen', gated: 'auto' },
      { id: 'a/chat', classification: 'gen', gated: false },
    ]);
    assert.equal(pick(rows, { simulator: null }), 'a/chat');
    assert.equal(pick(rows.slice(0, 2), { simulator: null }), null);
  });

  test('only plans on a Hub that is not simulated', async () => {
    const data = await newDirectory();
    const { code, stdout } = await run(places(data));
    assert.equal(code, 0);
    assert.match(stdout, /No download here: .*\n +npm start -- download /);
    assert.deepEqual(await readdir(join(data, 'content')), []);
  });
});
