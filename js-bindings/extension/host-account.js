// SPDX-License-Identifier: Apache-2.0
// The host's side of the account: it gets the token from the router, and hands
// over what an older version of the extension kept in the database.

/** Where TabAgent kept the token: a file among those of models. */
const OLD_KEY = 'huggingface_token';

/**
 * Has the manager use what the router keeps. It was checked when it came in.
 * @param {{ handleMessage(message: unknown): Promise<any> }} manager
 * @param {string | null | undefined} token null: nobody is logged in
 * @param {import('../types/index.d.ts').Account} [account] whose it is, as far
 *   as that is known
 */
export async function takeToken(manager, token, account) {
  await manager.handleMessage(token
    ? { action: 'login', id: 'vault',
      params: { token, check: false, ...account } }
    : { action: 'logout', id: 'vault', params: {} });
}

/**
 * Moves the token of an older version out of the database. It is deleted once
 * whoever keeps tokens has it; what cannot be a token, as the empty file of a
 * logout, is deleted as it is.
 * @param {Pick<import('../store/index.js').Store, 'blob' | 'write'>} store
 * @param {(token: string) => Promise<unknown>} hand to the router, over the
 *   port; resolves when it is kept
 */
export async function moveOldToken(store, hand) {
  const blob = await store.blob(OLD_KEY);
  if (!blob) return;
  const token = (await blob.text()).trim();
  if (/^hf_[\w.-]+$/.test(token)) await hand(token);
  await store.write([{ kind: 'delete', store: 'files', key: OLD_KEY }]);
}
