// SPDX-License-Identifier: Apache-2.0
// The token in Chromium: not across a redirect, not where scripts of the
// extension in web pages could read it, and not for web pages and other
// extensions.

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';

import { startMirrored } from '../hub/index.js';
import { ROOT } from '../paths.js';
import { FILES, hubOptions, MODEL } from '../store/world.js';
import { startPageServer } from './page-server.js';

const CHROMIUM = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';
const TOKEN = 'hf_granted';

/** What the background is told, it does; it has nothing but the vault. */
const BACKGROUND = `
import { Vault } from './js-bindings/extension/vault.js';
const vault = new Vault(chrome.storage);
const calls = {
  keep: ({ token, persist }) => vault.keep(token, { persist }),
  token: () => vault.token(),
  offscreen: async () => {
    await chrome.offscreen.createDocument({ url: 'host.html',
      reasons: ['WORKERS'], justification: 'test' });
    return chrome.runtime.sendMessage({ to: 'host' });
  },
};
chrome.runtime.onMessage.addListener(({ call, ...params }, sender, reply) => {
  if (!call) return false;
  calls[call](params).then((value) => reply({ value }),
    (error) => reply({ error: String(error) }));
  return true;
});`;

/** Tells what doctor would get to see in the page that runs models. */
const HOST = `
import { gatherFacts } from './js-bindings/facts.js';
chrome.runtime.onMessage.addListener(({ to }, sender, reply) => {
  if (to !== 'host') return false;
  gatherFacts().then((facts) => reply(facts));
  return true;
});`;

/** A script in a web page takes what it can. */
const CONTENT = `
const read = async (name) => {
  try {
    return JSON.stringify(await chrome.storage[name].get(null));
  } catch (error) {
    return 'refused';
  }
};
const look = async () => {
  document.documentElement.dataset.found = JSON.stringify({
    session: await read('session'), local: await read('local'),
  });
};
addEventListener('look', look);`;

const MANIFEST = {
  manifest_version: 3, name: 'Vault', version: '1',
  minimum_chrome_version: '121',
  permissions: ['storage', 'offscreen', 'unlimitedStorage'],
  host_permissions: ['https://huggingface.co/*'],
  background: { service_worker: 'background.js', type: 'module' },
  content_scripts: [{ matches: ['http://127.0.0.1/*'], js: ['content.js'] }],
  content_security_policy: {
    extension_pages: "script-src 'self' 'wasm-unsafe-eval'; object-src 'self'",
  },
  cross_origin_embedder_policy: { value: 'require-corp' },
  cross_origin_opener_policy: { value: 'same-origin' },
};

/** Another extension of the same user, with all that it may ask for. */
const THIEF = {
  'manifest.json': JSON.stringify({
    manifest_version: 3, name: 'Thief', version: '1',
    permissions: ['storage', 'management', 'tabs', 'scripting'],
    host_permissions: ['<all_urls>'],
    background: { service_worker: 'worker.js' },
  }),
  'worker.js': '', 'page.html': '<title>thief</title>',
};

/**
 * @param {string} path
 * @param {Record<string, string>} files
 */
async function writeAll(path, files) {
  await mkdir(path);
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(path, name), text);
  }
}

/** @param {string} contents */
async function bundled(contents) {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: ROOT }, bundle: true, format: 'esm',
    write: false, logLevel: 'error',
  });
  return outputFiles[0].text;
}

/** @type {string} */
let folder;
/** @type {import('playwright-core').BrowserContext} */
let context;
/** @type {Awaited<ReturnType<typeof startPageServer>>} */
let site;
/** @type {import('playwright-core').Page} */
let page;
/** @type {string} */
let origin;
/** @type {string} */
let thief;

/**
 * The address of the extension with that script in its background.
 * @param {string} path
 */
async function originOf(path) {
  const isOurs = (/** @type {{ url(): string }} */ worker) => (
    worker.url().endsWith(path));
  const worker = context.serviceWorkers().find(isOurs)
    ?? await context.waitForEvent('serviceworker', isOurs);
  return worker.url().slice(0, -path.length);
}

