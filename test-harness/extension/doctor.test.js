// SPDX-License-Identifier: Apache-2.0
// What doctor says of browsers and manifests: the facts as the bindings gather
// them, and how the core judges them.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { gatherFacts } from '../../js-bindings/facts.js';
import { managerOf } from '../store/world.js';
import { MemoryStore } from '../store/memory-store.js';

const CHROME = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 '
  + '(KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36';
const EDGE = `${CHROME} Edg/131.0.0.0`;
const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 '
  + 'Firefox/140.0';
const SAFARI = 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/'
  + '605.1.15 (KHTML, like Gecko) Version/18.2 Safari/605.1.15';

/** As docs/extension.md has it. */
const MANIFEST = {
  manifest_version: 3, minimum_chrome_version: '121',
  permissions: ['storage', 'offscreen', 'unlimitedStorage'],
  host_permissions: ['https://huggingface.co/*'],
  content_security_policy: {
    extension_pages: "script-src 'self' 'wasm-unsafe-eval'; object-src 'self'",
  },
};

/**
 * A page in which all is well, but for what is said.
 * @param {any} [options]
 */
function scopeOf({
  agent = CHROME, manifest = MANIFEST,
  features = ['shader-f16'], ...more
} = {}) {
  return {
    navigator: {
      userAgent: agent, locks: {},
      gpu: { requestAdapter: async () => ({ features: new Set(features) }) },
    },
    crossOriginIsolated: true,
    chrome: manifest && { runtime: { id: 'abc', getManifest: () => manifest } },
    ...more,
  };
}

/**
 * The findings in a scope, by name.
 * @param {object} scope
 * @param {object} [options] of the manager
 * @param {number} [quota] bytes
 * @returns {Promise<Record<string, { ok: boolean, message: string,
 *   fix: string | null }>>}
 */
async function findingsIn(scope, options, quota = 100e9) {
  const store = new MemoryStore();
  store.room = { usage: 0, quota };
  const manager = await managerOf(store, options);
  const facts = await gatherFacts(scope);
  const { checks } = await manager.handleMessage({ action: 'doctor', id: 1,
    params: { facts, unlimitedStorage: true } });
  await manager.dispose();
  return Object.fromEntries(checks.map((
    /** @type {any} */ { check, ...rest }) => [check, rest]));
}

/**
 * What is not well there.
 * @param {object} scope
 * @param {object} [options]
 */
async function complaintsIn(scope, options) {
  const findings = await findingsIn(scope, options);
  for (const { ok, message, fix } of Object.values(findings)) {
    assert.ok(message.length > 0);
    assert.equal(fix === null, ok);
  }
  return Object.keys(findings).filter((name) => !findings[name].ok);
}

/** @param {object} changes */
function manifestWith(changes) {
  return scopeOf({ manifest: { ...MANIFEST, ...changes } });
}

/** An extension in Firefox. @param {object} changes @param {object} [more] */
function firefoxWith(changes, more) {
  const { minimum_chrome_version: _, ...manifest } = MANIFEST;
  return scopeOf({
    agent: FIREFOX, manifest: null, browser: { runtime: { id: 'abc',
      getManifest: () => ({
        ...manifest, permissions: ['storage'],
        browser_specific_settings: { gecko: { strict_min_version: '121.0' } },
        ...changes,
      }) } }, ...more,
  });
}

describe('a good extension', () => {
  test('has nothing to complain about, and says what was looked at',
    async () => {
      const findings = await findingsIn(scopeOf());
      assert.deepEqual(Object.keys(findings), [
        'browser', 'manifestVersion', 'storagePermission', 'hubAccess', 'csp',
        'offscreen', 'minimumVersion', 'threads', 'webgpu', 'f16', 'locks',
        'storage', 'room', 'persistence', 'unlimitedStorage',
      ]);
      assert.deepEqual(await complaintsIn(scopeOf()), []);
    });

  test('in Firefox needs nothing that only Chrome has', async () => {
    assert.deepEqual(await complaintsIn(firefoxWith({})), []);
  });
});

