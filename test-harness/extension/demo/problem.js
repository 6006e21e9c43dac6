// SPDX-License-Identifier: Apache-2.0
// An error as people want to see it: what happened, what to do, and the code
// for whoever is asked for help.

import { bytes } from './format.js';
import { button, h, icon } from './dom.js';

/**
 * @typedef {object} Failure
 * @property {string} code
 * @property {string} message
 * @property {string} [userAction]
 * @property {string} [stage]
 * @property {number} [neededBytes]
 * @property {number | null} [freeBytes]
 */

/** What happened, in one line. @type {Record<string, string>} */
const TITLES = {
  network: 'The Hub cannot be reached',
  listing_failed: 'The models could not be listed',
  timeout: 'That took too long',
  rate_limited: 'The Hub asks for a pause',
  unauthorized: 'This model is locked',
  not_found: 'The Hub does not have this',
  http_status: 'The Hub answered with an error',
  quota_exceeded: 'There is not enough room',
  hash_mismatch: 'What came is not what the Hub promised',
  dtype_unavailable: 'The model has no such variant',
  unsupported_graph: 'This model cannot run here',
  unsupported_task: 'This model does something else than chat',
  runtime_failed: 'The model failed while it ran',
  out_of_memory: 'The model needs more memory than there is',
  graph_too_large: 'The model is too large for a browser',
  no_model: 'No model is loaded',
  context_overflow: 'The chat is longer than the model can read',
  template_failed: 'The model cannot read a chat of this shape',
  invalid_params: 'A setting is out of its range',
  busy: 'Something else is still running',
  store_damaged: 'A stored file is damaged',
  not_stored: 'The model is no longer stored',
};

/** What to do when the error itself does not say. @type {Record<string, string>} */
const ACTIONS = {
  network: 'Check the connection. Stored models work without it.',
  listing_failed: 'Check the connection and try again.',
  timeout: 'Try again.',
  unauthorized: 'Ask for access on the model\'s page, and sign in under Account.',
  quota_exceeded: 'Delete a model that you do not need under Storage.',
  hash_mismatch: 'Try again; if it happens twice, a proxy changes files.',
  unsupported_graph: 'Choose another model.',
  unsupported_task: 'Choose a model with the badge Chat.',
  runtime_failed: 'Try again, or choose a smaller variant.',
  out_of_memory: 'Choose a smaller model or variant, or close other tabs.',
  no_model: 'Choose a model.',
  context_overflow: 'Begin a new chat.',
  invalid_params: 'Change or reset it under Settings.',
  store_damaged: 'Verify the model under Storage: that repairs it.',
};

/**
 * What any thrown value tells.
 * @param {unknown} error
 * @returns {Failure & { title: string, action: string }}
 */
export function describe(error) {
  const failure = /** @type {Partial<Failure> | undefined} */ (error);
  const code = failure?.code ?? 'unexpected';
  const room = failure?.neededBytes === undefined ? ''
    : ` It needs ${bytes(failure.neededBytes)}${
      typeof failure.freeBytes === 'number'
        ? `; ${bytes(failure.freeBytes)} are free` : ''}.`;
  return {
    code,
    title: TITLES[code] ?? 'Something went wrong',
    message: `${sentence(failure?.message ?? String(error))}${room}`,
    action: sentence(failure?.userAction ?? ACTIONS[code]
      ?? 'Try again. If it happens again, send the report under Health.'),
    stage: failure?.stage,
  };
}

/** @param {string} text with a capital letter and an end */
export function sentence(text) {
  const first = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(first) ? first : `${first}.`;
}

/** @param {unknown} error an operation that was ended on purpose */
export function wasCancelled(error) {
  const { code, name } = /** @type {{ code?: string, name?: string }} */ (
    error ?? {});
  return code === 'cancelled' || name === 'AbortError';
}

/**
 * @param {unknown} error
 * @param {object} [options]
 * @param {() => void} [options.retry]
 * @param {() => void} [options.dismiss]
 */
export function problem(error, { retry, dismiss } = {}) {
  const { title, message, action, code, stage } = describe(error);
  return h('div', { class: 'problem', role: 'alert' },
    icon('warning'),
    h('div', { class: 'problem-text' },
      h('strong', {}, title),
      h('p', {}, message),
      h('p', {}, action),
      h('p', { class: 'problem-code' },
        h('code', {}, code), stage && ` in ${stage}`)),
    h('div', { class: 'problem-acts' },
      retry && button('Try again', { click: retry, kind: 'small' }),
      dismiss && button('Dismiss', {
        click: dismiss, icon: 'close', symbol: true, kind: 'quiet',
      })));
}
