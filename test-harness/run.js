// SPDX-License-Identifier: Apache-2.0
// Runs programs for the build and the tests.
import { execFile, spawn, spawnSync } from 'node:child_process';

import { ROOT } from './paths.js';

/** Bytes of output that are kept: a sanitizer's report is long. */
const OUTPUT_MAX = 1 << 26;

/**
 * Runs a program in the project's root with its output on ours.
 * @param {string} command
 * @param {string[]} args
 * @returns {Promise<void>} rejects when it does not succeed
 */
export function run(command, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'],
    });
    child.on('error', reject);
    child.on('close', (status, signal) => {
      if (status === 0) return resolve();
      reject(new Error(`${command} ${args[0] ?? ''} ended with ` +
        `${signal ?? `status ${status}`}`));
    });
  });
}

/**
 * Runs a program in the project's root and resolves with all it prints.
 * @param {string} command
 * @param {string[]} args
 * @returns {Promise<string>} rejects, after showing it, when the program fails
 */
export function capture(command, args) {
  return new Promise((resolve, reject) => {
    execFile(command, args, { cwd: ROOT, maxBuffer: OUTPUT_MAX },
      (error, stdout, stderr) => {
        if (!error) return resolve(stdout + stderr);
        process.stderr.write(stdout + stderr);
        reject(new Error(`${command} failed`));
      });
  });
}

/**
 * Returns what a program prints, or "" when it cannot be run.
 * @param {string} command
 * @param {string[]} args
 */
export function output(command, args) {
  const { stdout } = spawnSync(command, args, { cwd: ROOT, encoding: 'utf8' });
  return stdout ?? '';
}

/**
 * Runs a program whose output matters only when it fails.
 * @param {string} command
 * @param {string[]} args
 */
function runQuietly(command, args) {
  const { status, stdout, stderr, error } =
    spawnSync(command, args, { cwd: ROOT, encoding: 'utf8' });
  if (status === 0) return;
  process.stderr.write(`${stdout ?? ''}${stderr ?? ''}`);
  throw error ?? new Error(`${command} ${args.join(' ')} failed`);
}

/**
 * Builds a CMake preset.
 * @param {string} preset
 * @param {string} [target] everything without one
 */
export function buildPreset(preset, target) {
  runQuietly('cmake', ['--preset', preset]);
  runQuietly('cmake', ['--build', '--preset', preset,
    ...(target ? ['--target', target] : [])]);
}
