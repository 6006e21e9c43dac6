// SPDX-License-Identifier: Apache-2.0
// Runs the command line as its users do, for its tests: a process with
// arguments, variables, output and an exit code.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { join } from 'node:path';

import { listen } from '../listen.js';
import { ROOT } from '../paths.js';

/** Variables that would change what the tests see. */
const OWN_VARIABLES = [
  'HF_ENDPOINT', 'HF_TOKEN', 'HTTP_PROXY', 'HTTPS_PROXY', 'http_proxy',
  'https_proxy', 'NO_PROXY', 'no_proxy', 'NO_COLOR', 'FORCE_COLOR',
];

/** The program behind `npm start`. */
export const PROGRAM = join(ROOT, 'test-harness', 'start.js');

/** @param {Record<string, string>} [variables] */
export function environment(variables) {
  const env = { ...process.env };
  for (const name of OWN_VARIABLES) delete env[name];
  return { ...env, ...variables };
}

/**
 * @param {string[]} args
 * @param {Record<string, string>} [variables]
 */
export function start(args, variables) {
  const child = spawn(process.execPath, [PROGRAM, ...args],
    { cwd: ROOT, env: environment(variables) });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (text) => { output.stdout += text; });
  child.stderr.on('data', (text) => { output.stderr += text; });
  const end = once(child, 'close').then(([code]) => ({ code, ...output }));
  return { child, end };
}

/**
 * @param {string[]} args
 * @param {Record<string, string>} [variables]
 */
export function run(args, variables) {
  return start(args, variables).end;
}

/**
 * A server for the length of a test.
 * @param {import('node:test').TestContext} context
 * @param {import('node:http').RequestListener} handle
 */
export async function serve(context, handle) {
  const server = createServer(handle);
  const { url, port, close } = await listen(server);
  context.after(close);
  return { server, port, url };
}

/** An address where nobody listens. */
export async function unusedAddress() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (
    server.address());
  server.close();
  await once(server, 'close');
  return `http://127.0.0.1:${port}`;
}

/** `Promise.withResolvers`, which Node 20 does not have. */
export function promiseWithResolvers() {
  /** @type {(value: unknown) => void} */
  let resolve = () => {};
  const promise = new Promise((fulfil) => { resolve = fulfil; });
  return { promise, resolve };
}
