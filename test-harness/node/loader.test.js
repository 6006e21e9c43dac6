// SPDX-License-Identifier: Apache-2.0
// Loading the module from every kind of source, what is refused, and the
// checks of the options.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { after, before, describe, test } from 'node:test';

import { createModelManager, TabAgentError } from '../../dist/index.js';

const WASM_URL = new URL('../../dist/tabagent.wasm', import.meta.url);
const bytes = await readFile(WASM_URL);

/**
 * A module that only exports `tam_abi_version`, by hand.
 * @param {number} version below 64
 */
function moduleOfVersion(version) {
  const name = [...Buffer.from('tam_abi_version')];
  return Uint8Array.of(
    0, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
    1, 5, 1, 0x60, 0, 1, 0x7f, // type: () -> i32
    3, 2, 1, 0, // one function of that type
    7, name.length + 4, 1, name.length, ...name, 0, 0, // exported
    10, 6, 1, 4, 0, 0x41, version, 0x0b, // i32.const version
  );
}

/** @param {any} options */
async function loads(options) {
  const manager = await createModelManager(options);
  const { wasmBytes } = await manager.memory();
  assert.equal(wasmBytes > 0, true);
  await manager.dispose();
}

describe('sources of the module', () => {
  test('the file beside the module', () => loads({}));
  test('a Buffer', () => loads({ wasm: bytes }));
  test('a compiled module',
    async () => loads({ wasm: await WebAssembly.compile(bytes) }));
  test('a file URL', () => loads({ wasm: WASM_URL }));
  test('the text of a file URL', () => loads({ wasm: WASM_URL.href }));
  test('a path', () => loads({ wasm: fileURLToPath(WASM_URL) }));
  test('an ArrayBuffer', () => loads({
    wasm: bytes.buffer.slice(
      bytes.byteOffset, bytes.byteOffset + bytes.byteLength),
  }));
  test('a stretch of a larger buffer', () => {
    const larger = new Uint8Array(bytes.length + 10);
    larger.set(bytes, 5);
    return loads({ wasm: larger.subarray(5, 5 + bytes.length) });
  });
  test('a view of any kind', () => loads({
    wasm: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
  }));
  test('one compiled module serves many managers', async () => {
    const wasm = await WebAssembly.compile(bytes);
    const managers = await Promise.all(
      [1, 2, 3].map(() => createModelManager({ wasm })));
    await managers[0].dispose();
    assert.equal((await managers[1].memory()).wasmBytes > 0, true);
    await Promise.all(managers.map((manager) => manager.dispose()));
  });
});

describe('a module on a server', () => {
  /** @type {import('node:http').Server} */
  let server;
  /** @type {string} */
  let origin;

  before(async () => {
    server = createServer((request, response) => {
      if (request.url === '/missing') {
        response.writeHead(404).end();
        return;
      }
      const type = request.url === '/typed'
        ? 'application/wasm' : 'application/octet-stream';
      response.writeHead(200, { 'Content-Type': type }).end(bytes);
    });
    await new Promise((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve(undefined));
    });
    const { port } = /** @type {import('node:net').AddressInfo} */ (
      server.address());
    origin = `http://127.0.0.1:${port}`;
  });
  after(() => server.close());

  test('with its media type', () => loads({ wasm: `${origin}/typed` }));
  test('with another one', () => loads({ wasm: new URL(`${origin}/any`) }));
  test('that does not have it', () => assert.rejects(
    createModelManager({ wasm: `${origin}/missing` }),
    { code: 'http_status', stage: 'wasm', message: /answered 404/ }));
});

describe('what cannot be loaded', () => {
  test('a server that does not answer', () => assert.rejects(
    createModelManager({ wasm: 'http://127.0.0.1:1/tabagent.wasm' }),
    { code: 'network', stage: 'wasm' }));
  test('a file that is not there', () => assert.rejects(
    createModelManager({ wasm: new URL('file:///nowhere/tabagent.wasm') }),
    { code: 'invalid_argument', message: /no such file/ }));
  test('bytes that are no module', () => assert.rejects(
    createModelManager({ wasm: Uint8Array.of(1, 2, 3, 4) }),
    { code: 'invalid_argument', message: /cannot load tabagent\.wasm/ }));
  test('a module of another version', () => assert.rejects(
    createModelManager({ wasm: moduleOfVersion(63) }),
    { code: 'invalid_argument', message: /ABI version 63, expected \d+$/ }));
  test('some other module', () => assert.rejects(
    createModelManager({ wasm: Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0) }),
    { code: 'invalid_argument', message: /ABI version undefined/ }));
});

/**
 * @param {string} message
 * @returns {any}
 */
function fail(message) {
  throw new Error(message);
}

