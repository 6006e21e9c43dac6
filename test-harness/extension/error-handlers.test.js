// SPDX-License-Identifier: Apache-2.0
// Errors that nobody caught are told with a code, whatever they are.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { TabAgentError } from '../../js-bindings/errors.js';
import { EventLog } from '../../js-bindings/event-log.js';
import {
  failureOf, installErrorHandlers,
} from '../../js-bindings/extension/error-handlers.js';

/**
 * @param {string} type
 * @param {object} members
 */
function eventWith(type, members) {
  return Object.assign(new Event(type), members);
}

describe('an error that nobody caught', () => {
  /** @type {any[]} */
  const said = [];
  const target = new EventTarget();
  const log = new EventLog(() => 5);
  const remove = installErrorHandlers({
    stage: 'host', target, log, say: (message) => said.push(message),
  });

  test('is said to all, with what led to it', () => {
    const error = new TypeError('no such thing',
      { cause: new RangeError('too far') });
    target.dispatchEvent(eventWith('error', { error }));
    assert.deepEqual(said.pop(), {
      type: 'error',
      payload: {
        error: 'no such thing', code: 'internal', stage: 'host',
        retryable: false,
        causes: [{ name: 'RangeError', message: 'too far' }],
      },
    });
  });

  test('of ours keeps its code, stage, model and advice', () => {
    const reason = new TabAgentError('quota_exceeded', 'full', {
      stage: 'store', retryable: true, modelId: 'a/b', userAction: 'Delete.',
    });
    target.dispatchEvent(eventWith('unhandledrejection', { reason }));
    assert.deepEqual(said.pop().payload, {
      error: 'full', code: 'quota_exceeded', stage: 'store', retryable: true,
      modelId: 'a/b', userAction: 'Delete.', causes: [],
    });
  });

  test('is noted by its name alone', () => {
    assert.deepEqual(log.entries(), [
      { at: 5, kind: 'error', name: 'host', code: 'TypeError' },
      { at: 5, kind: 'error', name: 'host', code: 'quota_exceeded' },
    ]);
  });

  test('is not heard of after the end', () => {
    remove();
    target.dispatchEvent(eventWith('error', { error: new Error('late') }));
    target.dispatchEvent(eventWith('unhandledrejection', { reason: 1 }));
    assert.deepEqual(said, []);
  });
});

describe('what may be thrown', () => {
  /** @type {[string, any, string][]} */
  const values = [
    ['a text', 'plain', 'plain'],
    ['a number', 7, '7'],
    ['nothing', undefined, 'undefined'],
    ['null', null, 'null'],
    ['an object that is no text', Object.create(null),
      'an object without a text'],
    ['a symbol', Symbol('s'), 'Symbol(s)'],
  ];
  for (const [name, value, error] of values) {
    test(name, () => {
      assert.deepEqual(failureOf(value, 'router'), {
        error, code: 'internal', stage: 'router', retryable: false, causes: [],
      });
    });
  }

  test('an error that is its own cause', () => {
    const error = new Error('round');
    error.cause = error;
    assert.equal(failureOf(error, 'host').causes.length, 5);
  });

  test('a script of which only the message is told', () => {
    /** @type {any[]} */
    const said = [];
    const target = new EventTarget();
    installErrorHandlers({
      stage: 'host', target, say: (message) => said.push(message),
    });
    target.dispatchEvent(eventWith('error', { message: 'Script error.' }));
    assert.equal(said[0].payload.error, 'Script error.');
  });
});

test('no token and no long text is told', () => {
  const token = 'hf_neverTold123';
  const error = new TabAgentError('internal', `header ${token} is bad`, {
    stage: 'host', userAction: token, modelId: token,
    cause: Object.assign(new Error(`${token}.more`), { code: token }),
  });
  const failure = failureOf(error, 'host');
  assert.equal(JSON.stringify(failure).includes('neverTold'), false);
  assert.equal(failure.error, 'header hf_… is bad');
  assert.equal(failureOf(new Error('x'.repeat(10_000)), 'host').error.length,
    500);
});

for (const [name, say] of /** @type {[string, () => unknown][]} */ ([
  ['throws', () => { throw new Error('no receiver'); }],
  ['rejects', () => Promise.reject(new Error('no receiver'))],
])) {
  test(`a message that nobody hears and ${name} is no further error`,
    async () => {
      /** @type {unknown[]} */
      const unheard = [];
      const note = (/** @type {unknown} */ reason) => unheard.push(reason);
      process.on('unhandledRejection', note);
      const target = new EventTarget();
      installErrorHandlers({ stage: 'host', target, say });
      target.dispatchEvent(eventWith('error', { error: new Error('first') }));
      await new Promise((resolve) => { setImmediate(resolve); });
      process.off('unhandledRejection', note);
      assert.deepEqual(unheard, []);
    });
}
