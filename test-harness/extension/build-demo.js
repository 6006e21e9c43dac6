#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// Builds the demo extension: `npm run extension`, with --hub ADDRESS to have it
// talk to another Hub, such as the simulator of `npm run hub`, and with --firefox
// for that browser.

import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { readArguments, refuseArguments } from '../arguments.js';
import { PACKAGE_DIR } from '../module-under-test.js';
import { ROOT } from '../paths.js';
import { iconOf } from './icons.js';

/** Where the extension goes unless somebody says otherwise. */
export const EXTENSION = join(ROOT, 'build/extension');

const DEMO = fileURLToPath(new URL('demo', import.meta.url));

/** Files of the panel that are taken as they are. */
const AS_THEY_ARE = ['panel.html', 'panel.css', 'views.css'];

/** What the product's background looks for. */
const HOST_PAGE = 'tabagent-host.html';

/** Permissions that only Chrome has. */
const CHROME_ONLY = ['offscreen', 'sidePanel'];

const FIREFOX_ID = 'demo@tabagent-wasm.invalid';

/** docs/extension.md says why. */
const FIREFOX_MIN = '121.0';

const ICON_SIZES = [16, 32, 48, 128];

/** The modules of ONNX Runtime, as its scripts name them. */
const RUNTIME_MODULE = /ort-wasm-simd-threaded[\w.]*\.wasm/g;

/**
 * @typedef {object} Options
 * @property {string} [hubUrl] another Hub than the real one
 * @property {boolean} [firefox] for that browser, and not for Chrome
 */

/** @param {string} address @returns {string} '' when it is none */
function schemeOf(address) {
  try {
    return new URL(address).protocol;
  } catch {
    return '';
  }
}

/** What a manifest may call any port of an origin. @param {string} url */
function patternOf(url) {
  const { protocol, hostname } = new URL(url);
  return `${protocol}//${hostname}/*`;
}

/**
 * What Firefox wants otherwise: a page with scripts in place of a service worker,
 * a sidebar in place of a side panel, and an id.
 * @param {any} manifest
 */
export function forFirefox({
  side_panel: panel, minimum_chrome_version: _version,
  cross_origin_embedder_policy: _embedder, cross_origin_opener_policy: _opener,
  ...manifest
}) {
  return {
    ...manifest,
    background: {
      scripts: [manifest.background.service_worker], type: 'module',
    },
    sidebar_action: { ...manifest.action, default_panel: panel.default_path },
    permissions: manifest.permissions.filter((/** @type {string} */ name) => (
      !CHROME_ONLY.includes(name))),
    browser_specific_settings: {
      gecko: { id: FIREFOX_ID, strict_min_version: FIREFOX_MIN },
    },
  };
}

/** Entries of the package, out of the build that is tested. */
const PACKAGE = Object.fromEntries(['background', 'client', 'host'].map(
  (name) => [`tabagent-wasm/${name}`, join(PACKAGE_DIR, `${name}.js`)]));

/**
 * Puts the address into the bundle.
 * @param {string} hubUrl
 * @returns {import('esbuild').Plugin}
 */
function withHub(hubUrl) {
  return {
    name: 'with-hub',
    setup({ onLoad }) {
      onLoad({ filter: /[\\/]demo[\\/]hub\.js$/ }, () => ({
        contents: `export const HUB_URL = ${JSON.stringify(hubUrl)};`,
      }));
    },
  };
}

/**
 * Whoever asks for ONNX Runtime as a whole gets the smallest build: the worker
 * chooses by itself, and 28 MB that nobody runs do not belong into a package.
 * @type {import('esbuild').Plugin}
 */
const smallRuntime = {
  name: 'small-runtime',
  setup({ onResolve, resolve }) {
    onResolve({ filter: /^onnxruntime-web$/ }, ({ resolveDir, kind }) => (
      resolve('onnxruntime-web/wasm', { resolveDir, kind })));
  },
};

/**
 * @param {string} out
 * @param {string | undefined} hubUrl
 */
