// SPDX-License-Identifier: Apache-2.0
// Where models are stored when nobody says where.

import { homedir } from 'node:os';
import { join, posix, win32 } from 'node:path';

import { ROOT } from '../paths.js';

const NAME = 'tabagent-wasm';

/**
 * The user's directory for what can be fetched again.
 * @param {NodeJS.Platform} [platform]
 * @param {Record<string, string | undefined>} [env]
 * @param {string} [home]
 */
export function cacheDirectory(
  platform = process.platform, env = process.env, home = homedir(),
) {
  if (platform === 'win32') {
    return win32.join(env.LOCALAPPDATA || win32.join(home, 'AppData', 'Local'),
      NAME, 'Cache');
  }
  if (platform === 'darwin') {
    return posix.join(home, 'Library', 'Caches', NAME);
  }
  // A relative path is to be ignored, says the specification.
  const told = env.XDG_CACHE_HOME;
  return posix.join(told && posix.isAbsolute(told) ? told
    : posix.join(home, '.cache'), NAME);
}

/**
 * For models that a simulated Hub made up, which are others with another seed.
 * @param {number} [seed]
 */
export function simulatedDirectory(seed) {
  return join(ROOT, 'build', seed === undefined ? 'models' : `models-${seed}`);
}
