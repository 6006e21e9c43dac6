// SPDX-License-Identifier: Apache-2.0
// Errors that nobody caught become messages with a code: for the panel, which
// shows them, and for the log. The platform goes on to report them as well.

/**
 * @typedef {object} Failure the payload of such a message
 * @property {string} error for people
 * @property {string} code stable name; `internal` for what is not ours
 * @property {string} stage where it happened
 * @property {boolean} retryable
 * @property {string} [modelId]
 * @property {string} [userAction]
 * @property {{ name: string, code?: string, message: string }[]} causes what
 *   led to it, the nearest first
 */

/** Of a chain of causes; one may also lead back to itself. */
const CAUSES_MAX = 5;

/** Of a text that somebody else wrote. */
const TEXT_MAX = 500;

/**
 * A text without what looks like an access token.
 * @param {unknown} text
 */
function redacted(text) {
  return String(text).replace(/hf_[\w.-]+/g, 'hf_…').slice(0, TEXT_MAX);
}

/**
 * @param {any} error
 * @returns {string}
 */
function nameOf(error) {
  return redacted(error?.name ?? typeof error);
}

/**
 * @param {any} error
 * @returns {string}
 */
function messageOf(error) {
  try {
    return redacted(error?.message ?? error);
  } catch {
    return 'an object without a text';
  }
}

/**
 * What is told about an error, whatever it is.
 * @param {any} error
 * @param {string} stage
 * @returns {Failure}
 */
export function failureOf(error, stage) {
  const causes = [];
  let cause = error?.cause;
  while (cause !== undefined && cause !== null && causes.length < CAUSES_MAX) {
    causes.push({
      name: nameOf(cause), message: messageOf(cause),
      ...(typeof cause.code === 'string' && { code: redacted(cause.code) }),
    });
    cause = cause.cause;
  }
  const isOurs = error?.name === 'TabAgentError';
  return {
    error: messageOf(error),
    code: isOurs ? redacted(error.code) : 'internal',
    stage: isOurs && error.stage ? redacted(error.stage) : stage,
    retryable: isOurs && error.retryable === true,
    ...(isOurs && error.modelId && { modelId: redacted(error.modelId) }),
    ...(isOurs && error.userAction && {
      userAction: redacted(error.userAction),
    }),
    causes,
  };
}

/**
 * Says it, whether or not anybody hears: that would be the next error, which
 * would be said, and so on.
 * @param {(message: any) => unknown} say
 * @param {object} message
 */
async function tell(say, message) {
  try {
    await say(message);
  } catch {
    // The error itself is reported by the platform in any case.
  }
}

/**
 * Listens for errors and rejections that nobody caught.
 * @param {object} options
 * @param {string} options.stage where they are caught, such as `host`
 * @param {(message: { type: 'error', payload: Failure }) => unknown}
 *   options.say tells the panels; may fail
 * @param {{ noteError(error: unknown, stage: string): void }} [options.log]
 * @param {EventTarget} [options.target] the global object by default
 * @returns {() => void} stops listening
 */
export function installErrorHandlers({ stage, say, log, target = globalThis }) {
  const report = (/** @type {unknown} */ error) => {
    log?.noteError(error, stage);
    tell(say, { type: 'error', payload: failureOf(error, stage) });
  };
  const onError = (/** @type {any} */ event) => {
    report(event.error ?? { name: 'Error', message: event.message });
  };
  const onRejection = (/** @type {any} */ event) => report(event.reason);
  target.addEventListener('error', onError);
  target.addEventListener('unhandledrejection', onRejection);
  return () => {
    target.removeEventListener('error', onError);
    target.removeEventListener('unhandledrejection', onRejection);
  };
}
