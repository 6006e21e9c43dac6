// SPDX-License-Identifier: Apache-2.0
// The one error class that users see, and how it is made from the numbers and
// messages of the core.

import { ERRORS } from './abi.js';

/**
 * @typedef {object} Details
 * @property {string} [stage]
 * @property {boolean} [retryable]
 * @property {string} [userAction]
 * @property {string} [modelId]
 * @property {number} [status]
 * @property {object} [meta]
 * @property {number} [totalBytes] of `quota_exceeded`, as those of a plan
 * @property {number} [neededBytes]
 * @property {number | null} [freeBytes]
 * @property {number | null} [quotaBytes]
 * @property {string[]} [evict]
 * @property {unknown} [cause]
 */

/**
 * What went wrong, under a stable code.
 */
export class TabAgentError extends Error {
  /**
   * @param {string} code stable name from the core's error list
   * @param {string} message for people
   * @param {Details} [details]
   */
  constructor(code, message, { cause, ...details } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'TabAgentError';
    this.code = code;
    /** @type {string | undefined} */
    this.stage = undefined;
    this.retryable = false;
    Object.assign(this, details);
  }
}

/**
 * The error for a terminal message of the core that reports a failure.
 * @param {Record<string, any>} message
 * @param {unknown} [cause]
 */
export function errorOfMessage(message, cause) {
  const {
    code, stage, retryable, userAction, modelId, status, meta,
    totalBytes, neededBytes, freeBytes, quotaBytes, evict,
  } = message;
  const room = neededBytes === undefined ? {}
    : { totalBytes, neededBytes, freeBytes, quotaBytes, evict };
  return new TabAgentError(code, message.message, {
    stage, retryable: retryable === true, userAction, modelId, status, meta,
    ...room, cause,
  });
}

/**
 * The error for a negative number that the core returned.
 * @param {number} number
 * @param {string} stage
 */
export function errorOfNumber(number, stage) {
  const { code, cause } = ERRORS.find((error) => error.number === number)
    ?? { code: 'unknown', cause: `error ${number}` };
  return new TabAgentError(code, cause, { stage });
}

/**
 * The error of an operation that was cancelled before the core knew of it.
 * @param {unknown} [reason]
 */
export function cancelled(reason) {
  return new TabAgentError('cancelled', 'the operation was cancelled',
    { cause: reason });
}
