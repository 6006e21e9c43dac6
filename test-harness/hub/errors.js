// SPDX-License-Identifier: Apache-2.0
// The refusals of the Hub: status, X-Error-Code and the words of the body.
// API routes answer in JSON, file routes in plain text.

import { json, plainText } from './replies.js';

/** @typedef {'json' | 'text'} Form */

/** @param {string} message */
export function badRequest(message) {
  return json({ error: message }, { status: 400 });
}

/**
 * A missing (or private) repository. Without a valid token the Hub does not
 * say which: everything that cannot be seen is 401.
 * @param {boolean} authenticated
 * @param {Form} form
 */
export function repoNotFound(authenticated, form) {
  if (authenticated) {
    return refuse(form, 404, 'Repository not found', 'RepoNotFound');
  }
  return refuse(form, 401, 'Invalid username or password.', undefined, {
    'WWW-Authenticate': 'Bearer realm="Authentication required", charset="UTF-8"',
  });
}

/** @param {Form} form */
export function invalidCredentials(form) {
  return refuse(form, 401, 'Invalid credentials in Authorization header');
}

/** @param {Form} form */
export function missingScope(form) {
  return refuse(form, 403, 'This token has no permission for this resource.');
}

/**
 * @param {string} commit
 * @param {Form} form
 */
export function entryNotFound(commit, form) {
  return refuse(form, 404, 'Entry not found', 'EntryNotFound', {
    'X-Repo-Commit': commit,
  });
}

/**
 * @param {string} revision
 * @param {Form} form
 */
export function revisionNotFound(revision, form) {
  return refuse(form, 404, `Invalid rev id: ${revision}`, 'RevisionNotFound');
}

/**
 * @param {string} id
 * @param {boolean} authenticated
 */
export function gatedRepo(id, authenticated) {
  if (authenticated) {
    return refuse('text', 403, `Access to model ${id} is restricted and you `
      + 'are not in the authorized list. Visit the model page to ask for '
      + 'access.', 'GatedRepo');
  }
  return refuse('text', 401, `Access to model ${id} is restricted. You must `
    + 'have access to it and be authenticated to access it. Please log in.',
  'GatedRepo');
}

/** @param {Form} form */
export function disabledRepo(form) {
  return refuse(form, 403, 'Access to this resource is disabled.');
}

export function tooManyRequests() {
  return plainText('Too Many Requests', { status: 429 });
}

/** @param {number} size */
export function rangeNotSatisfiable(size) {
  return plainText('Range Not Satisfiable', {
    status: 416, headers: { 'Content-Range': `bytes */${size}` },
  });
}

/**
 * @param {Form} form
 * @param {number} status
 * @param {string} message
 * @param {string} [code]
 * @param {Record<string, string>} [headers]
 */
function refuse(form, status, message, code, headers = {}) {
  // Header values are Latin-1; a revision may be anything.
  const all = new Headers(headers);
  all.set('X-Error-Message', encodeHeader(message));
  if (code) all.set('X-Error-Code', code);
  const init = { status, headers: all };
  return form === 'json' ? json({ error: message }, init)
    : plainText(message, init);
}

/** @param {string} text */
function encodeHeader(text) {
  return text.replace(/[^\x20-\x7e]/g, encodeURIComponent);
}
