// SPDX-License-Identifier: Apache-2.0
// A model in a directory whose files are damaged, cut, deleted or exchanged
// behind the store's back: every byte that is served is right.

import assert from 'node:assert/strict';
import {
  copyFile, cp, mkdtemp, readFile, rm, stat, truncate, writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { DiskStore } from '../../js-bindings/store/disk.js';
import {
  createModelHub, managerOf, MODEL, readFile as readModelFile, SMALL_FILES,
} from './world.js';

const FILES = {
  ...SMALL_FILES, 'onnx/model.onnx': { size: 1_500_000, seed: 'disk' },
};

const hub = createModelHub(FILES);

/** @type {string} */
let root;

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'tabagent-damage-'));
  const manager = await managerOf(
    new DiskStore(join(root, 'good')), { fetch: hub.fetch });
  await manager.download(MODEL);
  await manager.dispose();
});

after(() => rm(root, { recursive: true, force: true }));

/**
 * Damages a copy of the directory, and checks what comes of it.
 * @param {(content: string, names: string[], dir: string) => Promise<void>}
 *   damage gets the directory of contents, and the names of the large ones
 */
async function heals(damage) {
  const dir = await mkdtemp(join(root, 'bad-'));
  await cp(join(root, 'good'), dir, { recursive: true });
  const store = new DiskStore(dir);
  assert.equal(await store.size(`${MODEL}/onnx/model.onnx_chunk_0`), 1_500_000);
  store.close();
  const content = join(dir, 'content');
  /** @type {string[]} */
  const names = [];
  for (let number = 0; number < 20; number += 1) {
    const found = await stat(join(content, `${number}`)).catch(() => null);
    if (found) names.push(`${number}`);
  }
  await damage(content, names, dir);

  const manager = await managerOf(new DiskStore(dir), { fetch: hub.fetch });
  for (const [path, file] of Object.entries(FILES)) {
    assert.equal(await readModelFile(manager, path, file), 'right', path);
  }
  const { ok } = await manager.verifyModel(MODEL);
  assert.equal(ok, true);
  await manager.dispose();

  const alone = await managerOf(new DiskStore(dir));
  for (const [path, file] of Object.entries(FILES)) {
    assert.equal(await readModelFile(alone, path, file), 'right', path);
  }
  await alone.dispose();
}

describe('a directory in which', () => {
  test('contents are cut', () => heals(async (content, names) => {
    for (const name of names) await truncate(join(content, name), 3);
  }));

  test('contents are gone', () => heals(async (content, names) => {
    for (const name of names) await rm(join(content, name));
  }));

  test('contents are others', () => heals(async (content, names) => {
    for (const name of names) {
      const bytes = await readFile(join(content, name));
      await writeFile(join(content, name), bytes.map((byte) => ~byte));
    }
  }));

  test('contents are exchanged', () => heals(async (content, names) => {
    const kept = await mkdtemp(join(root, 'kept-'));
    for (const name of names) {
      await copyFile(join(content, name), join(kept, name));
    }
    for (const [i, name] of names.entries()) {
      await copyFile(join(kept, names[(i + 1) % names.length]),
        join(content, name));
    }
  }));

  test('the log is cut at any line', async () => {
    const log = await readFile(join(root, 'good/index'));
    for (let at = 0; at >= 0; at = log.indexOf(10, at + 1)) {
      await heals((content, names, dir) => truncate(join(dir, 'index'), at));
    }
  });

  test('a line of the log is damaged', async () => {
    const log = await readFile(join(root, 'good/index'));
    for (let at = 0; at >= 0; at = log.indexOf(10, at + 1)) {
      await heals(async (content, names, dir) => {
        const bytes = Buffer.from(log);
        bytes[Math.min(at + 40, bytes.length - 1)] ^= 1;
        await writeFile(join(dir, 'index'), bytes);
      });
    }
  });
});
