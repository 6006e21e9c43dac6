// SPDX-License-Identifier: Apache-2.0
// `doctor`: what is needed, whether it is there, and what to do if not.

import { access, constants, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';

import {
  dataDirectoryOf, openSession, proxyVariable, ReportedFailure, UsageError,
  WASM_URL, withStore,
} from './session.js';
import { amount, duration, size, style } from './style.js';

/** The oldest Node that the harness runs on. */
const NODE_MAJOR = 20;

/** How long the Hub may take to answer one small request. */
const HUB_TIMEOUT_MS = 10_000;

/** Room that a small model takes. */
const FREE_BYTES_MIN = 1_000_000_000;

/**
 * @typedef {{ check: string, ok: boolean, message: string,
 *   fix: string | null }} Finding
 */

/**
 * @param {string} check
 * @param {boolean} ok
 * @param {string} message
 * @param {string} [fix]
 * @returns {Finding}
 */
function finding(check, ok, message, fix) {
  return { check, ok, message, fix: ok ? null : fix ?? null };
}

/**
 * @param {import('./main.js').Options} options
 * @param {AbortSignal} signal
 */
export async function doctor(options, signal) {
  const findings = [
    checkNode(), ...await checkSession(options, signal),
    ...await checkStorage(options),
  ];
  signal.throwIfAborted();
  process.stdout.write(options.json
    ? `${JSON.stringify(findings, null, 2)}\n`
    : findings.map(formatFinding).join(''));
  const failed = findings.filter(({ ok }) => !ok).length;
  if (failed > 0) {
    throw new ReportedFailure(
      `${failed} of ${findings.length} checks failed`);
  }
}

/** @param {Finding} finding */
function formatFinding({ check, ok, message, fix }) {
  const mark = ok ? style.good('ok  ') : style.bad('FAIL');
  const advice = fix ? `${' '.repeat(19)}${style.note(fix)}\n` : '';
  return `${mark} ${check.padEnd(14)}${message}\n${advice}`;
}

/** @returns {Finding} */
function checkNode() {
  const { node } = process.versions;
  return finding('node', Number.parseInt(node, 10) >= NODE_MAJOR,
    `version ${node}`, `install Node ${NODE_MAJOR} or newer`);
}

/**
 * @param {import('./main.js').Options} options
 * @param {AbortSignal} signal
 */
async function checkSession(options, signal) {
  let session;
  try {
    session = await openSession(options);
  } catch (error) {
    return [error instanceof UsageError
      ? finding('options', false, messageOf(error), 'see `npm start -- --help`')
      : finding('wasm', false, messageOf(error),
        '`npm run build` makes dist/ anew')];
  }
  try {
    return [
      await checkModule(session), ...await checkHub(session, signal),
      checkProxy(), await checkToken(session, signal),
    ];
  } finally {
    await session.close();
  }
}

/** @param {import('./session.js').Session} session */
async function checkModule(session) {
  const { size } = await stat(WASM_URL);
  return finding('wasm', true, `tabagent.wasm, ${(size / 1000).toFixed(1)} kB, `
    + `started in ${duration(session.loadMs)}`);
}

/**
 * @param {Pick<import('./session.js').Session,
 *   'hubUrl' | 'simulator' | 'token' | 'fetch'>} session
 * @param {AbortSignal} signal
 * @param {number} [timeoutMs]
 */
export async function checkHub(session, signal, timeoutMs = HUB_TIMEOUT_MS) {
  const { hubUrl, simulator, token, fetch } = session;
  const startMs = performance.now();
  const limit = limitedBy(signal, timeoutMs);
  try {
    const response = await fetch(`${hubUrl}/api/models?limit=1`, {
      headers: token ? { authorization: `Bearer ${token}` } : {},
      signal: limit.signal,
    });
    await response.arrayBuffer();
    const name = simulator === null ? hubUrl : `${hubUrl} (simulated)`;
    return [
      finding('hub', response.ok, `${name} answered ${response.status} in `
        + duration(performance.now() - startMs), adviceFor(response.status)),
      describeLimits(response.headers),
    ];
  } catch (error) {
    return [finding('hub', false, `${hubUrl}: ${messageOf(error)}`,
      'check the network, --hub, HF_ENDPOINT and the proxy variables')];
  } finally {
    limit.release();
  }
}

/**
 * A signal that also ends after a time. Not `AbortSignal.any` of `timeout`:
 * Node 20 collects that timeout as garbage before it is over.
 * @param {AbortSignal} signal
 * @param {number} ms
 */
function limitedBy(signal, ms) {
  const controller = new AbortController();
  const abort = () => controller.abort(signal.reason);
  const timer = setTimeout(() => {
    controller.abort(new Error(`no answer within ${duration(ms)}`));
  }, ms);
  signal.addEventListener('abort', abort);
  if (signal.aborted) abort();
  return {
    signal: controller.signal,
    release() {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
    },
  };
}

/** @param {number} status */
function adviceFor(status) {
  if (status === 401) return 'the token is not accepted';
  if (status === 429) return 'too many requests lately: wait five minutes';
  return 'is this address a Hub?';
}

/**
 * Unreadable limits are no failure: then requests are paced carefully.
 * @param {Headers} headers
 */
function describeLimits(headers) {
  const limit = headers.get('ratelimit');
  const left = limit?.match(/;r=(\d+)/)?.[1];
  const seconds = limit?.match(/;t=(\d+)/)?.[1];
  return finding('rate limit', true, left === undefined
    ? 'not told by this Hub; requests are paced without it'
    : `${left} requests left in the next ${seconds} s`);
}

function checkProxy() {
  const name = proxyVariable();
  return finding('proxy', true, name ? `$${name} is used` : 'none');
}

/**
 * @param {import('./session.js').Session} session
 * @param {AbortSignal} signal
 */
async function checkToken({ token, manager }, signal) {
  if (!token) return finding('token', true, 'none; gated models stay closed');
  try {
    const { name, role } = await manager.login(token, { signal });
    return finding('token', true,
      `that of ${name}, ${role ?? 'unknown role'}; sent to the Hub only`);
  } catch (error) {
    return finding('token', false, messageOf(error),
      /** @type {any} */ (error).userAction);
  }
}

/**
 * Where models are stored, whether that can be written and read, and how much
 * room there is. Makes nothing.
 * @param {import('./main.js').Options} options
 */
async function checkStorage(options) {
  const dataDir = dataDirectoryOf(options);
  const there = await nearestDirectory(dataDir);
  const findings = [await checkWritable(dataDir, there)];
  if (findings[0].ok) {
    findings.push(await checkRoom(there));
    if (there === dataDir) findings.push(await checkStore(options));
  }
  return findings;
}

/**
 * The directory itself, or the one in which it would be made.
 * @param {string} path absolute
 * @returns {Promise<string>}
 */
async function nearestDirectory(path) {
  try {
    await stat(path);
    return path;
  } catch (error) {
    const { code } = /** @type {NodeJS.ErrnoException} */ (error);
    return code === 'ENOENT' && dirname(path) !== path
      ? nearestDirectory(dirname(path)) : path;
  }
}

/**
 * @param {string} dataDir
 * @param {string} there
 */
async function checkWritable(dataDir, there) {
  const fix = 'give another directory with --data';
  try {
    if (!(await stat(there)).isDirectory()) {
      return finding('data', false, `${there} is not a directory`, fix);
    }
    await access(there, constants.R_OK | constants.W_OK | constants.X_OK);
    return finding('data', true, there === dataDir ? dataDir
      : `${dataDir}, made when needed`);
  } catch (error) {
    return finding('data', false, messageOf(error), fix);
  }
}

/** @param {string} there */
async function checkRoom(there) {
  const { bavail, bsize } = await statfs(there);
  const free = bavail * bsize;
  return finding('free space', free >= FREE_BYTES_MIN, size(free),
    '`npm start -- models` tells what could be deleted');
}

/** @param {import('./main.js').Options} options */
async function checkStore(options) {
  try {
    return await withStore(options, async (manager) => {
      const models = await manager.models();
      const bytes = models.reduce((sum, model) => sum + model.bytes, 0);
      return finding('store', true,
        `${amount(models.length, 'model')}, ${size(bytes)}`);
    });
  } catch (error) {
    return finding('store', false, messageOf(error),
      'give another directory with --data');
  }
}

/** @param {any} error */
function messageOf(error) {
  const cause = error?.cause?.message ?? error?.cause?.code;
  return cause ? `${error.message}: ${cause}` : String(error?.message ?? error);
}
