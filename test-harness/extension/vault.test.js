// SPDX-License-Identifier: Apache-2.0
// The vault keeps a token where only the extension's own pages can read it, and
// the account answers logins without ever telling it.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import {
  Account, isAccountRequest, Vault,
} from '../../js-bindings/extension/vault.js';
import { moveOldToken, takeToken } from '../../js-bindings/extension/host-account.js';
import { createModelHub } from '../store/world.js';
import { emptyData, MemoryStore } from '../store/memory-store.js';
import { createModelManager, wasm } from '../module-under-test.js';

const TOKEN = 'hf_granted';
const KEY = 'tabagent_access_token';

/** An area of the storage; each call takes a turn of the event loop. */
class FakeArea {
  /** @type {Record<string, any>} */
  items = {};
  accessLevel;
  isBroken = false;

  /** @param {string} accessLevel */
  constructor(accessLevel) {
    this.accessLevel = accessLevel;
  }

  async #turn() {
    await new Promise((resolve) => { setImmediate(resolve); });
    if (this.isBroken) throw new Error(`QUOTA_BYTES exceeded by ${TOKEN}`);
  }

  /** @param {string[]} keys */
  async get(keys) {
    await this.#turn();
    return Object.fromEntries(Object.entries(this.items).filter(
      ([key, value]) => keys.includes(key) && value !== undefined));
  }

  /** @param {Record<string, any>} items */
  async set(items) {
    await this.#turn();
    Object.assign(this.items, items);
  }

  /** @param {string[]} keys */
  async remove(keys) {
    await this.#turn();
    for (const key of keys) delete this.items[key];
  }

  /** @param {{ accessLevel: string }} options */
  async setAccessLevel({ accessLevel }) {
    await this.#turn();
    this.accessLevel = accessLevel;
  }
}

/** As Chrome has it. */
function fakeStorage() {
  return {
    session: new FakeArea('TRUSTED_CONTEXTS'),
    local: new FakeArea('TRUSTED_AND_UNTRUSTED_CONTEXTS'),
  };
}

describe('the vault', () => {
  test('keeps a token for the session, and closes that', async () => {
    const storage = fakeStorage();
    storage.session.accessLevel = 'TRUSTED_AND_UNTRUSTED_CONTEXTS';
    const vault = new Vault(storage);
    assert.equal(await vault.token(), null);
    await vault.keep(TOKEN);
    assert.equal(await vault.token(), TOKEN);
    assert.equal(await new Vault(storage).token(), TOKEN);
    assert.deepEqual(storage.local.items, {});
    assert.equal(storage.session.accessLevel, 'TRUSTED_CONTEXTS');
    assert.equal(storage.local.accessLevel, 'TRUSTED_AND_UNTRUSTED_CONTEXTS');
  });

  test('keeps it over a restart when asked to, where nobody else reads it',
    async () => {
      const storage = fakeStorage();
      await new Vault(storage).keep(TOKEN, { persist: true });
      assert.equal(storage.local.accessLevel, 'TRUSTED_CONTEXTS');
      storage.session = new FakeArea('TRUSTED_CONTEXTS');
      assert.equal(await new Vault(storage).token(), TOKEN);
    });

  test('does not keep it when the storage cannot be closed', async () => {
    const storage = fakeStorage();
    storage.local.setAccessLevel = async () => { throw new Error('no'); };
    await assert.rejects(new Vault(storage).keep(TOKEN, { persist: true }));
    assert.deepEqual(storage.local.items, {});
  });

  test('takes a lasting token back with the next that is none', async () => {
    const storage = fakeStorage();
    const vault = new Vault(storage);
    await vault.keep(TOKEN, { persist: true });
    await vault.keep('hf_other');
    assert.deepEqual(storage.local.items, {});
    assert.equal(await vault.token(), 'hf_other');
  });

  test('forgets everywhere', async () => {
    const storage = fakeStorage();
    const vault = new Vault(storage);
    await vault.keep(TOKEN, { persist: true });
    await vault.forget();
    assert.deepEqual([storage.local.items, storage.session.items], [{}, {}]);
    assert.equal(await vault.token(), null);
  });

  test('does one thing after the other', async () => {
    const vault = new Vault(fakeStorage());
    const steps = [vault.keep(TOKEN), vault.forget(), vault.keep('hf_b'),
      vault.token(), vault.forget(), vault.token()];
    const [, , , second, , last] = await Promise.all(steps);
    assert.deepEqual([second, last], ['hf_b', null]);
  });

  test('goes on after a failure', async () => {
    const storage = fakeStorage();
    const vault = new Vault(storage);
    storage.session.isBroken = true;
    await assert.rejects(vault.keep(TOKEN));
    storage.session.isBroken = false;
    await vault.keep('hf_b');
    assert.equal(await vault.token(), 'hf_b');
  });

  test('without storage lives as long as the background', async () => {
    const vault = new Vault(undefined);
    await vault.keep(TOKEN);
    assert.equal(await vault.token(), TOKEN);
    await vault.forget();
    assert.equal(await vault.token(), null);
    assert.equal(vault.canPersist, false);
  });

  test('adopts an old token unless there is one', async () => {
    const storage = fakeStorage();
    const vault = new Vault(storage);
    await vault.adopt('hf_old');
    assert.equal(await vault.token(), 'hf_old');
    await vault.adopt('hf_older');
    assert.equal(await vault.token(), 'hf_old');
    assert.deepEqual(storage.local.items, {});
  });
});

