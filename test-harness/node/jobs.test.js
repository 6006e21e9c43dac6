// SPDX-License-Identifier: Apache-2.0
// What jobs have said, for whoever comes later.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { JobLogs } from '../../js-bindings/jobs.js';

/** @typedef {Record<string, any>} Message */

const MIB = 1 << 20;

/**
 * @param {AsyncIterable<Message>} messages
 * @returns {Promise<number[]>}
 */
async function seqsOf(messages) {
  const seqs = [];
  for await (const { seq } of messages) seqs.push(seq);
  return seqs;
}

/**
 * A job that says `count` parts of `size` bytes, and its end.
 * @param {JobLogs} logs
 * @param {string} id
 * @param {number} count
 * @param {number} [size]
 */
function ended(logs, id, count, size = 1) {
  const log = begun(logs, id);
  for (let seq = 0; seq < count; seq += 1) {
    log.add({ seq, text: 'x' }, size, false);
  }
  log.add({ seq: count }, size, true);
  logs.end(log);
  return log;
}

/**
 * @param {JobLogs} logs
 * @param {string} id
 */
function begun(logs, id) {
  const log = logs.begin(id, 'generate');
  assert.ok(log);
  return log;
}

describe('subscribing', () => {
  test('tells what is behind a number, and ends', async () => {
    const logs = new JobLogs();
    ended(logs, 'a', 5);
    assert.deepEqual(await seqsOf(logs.read('a', -1)), [0, 1, 2, 3, 4, 5]);
    assert.deepEqual(await seqsOf(logs.read('a', 3)), [4, 5]);
    assert.deepEqual(await seqsOf(logs.read('a', 5)), []);
  });

  test('waits for what is to come, with numbers that jump', async () => {
    const logs = new JobLogs();
    const log = begun(logs, 'a');
    log.add({ seq: 2, text: 'x' }, 1, false);
    const [all, late] = [seqsOf(logs.read('a', -1)), seqsOf(logs.read('a', 7))];
    await new Promise(setImmediate);
    log.add({ seq: 130, text: 'y' }, 1, false);
    await new Promise(setImmediate);
    log.add({ seq: 131 }, 1, true);
    logs.end(log);
    assert.deepEqual(await all, [2, 130, 131]);
    assert.deepEqual(await late, [130, 131]);
  });

  test('messages without a number have one all the same', async () => {
    const logs = new JobLogs();
    const log = begun(logs, 'a');
    log.add({ text: 'x' }, 1, false);
    log.add({ success: true }, 1, true);
    logs.end(log);
    assert.deepEqual(await seqsOf(logs.read('a', 0)), [undefined]);
    assert.equal(log.describe().lastSeq, 1);
  });

  test('how a job stands has no number of its own', async () => {
    const logs = new JobLogs();
    const log = begun(logs, 'a');
    log.stand({ seq: 0, text: '' });
    const readers = [-1, 1].map((seq) => seqsOf(logs.read('a', seq)));
    await new Promise(setImmediate);
    log.add({ seq: 0, text: 'x' }, 1, false, true);
    log.add({ seq: 1, text: 'y' }, 1, false, true);
    const late = seqsOf(logs.read('a', 0));
    await new Promise(setImmediate);
    log.add({ seq: 2, text: 'z' }, 1, false);
    log.add({ seq: 3 }, 1, true);
    logs.end(log);
    assert.deepEqual(await Promise.all(readers),
      [[-1, 0, 1, 2, 3], [1, 2, 3]]);
    assert.deepEqual(await late, [1, 1, 2, 3]);
    assert.deepEqual(await seqsOf(logs.read('a', -1)), [0, 1, 2, 3]);
  });

  test('of a state the newest is kept, of parts every one', async () => {
    const logs = new JobLogs();
    const log = begun(logs, 'a');
    const say = (/** @type {Message} */ message) => log.add(message, 1, false);
    const action = 'download:progress';
    say({ seq: 0, action, phase: 'waiting' });
    say({ seq: 1, action, phase: 'download', file: 'a', loaded: 1 });
    say({ seq: 2, action, phase: 'download', file: 'a', loaded: 2 });
    say({ seq: 3, action, phase: 'download', file: 'b', loaded: 3 });
    say({ seq: 4, action: 'listChatModels:progress', status: 'classified', batch: [] });
    say({ seq: 5, action: 'listChatModels:progress', status: 'classified', batch: [] });
    say({ seq: 6, action: 'listChatModels:progress', status: 'error' });
    say({ seq: 7, action: 'listChatModels:progress', status: 'error' });
    say({ seq: 8, action: 'generate:progress', text: '' });
    say({ seq: 9, action: 'generate:progress', text: '' });
    log.add({ seq: 10, action: 'x' }, 1, true);
    assert.deepEqual(await seqsOf(logs.read('a', -1)),
      [0, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    assert.equal(log.bytes, 10);
  });

  test('can be ended by a signal, before and while it waits', async () => {
    const logs = new JobLogs();
    begun(logs, 'a');
    await assert.rejects(seqsOf(logs.read('a', -1, AbortSignal.abort())),
      { code: 'cancelled' });
    const controller = new AbortController();
    const waiting = seqsOf(logs.read('a', -1, controller.signal));
    await new Promise(setImmediate);
    controller.abort();
    await assert.rejects(waiting, { code: 'cancelled' });
  });

  test('an unknown job is an error', async () => {
    await assert.rejects(seqsOf(new JobLogs().read('a', -1)),
      { name: 'TabAgentError', code: 'unknown_job' });
  });

  test('a job without a last word ends with why', async () => {
    const logs = new JobLogs();
    const log = begun(logs, 'a');
    log.add({ seq: 0, text: 'x' }, 1, false);
    const failure = new Error('gone');
    log.fail(failure);
    logs.end(log);
    /** @type {number[]} */
    const seqs = [];
    await assert.rejects(async () => {
      for await (const { seq } of logs.read('a', -1)) seqs.push(seq);
    }, failure);
    assert.deepEqual(seqs, [0]);
    assert.deepEqual(logs.ended().map(({ state }) => state), ['failed']);
  });
});

describe('what is kept', () => {
  test('of one job 16 MiB, and whoever wants more hears so', async () => {
    const logs = new JobLogs();
    ended(logs, 'a', 20, MIB);
    assert.deepEqual(await seqsOf(logs.read('a', 10)),
      [11, 12, 13, 14, 15, 16, 17, 18, 19, 20]);
    assert.deepEqual((await seqsOf(logs.read('a', 4))).length, 16);
    await assert.rejects(seqsOf(logs.read('a', 3)), { code: 'too_large' });
  });

  test('an end that is longer than that is kept', async () => {
    const logs = new JobLogs();
    const log = begun(logs, 'a');
    log.add({ seq: 0, text: 'x' }, 1, false);
    log.add({ seq: 1 }, 20 * MIB, true);
    assert.deepEqual(await seqsOf(logs.read('a', 0)), [1]);
  });

  test('the oldest of those that have ended go first', () => {
    const logs = new JobLogs();
    const running = begun(logs, 'running');
    running.add({ seq: 0, text: '' }, 15 * MIB, false);
    for (const id of ['a', 'b', 'c', 'd']) ended(logs, id, 4, MIB);
    assert.deepEqual(logs.ended().map(({ id }) => id), ['b', 'c', 'd']);
    for (let i = 0; i < 70; i += 1) ended(logs, `n${i}`, 0);
    assert.equal(logs.ended().length, 64);
    assert.equal(logs.ended()[0].id, 'n6');
    assert.equal(logs.begin('running', 'load'), undefined);
  });

  test('what nobody looks for is not listed, and takes no room', async () => {
    const logs = new JobLogs();
    ended(logs, 'a', 1);
    for (let i = 0; i < 70; i += 1) {
      const log = logs.begin(`inner${i}`, 'state', false);
      assert.ok(log);
      log.add({ seq: 0 }, MIB, true);
      logs.end(log);
    }
    assert.deepEqual(logs.ended().map(({ id }) => id), ['a']);
    assert.deepEqual(await seqsOf(logs.read('inner69', -1)), [0]);
    assert.deepEqual(await seqsOf(logs.read('a', -1)), [0, 1]);
  });

  test('an id can be used again', async () => {
    const logs = new JobLogs();
    ended(logs, 'a', 1);
    ended(logs, 'a', 3);
    assert.deepEqual(await seqsOf(logs.read('a', -1)), [0, 1, 2, 3]);
    assert.equal(logs.ended().length, 1);
  });
});
