// SPDX-License-Identifier: Apache-2.0
// Listings, downloads and loads that are killed and go on; what the journal
// must never do.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { createHub } from '../hub/index.js';
import { TINY_CHAT, tinyChat } from '../models/tiny-chat.js';
import { copyOf, emptyData, MemoryStore } from '../store/memory-store.js';
import { FILES, managerOf } from '../store/world.js';
import { goOn, journalOf, live } from './lives.js';

/** @typedef {import('./lives.js').Message} Message */

const TOKEN = 'hf_reader';

/**
 * The moments in which a job was written down, and had not ended.
 * @param {import('./lives.js').Moment[]} moments
 */
const during = (moments) => moments.filter(({ data }) => (
  journalOf(data).length > 0));

/** @param {Message[]} heard */
const seqsOf = (heard) => heard.filter(({ id }) => id === 'job')
  .map(({ seq }) => seq);

/** @param {Message[]} heard */
const endsOf = (heard) => heard.filter(({ id, action }) => (
  id === 'job' && /:(done|error)$/.test(action)));

/** @param {Message} end of a listing */
function idsOf({ models }) {
  return models.map((/** @type {{ id: string }} */ { id }) => id).sort();
}

function modelHub() {
  return createHub({ catalogue: [], rateLimits: false, latency: false,
    repositories: [tinyChat()] });
}

/** Each kind of job as a request, and what its end says. */
const REQUESTS = {
  listChatModels: {
    action: 'listChatModels', id: 'job', params: { hfToken: TOKEN },
  },
  download: {
    action: 'download', id: 'job',
    params: { modelId: TINY_CHAT, dtype: 'q8', hfToken: TOKEN },
  },
  load: { action: 'load', id: 'job', params: { modelId: TINY_CHAT, dtype: 'q8' } },
};

for (const [name, request] of Object.entries(REQUESTS)) {
  test(`${name} goes on from every moment`, async () => {
    const hub = createHub({ rateLimits: false, latency: false,
      repositories: [tinyChat()] });
    const whole = await live(hub.fetch);
    const expected = await whole.manager.handleMessage(request);
    assert.equal(expected.action, `${name}:done`);
    assert.deepEqual(await whole.manager.resumeJobs(), []);
    assert.deepEqual(journalOf(whole.data), []);
    await whole.manager.dispose();
    const moments = during(whole.moments);
    assert.ok(moments.length > 1);

    for (const { data, heard } of moments) {
      const next = await live(hub.fetch, copyOf(data));
      const { jobs, ends: [end] } = await goOn(next.manager);
      assert.deepEqual(jobs.map(({ id, kind }) => [id, kind]), [['job', name]]);
      assert.equal(end.action, `${name}:done`);
      if (name === 'listChatModels') {
        assert.deepEqual(idsOf(end), idsOf(expected));
      } else {
        assert.equal(end.modelId, TINY_CHAT);
        assert.equal(end.commit, expected.commit);
      }
      const said = seqsOf(heard);
      const rest = seqsOf(next.heard);
      assert.ok(rest.every((seq, i) => seq > (rest[i - 1] ?? said.at(-1) ?? -1)),
        `${said} then ${rest}`);
      assert.ok(endsOf(heard).length + endsOf(next.heard).length <= 1);
      assert.deepEqual(await next.manager.resumeJobs(), []);
      assert.deepEqual(journalOf(next.data), []);
      await next.manager.dispose();
    }
  });
}

test('no secret is written down', async () => {
  const hub = createHub({ rateLimits: false, latency: false,
    repositories: [tinyChat()] });
  for (const request of [REQUESTS.listChatModels, REQUESTS.download, {
    type: 'listChatModels', id: 'job', hfToken: TOKEN, nested: [{ token: TOKEN }],
  }]) {
    const { manager, moments } = await live(hub.fetch);
    await manager.handleMessage(request);
    await manager.dispose();
    let seen = 0;
    for (const { data } of during(moments)) {
      for (const key of journalOf(data)) {
        seen += 1;
        const text = Buffer.from(/** @type {any} */ (data.files.get(key)))
          .toString('latin1');
        assert.ok(text.includes('"job"'));
        assert.ok(!text.includes(TOKEN));
      }
    }
    assert.ok(seen > 0);
  }
});

