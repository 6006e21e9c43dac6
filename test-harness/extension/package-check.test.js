// SPDX-License-Identifier: Apache-2.0
// The check of a built extension finds what it is there for, and lets a good
// one pass.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

import { PACKAGE_DIR } from '../module-under-test.js';
import { checkPackage, EMSCRIPTEN_CALLERS } from './package-check.js';

const MANIFEST = {
  manifest_version: 3, name: 'Test', version: '1',
  minimum_chrome_version: '121',
  permissions: ['storage', 'offscreen', 'unlimitedStorage', 'sidePanel'],
  host_permissions: ['https://huggingface.co/*'],
  background: { service_worker: 'background.js', type: 'module' },
  content_security_policy: {
    extension_pages: "script-src 'self' 'wasm-unsafe-eval'; object-src 'self'",
  },
};

/** @type {Record<string, string>} */
const FILES = {
  'background.js': 'chrome.runtime.onMessage.addListener(async () => {'
    + ' await fetch("https://huggingface.co/api/models"); });',
  'panel.html': '<!doctype html><link rel="stylesheet" href="panel.css">'
    + '<a href="https://huggingface.co/docs">Help</a>'
    + '<script type="module" src="panel.js"></script>',
  'panel.css': 'body { color: red; }',
  'panel.js': '// see https://example.com/lib.js\n'
    + 'const { x } = await import("./lazy.js"); import("./lazy.js");'
    + ' setTimeout(() => x, 5); const evaluate = { eval: 1 }.eval;',
  'lazy.js': 'export const x = new Worker(new URL("w.js", import.meta.url));',
};

/**
 * @template T
 * @param {Record<string, string>} files besides the good ones
 * @param {(directory: string) => T} use
 * @param {object} [manifest]
 * @returns {T}
 */