/** @param {object} message to the background */
async function tell(message) {
  const { value, error } = await page.evaluate(
    (inner) => /** @type {any} */ (globalThis).chrome.runtime
      .sendMessage(inner), message);
  assert.equal(error, undefined);
  return value;
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tabagent-account-'));
  const files = {
    'manifest.json': JSON.stringify(MANIFEST),
    'background.js': await bundled(BACKGROUND),
    'host.js': await bundled(HOST), 'content.js': CONTENT,
    'host.html': '<script type="module" src="host.js"></script>',
    'panel.html': '<title>panel</title>',
  };
  const own = join(folder, 'own');
  const other = join(folder, 'other');
  await writeAll(own, files);
  await writeAll(other, THIEF);
  site = await startPageServer();
  context = await chromium.launchPersistentContext(join(folder, 'profile'), {
    executablePath: CHROMIUM, headless: false,
    args: ['--headless=new', '--no-sandbox',
      `--disable-extensions-except=${own},${other}`,
      `--load-extension=${own},${other}`],
  });
  [origin, thief] = await Promise.all(['background.js', 'worker.js'].map(
    (script) => originOf(`/${script}`)));
  page = await context.newPage();
  await page.goto(`${origin}/panel.html`);
});

after(async () => {
  await context?.close();
  await site?.close();
  await rm(folder, { recursive: true, force: true, maxRetries: 20 });
});

/** What the content script gets to see. */
async function stolen() {
  const victim = await context.newPage();
  await victim.goto(`${site.url}/index.html`);
  await victim.evaluate(() => dispatchEvent(new Event('look')));
  await victim.waitForFunction(() => document.documentElement.dataset.found);
  const found = await victim.evaluate(
    () => String(document.documentElement.dataset.found));
  await victim.close();
  return JSON.parse(found);
}

describe('a script of the extension in a web page', () => {
  test('reads what is open to it', async () => {
    await page.evaluate(() => /** @type {any} */ (globalThis).chrome.storage
      .local.set({ open: 'to all' }));
    assert.deepEqual(await stolen(),
      { session: 'refused', local: '{"open":"to all"}' });
  });

  test('does not get at the token of a session', async () => {
    await tell({ call: 'keep', token: TOKEN });
    assert.equal(await tell({ call: 'token' }), TOKEN);
    assert.deepEqual(await stolen(),
      { session: 'refused', local: '{"open":"to all"}' });
  });

  test('does not get at a token that is kept for good', async () => {
    await tell({ call: 'keep', token: TOKEN, persist: true });
    assert.equal(await tell({ call: 'token' }), TOKEN);
    assert.deepEqual(await stolen(), { session: 'refused', local: 'refused' });
  });
});

describe('a web page', () => {
  /** @type {import('playwright-core').Page} */
  let visitor;
  before(async () => {
    await tell({ call: 'keep', token: TOKEN });
    visitor = await context.newPage();
    await visitor.goto(`${site.url}/index.html`);
  });
  after(() => visitor.close());

  test('has nobody to talk to', async () => {
    assert.equal(await visitor.evaluate(() => (
      typeof /** @type {any} */ (globalThis).chrome?.runtime?.sendMessage)),
    'undefined');
  });

  test('opens no page of the extension, and reads no file', async () => {
    const url = `${origin}/panel.html`;
    assert.equal(await visitor.evaluate(
      (inner) => fetch(inner).then(() => 'read', () => 'refused'), url),
    'refused');
    await visitor.evaluate((inner) => new Promise((resolve) => {
      const frame = document.createElement('iframe');
      frame.addEventListener('load', resolve);
      frame.src = inner;
      document.body.append(frame);
    }), url);
    assert.deepEqual(visitor.frames().slice(1).map((frame) => frame.url()),
      ['chrome-error://chromewebdata/']);
  });
});

