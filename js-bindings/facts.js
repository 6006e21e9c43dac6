// SPDX-License-Identifier: Apache-2.0
// What can be found out about browser and manifest, for `doctor`. The core
// judges it.

/**
 * @typedef {object} Facts
 * @property {string} browser
 * @property {number | null} browserVersion
 * @property {boolean} isolated memory can be shared with workers
 * @property {boolean} webgpu there is an adapter
 * @property {boolean} f16 that computes in half precision
 * @property {boolean} locks
 * @property {ManifestFacts} [manifest] in an extension
 *
 * @typedef {object} ManifestFacts
 * @property {number} version
 * @property {string[]} permissions
 * @property {string[]} hosts that may be asked
 * @property {string} csp of its pages
 * @property {string} [minimumVersion] of Chrome
 * @property {string} [minimumFirefox]
 */

/**
 * How browsers call themselves. Those built on Chromium are one.
 * @type {[string, RegExp][]}
 */
const BROWSERS = [
  ['chrome', /Chrom(?:e|ium)\/(\d+)/], ['firefox', /\bFirefox\/(\d+)/],
  ['safari', /\bVersion\/(\d+).*\bSafari\//],
];

/**
 * @param {any} [scope] the global object
 * @returns {Promise<Facts | undefined>} nothing where there is no browser
 */
export async function gatherFacts(scope = globalThis) {
  const { navigator, process } = scope;
  if (process?.versions?.node || !navigator) return undefined;
  const [browser, version] = browserOf(String(navigator.userAgent));
  const adapter = await adapterOf(navigator.gpu);
  return {
    browser, browserVersion: version,
    isolated: scope.crossOriginIsolated === true,
    webgpu: Boolean(adapter),
    f16: Boolean(adapter?.features?.has('shader-f16')),
    locks: Boolean(navigator.locks),
    manifest: await manifestOf(scope),
  };
}

/**
 * @param {string} agent
 * @returns {[string, number | null]}
 */
function browserOf(agent) {
  for (const [name, pattern] of BROWSERS) {
    const version = pattern.exec(agent)?.[1];
    if (version) return [name, Number(version)];
  }
  return ['this browser', null];
}

/** @param {any} gpu */
async function adapterOf(gpu) {
  try {
    return await gpu?.requestAdapter();
  } catch {
    return null;
  }
}

/**
 * Offscreen documents cannot ask for the manifest, but read the file.
 * @param {any} scope
 * @returns {Promise<ManifestFacts | undefined>}
 */
async function manifestOf({ browser, chrome, fetch }) {
  const runtime = browser?.runtime ?? chrome?.runtime;
  if (!runtime?.id) return undefined;
  const manifest = await runtime.getManifest?.()
    ?? await (await fetch(runtime.getURL('manifest.json'))).json();
  return {
    version: manifest.manifest_version,
    permissions: manifest.permissions ?? [],
    hosts: manifest.host_permissions ?? [],
    csp: manifest.content_security_policy?.extension_pages ?? '',
    minimumVersion: manifest.minimum_chrome_version,
    minimumFirefox: manifest.browser_specific_settings?.gecko
      ?.strict_min_version,
  };
}
