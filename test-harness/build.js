// SPDX-License-Identifier: Apache-2.0
// Builds what users import into build/dist. npm run build puts it into dist/,
// the tests compare it with dist/: the same sources and compiler give the same
// bytes.
import { createHash } from 'node:crypto';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';

import { ROOT } from './paths.js';
import { buildPreset } from './run.js';
import { ensureBuildTools } from './toolchain.js';

/** Where the build goes. */
export const BUILT = join(ROOT, 'build/dist');

/** The files of dist/ that are code, in the order of their listing. */
const FILES = [
  'archive.js', 'chat-types.d.ts', 'chat.js', 'disk-store.js', 'index.d.ts',
  'index.js', 'listing-types.d.ts', 'tabagent.wasm',
];

/**
 * What a page has to load, and how large that may get.
 * @type {{ file: string, kind: 'raw' | 'gzip', max: number }[]}
 */
const LIMITS = [
  { file: 'tabagent.wasm', kind: 'raw', max: 240 * 1024 },
  { file: 'index.js', kind: 'gzip', max: 31 * 1024 },
  { file: 'chat.js', kind: 'gzip', max: 64 * 1024 },
];

/**
 * Copies a file into BUILT, as a plain file: linkers mark theirs as programs.
 * @param {string} path
 */
async function copy(path) {
  const bytes = await readFile(join(ROOT, path));
  await writeFile(join(BUILT, basename(path)), bytes);
}

/**
 * Files of their own, because few need them: the store on disk only Node,
 * archives only who makes backups, the chat who runs models.
 * @type {import('esbuild').Plugin}
 */
const loadedApart = {
  name: 'loaded-apart',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/disk\.js$/ },
      () => ({ path: './disk-store.js', external: true }));
    onResolve({ filter: /^\.\/archive\.js$/ },
      () => ({ path: './archive.js', external: true }));
    onResolve({ filter: /^\.\/chat\/runtime\.js$/ },
      () => ({ path: './chat.js', external: true }));
  },
};

async function bundle() {
  const { build } = await import('esbuild');
  await build({
    absWorkingDir: ROOT,
    entryPoints: {
      index: 'js-bindings/index.js',
      'disk-store': 'js-bindings/store/disk.js',
      archive: 'js-bindings/archive.js',
      chat: 'js-bindings/chat/runtime.js',
    },
    outdir: BUILT,
    plugins: [loadedApart],
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    target: 'es2022',
    charset: 'utf8',
    // Node's own are imported only where there are files; onnxruntime-web
    // comes with the application.
    external: ['node:*', 'onnxruntime-web'],
    banner: { js: '// SPDX-License-Identifier: Apache-2.0' },
    logLevel: 'warning',
  });
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
  await bundle();
  await copy('js-bindings/types/index.d.ts');
  await copy('js-bindings/types/chat-types.d.ts');
  await copy('js-bindings/types/listing-types.d.ts');
  return describe();
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  await ensureBuildTools();
  const sizes = await buildDist();
  await cp(BUILT, join(ROOT, 'dist'), { recursive: true });
  checkLimits(sizes);
}