test('requests about the account are told from others', () => {
  for (const message of [
    { type: 'huggingfaceLogin', payload: {} }, { type: 'huggingfaceLogout' },
    { action: 'login', id: 1 }, { action: 'logout' }, { type: 'login', id: 1 },
  ]) assert.equal(isAccountRequest(message), true, JSON.stringify(message));
  for (const message of [
    null, undefined, 7, 'login', {}, { type: 'init' }, { action: 'list' },
    { action: 'list', type: 'login' }, { to: 'tabagent-host', action: 'login' },
    { type: ['login'] },
  ]) assert.equal(isAccountRequest(message), false, JSON.stringify(message));
});

/**
 * An account with a real manager behind it.
 * @param {{ oauth?: () => Promise<string> }} [options]
 */
async function openAccount({ oauth } = {}) {
  const storage = fakeStorage();
  const hub = createModelHub({ 'config.json': '{}' },
    { entry: { gated: 'manual' } });
  const manager = await createModelManager({
    wasm, fetch: hub.fetch, clock: hub.clock, seed: 1,
  });
  /** @type {any[]} */
  const asked = [];
  const vault = new Vault(storage);
  const account = new Account({
    vault, oauth,
    ask: async (request) => {
      asked.push(request);
      return manager.handleMessage(request);
    },
  });
  return { account, vault, storage, hub, manager, asked };
}

/** @param {import('../hub/hub.js').Hub} hub */
function lastToken(hub) {
  return hub.requests.at(-1)?.headers.authorization;
}

