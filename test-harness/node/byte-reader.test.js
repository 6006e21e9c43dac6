// SPDX-License-Identifier: Apache-2.0
// Streams read into memory of the reader's own, whether they can write there or
// only hand over pieces as large as they like.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { ByteReader } from '../../js-bindings/byte-reader.js';

const PIECES = [[1, 2, 3, 4, 5, 6, 7], [8], [9, 10]];

/**
 * @param {unknown[]} pieces
 * @param {'bytes'} [type]
 * @returns {any}
 */
function streamOf(pieces, type) {
  const left = [...pieces];
  return new ReadableStream(/** @type {any} */ ({
    type,
    pull(/** @type {any} */ controller) {
      if (left.length > 0) {
        controller.enqueue(left.shift());
      } else {
        controller.close();
        controller.byobRequest?.respond(0); // else it waits for that
      }
    },
  }), { highWaterMark: 0 });
}

/** @param {number[][]} pieces */
const arraysOf = (pieces) => pieces.map((piece) => new Uint8Array(piece));

for (const type of /** @type {const} */ (['bytes', undefined])) {
  describe(type ? 'a stream of bytes' : 'a stream of pieces', () => {
    test('comes whole and in order, always in the same memory', async () => {
      const reader = new ByteReader(streamOf(arraysOf(PIECES), type));
      const all = [];
      let buffer = new ArrayBuffer(4);
      while (true) {
        const { done, value } = await reader.read(new Uint8Array(buffer, 1));
        if (done || !value) break;
        assert.ok(value.length > 0 && value.length <= 3);
        assert.equal(value.byteOffset, 1);
        assert.equal(value.buffer.byteLength, 4);
        all.push(...value);
        ({ buffer } = value);
      }
      assert.deepEqual(all, PIECES.flat());
    });

    test('that was cancelled has no more', async () => {
      const reader = new ByteReader(streamOf(arraysOf(PIECES), type));
      await reader.read(new Uint8Array(2));
      await reader.cancel();
      assert.equal((await reader.read(new Uint8Array(2))).done, true);
    });
  });
}

test('pieces without a byte are passed over', async () => {
  const reader = new ByteReader(streamOf(arraysOf([[], [], [1]])));
  assert.deepEqual((await reader.read(new Uint8Array(2))).value,
    new Uint8Array([1]));
});

test('what is not made of bytes is refused', async () => {
  await assert.rejects(new ByteReader(streamOf(['text'])).read(new Uint8Array(2)),
    { name: 'TypeError', message: /not made of bytes/ });
});

test('what broke a stream is told', async () => {
  const reader = new ByteReader(new ReadableStream({
    pull() { throw new Error('the cable was pulled'); },
  }));
  await assert.rejects(reader.read(new Uint8Array(2)), /cable/);
  await assert.rejects(reader.cancel(), /cable/);
});