test('another extension is not heard', async () => {
  await tell({ call: 'keep', token: TOKEN });
  const den = await context.newPage();
  await den.goto(`${thief}/page.html`);
  const answer = await den.evaluate((id) => {
    const { chrome } = /** @type {any} */ (globalThis);
    return chrome.runtime.sendMessage(id, { call: 'token' })
      .then((/** @type {any} */ reply) => ({ reply }),
        (/** @type {Error} */ error) => ({ error: error.message }));
  }, origin.split('/')[2]);
  assert.match(String(answer.error), /Receiving end does not exist/);
  const ended = await den.evaluate((id) => new Promise((resolve) => {
    const { chrome } = /** @type {any} */ (globalThis);
    const port = chrome.runtime.connect(id, { name: 'tabagent-host' });
    port.onDisconnect.addListener(() => resolve('disconnected'));
    port.onMessage.addListener(resolve);
  }), origin.split('/')[2]);
  assert.equal(ended, 'disconnected');
  await den.close();
});

test('the page that runs models can be looked at', async () => {
  const facts = await tell({ call: 'offscreen' });
  assert.equal(facts.browser, 'chrome');
  assert.ok(facts.browserVersion >= 121);
  assert.equal(facts.isolated, true);
  assert.equal(facts.locks, true);
  assert.deepEqual(facts.manifest, {
    version: 3, permissions: MANIFEST.permissions,
    hosts: MANIFEST.host_permissions, minimumVersion: '121',
    csp: MANIFEST.content_security_policy.extension_pages,
  });
});

describe('across a redirect', () => {
  test('servers of files do not get the token', async () => {
    const servers = await startMirrored(hubOptions(FILES,
      { entry: { gated: 'manual' } }));
    const visitor = await context.newPage();
    await visitor.goto(`${site.url}/index.html`);
    const { name, bytes } = await visitor.evaluate(
      async ([hubUrl, model, token]) => {
        const index = '/dist/index.js';
        const { createModelManager } = await import(index);
        const manager = await createModelManager({ hubUrl });
        const account = await manager.login(token);
        const { bytes } = await manager.download(model);
        await manager.clearStore();
        await manager.dispose();
        return { name: account.name, bytes };
      }, [servers.main.url, MODEL, TOKEN]);
    assert.equal(name, 'granted');
    assert.ok(bytes > 0);
    assert.deepEqual(servers.leaks(TOKEN), []);
    assert.ok(servers.main.hub.requests.some(({ url }) => (
      !url.startsWith(`${servers.main.url}/`))), 'there is another server');
    await visitor.close();
    await servers.close();
  });

  test('nobody else does either', async () => {
    /** @type {(string | undefined)[]} */
    const seen = [];
    const allow = {
      'access-control-allow-origin': '*',
      'access-control-allow-headers': 'authorization',
    };
    const other = createServer((request, response) => {
      if (request.method !== 'OPTIONS') seen.push(request.headers.authorization);
      response.writeHead(200, { ...allow, 'content-type': 'application/json' });
      response.end('{"name":"thief"}');
    });
    const hub = createServer((request, response) => {
      const { port } = /** @type {any} */ (other.address());
      response.writeHead(request.method === 'OPTIONS' ? 200 : 307, { ...allow,
        location: `http://127.0.0.1:${port}${request.url}` }).end();
    });
    for (const server of [other, hub]) {
      await new Promise((resolve) => {
        server.listen(0, '127.0.0.1', () => resolve(undefined));
      });
    }
    const { port } = /** @type {any} */ (hub.address());
    const visitor = await context.newPage();
    await visitor.goto(`${site.url}/index.html`);
    const account = await visitor.evaluate(async ([hubUrl, token]) => {
      const index = '/dist/index.js';
      const { createModelManager } = await import(index);
      const manager = await createModelManager({ hubUrl });
      return manager.login(token);
    }, [`http://127.0.0.1:${port}`, TOKEN]);
    assert.equal(account.name, 'thief');
    assert.deepEqual(seen, [undefined]);
    await visitor.close();
    for (const server of [other, hub]) {
      server.close();
      server.closeAllConnections();
    }
  });
});
