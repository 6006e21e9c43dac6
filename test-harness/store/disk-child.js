// SPDX-License-Identifier: Apache-2.0
// A process that uses a store on disk, to be killed. Its arguments: the
// directory, what to do, and a name. It says on a line of its own what is done.

import { writeSync } from 'node:fs';

import { openStore } from '../../js-bindings/store/index.js';
import { content, merge, record } from './values.js';

const [dataDir, task, name] = process.argv.slice(2);

/** @param {unknown} line which is out when this returns */
function say(line) {
  writeSync(1, `${line}\n`);
}

/** Bytes of the content of batch |i|: of several pieces now and then. */
const sizeOf = (/** @type {number} */ i) => (i % 7 === 0 ? 3 * 1024 * 1024 : i);

/**
 * Batch after batch: a counter, a record that makes the log long, a content
 * that is replaced each time, one that stays, and one that goes again.
 */
async function writeForEver() {
  const store = await openStore({ dataDir });
  const last = (await store.get('files', 'counter'))?.[0] ?? 0;
  for (let i = last + 1; ; i += 1) {
    const bytes = new Uint8Array(sizeOf(i)).fill(i);
    await store.write([
      record('bulk', new Uint8Array(60_000).fill(i)),
      record('counter', [i]), content('replaced', bytes),
      content(`stays-${String(i).padStart(3, '0')}`, [i]),
      content(`goes-${i}`, [i]),
      { kind: 'delete', store: 'files', key: `goes-${i - 1}` },
    ]);
    say(i);
  }
}

async function mergeMany() {
  const store = await openStore({ dataDir });
  for (let i = 0; i < 50; i += 1) {
    await store.write([merge('m', { quants: { [`${name}-${i}`]: i } }),
      content(`${name}-${i}`, [i])]);
  }
  store.close();
}

/** Tells what it holds, until it is killed or nobody is there to do it. */
async function holdLock() {
  const store = await openStore({ dataDir });
  await store.lock(name);
  say('locked');
  process.stdin.on('close', () => process.exit()).resume();
}

/** Writes until there is no room, and says what came of it. */
async function fillUp() {
  const store = await openStore({ dataDir });
  await store.write([record('small', [1])]);
  const { code } = await store.write([
    record('large', new Uint8Array(300_000)), content('c', [1]),
    record('small', [2])])
    .then(() => ({ code: 'none' }), (error) => error);
  say(code);
  await store.write([record('after', [3])]);
  say(await store.keys(''));
  say(await store.get('files', 'small'));
}

await /** @type {Record<string, () => Promise<void>>} */ (
  { writeForEver, mergeMany, holdLock, fillUp })[task]();
