// SPDX-License-Identifier: Apache-2.0
// The ways to build the application: each takes the folder of its project, in
// which the package is installed, and one to write into.

import { copyFile, cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { PACKAGE_DIR } from '../module-under-test.js';
import { ROOT } from '../paths.js';

const CONSUMERS_DIR = join(ROOT, 'test-harness/consumers');
const ORT_DIR = join(ROOT, 'node_modules/onnxruntime-web/dist');

/** What the build of ONNX Runtime that the application names runs on. */
const ORT_FILES = ['ort-wasm-simd-threaded.mjs', 'ort-wasm-simd-threaded.wasm'];

/** What the build that transformers.js brings runs on. */
const TRANSFORMERS_ORT_FILES = [
  'ort-wasm-simd-threaded.asyncify.mjs',
  'ort-wasm-simd-threaded.asyncify.wasm',
];

/**
 * Makes the project of an application, with the package as npm installs it.
 * Other packages are found further up.
 * @param {string} app its folder here
 * @param {string} folder
 */
export async function makeProject(app, folder) {
  await rm(folder, { recursive: true, force: true });
  await cp(join(CONSUMERS_DIR, app), folder, { recursive: true });
  // A package of its own: else our name would mean the package around it.
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }\n');
  const installed = join(folder, 'node_modules/tabagent-wasm');
  await cp(PACKAGE_DIR, join(installed, 'dist'), { recursive: true });
  await copyFile(join(ROOT, 'package.json'), join(installed, 'package.json'));
}

/**
 * @param {string} project
 * @param {string} output
 */
async function vite(project, output) {
  const { build } = await import('vite');
  await build({
    root: project, logLevel: 'error',
    build: { outDir: output, emptyOutDir: true },
  });
}

/**
 * @param {string} project
 * @param {string} output
 */
async function webpack(project, output) {
  const { default: makeCompiler } = await import('webpack');
  const compiler = makeCompiler({
    mode: 'production', context: project, entry: './main.js',
    output: { path: output, clean: true, filename: 'main.js' },
    performance: { hints: false },
  });
  /** @type {import('webpack').Stats | undefined} */
  const stats = await new Promise((resolve, reject) => {
    compiler.run((error, result) => {
      if (error) reject(error);
      else resolve(result);
    });
  });
  await new Promise((resolve) => { compiler.close(resolve); });
  if (stats?.hasErrors() || stats?.hasWarnings()) {
    throw new Error(stats.toString());
  }
  await copyFile(join(project, 'index.html'), join(output, 'index.html'));
}

/**
 * esbuild does not follow `new URL(file, import.meta.url)`: what the packages
 * load that way is copied beside the result.
 * @param {string} project
 * @param {string} output
 */
export async function esbuild(project, output) {
  const { build } = await import('esbuild');
  await build({
    absWorkingDir: project, entryPoints: ['main.js'], outdir: output,
    bundle: true, splitting: true, format: 'esm', target: 'es2022',
    external: ['node:*'], logLevel: 'warning',
  });
  await copyFile(join(PACKAGE_DIR, 'tabagent.wasm'),
    join(output, 'tabagent.wasm'));
  await copyOrt(output, [...ORT_FILES, ...TRANSFORMERS_ORT_FILES]);
  await copyFile(join(project, 'index.html'), join(output, 'index.html'));
}

/**
 * No build at all: an import map says where the packages are.
 * @param {string} project
 * @param {string} output
 */
async function plain(project, output) {
  await mkdir(output, { recursive: true });
  await cp(join(project, 'node_modules/tabagent-wasm/dist'),
    join(output, 'tabagent'), { recursive: true });
  await copyFile(join(project, 'main.js'), join(output, 'main.js'));
  await copyFile(join(ORT_DIR, 'ort.wasm.min.mjs'),
    join(output, 'ort.wasm.min.mjs'));
  await copyOrt(output);
  const imports = {
    'tabagent-wasm': './tabagent/index.js',
    'onnxruntime-web/wasm': './ort.wasm.min.mjs',
  };
  await writeFile(join(output, 'index.html'), '<!doctype html>\n'
    + `<script type="importmap">${JSON.stringify({ imports })}</script>\n`
    + '<script type="module" src="./main.js"></script>\n');
}

/**
 * @param {string} output
 * @param {string[]} [files]
 */
async function copyOrt(output, files = ORT_FILES) {
  for (const file of files) {
    await copyFile(join(ORT_DIR, file), join(output, file));
  }
}

/** @type {Record<string, (project: string, output: string) => Promise<void>>} */
export const builds = { vite, webpack, esbuild, plain };
