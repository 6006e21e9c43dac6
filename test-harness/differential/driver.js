// SPDX-License-Identifier: Apache-2.0
// Runs a *_driver.c, natively or inside WebAssembly: questions on standard
// input, answers that end with NUL on standard output.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ROOT = new URL('../../', import.meta.url);
const WASI_RUNNER = 'test-harness/unit/run-wasi.js';

/**
 * Returns the command that runs the driver |name| of the build |preset|.
 * @param {string} name
 * @param {'native' | 'wasi'} preset
 */
function driverCommand(name, preset) {
  const suffix = preset === 'wasi' ? '.wasm' : '';
  const path = fileURLToPath(new URL(
    `build/${preset}/test-harness/differential/${name}${suffix}`, ROOT));
  if (!existsSync(path)) {
    throw new Error(`${path} is missing: cmake --build --preset ${preset}`);
  }
  return preset === 'wasi'
    ? [process.execPath, '--no-warnings', fileURLToPath(new URL(WASI_RUNNER, ROOT)), path]
    : [path];
}

/**
 * Returns the answers of the driver |name| to |input|.
 * @param {string} name
 * @param {'native' | 'wasi'} preset
 * @param {string | Uint8Array} input
 */
export function runDriver(name, preset, input) {
  const [command, ...args] = driverCommand(name, preset);
  const result = spawnSync(command, args, { input, maxBuffer: 2 ** 30 });
  if (result.status !== 0) {
    throw new Error(`${command} failed: ${result.error ?? result.stderr}`);
  }
  return result.stdout.toString('utf8').split('\0').slice(0, -1);
}