describe('a login', () => {
  test('of a client is checked, kept and answered', async () => {
    const { account, storage, hub, manager } = await openAccount();
    assert.deepEqual(await account.answer(
      { action: 'login', id: 'x', params: { token: TOKEN } }), {
      action: 'login:done', id: 'x', name: 'granted', role: 'read',
    });
    assert.equal(storage.session.items[KEY], TOKEN);
    assert.deepEqual(storage.local.items, {});
    await manager.listChatModels();
    assert.equal(lastToken(hub), `Bearer ${TOKEN}`);
    await manager.dispose();
  });

  test('of a client is kept for good when it says so', async () => {
    const { account, storage, manager } = await openAccount();
    await account.answer({ type: 'login', id: 2, token: TOKEN, persist: true });
    assert.equal(storage.local.items[KEY], TOKEN);
    assert.equal(storage.local.accessLevel, 'TRUSTED_CONTEXTS');
    await manager.dispose();
  });

  test('is refused where it cannot be kept for good', async () => {
    const { account, storage, asked, manager } = await openAccount();
    Object.assign(storage.local, { setAccessLevel: undefined });
    const answer = /** @type {any} */ (await account.answer(
      { action: 'login', id: 'x', params: { token: TOKEN, persist: true } }));
    assert.equal(answer.action, 'login:error');
    assert.equal(answer.code, 'invalid_argument');
    assert.match(answer.message, /persist/);
    assert.deepEqual([asked, storage.session.items], [[], {}]);
    await manager.dispose();
  });

  test('of the old panel is answered in its way, then its model is loaded',
    async () => {
      const { account, storage, asked, manager } = await openAccount();
      assert.deepEqual(await account.answer({
        type: 'huggingfaceLogin', payload: { token: TOKEN, modelId: 'a/b',
          modelPath: 'q4', task: 'text-generation', loadId: '1' },
      }), { success: true, name: 'granted', role: 'read' });
      assert.equal(storage.session.items[KEY], TOKEN);
      assert.deepEqual(asked.at(-1), {
        type: 'huggingfaceLogin', payload: { token: TOKEN, modelId: 'a/b',
          modelPath: 'q4', task: 'text-generation', loadId: '1' },
      });
      await manager.dispose();
    });

  for (const [name, token, code] of /** @type {[string, any, string][]} */ ([
    ['that the Hub refuses', 'hf_unknown', 'unauthorized'],
    ['without a token', undefined, 'invalid_params'],
    ['of another shape', 'password', 'invalid_params'],
    ['with a list for a token', [TOKEN], 'invalid_params'],
  ])) {
    test(`${name} keeps what there was`, async () => {
      const { account, storage, asked, manager } = await openAccount();
      await account.answer({ action: 'login', id: 1, params: { token: TOKEN } });
      const ours = /** @type {any} */ (await account.answer(
        { action: 'login', id: 2, params: { token } }));
      assert.deepEqual([ours.action, ours.id, ours.code],
        ['login:error', 2, code]);
      const old = /** @type {any} */ (await account.answer({
        type: 'huggingfaceLogin', payload: { token, modelId: 'a/b' } }));
      assert.deepEqual([old.success, old.code, typeof old.error],
        [false, code, 'string']);
      assert.equal(asked.some(({ type }) => type === 'init'), false);
      assert.equal(storage.session.items[KEY], TOKEN);
      await manager.dispose();
    });
  }

  test('that a logout overtakes is not kept', async () => {
    const { account, storage, hub, manager } = await openAccount();
    const login = account.answer(
      { action: 'login', id: 1, params: { token: TOKEN } });
    const logout = account.answer({ action: 'logout', id: 2 });
    assert.equal(/** @type {any} */ (await login).code, 'cancelled');
    assert.deepEqual(await logout, { action: 'logout:done', id: 2 });
    assert.deepEqual(storage.session.items, {});
    await manager.listChatModels();
    assert.equal(lastToken(hub), undefined);
    await manager.dispose();
  });

  test('that is good but comes too late is not kept either', async () => {
    const storage = fakeStorage();
    /** @type {(end: object) => void} */
    let finish = () => {};
    const account = new Account({
      vault: new Vault(storage),
      ask: (/** @type {any} */ { action }) => (action === 'logout'
        ? Promise.resolve({}) : new Promise((resolve) => { finish = resolve; })),
    });
    const login = account.answer(
      { action: 'login', id: 1, params: { token: TOKEN } });
    await account.answer({ action: 'logout', id: 2 });
    finish({ name: 'granted', role: 'read' });
    assert.equal(/** @type {any} */ (await login).code, 'cancelled');
    assert.deepEqual(storage.session.items, {});
  });

  test('without a token takes the one of the login page', async () => {
    const { account, storage, manager } = await openAccount({
      oauth: async () => TOKEN,
    });
    assert.equal(/** @type {any} */ (
      await account.answer({ action: 'login', id: 1 })).name, 'granted');
    assert.equal(storage.session.items[KEY], TOKEN);
    await manager.dispose();
  });
});