function withPackage(files, use, manifest = MANIFEST) {
  const directory = mkdtempSync(join(tmpdir(), 'tabagent-package-'));
  const all = { ...FILES, 'manifest.json': JSON.stringify(manifest), ...files };
  try {
    for (const [name, text] of Object.entries(all)) {
      mkdirSync(dirname(join(directory, name)), { recursive: true });
      writeFileSync(join(directory, name), text);
    }
    return use(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

test('a good extension passes', () => {
  assert.deepEqual(withPackage({}, checkPackage), []);
});

test('a directory without a manifest is none', () => {
  assert.deepEqual(withPackage({}, (directory) => {
    rmSync(join(directory, 'manifest.json'));
    return checkPackage(directory);
  }), ['manifest.json: there is none']);
});

describe('scripts', () => {
  for (const [code, complaint] of /** @type {const} */ ([
    ['import("https://cdn.example/x")', /loads code from/],
    ['import x from "https://cdn.example/x"; x', /loads code from/],
    ['export * from "https://cdn.example/x"', /loads code from/],
    ['import "https://cdn.example/x"', /loads code from/],
    ['import x from "./x.js"; export const y = x; export { x };', null],
    ['import("//evil.example/x")', /loads code from/],
    ['import("data:text/javascript,1")', /loads code from data:/],
    ['new Worker("blob:abc")', /loads code from blob:/],
    ['importScripts("https://a.example/b")', /loads code from/],
    ['const u = "https://cdn.example/ort.wasm?x=1"', /address of code/],
    ['const u = "HTTPS://CDN.EXAMPLE/ORT.WASM"', /address of code/],
    ['const u = `https://cdn.example/${v}/x`', null],
    ['const u = "https://cdn.jsdelivr.net/npm/ort/"', /address of code/],
    ['const u = `https://cdn.jsdelivr.net/npm/ort@${v}/`', /address of code/],
    ['const u = "https://huggingface.co/x.json"', null],
    ['const u = "https://nojsdelivr.network/x"', null],
    ['eval("1")', /calls eval/],
    ['(0, eval)("1")', /calls eval/],
    ['globalThis.eval("1")', /calls eval/],
    ['new Function("return 1")', /makes a function of text/],
    ['Function("return 1")', /makes a function of text/],
    ['window.Function("return 1")', /makes a function of text/],
    ['setTimeout("go()", 1)', /hands text to setTimeout/],
    ['setTimeout(go, 1)', null],
    ['model.eval()', null],
    ['// eval("1") and import("https://x.example/y.js")', null],
    ['const text = "eval(1)"', null],
    [`const t = "hf_${'a'.repeat(34)}"`, /access token/],
  ])) {
    test(code.slice(0, 60), () => {
      const complaints = withPackage({ 'lib/x.js': code }, checkPackage);
      assert.equal(complaints.length, complaint ? 1 : 0, String(complaints));
      if (complaint) {
        assert.match(complaints[0], complaint);
        assert.match(complaints[0], /^lib\/x\.js: /);
      }
    });
  }
});

describe('the background', () => {
  for (const [code, complaint] of /** @type {const} */ ([
    ['import("./x.js")', /imports at run time/],
    ['const x = await y;', /waits at its top level/],
    ['for await (const x of y) go();', /waits at its top level/],
    ['if (a) { await y; }', /waits at its top level/],
    ['const f = async () => { await y; }; class A { static { f(); } }', null],
  ])) {
    test(code, () => {
      const complaints = withPackage({ 'background.js': code }, checkPackage);
      assert.equal(complaints.length, complaint ? 1 : 0, String(complaints));
      if (complaint) assert.match(complaints[0], complaint);
    });
  }
});

describe('pages', () => {
  for (const [html, complaint] of /** @type {const} */ ([
    ['<script>go()</script>', /has a script in it/],
    ['<script src="https://a.example/x"></script>', /script from https:/],
    ['<script type=module src=//a.example/x></script>', /script from \/\//],
    ['<link rel=stylesheet href="https://a.example/x.css">', /link from/],
    ['<iframe src="https://a.example/"></iframe>', /iframe from/],
    ['<base href="https://a.example/">', /base from/],
    ['<button onclick="go()">x</button>', /handler in an attribute/],
    ['<a href="javascript:go()">x</a>', /script address/],
    ['<!-- <script>go()</script> -->', null],
    ['<script type="application/json">{"a":1}</script>', null],
    ['<p>only = text</p>', null],
  ])) {
    test(html, () => {
      const complaints = withPackage({ 'x.html': html }, checkPackage);
      assert.equal(complaints.length, complaint ? 1 : 0, String(complaints));
      if (complaint) assert.match(complaints[0], complaint);
    });
  }

  test('have styles and pictures of their own', () => {
    assert.deepEqual(withPackage({
      'x.css': '@import url("https://a.example/x.css");',
      'x.svg': '<svg><script>go()</script></svg>',
    }, checkPackage), [
      'x.css: imports a style from elsewhere', 'x.svg: has a script in it',
    ]);
  });
});

describe('the manifest', () => {
  const policy = (/** @type {string} */ text) => (
    { content_security_policy: { extension_pages: text } });
  for (const [changes, complaint] of /** @type {[object, RegExp][]} */ ([
    [{ manifest_version: 2 }, /not version 3/],
    [{ minimum_chrome_version: undefined }, /below 121/],
    [{ minimum_chrome_version: '120.9' }, /below 121/],
    [{ web_accessible_resources: [{ resources: ['*'] }] },
      /has web_accessible_resources/],
    [{ externally_connectable: { matches: ['*://*/*'] } },
      /has externally_connectable/],
    [{ content_scripts: [] }, /has content_scripts/],
    [{ permissions: ['tabs'] }, /the permission tabs/],
    [{ permissions: ['declarativeNetRequest'] }, /declarativeNetRequest/],
    [{ host_permissions: ['<all_urls>'] }, /access to <all_urls>/],
    [{ content_security_policy: undefined }, /does not let WebAssembly/],
    [policy("script-src 'self'"), /does not let WebAssembly/],
    [policy("script-src 'self' 'wasm-unsafe-eval' 'unsafe-eval'"),
      /'unsafe-eval' in script-src/],
    [policy("script-src 'self' 'wasm-unsafe-eval' https://cdn.example"),
      /https:\/\/cdn\.example in script-src/],
    [policy("script-src 'self' 'wasm-unsafe-eval'; worker-src blob:"),
      /blob: in worker-src/],
  ])) {
    test(String(complaint), () => {
      const complaints = withPackage(
        {}, checkPackage, { ...MANIFEST, ...changes });
      assert.equal(complaints.length, 1, String(complaints));
      assert.match(complaints[0], complaint);
    });
  }

  test('may ask for what is allowed', () => {
    const manifest = { ...MANIFEST,
      permissions: [...MANIFEST.permissions, 'identity'],
      host_permissions: ['http://127.0.0.1/*'] };
    assert.deepEqual(withPackage({}, (directory) => checkPackage(directory, {
      permissions: ['identity'], hosts: ['http://127.0.0.1/*'],
    }), manifest), []);
  });
});

test('the package itself has nothing of that', () => {
  const files = Object.fromEntries(readdirSync(PACKAGE_DIR)
    .filter((name) => /\.(js|html)$/.test(name))
    .map((name) => [name, readFileSync(join(PACKAGE_DIR, name), 'utf8')]));
  assert.ok(Object.keys(files).includes('background.js'));
  assert.deepEqual(withPackage(files, checkPackage), []);
});

describe('onnxruntime-web, as it is bundled', () => {
  for (const [entry, functions] of /** @type {const} */ ([
    ['onnxruntime-web/wasm', 0], ['onnxruntime-web/webgpu', 1],
    ['onnxruntime-web/jspi', 1],
  ])) {
    test(`${entry} has no code from elsewhere`, async () => {
      const { outputFiles } = await build({
        stdin: { contents: `export * from '${entry}';`,
          resolveDir: dirname(fileURLToPath(import.meta.url)) },
        bundle: true, format: 'esm', write: false, minify: true,
        logLevel: 'error', external: ['node:*', 'worker_threads', 'module'],
      });
      const files = { 'host.js': outputFiles[0].text };
      const complaints = withPackage(files, checkPackage);
      assert.equal(complaints.length, functions, String(complaints));
      assert.deepEqual(withPackage(files, (directory) => checkPackage(
        directory, { code: [EMSCRIPTEN_CALLERS] })), []);
    });
  }
});

test('as a program it says what is wrong', () => {
  const program = fileURLToPath(new URL('package-check.js', import.meta.url));
  withPackage({ 'x.js': 'eval(a)' }, (directory) => {
    assert.throws(
      () => execFileSync(process.execPath, [program, directory]),
      (/** @type {any} */ error) => error.status === 1
        && /^x\.js: calls eval\n1 complaints\n$/.test(String(error.stdout)));
  });
  withPackage({}, (directory) => {
    assert.equal(String(execFileSync(process.execPath, [program, directory])),
      'nothing to complain about\n');
  });
});