describe('options', () => {
  for (const [options, message] of /** @type {[any, RegExp][]} */ ([
    [{ hub: 'x' }, /^there is no option "hub"$/],
    [{ wasm: 7 }, /^option wasm: expected a URL, .*, got number 7$/],
    [{ wasm: null }, /got object null$/],
    [{ hubUrl: 5 }, /^option hubUrl: expected .*, got number 5$/],
    [{ hubUrl: 'huggingface.co' }, /address, got "huggingface\.co"$/],
    [{ hubUrl: 'http://[::1' }, /address, got "http:\/\/\[::1"$/],
    [{ hubUrl: 'https://hub/?a' }, /address, got "https:\/\/hub\/\?a"$/],
    [{ hubUrl: 'ftp://hub' }, /address, got "ftp:\/\/hub"$/],
    [{ fetch: 'fetch' }, /^option fetch: expected a function, got "fetch"$/],
    [{ clock: Date }, /^option clock: expected an object with .*, got funct/],
    [{ seed: 1.5 }, /^option seed: expected an integer or 16 bytes, got num/],
    [{ seed: new Uint8Array(15) }, /got 15 bytes$/],
    [{ seed: 2 ** 53 }, /^option seed/],
    [{ onMessage: {} }, /^option onMessage: expected a function, got a Obj/],
    [{ telemetry: true }, /got boolean true$/],
    [{ mirrors: 'x' },
      /^option mirrors: expected an array of http or https addresses, got "x"$/],
    [{ dataDir: 1 }, /^option dataDir: expected the path of a directory/],
  ])) {
    test(`${Object.keys(options)[0]}: ${message.source}`, async () => {
      await assert.rejects(createModelManager({ wasm: bytes, ...options }), {
        name: 'TabAgentError', code: 'invalid_argument', stage: 'options',
        retryable: false, message,
      });
    });
  }

  test('those of the store and the chat are accepted', () => loads({
    wasm: bytes, mirrors: ['https://mirror.example'], dataDir: '/models',
    indexedDB: {}, ort: () => {}, ortWasmPaths: '/',
  }));
  test('undefined is like absent', () => loads({
    wasm: bytes, hubUrl: undefined, seed: undefined, clock: undefined,
  }));
  test('a seed is an integer of any sign, or bytes', async () => {
    await loads({ wasm: bytes, seed: -3 });
    await loads({ wasm: bytes, seed: Number.MAX_SAFE_INTEGER });
    await loads({ wasm: bytes, seed: new Uint8Array(16) });
  });
  test('of a call are checked, too', async () => {
    const manager = await createModelManager({ wasm: bytes });
    const unknown = /** @type {any} */ ({ ended: true });
    await assert.rejects(manager.resumeJobs(unknown),
      { code: 'invalid_argument', message: 'there is no option "ended"' });
    await assert.rejects(
      manager.plan('a/b', { get dtype() { return fail('no dtype'); } }),
      { name: 'TabAgentError', code: 'invalid_argument' });
    await manager.dispose();
  });
  test('one that cannot be read', () => assert.rejects(
    createModelManager({ get seed() { return fail('no seed'); } }), {
      name: 'TabAgentError', code: 'invalid_argument',
      message: /^options: one cannot be read: Error: no seed$/,
    }));
  test('must be an object', async () => {
    for (const [options, message] of /** @type {[any, RegExp][]} */ ([
      [null, /^options: expected an object, got object null$/],
      [5, /^options: expected an object, got number 5$/],
      ['x', /^options: expected an object, got "x"$/],
    ])) {
      await assert.rejects(createModelManager(options), {
        name: 'TabAgentError', code: 'invalid_argument', message,
      });
    }
  });
  for (const [hubUrl, expected] of [
    ['HTTPS://HuggingFace.co', 'https://huggingface.co'],
    ['https://huggingface.co:443//', 'https://huggingface.co'],
    [' http://[::1]:80/a b/', 'http://[::1]/a%20b'],
    ['https://bücher.example', 'https://xn--bcher-kva.example'],
  ]) {
    test(`hubUrl may be spelt ${hubUrl}`, async () => {
      /** @type {string[]} */
      const urls = [];
      const manager = await createModelManager({
        wasm: bytes, hubUrl, fetch: async (url) => {
          urls.push(String(url));
          return Response.json([]);
        },
      });
      await manager.listChatModels();
      assert.equal(urls[0].startsWith(`${expected}/api/models?`), true,
        urls[0]);
      await manager.dispose();
    });
  }
  test('the Hub may be a URL with a path and a slash', () => loads({
    wasm: bytes, hubUrl: new URL('https://mirror.example/hub/'),
  }));
});

test('an error tells its cause', () => {
  const cause = new Error('why');
  const error = new TabAgentError('network', 'no answer', { cause, status: 5 });
  assert.equal(error.cause, cause);
  assert.equal(error.status, 5);
  assert.equal(error instanceof Error, true);
  assert.equal(String(error), 'TabAgentError: no answer');
});
