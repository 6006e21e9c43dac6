// SPDX-License-Identifier: Apache-2.0
// What every command works with: a Hub, a way to reach it, and a manager.

import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';

import { createModelManager, TabAgentError } from '../../dist/index.js';
import { tinyChat } from '../models/tiny-chat.js';
import { cacheDirectory, simulatedDirectory } from './data-directory.js';
import { example } from './example-model.js';

/** The committed WebAssembly module. */
export const WASM_URL = new URL('../../dist/tabagent.wasm', import.meta.url);

/** Variables that name a proxy; Node's own fetch does not look at them. */
const PROXY_VARIABLES = [
  'HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy',
];

/** The command cannot be done as it was given. */
export class UsageError extends Error {}

/** The result was printed, and is not good. */
export class ReportedFailure extends Error {}

/**
 * @typedef {object} Session
 * @property {string} hubUrl
 * @property {import('../hub/index.js').Hub | null} simulator null on a Hub that
 *   is not ours
 * @property {string} dataDir where models are stored
 * @property {string | null} token
 * @property {typeof fetch} fetch
 * @property {import('../../dist/index.js').ModelManager} manager
 * @property {number} loadMs how long the module took to start
 * @property {() => Promise<void>} close
 */

/**
 * Finds or starts the Hub and makes a manager for it.
 * @param {import('./main.js').Options} options
 * @returns {Promise<Session>}
 */
export async function openSession(options) {
  const token = findToken(options);
  const hub = await openHub(options);
  const fetch = hub.simulator === null ? await chooseFetch()
    : globalThis.fetch;
  const wasm = await readFile(WASM_URL);
  const startMs = performance.now();
  try {
    const dataDir = dataDirectoryOf(options);
    const manager = await createModelManager({
      wasm, hubUrl: hub.url, fetch, dataDir, seed: options.seed,
    });
    if (token) await takeToken(manager, token, options);
    return {
      hubUrl: hub.url,
      simulator: hub.simulator,
      dataDir,
      token,
      fetch,
      manager,
      loadMs: performance.now() - startMs,
      async close() {
        await manager.dispose();
        await hub.close();
      },
    };
  } catch (error) {
    await hub.close();
    throw withItsName(error, options);
  }
}

/**
 * Has the token used from here on. The Hub is not asked whose it is: not every
 * command needs it, and `doctor` does.
 * @param {import('../../dist/index.js').ModelManager} manager
 * @param {string} token
 * @param {import('./main.js').Options} options
 */
async function takeToken(manager, token, { tokenEnv = 'HF_TOKEN' }) {
  const { code } = await manager.handleMessage(
    { action: 'login', id: 'session', params: { token, check: false } });
  if (code !== undefined) {
    throw new UsageError(
      `the environment variable ${tokenEnv} holds no access token of the Hub`);
  }
}

/**
 * Names a wrong address as its user did.
 * @param {unknown} error
 * @param {import('./main.js').Options} options
 */
function withItsName(error, { hub }) {
  if (!(error instanceof TabAgentError)
    || !error.message.startsWith('option hubUrl')) return error;
  return new UsageError(error.message.replace('option hubUrl',
    hub === undefined ? 'the variable HF_ENDPOINT' : 'option --hub'));
}

/**
 * Runs `work` with a session and closes it whatever happens.
 * @template T
 * @param {import('./main.js').Options} options
 * @param {(session: Session) => Promise<T>} work
 */
export async function withSession(options, work) {
  const session = await openSession(options);
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}

/**
 * The Hub that was asked for; without one it is simulated.
 * @param {import('./main.js').Options} options
 */
function hubUrlOf(options) {
  const url = options.hub ?? (process.env.HF_ENDPOINT || null);
  return url?.replace(/\/+$/, '') ?? null;
}

/** @param {import('./main.js').Options} options */
async function openHub(options) {
  const url = hubUrlOf(options);
  if (url !== null) return { url, simulator: null, close: async () => {} };
  const { startHub } = await import('../hub/index.js');
  const hub = await startHub({
    seed: options.seed, repositories: [example(), tinyChat()],
  });
  return { url: hub.url, simulator: hub.hub, close: hub.close };
}

/** @param {import('./main.js').Options} options */
export function isSimulated(options) {
  return hubUrlOf(options) === null;
}

/**
 * What was told, else a place that fits the Hub: what a simulated one made up
 * shall not be found among models.
 * @param {import('./main.js').Options} options
 */
export function dataDirectoryOf(options) {
  if (options.data !== undefined) return resolve(options.data);
  return isSimulated(options) ? simulatedDirectory(options.seed)
    : cacheDirectory();
}

/**
 * Runs `work` with a manager that needs no Hub.
 * @template T
 * @param {import('./main.js').Options} options
 * @param {(manager: import('../../dist/index.js').ModelManager,
 *   dataDir: string) => Promise<T>} work
 */
export async function withStore(options, work) {
  const dataDir = dataDirectoryOf(options);
  const manager = await createModelManager(
    { wasm: await readFile(WASM_URL), dataDir });
  try {
    return await work(manager, dataDir);
  } finally {
    await manager.dispose();
  }
}

/**
 * The token of an environment variable; null when there is none. The
 * simulated Hub does not know the user's token and would refuse it.
 * @param {import('./main.js').Options} options
 */
function findToken(options) {
  const { tokenEnv } = options;
  if (tokenEnv === undefined && hubUrlOf(options) === null) return null;
  const token = process.env[tokenEnv ?? 'HF_TOKEN'];
  if (tokenEnv !== undefined && !token) {
    throw new UsageError(`the environment variable ${tokenEnv} is not set`);
  }
  return token || null;
}

/** The proxy variable that is set, if any. */
export function proxyVariable() {
  return PROXY_VARIABLES.find((name) => process.env[name]);
}

/** @returns {Promise<typeof fetch>} one that goes through the proxy */
async function chooseFetch() {
  if (!proxyVariable()) return globalThis.fetch;
  const undici = await import('undici');
  const dispatcher = new undici.EnvHttpProxyAgent();
  return /** @type {any} */ ((
    /** @type {any} */ url, /** @type {any} */ init) => (
    undici.fetch(url, { ...init, dispatcher })));
}
