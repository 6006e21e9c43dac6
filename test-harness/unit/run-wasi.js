// SPDX-License-Identifier: Apache-2.0
// Runs a WASI program under Node and takes over its exit status. It sees no
// environment and no files, except below one folder when that is named:
//   node run-wasi.js [--dir=FOLDER] PROGRAM.wasm [ARGUMENT...]
import { readFile } from 'node:fs/promises';
import { setFlagsFromString } from 'node:v8';
import { WASI } from 'node:wasi';

// Node 20 lets V8 call WASI directly, and garbage collected at such a moment
// corrupts V8's own heap: on a busy machine up to half of the runs of a program
// crashed after it had passed. Without direct calls none does.
setFlagsFromString('--no-turbo-fast-api-calls');

const [first, ...rest] = process.argv.slice(2);
const folder = /^--dir=(.*)/.exec(first)?.[1];
const [program, ...args] = folder ? rest : [first, ...rest];
const wasi = new WASI({
  version: 'preview1',
  args: [program, ...args],
  preopens: folder ? { [folder]: folder } : {},
  returnOnExit: true,
});
const module = await WebAssembly.compile(await readFile(program));
const instance = await WebAssembly.instantiate(module,
  /** @type {WebAssembly.Imports} */ (wasi.getImportObject()));
process.exitCode = wasi.start(instance);
