// SPDX-License-Identifier: Apache-2.0
// Makes a fresh clone ready: npm packages from the lock file, Debian packages
// by apt-get. Uses nothing but Node itself, says what it installs and why.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { ROOT } from './paths.js';

/** @typedef {{ name: string, why: string }} DebianPackage */

/** @param {string} text */
function say(text) {
  process.stderr.write(`setup: ${text}\n`);
}

/** @param {string} path */
function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}

/**
 * Runs a program in the project's root; its output goes to stderr, so that
 * `--json` output stays clean.
 * @param {string} command
 * @param {string[]} args
 * @param {import('node:child_process').SpawnSyncOptions} [options]
 * @returns {boolean} whether it succeeded
 */
function run(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, {
    cwd: ROOT, stdio: ['inherit', 2, 2], ...options,
  });
  if (error) say(`${command}: ${error.message}`);
  return status === 0;
}

// --- npm packages

/**
 * Returns the packages of the product and of the harness that are missing or of
 * another version than the pinned one.
 * @param {boolean} dev with those that only tests need
 * @returns {string[]}
 */
function missingNodePackages(dev) {
  const harness = join(ROOT, 'test-harness');
  const { dependencies, devDependencies } =
    readJson(join(harness, 'package.json'));
  const wanted = {
    ...readJson(join(ROOT, 'package.json')).dependencies,
    ...dependencies,
    ...(dev ? devDependencies : {}),
  };
  return Object.keys(wanted).filter((name) => {
    // npm puts a workspace's packages beside it or into the root.
    const path = [harness, ROOT]
      .map((folder) => join(folder, 'node_modules', name, 'package.json'))
      .find(existsSync);
    return !path || readJson(path).version !== wanted[name];
  });
}

/** @param {string[]} args */
function runNpm(args) {
  const cli = process.env.npm_execpath;
  if (cli?.endsWith('npm-cli.js')) return run(process.execPath, [cli, ...args]);
  // Windows starts npm.cmd only through its shell.
  return process.platform === 'win32'
    ? run('npm.cmd', args, { shell: true })
    : run('npm', args);
}

/**
 * Installs the npm packages of the lock file unless they are there. No install
 * scripts are run.
 * @param {{ dev: boolean }} options dev: also those that only tests need
 */
export async function ensureNodePackages({ dev }) {
  const missing = missingNodePackages(dev);
  if (missing.length === 0) return;
  say(`installing npm packages (${missing.join(', ')})`);
  const args = [
    'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=notice'];
  if (!dev) args.push('--omit=dev');
  if (!runNpm(args)) {
    throw new Error('npm ci failed; its output above says why');
  }
}

// --- Debian packages

/** @param {string} name */
function isInstalled(name) {
  const { stdout } = spawnSync('dpkg-query',
    ['--show', '--showformat=${db:Status-Status}', name], { encoding: 'utf8' });
  return stdout === 'installed';
}

/** @param {string[]} args */
function aptGet(args) {
  const command = ['env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', ...args];
  if (process.getuid?.() !== 0) command.unshift('sudo');
  return run(command[0], command.slice(1));
}

/**
 * Installs Debian packages that are missing, as root or through sudo. On other
 * systems it only says what is needed.
 * @param {DebianPackage[]} packages
 */
export async function ensureDebianPackages(packages) {
  if (!existsSync('/usr/bin/apt-get')) {
    say('no apt-get here; please provide what these Debian packages hold: ' +
      packages.map(({ name, why }) => `${name} (${why})`).join(', '));
    return;
  }
  const missing = packages.filter(({ name }) => !isInstalled(name));
  if (missing.length === 0) return;
  say('installing Debian packages:');
  for (const { name, why } of missing) say(`  ${name}: ${why}`);
  const names = missing.map(({ name }) => name);
  const install = ['install', '--yes', '--quiet', '--no-install-recommends',
    ...names];
  // The package lists of a fresh system are empty or old.
  if (aptGet(install)) return;
  say('reading the package lists first');
  if (!aptGet(['update', '--quiet']) || !aptGet(install)) {
    throw new Error(`could not install ${names.join(' ')}; ` +
      'root or sudo is needed, and the network');
  }
}

/**
 * The same for packages that not every system has: what is left out without them
 * is said.
 * @param {DebianPackage[]} packages
 */
export async function tryDebianPackages(packages) {
  try {
    await ensureDebianPackages(packages);
  } catch (error) {
    for (const { name, why } of packages) {
      say(`going on without ${name} (${why}): ${
        error instanceof Error ? error.message : error}`);
    }
  }
}