test('what is damaged is dropped, whichever byte it is', async () => {
  const hub = modelHub();
  const { manager, moments } = await live(hub.fetch);
  await manager.handleMessage(REQUESTS.download);
  await manager.dispose();
  const { data } = during(moments)[0];
  const [key] = journalOf(data);
  const bytes = /** @type {Uint8Array} */ (data.files.get(key));
  for (let i = 0; i < bytes.length; i += 7) {
    const copy = copyOf(data);
    copy.files.set(key, bytes.map((byte, j) => (j === i ? byte ^ 1 : byte)));
    const next = await live(hub.fetch, copy);
    assert.deepEqual(await next.manager.resumeJobs(), [], `byte ${i}`);
    assert.deepEqual(await next.manager.resumeJobs(), []);
    assert.deepEqual(journalOf(copy), []);
    await next.manager.dispose();
  }
});

test('a job that is not known does not go on', async () => {
  const { manager } = await live(modelHub().fetch);
  await manager.resumeJobs();
  const end = await manager.handleMessage({ ...REQUESTS.load, resume: true });
  assert.equal(end.action, 'load:error');
  assert.equal(end.code, 'unknown_job');
  await manager.dispose();
  const plain = await managerOf(new MemoryStore());
  assert.equal((await plain.handleMessage({ ...REQUESTS.load, resume: true }))
    .code, 'unknown_job');
  await plain.dispose();
});

test('an id belongs to one running job', async () => {
  const { manager } = await live(modelHub().fetch);
  const [first, second] = await Promise.all([REQUESTS.download, REQUESTS.load]
    .map((request) => manager.handleMessage(request)));
  assert.equal(first.action, 'download:done');
  assert.equal(second.code, 'invalid_params');
  assert.match(second.message, /^id:/);
  await manager.dispose();
});

describe('a load that takes the program down', () => {
  test('is begun twice, then refused, and not restored', async () => {
    const hub = modelHub();
    const first = await live(hub.fetch);
    await first.manager.handleMessage(REQUESTS.load);
    await first.manager.dispose();
    let { data } = during(first.moments)[0];

    const second = await live(hub.fetch, copyOf(data));
    assert.equal((await goOn(second.manager)).ends[0].action, 'load:done');
    await second.manager.dispose();
    data = copyOf(during(second.moments)
      .filter(({ heard }) => seqsOf(heard).length > 0)[0].data);

    const third = await live(hub.fetch, data);
    const { jobs, ends: [end] } = await goOn(third.manager);
    assert.equal(jobs.length, 1);
    assert.equal(end.action, 'load:error');
    assert.equal(end.code, 'load_crashed');
    assert.equal(end.retryable, false);
    assert.equal(end.seq, jobs[0].lastSeq + 1);
    assert.ok(end.seq > 0);
    assert.deepEqual(await third.manager.resumeJobs(), []);
    await third.manager.dispose();

    // Another life does not restore it; when it was loaded once, it does.
    const fourth = await live(hub.fetch, data);
    await fourth.manager.resumeJobs();
    const restore = { ...REQUESTS.load, restore: true };
    assert.equal((await fourth.manager.handleMessage(restore)).code,
      'load_crashed');
    assert.equal((await fourth.manager.handleMessage(REQUESTS.load)).action,
      'load:done');
    assert.equal((await fourth.manager.handleMessage(restore)).action,
      'load:done');
    await fourth.manager.resumeJobs();
    await fourth.manager.dispose();
    const fifth = await live(hub.fetch, data);
    await fifth.manager.resumeJobs();
    assert.equal((await fifth.manager.handleMessage(restore)).action,
      'load:done');
    await fifth.manager.dispose();
  });
});