test('a page that cannot ask for the manifest reads its file', async () => {
  const scope = scopeOf();
  const { manifest } = /** @type {any} */ (await gatherFacts(scope));
  assert.deepEqual(await gatherFacts({
    ...scope,
    chrome: { runtime: { id: 'abc', getURL: (/** @type {string} */ path) => (
      `chrome-extension://abc/${path}`) } },
    fetch: async (/** @type {string} */ url) => (
      url === 'chrome-extension://abc/manifest.json'
        ? Response.json(MANIFEST) : Response.error()),
  }), { ...await gatherFacts(scope), manifest });
});

describe('a page that is no extension', () => {
  test('has no manifest', async () => {
    const findings = await findingsIn(scopeOf({ manifest: null }));
    assert.deepEqual(Object.keys(findings).slice(0, 5),
      ['browser', 'threads', 'webgpu', 'f16', 'locks']);
  });

  test('gets no advice about a manifest', async () => {
    const facts = await gatherFacts(scopeOf({ manifest: null }));
    const store = new MemoryStore();
    store.room = { usage: 0, quota: 100e9, persisted: false };
    const manager = await managerOf(store);
    const { checks } = await manager.handleMessage(
      { action: 'doctor', id: 1, params: { facts } });
    await manager.dispose();
    const { ok, fix } = checks.find((/** @type {any} */ { check }) => (
      check === 'persistence'));
    assert.equal(ok, false);
    assert.match(fix, /navigator\.storage\.persist/);
  });
});

describe('browsers', () => {
  for (const [agent, message, ok] of /** @type {const} */ ([
    [CHROME, 'chrome 131; needed is 121', true],
    [EDGE, 'chrome 131; needed is 121', true],
    [CHROME.replace('131', '121'), 'chrome 121; needed is 121', true],
    [CHROME.replace('131', '120'), 'chrome 120; needed is 121', false],
    [FIREFOX, 'firefox 140; needed is 121', true],
    [FIREFOX.replaceAll('140', '120'), 'firefox 120; needed is 121', false],
    [SAFARI, 'safari 18 has not been tried', false],
    ['curl/8', 'this browser has not been tried', false],
  ])) {
    test(message, async () => {
      const { browser } = await findingsIn(scopeOf({ agent }));
      assert.deepEqual([browser.message, browser.ok], [message, ok]);
    });
  }
});

describe('a manifest', () => {
  /** @type {[string, object, string[]][]} */
  const cases = [
    ['of version 2', { manifest_version: 2 }, ['manifestVersion']],
    ['without storage', { permissions: ['offscreen'] }, ['storagePermission']],
    ['without offscreen', { permissions: ['storage'] }, ['offscreen']],
    ['without permissions', { permissions: undefined },
      ['storagePermission', 'offscreen']],
    ['without a policy', { content_security_policy: undefined }, ['csp']],
    ['with a policy that allows too little', { content_security_policy: {
      extension_pages: "script-src 'self'" } }, ['csp']],
    ['with one that allows eval', { content_security_policy: { extension_pages:
      "script-src 'self' 'wasm-unsafe-eval' 'unsafe-eval'" } }, ['csp']],
    ['without a minimum', { minimum_chrome_version: undefined },
      ['minimumVersion']],
    ['with a low minimum', { minimum_chrome_version: '120.0.6099.70' },
      ['minimumVersion']],
    ['with a high minimum', { minimum_chrome_version: '122.0.1' }, []],
  ];
  for (const [name, changes, complaints] of cases) {
    test(name, async () => {
      assert.deepEqual(await complaintsIn(manifestWith(changes)), complaints);
    });
  }
});

test('of Firefox gets no advice that only Chrome understands', async () => {
  const { minimumVersion } = await findingsIn(
    firefoxWith({ browser_specific_settings: undefined }));
  assert.equal(minimumVersion.ok, false);
  assert.match(String(minimumVersion.fix), /gecko.strict_min_version/);
  const { threads } = await findingsIn(
    firefoxWith({}, { crossOriginIsolated: false }));
  assert.equal(threads.ok, false);
  assert.doesNotMatch(String(threads.fix), /cross_origin/);
  assert.match(String(threads.fix), /Firefox/);
});

