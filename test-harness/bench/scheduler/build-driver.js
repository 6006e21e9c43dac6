// SPDX-License-Identifier: Apache-2.0
// Compiles net_driver.c with the sources of the request pool and returns the
// exports of a fresh instance.
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const core = ['action_queue', 'mem', 'names', 'random', 'span'];

async function listSources() {
  const net = (await readdir(join(root, 'wasm/net')))
    .filter((name) => name.endsWith('.c')).map((name) => `wasm/net/${name}`);
  return [...net, ...core.map((name) => `wasm/core/${name}.c`),
    'test-harness/bench/net_driver.c'].map((path) => join(root, path));
}

/** @returns {Promise<Record<string, any>>} */
export async function buildDriver() {
  const folder = await mkdtemp(join(tmpdir(), 'net-driver-'));
  try {
    const target = join(folder, 'net_driver.wasm');
    await promisify(execFile)('emcc', ['-O2', '-std=gnu11', '--no-entry',
      '-sSTANDALONE_WASM=1', '-sFILESYSTEM=0', '-sINITIAL_MEMORY=16777216',
      `-I${root}wasm`, `-I${root}wasm/include`, ...await listSources(),
      '-o', target]);
    const { instance } = await WebAssembly.instantiate(await readFile(target), {});
    const driver = /** @type {Record<string, any>} */ (instance.exports);
    driver._initialize();
    return driver;
  } finally {
    await rm(folder, { recursive: true });
  }
}
