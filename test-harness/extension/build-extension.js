// SPDX-License-Identifier: Apache-2.0
// Builds the test extension as an app would: a bundler makes a script of each
// entry, and what scripts load by name lies beside them.

import { build } from 'esbuild';
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { PACKAGE_DIR } from '../module-under-test.js';
import { ROOT } from '../paths.js';
import { forFirefox } from './build-demo.js';

const SOURCES = fileURLToPath(new URL('./test-extension', import.meta.url));

/** The parts of onnxruntime-web that are no scripts. */
const ORT_WASM = [
  'ort-wasm-simd-threaded.jspi.wasm', 'ort-wasm-simd-threaded.asyncify.wasm',
  'ort-wasm-simd-threaded.wasm',
];

/** Takes the package from where it was built. @type {import('esbuild').Plugin} */
const ours = {
  name: 'ours',
  setup({ onResolve }) {
    onResolve({ filter: /^tabagent-wasm\// }, ({ path }) => ({
      path: join(PACKAGE_DIR, `${path.slice('tabagent-wasm/'.length)}.js`),
    }));
  },
};

/**
 * @param {string} folder
 * @param {{ hubUrl: string, idle?: object, background?: string,
 *   firefox?: boolean }} options background: name of its source; firefox: for
 *   that browser; the others are those of startBackground
 */
export async function buildExtension(
  folder, { background = 'background', firefox = false, ...options },
) {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await build({
    entryPoints: Object.entries({ background, host: 'host', panel: 'panel' })
      .map(([out, name]) => ({ in: join(SOURCES, `${name}.js`), out })),
    outdir: folder,
    plugins: [ours],
    bundle: true,
    format: 'esm',
    target: ['chrome120', 'firefox121'],
    nodePaths: [join(ROOT, 'node_modules')],
    define: { 'globalThis.OPTIONS': JSON.stringify(options) },
    logLevel: 'error',
  });
  const manifest = JSON.parse(
    await readFile(join(SOURCES, 'manifest.json'), 'utf8'));
  await writeFile(join(folder, 'manifest.json'),
    JSON.stringify(firefox ? forFirefox(manifest) : manifest));
  await copyFile(join(SOURCES, 'panel.html'), join(folder, 'panel.html'));
  await copyFile(join(PACKAGE_DIR, 'host.html'),
    join(folder, 'tabagent-host.html'));
  await copyFile(join(PACKAGE_DIR, 'tabagent.wasm'), join(folder, 'tabagent.wasm'));
  for (const name of ORT_WASM) {
    await copyFile(join(ROOT, 'node_modules/onnxruntime-web/dist', name),
      join(folder, name));
  }
}
