// SPDX-License-Identifier: Apache-2.0
// The Debian packages that building and testing need, and the versions for
// which the committed dist/ is proven.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { ROOT } from './paths.js';
import { output } from './run.js';
import {
  ensureDebianPackages, ensureNodePackages, tryDebianPackages,
} from './setup.js';

/** The compiler that makes the committed tabagent.wasm. */
const PINNED_EMSCRIPTEN = '3.1.6';

/** The formatter whose opinion counts; others break lines differently. */
export const PINNED_CLANG_FORMAT = '14';

const BUILD_PACKAGES = [
  { name: 'ca-certificates', why: 'secure downloads' },
  { name: 'cmake', why: 'describes the build' },
  { name: 'ninja-build', why: 'runs the build' },
  { name: 'dpkg-dev', why: 'unpacks the source of cJSON' },
  { name: 'emscripten', why: 'compiles the module that ships' },
];

const TEST_PACKAGES = [
  { name: 'gcc', why: 'compiles the native tests' },
  { name: 'libc6-dev', why: 'C library for the native tests' },
  { name: 'clang', why: 'compiles the fuzzers and the WASI tests' },
  { name: 'libclang-rt-14-dev', why: 'sanitizers and libFuzzer' },
  { name: 'clang-format', why: 'checks the format of the C code' },
  { name: 'lld', why: 'links the WASI tests' },
  { name: 'wasi-libc', why: 'C library for tests inside WebAssembly' },
  { name: 'libclang-rt-14-dev-wasm32', why: 'compiler runtime for the same' },
  { name: 'chromium', why: 'runs the browser test' },
];

/** Without them a part of the tests is left out. */
const OPTIONAL_PACKAGES = [
  { name: 'firefox-esr', why: 'runs the extension in another browser' },
];

/** Installs what `npm run build` needs. */
export async function ensureBuildTools() {
  await ensureDebianPackages(BUILD_PACKAGES);
  await ensureNodePackages({ dev: true });
}

/** Installs what `npm test` needs. */
export async function ensureTestTools() {
  await ensureDebianPackages([...BUILD_PACKAGES, ...TEST_PACKAGES]);
  await tryDebianPackages(OPTIONAL_PACKAGES);
  await ensureNodePackages({ dev: true });
}

/** Returns the version of the installed clang-format, "" without one. */
export function clangFormatVersion() {
  return /version (\d+)/.exec(output('clang-format', ['--version']))?.[1] ?? '';
}

/**
 * Returns why a build here need not give the bytes of dist/, or null when it
 * must.
 * @returns {string | null}
 */
export function differenceFromPinned() {
  const emcc = /\d+\.\d+\.\d+/.exec(output('emcc', ['--version']))?.[0];
  if (emcc !== PINNED_EMSCRIPTEN) {
    return `emcc is ${emcc ?? 'missing'}, the pinned one ${PINNED_EMSCRIPTEN}`;
  }
  const recipe = readFileSync(join(ROOT, 'cmake/FetchCJson.cmake'), 'utf8');
  const pinned = /set\(CJSON_DEBIAN_VERSION (\S+)\)/.exec(recipe)?.[1];
  const file = join(ROOT, 'build/cjson/version.txt');
  const present = existsSync(file) ? readFileSync(file, 'utf8').trim() : 'none';
  if (present !== pinned) {
    return `cJSON is ${present}, the pinned one ${pinned}`;
  }
  return null;
}
