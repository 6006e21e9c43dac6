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
 * The same codes, of what is not about a model on the Hub.
 * @type {Record<string, Record<string, [title: string, action: string]>>}
 */
const ABOUT = {
  login: {
    unauthorized: ['The Hub does not accept this token',
      'Copy it again, or make a new one in the settings of your account there.'],
    invalid_params: ['This is no access token of the Hub',
      'A token begins with hf_. Copy all of it.'],
    invalid_argument: ['This browser cannot keep a token for good',
      'Sign in without "Stay signed in".'],
    unexpected_shape: ['The Hub did not say whose this token is',
      'Try again later.'],
  },
  import: {
    unexpected_shape: ['This file is no backup of a model',
      'Choose a file that Export has written.'],
    json_syntax: ['This file is no backup of a model',
      'Choose a file that Export has written.'],
    hash_mismatch: ['The backup is damaged',
      'Use another copy of it, or download the model.'],
  },
  export: {
    store_damaged: ['A stored file is damaged',
      'Verify the model: that repairs it. Then export it again.'],
  },
};

/**
 * What any thrown value tells.
 * @param {unknown} error
 * @param {string} [about] of what it is: one of ABOUT
 * @returns {Failure & { title: string, action: string }}
 */
export function describe(error, about = '') {
  const failure = /** @type {Partial<Failure> | undefined} */ (error);
  const code = failure?.code ?? 'unexpected';
  const room = failure?.neededBytes === undefined ? ''
    : ` It needs ${bytes(failure.neededBytes)}${
      typeof failure.freeBytes === 'number'
        ? `; ${bytes(failure.freeBytes)} are free` : ''}.`;
  const known = ABOUT[about]?.[code];
  const [title, action] = known ?? [TITLES[code],
    failure?.userAction ?? ACTIONS[code]];
  return {
    code,
    title: title ?? 'Something went wrong',
    // Where the title says it all, the words of the core add nothing.
    message: known ? ''
      : `${sentence(failure?.message ?? String(error))}${room}`,
    action: sentence(action
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
 * @param {string} [options.about] see `describe`
 */
export function problem(error, { retry, dismiss, about } = {}) {
  const { title, message, action, code, stage } = describe(error, about);
  return h('div', { class: 'problem', role: 'alert' },
    icon('warning'),
    h('div', { class: 'problem-text' },
      h('strong', {}, title),
      message !== '' && h('p', {}, message),
      h('p', {}, action),
      h('p', { class: 'problem-code' },
        h('code', {}, code), stage && ` in ${stage}`)),
    h('div', { class: 'problem-acts' },
      retry && button('Try again', { click: retry, kind: 'small' }),
      dismiss && button('Dismiss', {
        click: dismiss, icon: 'close', symbol: true, kind: 'quiet',
      })));
}
