// SPDX-License-Identifier: Apache-2.0
// The log tells what happened, and nothing of what anybody wrote.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { ACTION, EVENT, MESSAGE_FLAG } from '../../js-bindings/abi.js';
import { EventLog, LOG_ENTRIES_MAX } from '../../js-bindings/event-log.js';
import { createModelHub, MODEL } from '../store/world.js';
import { createModelManager, wasm } from '../module-under-test.js';

const encoder = new TextEncoder();

function newLog() {
  let now = 0;
  return new EventLog(() => { now += 1; return now; });
}

/** @param {object} message */
function terminal(message, op = 1) {
  return {
    kind: ACTION.MESSAGE, op, request: 0, flags: MESSAGE_FLAG.TERMINAL,
    first: encoder.encode(JSON.stringify(message)), second: new Uint8Array(),
  };
}

/** @param {unknown} message */
function command(message, op = 1) {
  return { op, payload: encoder.encode(JSON.stringify(message)) };
}

describe('the ring', () => {
  test('keeps the newest', () => {
    const log = newLog();
    for (let op = 1; op <= LOG_ENTRIES_MAX + 5; op += 1) {
      log.note({ kind: 'cancel', op });
    }
    const entries = log.entries();
    assert.equal(entries.length, LOG_ENTRIES_MAX);
    assert.equal(entries[0].op, 6);
    assert.equal(entries.at(-1)?.op, LOG_ENTRIES_MAX + 5);
  });

  test('counts what happens in a row', () => {
    const log = newLog();
    for (const status of [200, 200, 200, 404, 200]) {
      log.event(EVENT.HTTP_HEAD, { request: 9, status }, 0);
    }
    assert.deepEqual(log.entries(), [
      { at: 1, kind: 'http', status: 200, count: 3, lastAt: 3 },
      { at: 4, kind: 'http', status: 404 },
      { at: 5, kind: 'http', status: 200 },
    ]);
  });

  test('hands out copies', () => {
    const log = newLog();
    log.note({ kind: 'cancel', op: 1 });
    log.entries()[0].op = 2;
    assert.equal(log.entries()[0].op, 1);
  });
});

describe('what is noted', () => {
  test('of a request and its end', () => {
    const log = newLog();
    log.event(EVENT.COMMAND, command({ action: 'download', id: 'd' }, 4), 0);
    log.event(EVENT.CANCEL, { op: 4 }, 0);
    log.action(terminal({ action: 'download:error', code: 'unauthorized',
      stage: 'commit', status: 403, message: 'no' }, 4));
    log.action(terminal({ action: 'x:done' }, 5));
    assert.deepEqual(log.entries(), [
      { at: 1, kind: 'request', op: 4, name: 'download', bytes: 30 },
      { at: 2, kind: 'cancel', op: 4 },
      { at: 3, kind: 'failed', op: 4, code: 'unauthorized', status: 403,
        name: 'commit' },
      { at: 4, kind: 'done', op: 5, bytes: 19 },
    ]);
  });

  test('of what the platform refuses', () => {
    const log = newLog();
    const payload = encoder.encode('QuotaExceededError: the text of a chat');
    log.event(EVENT.STORE_FAIL, { request: 3, payload }, 0);
    log.event(EVENT.HTTP_FAIL, { request: 4,
      payload: encoder.encode('the text of a chat') }, 0);
    log.event(EVENT.TIMER, {}, -101);
    assert.deepEqual(log.entries(), [
      { at: 1, kind: 'failure', name: 'storage', request: 3,
        code: 'QuotaExceededError' },
      { at: 2, kind: 'failure', name: 'network', request: 4, code: 'unknown' },
      { at: 3, kind: 'refused', op: undefined, status: -101 },
    ]);
  });

  test('of what is said to all', () => {
    const log = newLog();
    for (const token of ['a', 'b']) {
      log.action({ ...terminal({ type: 'generationUpdate',
        payload: { token } }, 0), flags: 0 });
    }
    log.action({ ...terminal({ action: 'x:progress', text: 'c' }), flags: 0 });
    assert.deepEqual(log.entries(), [
      { at: 1, kind: 'broadcast', name: 'generationUpdate', count: 2,
        lastAt: 2 },
    ]);
  });
});

describe('names that are none of ours', () => {
  const SECRET = 'hunter two';
  /** @type {[string, unknown][]} */
  const messages = [
    ['a text', { type: SECRET }],
    ['a token', { action: 'hf_secret' }],
    ['an escape', { type: 'a"b' }],
    ['no name', { id: SECRET, type: 'login' }],
    ['a list', [SECRET]],
    ['a long name', { type: 'a'.repeat(100) }],
  ];
  for (const [name, message] of messages) {
    test(`${name} is kept as "other"`, () => {
      const log = newLog();
      log.event(EVENT.COMMAND, command(message), 0);
      assert.equal(log.entries()[0].name, 'other');
    });
  }

  test('a word that turns out to be unknown is forgotten', () => {
    const log = newLog();
    log.event(EVENT.COMMAND, command({ type: 'hunter' }, 1), 0);
    log.event(EVENT.COMMAND, command({ type: 'models' }, 2), 0);
    log.action(terminal({ type: 'error', code: 'unknown_message' }, 1));
    assert.deepEqual(log.entries().map(({ name }) => name),
      ['other', 'models', undefined]);
  });

  test('a code that is a token is none', () => {
    const log = newLog();
    log.noteError({ code: 'hf_secret' }, 'host');
    log.noteError({ name: 'the text of a chat' }, 'host');
    assert.deepEqual(log.entries().map(({ code }) => code),
      ['unknown']);
  });
});

test('a manager tells its log', async () => {
  const hub = createModelHub({ 'config.json': '{}' });
  const manager = await createModelManager({
    wasm, fetch: hub.fetch, clock: hub.clock, seed: 1,
  });
  await manager.listChatModels({ hfToken: 'hf_reader' });
  await assert.rejects(manager.handleMessage({ type: 'generate',
    messages: [{ role: 'user', content: 'a secret wish' }],
    id: 'hf_reader' }).then((end) => { throw end; }));
  const report = await manager.log();
  assert.deepEqual(report.entries.map(({ kind, name, code }) => (
    [kind, kind === 'request' ? name : '', code ?? ''].join(' ').trim())), [
    'request listChatModels', 'http', 'done',
    'request generate', 'failed  no_model',
  ]);
  assert.match(report.version, /^\d+\.\d+\.\d+$/);
  assert.equal(report.protocolVersion, 1);
  const text = JSON.stringify(report);
  for (const word of ['hf_', 'secret', 'wish', MODEL, 'huggingface']) {
    assert.equal(text.includes(word), false, word);
  }
  await manager.dispose();
});
