// SPDX-License-Identifier: Apache-2.0
// Builds the test extension as an app would: a bundler makes a script of each
// entry, and what scripts load by name lies beside them.

import { build } from 'esbuild';
import { copyFile, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { PACKAGE_DIR } from '../module-under-test.js';
import { ROOT } from '../paths.js';

const SOURCES = fileURLToPath(new URL('./test-extension', import.meta.url));

/** The part of onnxruntime-web that is no script. */
const ORT_WASM = 'ort-wasm-simd-threaded.jspi.wasm';

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
 * @param {{ hubUrl: string, idle?: object, background?: string }} options
 *   background: name of its source; the others are those of startBackground
 */
export async function buildExtension(
  folder, { background = 'background', ...options },
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
    target: 'chrome120',
    nodePaths: [join(ROOT, 'node_modules')],
    define: { 'globalThis.OPTIONS': JSON.stringify(options) },
    logLevel: 'error',
  });
  for (const name of ['manifest.json', 'panel.html']) {
    await copyFile(join(SOURCES, name), join(folder, name));
  }
  await copyFile(join(PACKAGE_DIR, 'host.html'),
    join(folder, 'tabagent-host.html'));
  await copyFile(join(PACKAGE_DIR, 'tabagent.wasm'), join(folder, 'tabagent.wasm'));
  await copyFile(join(ROOT, 'node_modules/onnxruntime-web/dist', ORT_WASM),
    join(folder, ORT_WASM));
}
