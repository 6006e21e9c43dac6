// SPDX-License-Identifier: Apache-2.0
// Firefox as a process of our own, driven over WebDriver BiDi, with an extension
// in it: its pages, and what the browser itself knows of its background.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { WebSocket } from 'undici';

/** Where Debian's package puts it; others may say where theirs is. */
export const FIREFOX = process.env.FIREFOX_PATH ?? '/usr/bin/firefox-esr';

/** Why tests in Firefox cannot be run, for `skip`. */
export const FIREFOX_MISSING = existsSync(FIREFOX) ? false
  : `${FIREFOX} is not there: install firefox-esr, or set FIREFOX_PATH`;

const ARGS = [
  // With it, what tests of Firefox itself use can be reached.
  '--remote-allow-system-access',
  '--headless', '--no-remote', '--remote-debugging-port', '0',
];

/** @typedef {Awaited<ReturnType<typeof startFirefox>>} Firefox */
/** @typedef {Awaited<ReturnType<Firefox['install']>>} Installed */
/** @typedef {Awaited<ReturnType<Installed['open']>>} Page */

/**
 * @param {string} profile folder of the profile
 * @param {Record<string, number | boolean>} [prefs]
 */
export async function startFirefox(profile, prefs = {}) {
  await writeFile(join(profile, 'user.js'), Object.entries(prefs).map(
    ([name, value]) => `user_pref("${name}", ${value});\n`).join(''));
  const child = spawn(FIREFOX, [...ARGS, '--profile', profile],
    { stdio: ['ignore', 'ignore', 'pipe'] });
  const bidi = await connect(await addressOf(child));
  await bidi.send('session.new', { capabilities: {} });
  let pages = 0;

  /**
   * @param {string} context
   * @param {(argument: any) => any} act
   * @param {any} [argument]
   * @returns {Promise<any>}
   */
  const evaluate = async (context, act, argument) => {
    const { type, result, exceptionDetails } = await bidi.send(
      'script.callFunction', {
        functionDeclaration: `async (text) => JSON.stringify(
          await (${act})(text && JSON.parse(text)))`,
        arguments: argument === undefined ? []
          : [{ type: 'string', value: JSON.stringify(argument) }],
        target: { context }, awaitPromise: true,
      });
    if (type !== 'success') throw new Error(exceptionDetails.text);
    return result.value === undefined ? undefined : JSON.parse(result.value);
  };

  const { contexts: [{ context: browser }] } = await bidi.send(
    'browsingContext.getTree', { 'moz:scope': 'chrome' });

  return {
    /**
     * Installs an extension, until the browser is closed.
     * @param {string} folder
     */
    async install(folder) {
      const { extension: id } = await bidi.send('webExtension.install',
        { extensionData: { type: 'path', path: folder } });
      const inBrowser = (/** @type {(id: string) => any} */ act) => (
        evaluate(browser, act, id));
      return {
        /**
         * Opens a page of it in a tab of its own.
         * @param {string} path
         */
        async open(path) {
          pages += 1;
          const mark = `#page-${pages}`;
          await evaluate(browser, openTab, [id, `${path}${mark}`]);
          const { contexts } = await bidi.send('browsingContext.getTree', {});
          const { context } = contexts.find(
            (/** @type {any} */ { url }) => url.endsWith(mark));
          return {
            /** @type {import('./manager-stage.js').Page['evaluate']} */
            evaluate: (act, argument) => evaluate(context, act, argument),
            close: () => bidi.send('browsingContext.close', { context }),
          };
        },
        /** @returns {Promise<'running' | 'suspending' | 'stopped'>} */
        backgroundState: () => inBrowser((id) => (
          /** @type {any} */ (globalThis).WebExtensionPolicy.getByID(id)
            .extension.backgroundState)),
        /**
         * Ends the background as if it had been idle, whatever it does. An event
         * that comes just then would keep it.
         */
        endBackground: () => inBrowser(async (id) => {
          const { Services, WebExtensionPolicy } = /** @type {any} */ (
            globalThis);
          const { extension } = WebExtensionPolicy.getByID(id);
          let hasEnded = false;
          extension.once('shutdown-background-script', () => {
            hasEnded = true;
          });
          while (!hasEnded) {
            await extension.terminateBackground(
              { disableResetIdleForTest: true });
            await new Promise((resolve) => {
              Services.tm.dispatchToMainThread(resolve);
            });
          }
        }),
      };
    },
    async close() {
      const ended = once(child, 'close');
      await bidi.send('browser.close', {}).catch(() => child.kill());
      await ended;
      bidi.close();
    },
  };
}

/**
 * Opens a page of an extension in a tab, and waits until it has been loaded. Runs
 * in the window of the browser.
 * @param {[string, string]} page id of the extension, and path
 */
function openTab([id, path]) {
  const { WebExtensionPolicy, gBrowser, Ci } = /** @type {any} */ (globalThis);
  const { STATE_STOP, STATE_IS_WINDOW } = Ci.nsIWebProgressListener;
  const { extension } = WebExtensionPolicy.getByID(id);
  return new Promise((resolve) => {
    const listener = {
      onStateChange(/** @type {any} */ browser, /** @type {any} */ _progress,
        /** @type {any} */ _request, /** @type {number} */ flags) {
        if (!browser.currentURI.spec.endsWith(path)
          || !(flags & STATE_STOP) || !(flags & STATE_IS_WINDOW)) return;
        gBrowser.removeTabsProgressListener(listener);
        resolve(undefined);
      },
    };
    gBrowser.addTabsProgressListener(listener);
    gBrowser.addTab(extension.getURL(path),
      { triggeringPrincipal: extension.principal });
  });
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @returns {Promise<string>} where it listens
 */
function addressOf(child) {
  return new Promise((resolve, reject) => {
    let text = '';
    child.once('error', reject);
    child.once('close', () => reject(new Error(`Firefox ended: ${text}`)));
    child.stderr?.on('data', (bytes) => {
      text += bytes;
      const found = /WebDriver BiDi listening on (ws:\S+)/.exec(text)?.[1];
      if (found) resolve(`${found}/session`);
    });
  });
}

/** @param {string} address */
async function connect(address) {
  const socket = new WebSocket(address);
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = reject;
  });
  /** @type {Map<number, { resolve: (result: any) => void, reject: (error: Error) => void }>} */
  const waiting = new Map();
  socket.onmessage = ({ data }) => {
    const { id, type, result, message } = JSON.parse(data);
    const call = waiting.get(id);
    waiting.delete(id);
    if (type === 'success') call?.resolve(result);
    else call?.reject(new Error(message));
  };
  // Whoever waits must not wait for a browser that is gone.
  socket.onclose = () => {
    for (const { reject } of waiting.values()) {
      reject(new Error('Firefox is gone'));
    }
  };
  let lastId = 0;
  return {
    /**
     * @param {string} method
     * @param {object} params
     * @returns {Promise<any>}
     */
    send: (method, params) => new Promise((resolve, reject) => {
      lastId += 1;
      waiting.set(lastId, { resolve, reject });
      socket.send(JSON.stringify({ id: lastId, method, params }));
    }),
    close: () => socket.close(),
  };
}