test('the queue of downloads is as it was, pauses too', async () => {
  const ids = ['one', 'two', 'three'];
  const hub = createHub({ catalogue: [], rateLimits: false, latency: false,
    repositories: ids.map((id) => (
      { id: `acme/${id}`, files: new Map(Object.entries(FILES)) })) });
  const first = await live(hub.fetch);
  const { manager } = first;
  const runs = ids.map((id, i) => manager.handleMessage({
    action: 'download', id,
    params: { modelId: `acme/${id}`, priority: i === 2 ? 5 : 0 },
  }));
  await manager.pauseDownload('one');
  await manager.pauseDownload('two');
  await manager.pauseDownload('three');
  await manager.resumeDownload('two');
  await runs[1];
  await manager.resumeJobs();
  const data = copyOf(first.data);
  runs.forEach((run) => run.catch(() => {}));
  await manager.dispose();

  const next = await live(hub.fetch, data);
  const jobs = await next.manager.resumeJobs();
  assert.deepEqual(jobs.map(({ id, paused }) => [id, paused]),
    [['one', true], ['three', true]]);
  const again = jobs.map(({ request }) => next.manager.handleMessage(
    { ...request, resume: true }));
  assert.deepEqual(
    (await next.manager.downloads()).map(({ id, state, priority }) => (
      [id, state, priority])),
    [['one', 'paused', 0], ['three', 'paused', 5]]);
  await next.manager.resumeDownload('one');
  await next.manager.resumeDownload('three');
  for (const end of await Promise.all(again)) {
    assert.equal(end.action, 'download:done');
  }
  await next.manager.dispose();
});

describe('two contexts', () => {
  test('the second takes over when the first is gone', async () => {
    const hub = modelHub();
    const data = emptyData();
    const first = await live(hub.fetch, data);
    await first.manager.resumeJobs();
    const second = await live(hub.fetch, data);
    let isListed = false;
    const listed = second.manager.resumeJobs().then((jobs) => {
      isListed = true;
      return jobs;
    });
    // Meanwhile it works as if there were no journal.
    assert.equal((await second.manager.handleMessage(REQUESTS.download)).action,
      'download:done');
    assert.equal(isListed, false);
    assert.deepEqual(journalOf(data), []);
    await first.manager.dispose();
    assert.deepEqual(await listed, []);
    await second.manager.dispose();
  });

  test('waiting can be cancelled', async () => {
    const data = emptyData();
    const first = await live(modelHub().fetch, data);
    await first.manager.resumeJobs();
    const second = await live(modelHub().fetch, data);
    const controller = new AbortController();
    const listed = second.manager.resumeJobs({ signal: controller.signal });
    controller.abort();
    await assert.rejects(listed, { code: 'cancelled' });
    await second.manager.dispose();
    await first.manager.dispose();
  });

  test('a manager without the option writes nothing', async () => {
    const data = emptyData();
    const manager = await managerOf(new MemoryStore(data),
      { fetch: modelHub().fetch });
    await manager.handleMessage(REQUESTS.download);
    assert.deepEqual([...data.files.keys()].filter((key) => (
      /^tabagent:(job|said|crashed)/.test(key))), []);
    await manager.dispose();
  });
});

test('the list has what people began, and nothing else', async () => {
  const { manager } = await live(modelHub().fetch);
  for (const type of ['uiConnected', 'tabagent:configure', 'requestMemoryStats']) {
    await manager.handleMessage({ type, payload: { senderId: 'a' } });
  }
  await manager.resumeJobs();
  const listed = manager.handleMessage(REQUESTS.load);
  const state = manager.state();
  assert.deepEqual((await manager.jobs()).map(({ kind }) => kind), ['load']);
  await Promise.all([listed, state]);
  await manager.generate({ message: 'Hello', settings: { max_new_tokens: 2 } });
  await manager.handleMessage({ type: 'sendChatMessage',
    payload: { input: 'Hello', options: { max_new_tokens: 2 } } });
  await manager.verifyModel(TINY_CHAT);
  await manager.models();
  assert.deepEqual(
    (await manager.jobs({ ended: true })).map(({ kind, state }) => [kind, state]),
    ['load', 'generate', 'sendChatMessage', 'verifyModel'].map(
      (kind) => [kind, 'done']));
  await manager.dispose();
});

test('a storage that refuses the journal does not stop the work', async () => {
  const hub = modelHub();
  const data = emptyData();
  const store = new MemoryStore(data, {
    before: (_name, batch) => {
      if (batch?.some(({ key }) => /^tabagent:(job|said)/.test(key))) {
        throw new Error('no room');
      }
    },
  });
  /** @type {Message[]} */
  const heard = [];
  const manager = await managerOf(store, { fetch: hub.fetch, journal: true,
    onMessage: (message) => heard.push(message) });
  await manager.resumeJobs();
  assert.equal((await manager.handleMessage(REQUESTS.download)).action,
    'download:done');
  assert.deepEqual(seqsOf(heard), seqsOf(heard).map((_, i) => i));
  assert.equal(endsOf(heard).length, 1);
  await manager.dispose();
});
