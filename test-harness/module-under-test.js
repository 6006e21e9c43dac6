// SPDX-License-Identifier: Apache-2.0
// The package as users import it. Tests take the fresh build when there is
// one (npm test makes it), else the committed dist/; both hold the same files.

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { ROOT } from './paths.js';

/** The folder with index.js and tabagent.wasm. */
export const PACKAGE_DIR = [join(ROOT, 'build/dist'), join(ROOT, 'dist')]
  .find((folder) => existsSync(join(folder, 'index.js')))
  ?? join(ROOT, 'dist');

/** @type {typeof import('../js-bindings/types/index.d.ts')} */
const index = await import(pathToFileURL(join(PACKAGE_DIR, 'index.js')).href);

export const { createModelManager, TabAgentError } = index;

/** Compiled once: a test that makes hundreds of managers does not wait. */
export const wasm = await WebAssembly.compile(
  await readFile(join(PACKAGE_DIR, 'tabagent.wasm')));
