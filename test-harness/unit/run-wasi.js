// SPDX-License-Identifier: Apache-2.0
// Runs a WASI program under Node and takes over its exit status. It sees no
// environment and no files, except below one folder when that is named:
//   node run-wasi.js [--dir=FOLDER] PROGRAM.wasm [ARGUMENT...]
import { readFile } from 'node:fs/promises';
import { WASI } from 'node:wasi';

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