async function bundle(out, hubUrl) {
  const { build } = await import('esbuild');
  /** @type {import('esbuild').BuildOptions} */
  const shared = {
    absWorkingDir: ROOT,
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    charset: 'utf8',
    legalComments: 'linked',
    alias: PACKAGE,
    external: ['node:*'],
    plugins: [smallRuntime, ...(hubUrl === undefined ? [] : [withHub(hubUrl)])],
    outdir: out,
    logLevel: 'warning',
  };
  // One file: it starts anew whenever the browser wakes it.
  await build({
    ...shared, entryPoints: { background: join(DEMO, 'background.js') },
  });
  await build({
    ...shared,
    entryPoints: {
      panel: join(DEMO, 'panel.js'), host: 'tabagent-wasm/host',
    },
    splitting: true,
    chunkNames: '[name]-[hash]',
  });
}

/**
 * Puts the modules of ONNX Runtime beside the scripts that ask for them.
 * @param {string} out
 */
async function copyRuntime(out) {
  const wanted = new Set();
  for (const file of await readdir(out)) {
    if (!file.endsWith('.js')) continue;
    const text = await readFile(join(out, file), 'utf8');
    for (const [name] of text.matchAll(RUNTIME_MODULE)) wanted.add(name);
  }
  const from = dirname(createRequire(import.meta.url)
    .resolve('onnxruntime-web/ort-wasm-simd-threaded.wasm'));
  await Promise.all([...wanted].map(
    (name) => cp(join(from, name), join(out, name))));
}

/**
 * @param {string} out
 * @param {Options} options
 */
async function writeManifest(out, { hubUrl, firefox }) {
  const manifest = JSON.parse(
    await readFile(join(DEMO, 'manifest.json'), 'utf8'));
  const { version } = JSON.parse(
    await readFile(join(ROOT, 'package.json'), 'utf8'));
  manifest.version = version;
  if (hubUrl !== undefined) manifest.host_permissions = [patternOf(hubUrl)];
  await writeFile(join(out, 'manifest.json'),
    `${JSON.stringify(firefox ? forFirefox(manifest) : manifest, null, 2)}\n`);
}

/**
 * Builds the extension, ready to be loaded unpacked.
 * @param {Options & { out?: string }} [options]
 */
export async function buildDemo({ out = EXTENSION, ...options } = {}) {
  const { hubUrl } = options;
  await rm(out, { recursive: true, force: true });
  await mkdir(join(out, 'icons'), { recursive: true });
  await bundle(out, hubUrl);
  await copyRuntime(out);
  await Promise.all([
    ...AS_THEY_ARE.map((name) => cp(join(DEMO, name), join(out, name))),
    cp(join(PACKAGE_DIR, 'host.html'), join(out, HOST_PAGE)),
    cp(join(PACKAGE_DIR, 'tabagent.wasm'), join(out, 'tabagent.wasm')),
    ...ICON_SIZES.map(
      (size) => writeFile(join(out, `icons/${size}.png`), iconOf(size))),
    writeManifest(out, options),
  ]);
  return out;
}

const HOW = {
  chrome: `open chrome://extensions, switch on "Developer mode", press "Load
unpacked" and choose that folder. The icon in the toolbar opens the panel.`,
  firefox: `open about:debugging, choose "This Firefox", press "Load Temporary
Add-on" and choose manifest.json in it. The icon in the toolbar opens the sidebar.`,
};

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { firefox, hub, out } = readArguments({
    firefox: { type: 'boolean' }, hub: { type: 'string' }, out: { type: 'string' },
  });
  if (hub !== undefined && !/^https?:$/.test(schemeOf(hub))) {
    refuseArguments(`--hub: expected an http or https address, got "${hub}"`);
  }
  const folder = await buildDemo({ out, hubUrl: hub, firefox });
  console.log(`The extension is in ${relative(process.cwd(), folder) || '.'}: ${
    firefox ? HOW.firefox : HOW.chrome}`);
}