describe('failures', () => {
  test('of host, storage and login page are coded, and tell no token',
    async () => {
      const cases = [
        { ask: async () => { throw new Error(`port closed on ${TOKEN}`); } },
        { ask: async () => { throw `${TOKEN}`; } },
        { oauth: async () => { throw new Error(`denied ${TOKEN}`); } },
        { isBroken: true },
      ];
      for (const { ask, oauth, isBroken = false } of cases) {
        const storage = fakeStorage();
        storage.session.isBroken = isBroken;
        const account = new Account({
          vault: new Vault(storage), oauth,
          ask: ask ?? (async () => ({ name: 'n', role: null })),
        });
        const params = oauth ? {} : { token: TOKEN };
        const answer = /** @type {any} */ (
          await account.answer({ action: 'login', id: 1, params }));
        assert.equal(answer.code, 'internal');
        assert.equal(JSON.stringify(answer).includes('granted'), false);
        assert.deepEqual(storage.session.items, {});
      }
    });

  test('of the host do not keep a logout from forgetting', async () => {
    const storage = fakeStorage();
    const vault = new Vault(storage);
    await vault.keep(TOKEN, { persist: true });
    const account = new Account({
      vault, ask: async () => { throw new Error('gone'); },
    });
    const answer = /** @type {any} */ (
      await account.answer({ type: 'huggingfaceLogout' }));
    assert.deepEqual([answer.success, answer.code], [false, 'internal']);
    assert.deepEqual([storage.session.items, storage.local.items], [{}, {}]);
  });
});

describe('the host', () => {
  test('uses what the router keeps, without asking the Hub', async () => {
    const { hub, manager } = await openAccount();
    await takeToken(manager, TOKEN);
    assert.equal(hub.requests.length, 0);
    await manager.listChatModels();
    assert.equal(lastToken(hub), `Bearer ${TOKEN}`);
    await takeToken(manager, null);
    await manager.listChatModels();
    assert.equal(lastToken(hub), undefined);
    await manager.dispose();
  });

  test('knows from the vault whose the token is', async () => {
    const { account, vault, hub, manager } = await openAccount();
    await account.answer(
      { action: 'login', id: 'x', params: { token: TOKEN } });
    const { manager: next } = await openAccount();
    assert.equal(await next.account(), null);
    const kept = await vault.kept();
    await takeToken(next, kept.token, kept.account);
    assert.deepEqual(await next.account(), { name: 'granted', role: 'read' });
    await vault.forget();
    assert.deepEqual(await vault.kept(), { token: null });
    await vault.adopt('hf_old');
    await takeToken(next, await vault.token());
    assert.deepEqual(await next.account(), { name: null, role: null });
    await takeToken(next, null);
    assert.equal(await next.account(), null);
    assert.equal(hub.requests.length, 1); // the login's
    await Promise.all([manager.dispose(), next.dispose()]);
  });

  /** @param {string} text */
  function oldData(text) {
    const data = emptyData();
    data.files.set('huggingface_token', new Blob([text]));
    data.files.set('a/b/config.json', new Blob(['{}']));
    return data;
  }

  test('hands an old token over, and deletes it when it is kept', async () => {
    const data = oldData(`${TOKEN}\n`);
    const vault = new Vault(fakeStorage());
    await moveOldToken(new MemoryStore(data), async (token) => {
      assert.equal(data.files.has('huggingface_token'), true);
      await vault.adopt(token);
    });
    assert.deepEqual([...data.files.keys()], ['a/b/config.json']);
    assert.equal(await vault.token(), TOKEN);
  });

  test('keeps an old token that nobody took', async () => {
    const data = oldData(TOKEN);
    await assert.rejects(moveOldToken(new MemoryStore(data),
      async () => { throw new Error('the router is gone'); }));
    assert.equal(data.files.has('huggingface_token'), true);
  });

  for (const text of ['', 'password', 'hf_', 'hf_a b']) {
    test(`deletes an old "${text}" that is no token`, async () => {
      const data = oldData(text);
      await moveOldToken(new MemoryStore(data),
        () => assert.fail('it is handed over'));
      assert.equal(data.files.has('huggingface_token'), false);
    });
  }

  test('has nothing to do where nothing is', async () => {
    await moveOldToken(new MemoryStore(emptyData()),
      () => assert.fail('there is none'));
  });
});
