// SPDX-License-Identifier: Apache-2.0
// Builds what users import into build/dist. npm run build puts it into dist/,
// the tests compare it with dist/: the same sources and compiler give the same
// bytes.
import { createHash } from 'node:crypto';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';

import { ROOT } from './paths.js';
import { buildPreset } from './run.js';
import { ensureBuildTools } from './toolchain.js';

/** Where the build goes. */
export const BUILT = join(ROOT, 'build/dist');

/**
 * The scripts of dist/, by the sources they begin with. What one of them needs
 * of another it imports from there: the store on disk is for Node only, archives
 * for who makes backups, the chat for who runs models, and an error is of the
 * same class wherever it comes from.
 * @type {Record<string, string>}
 */
const SCRIPTS = {
  'archive.js': 'js-bindings/archive.js',
  'background.js': 'js-bindings/extension/background.js',
  'chat.js': 'js-bindings/chat/runtime.js',
  'client.js': 'js-bindings/extension/client.js',
  'disk-store.js': 'js-bindings/store/disk-store.js',
  'errors.js': 'js-bindings/errors.js',
  'host.js': 'js-bindings/extension/host.js',
  'index.js': 'js-bindings/index.js',
};

/** Files that are copied into dist/ as they are. */
const COPIES = [
  'js-bindings/extension/host.html',
  ...['background', 'chat-types', 'client', 'host', 'index', 'listing-types',
    'store-types']
    .map((name) => `js-bindings/types/${name}.d.ts`),
];

/** What the licenses of others ask for: to come along with what is theirs. */
const LICENSES = 'LICENSES.txt';

/** The files of dist/, in the order of their listing. */
const FILES = [
  ...Object.keys(SCRIPTS), ...COPIES.map((path) => basename(path)),
  'tabagent.wasm', LICENSES,
].sort();

/**
 * What a page has to load, and how large that may get.
 * @type {{ file: string, kind: 'raw' | 'gzip', max: number }[]}
 */
const LIMITS = [
  { file: 'tabagent.wasm', kind: 'raw', max: 288 * 1024 },
  { file: 'index.js', kind: 'gzip', max: 31 * 1024 },
  { file: 'chat.js', kind: 'gzip', max: 64 * 1024 },
  // It starts again for every message after a pause.
  { file: 'background.js', kind: 'gzip', max: 20 * 1024 },
  { file: 'client.js', kind: 'gzip', max: 20 * 1024 },
];

/**
 * Copies a file into BUILT, as a plain file: linkers mark theirs as programs.
 * @param {string} path
 */
async function copy(path) {
  const bytes = await readFile(join(ROOT, path));
  await writeFile(join(BUILT, basename(path)), bytes);
}

/** @type {import('esbuild').Plugin} */
const loadedApart = {
  name: 'loaded-apart',
  setup({ onResolve }) {
    const names = new Map(Object.entries(SCRIPTS)
      .map(([name, source]) => [join(ROOT, source), name]));
    onResolve({ filter: /^\./ }, ({ kind, path, resolveDir }) => {
      const name = names.get(resolve(resolveDir, path));
      return kind !== 'entry-point' && name
        ? { path: `./${name}`, external: true } : undefined;
    });
  },
};

/**
 * Tells bundlers again which imports are not theirs to follow: minifying takes
 * the comments away that said so.
 * @param {string} name
 */
async function markImports(name) {
  const path = join(BUILT, name);
  const script = await readFile(path, 'utf8');
  await writeFile(path, script.replace(/\bimport\((?!["'])/g,
    '$&/* webpackIgnore: true */ /* @vite-ignore */ '));
}

/** Returns the paths of the sources that went into the scripts. */
async function bundle() {
  const { build } = await import('esbuild');
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: Object.entries(SCRIPTS).map(([name, source]) => (
      { in: source, out: basename(name, '.js') })),
    outdir: BUILT,
    plugins: [loadedApart],
    bundle: true,
    // A third less to fetch; the sources are where the names are.
    minify: true,
    format: 'esm',
    platform: 'neutral',
    target: 'es2022',
    charset: 'utf8',
    // Node's own are imported only where there are files; onnxruntime-web
    // comes with the application.
    external: ['node:*', 'onnxruntime-web', 'onnxruntime-web/*'],
    banner: { js: '// SPDX-License-Identifier: Apache-2.0' },
    logLevel: 'warning',
    metafile: true,
  });
  for (const name of Object.keys(SCRIPTS)) await markImports(basename(name));
  return Object.keys(metafile.inputs);
}

/**
 * Writes down the licenses of the packages that are inside, and that of cJSON,
 * with which its source begins.
 * @param {string[]} inputs
 */
async function gatherLicenses(inputs) {
  const folder = process.env.CJSON_SOURCE_DIR || join(ROOT, 'build/cjson');
  const source = await readFile(join(folder, 'cJSON.c'), 'utf8');
  const parts = [
    `In tabagent.wasm: cJSON\n${source.slice(2, source.indexOf('*/'))}`];
  const packages = inputs.flatMap((path) => (
    path.match(/^.*node_modules\/(?:@[^/]+\/)?[^/]+/) ?? []));
  for (const path of [...new Set(packages)].sort()) {
    const license = await readFile(join(ROOT, path, 'LICENSE'), 'utf8');
    parts.push(`In the scripts: ${path.replace(/.*node_modules\//, '')}\n\n${
      license}`);
  }
  await writeFile(join(BUILT, LICENSES), parts.join('\n----\n\n'));
}

/** Writes SHA256SUMS and sizes.json, and returns the sizes. */
async function describe() {
  /** @type {Record<string, { raw: number, gzip: number }>} */
  const sizes = {};
  let sums = '';
  for (const file of FILES) {
    const bytes = await readFile(join(BUILT, file));
    const digest = createHash('sha256').update(bytes).digest('hex');
    sums += `${digest}  ${file}\n`;
    sizes[file] = {
      raw: bytes.length,
      gzip: gzipSync(bytes, { level: 9 }).length,
    };
  }
  await writeFile(join(BUILT, 'SHA256SUMS'), sums);
  await writeFile(join(BUILT, 'sizes.json'),
    `${JSON.stringify(sizes, null, 2)}\n`);
  return sizes;
}

/**
 * Stops when a file has outgrown its limit.
 * @param {Awaited<ReturnType<typeof describe>>} sizes
 */
export function checkLimits(sizes) {
  for (const { file, kind, max } of LIMITS) {
    const size = sizes[file][kind];
    console.log(`${file}: ${size} of ${max} bytes ${kind}`);
    if (size > max) throw new Error(`${file} is larger than ${max} bytes`);
  }
}

/** Builds the package into BUILT and returns the sizes of its files. */
export async function buildDist() {
  await rm(BUILT, { recursive: true, force: true });
  await mkdir(BUILT, { recursive: true });
  buildPreset('wasm');
  await copy('build/wasm/tabagent.wasm');
  await gatherLicenses(await bundle());
  for (const path of COPIES) await copy(path);
  return describe();
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  await ensureBuildTools();
  const sizes = await buildDist();
  await cp(BUILT, join(ROOT, 'dist'), { recursive: true });
  checkLimits(sizes);
}
