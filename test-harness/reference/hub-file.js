// SPDX-License-Identifier: Apache-2.0
// Which file of the Hub a URL means, by the platform's own URL parser. What
// wasm/store/hub_file.c says is compared with this.

/** Routes of the Hub that are no owners of models. */
const ROUTES = ['api', 'buckets', 'datasets', 'kernels', 'models', 'spaces'];

const REPO_NAME = /^(?!.*(?:--|\.\.))\w(?:[\w.-]{0,94}\w)?$/;
const REVISION_MAX = 255;
const PATH_MAX = 1024;

/**
 * @typedef {object} HubFile
 * @property {string} repo
 * @property {string} revision
 * @property {string} path
 */

/** @param {string[]} parts of a repository's id, or of what is taken for one */
function isRepo(parts) {
  return parts.every((part) => REPO_NAME.test(part)) &&
    !ROUTES.includes(parts[0]) &&
    !/\.(git|ipynb)$/.test(parts[parts.length - 1]);
}

/** @param {string} text @param {number} max in bytes */
function isName(text, max) {
  return Buffer.byteLength(text) <= max && !/[\0-\x1f\x7f-\x9f\\]/.test(text) &&
    text.split('/').every((part) => !['', '.', '..'].includes(part));
}

/** @param {string} text well-formed; true when a file can have this path */
export function isPath(text) {
  return isName(text, PATH_MAX);
}

/**
 * Returns the file that is fetched when |url| is, or null when that is none.
 * @param {string} url
 * @param {string} origin
 * @returns {HubFile | null}
 */
export function hubFile(url, origin) {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed?.origin !== origin || parsed.username || parsed.password) return null;
  const segments = parsed.pathname.slice(1).split('/');
  const verb = segments[1] === 'resolve' ? 1 : 2;
  const path = segments.slice(verb + 2);
  if (segments[verb] !== 'resolve' || path.length === 0) return null;
  if (!isRepo(segments.slice(0, verb))) return null;
  try {
    const decoded = path.map(decodeURIComponent);
    const file = {
      repo: segments.slice(0, verb).join('/'),
      revision: decodeURIComponent(segments[verb + 1]),
      path: decoded.join('/'),
    };
    return decoded.every((part) => !part.includes('/')) &&
      isName(file.revision, REVISION_MAX) && file.revision !== 'refs' &&
      isPath(file.path) ? file : null;
  } catch {
    return null; // broken percent-encoding
  }
}