describe('room', () => {
  for (const [quota, message, ok] of /** @type {const} */ ([
    [0, '0 MB are free', false],
    [999e6, '999 MB are free', false],
    [1e9, '1.0 GB are free', true],
    [1.99e9, '1.9 GB are free', true],
    [9.99e9, '9.9 GB are free', true],
    [75.2e9, '75 GB are free', true],
    [12e15, '12000000 GB are free', true],
  ])) {
    test(`${quota} bytes: ${message}`, async () => {
      const { room } = await findingsIn(scopeOf(), {}, quota);
      assert.deepEqual([room.message, room.ok], [message, ok]);
    });
  }
});

describe('the Hub', () => {
  const HUB = 'https://huggingface.co';
  const LOCAL = 'http://127.0.0.1:8080';
  for (const [hosts, hubUrl, ok] of /** @type {[string[], string, boolean][]} */ ([
    [['<all_urls>'], HUB, true],
    [['*://*/*'], HUB, true],
    [['https://*/*'], HUB, true],
    [['http://*/*'], HUB, false],
    [['https://huggingface.co/*'], HUB, true],
    [['https://*.huggingface.co/*'], HUB, true],
    [['https://*.huggingface.co/*'], 'https://hub.huggingface.co', true],
    [['https://*.huggingface.co/*'], 'https://nothuggingface.co', false],
    [['https://huggingface.co/*'], 'https://hub.huggingface.co', false],
    [['https://huggingface.co/api/*'], HUB, false],
    [['https://example.com/*', '*://huggingface.co/*'], HUB, true],
    [['http://127.0.0.1/*'], LOCAL, true],
    [['http://127.0.0.1:8080/*'], LOCAL, true],
    [['http://127.0.0.1:8081/*'], LOCAL, false],
    [['https://hf.example/*'], 'https://hf.example/hub/path', true],
    [['huggingface.co'], HUB, false],
    [[''], HUB, false],
    [[], HUB, false],
  ])) {
    test(`${hosts} ${ok ? 'covers' : 'does not cover'} ${hubUrl}`, async () => {
      const { hubAccess } = await findingsIn(
        manifestWith({ host_permissions: hosts }), { hubUrl });
      assert.equal(hubAccess.ok, ok);
    });
  }
});

describe('the machine', () => {
  test('without isolation has one thread; the fix fits where it runs',
    async () => {
      const scope = { crossOriginIsolated: false };
      const extension = await findingsIn(scopeOf(scope));
      assert.equal(extension.threads.ok, false);
      assert.match(String(extension.threads.fix), /cross_origin_embedder/);
      const page = await findingsIn(scopeOf({ ...scope, manifest: null }));
      assert.match(String(page.threads.fix), /Cross-Origin-Embedder-Policy/);
    });

  test('without an adapter is slow', async () => {
    for (const gpu of [undefined, { requestAdapter: async () => null },
      { requestAdapter: async () => { throw new Error('lost'); } }]) {
      const navigator = { userAgent: CHROME, locks: {}, gpu };
      assert.deepEqual(await complaintsIn(scopeOf({ navigator })), ['webgpu']);
    }
  });

  test('whose adapter has no half precision cannot run f16', async () => {
    assert.deepEqual(await complaintsIn(scopeOf({ features: [] })), ['f16']);
  });

  test('without locks may disturb itself', async () => {
    const { navigator } = scopeOf();
    assert.deepEqual(await complaintsIn(scopeOf({
      navigator: { ...navigator, locks: undefined } })), ['locks']);
  });
});

test('in Node there is no browser to look at', async () => {
  assert.equal(await gatherFacts(), undefined);
});

test('facts of any shape do not hurt', async () => {
  const manager = await managerOf(new MemoryStore());
  for (const facts of [null, 7, 'text', [], {}, { manifest: [] },
    { browser: 7, manifest: { permissions: 'storage', hosts: {}, csp: [] } },
    { browser: 'x'.repeat(5000), browserVersion: 'y' },
    { manifest: { hosts: ['://', '*', 7], minimumVersion: 'a.b' } }]) {
    const end = await manager.handleMessage(
      { action: 'doctor', id: 1, params: { facts } });
    assert.equal(end.action, 'doctor:done', JSON.stringify(facts));
  }
  await manager.dispose();
});
