// SPDX-License-Identifier: Apache-2.0
// A runtime whose sessions compute what a test says. Its cache holds the very
// tokens, so that the next logits depend on what the engine has put there, and
// on nothing else: a cache that was cut, gathered or kept wrongly shows in the
// answer.

import assert from 'node:assert/strict';

/** Entries of a row of logits, as the tokenizer of world.js needs them. */
export const VOCAB = 259;

/**
 * What comes behind some tokens: the next one, or logits.
 * @typedef {(tokens: number[]) => number | ArrayLike<number>} Next
 */

/** What a run was given. */
/** @typedef {{ fresh: number[][], past: number[][] }} Pass */

const PAST = ['past_key_values.0.key', 'past_key_values.0.value'];
const PRESENT = ['present.0.key', 'present.0.value'];

/** @param {string} name */
function cacheShape(name) {
  return { name, type: 'float32', shape: ['batch_size', 1, 'past', 1] };
}

/** @param {number} vocab */
const metadataOf = (vocab) => ({
  inputs: [
    ...['input_ids', 'attention_mask', 'position_ids'].map((name) => (
      { name, type: 'int64', shape: ['batch_size', `${name}_length`] })),
    ...PAST.map(cacheShape),
  ],
  outputs: [
    { name: 'logits', type: 'float32', shape: ['batch_size', 'length', vocab] },
    ...PRESENT.map(cacheShape),
  ],
});

/** Of a session with VOCAB entries in a row of logits. */
export const METADATA = metadataOf(VOCAB);

/**
 * Logits of which the largest is that of `token`; no two of a row are equal.
 * @param {number} token
 * @param {number} [vocab]
 */
export function favouring(token, vocab = VOCAB) {
  return Float32Array.from({ length: vocab },
    (_, i) => (i === token ? 20 : Math.sin(i)));
}

/**
 * Rows of numbers that are tokens, from a tensor [rows, ..., length, ...].
 * @param {FakeTensor} tensor
 */
function rowsOf({ contents: data, dims }) {
  const length = data.length / dims[0];
  return Array.from({ length: dims[0] }, (_, row) => (
    Array.from(data.subarray(row * length, (row + 1) * length), Number)));
}

class FakeTensor {
  /** @type {'cpu' | 'gpu-buffer'} */
  location = 'cpu';
  #data;
  #isDisposed = false;

  /**
   * @param {FakeOrt} ort
   * @param {string} type
   * @param {any} data
   * @param {number[]} dims
   */
  constructor(ort, type, data, dims) {
    this.ort = ort;
    this.type = type;
    this.dims = dims;
    this.#data = data;
    assert.equal(data.length, dims.reduce((a, b) => a * b, 1), 'its shape');
  }

  /** What it holds, wherever that is. */
  get contents() {
    assert.ok(!this.#isDisposed, 'the tensor was released');
    return this.#data;
  }

  get data() {
    assert.equal(this.location, 'cpu', 'the data is not there');
    return this.contents;
  }

  async getData() {
    const { contents } = this;
    await null;
    return contents;
  }

  dispose() {
    this.#isDisposed = true;
    this.ort.kept.delete(this);
    this.ort.onDevice.delete(this);
  }
}

/** A session of a decoder. */
class FakeSession {
  #ort;
  #location;
  #isReleased = false;
  #running = 0;

  /**
   * @param {FakeOrt} ort
   * @param {'cpu' | 'gpu-buffer'} location of outputs
   */
  constructor(ort, location) {
    this.#ort = ort;
    this.#location = location;
    const { inputs, outputs } = ort.metadata;
    this.inputMetadata = inputs;
    this.outputMetadata = outputs;
    this.inputNames = inputs.map(({ name }) => name);
    this.outputNames = outputs.map(({ name }) => name);
    ort.sessions.made += 1;
  }

  /**
   * @param {Record<string, FakeTensor>} inputs
   * @param {string[]} wanted
   */
  async run(inputs, wanted) {
    assert.ok(!this.#isReleased, 'the session was released');
    assert.equal(this.#running, 0, 'two runs at a time');
    const ort = this.#ort;
    this.#running += 1;
    try {
      await ort.beforeRun(ort.passes.length);
      return this.#compute(inputs, wanted);
    } finally {
      this.#running -= 1;
    }
  }

  /**
   * @param {Record<string, FakeTensor>} inputs
   * @param {string[]} wanted
   */
  #compute(inputs, wanted) {
    assert.deepEqual(Object.keys(inputs).sort(), [...this.inputNames].sort());
    const ort = this.#ort;
    const fresh = rowsOf(inputs.input_ids);
    const past = rowsOf(inputs[PAST[0]]);
    assert.deepEqual(rowsOf(inputs[PAST[1]]), past);
    assert.equal(past.length, fresh.length, 'rows of the cache');
    ort.passes.push({ fresh, past });
    const all = past.map((row, i) => [...row, ...fresh[i]]);
    all.forEach((row, i) => {
      const from = past[i].length;
      assert.deepEqual(rowsOf(inputs.attention_mask)[i], row.map(() => 1));
      assert.deepEqual(rowsOf(inputs.position_ids)[i],
        row.map((_, at) => at).slice(from));
    });
    const [rows, count] = inputs.input_ids.dims;
    const length = all[0].length;
    const present = () => ort.keep(new FakeTensor(ort, 'float32',
      Float32Array.from(all.flat()), [rows, 1, length, 1]));
    const logits = () => {
      const data = new Float32Array(rows * count * ort.vocab);
      all.forEach((row, i) => {
        for (let at = 0; at < count; at += 1) {
          data.set(ort.logitsOf(row.slice(0, length - count + at + 1)),
            (i * count + at) * ort.vocab);
        }
      });
      return new FakeTensor(ort, 'float32', data, [rows, count, ort.vocab]);
    };
    return Object.fromEntries(wanted.map((name) => {
      const tensor = name === 'logits' ? logits() : present();
      tensor.location = this.#location;
      if (this.#location !== 'cpu') ort.onDevice.add(tensor);
      return [name, tensor];
    }));
  }

  async release() {
    assert.ok(!this.#isReleased, 'it was released before');
    this.#isReleased = true;
    if (this.#running > 0) this.#ort.mistakes.push('released while it runs');
    this.#ort.sessions.released += 1;
  }
}

/** In place of the module onnxruntime-web. */
export class FakeOrt {
  env = { logLevel: '', wasm: {} };
  sessions = { made: 0, released: 0 };
  /** @type {Set<FakeTensor>} caches that were not released */
  kept = new Set();
  /** @type {Set<FakeTensor>} outputs that hold memory of a device */
  onDevice = new Set();
  /** @type {Pass[]} */
  passes = [];
  /** @type {string[]} what must never happen */
  mistakes = [];
  /** @type {Next} */
  next;
  vocab;
  metadata;
  /** @type {string[][]} execution providers of the sessions */
  providers = [];
  /** @type {(pass: number) => any} waited for before a pass */
  beforeRun = () => {};
  /** @type {(session: number) => any} waited for before a session is made */
  beforeCreate = () => {};

  /**
   * @param {Next} next
   * @param {{ vocab?: number }} [options]
   */
  constructor(next, { vocab = VOCAB } = {}) {
    this.next = next;
    this.vocab = vocab;
    this.metadata = metadataOf(vocab);
    const ort = this;
    this.Tensor = class extends FakeTensor {
      /**
       * @param {string} type
       * @param {any} data
       * @param {number[]} dims
       */
      constructor(type, data, dims) {
        super(ort, type, data, dims);
      }
    };
    this.InferenceSession = {
      create: async (
        /** @type {Uint8Array} */ _graph,
        /** @type {{ executionProviders: string[],
         *   preferredOutputLocation?: 'gpu-buffer' }} */ options,
      ) => {
        this.providers.push(options.executionProviders);
        await this.beforeCreate(this.sessions.made);
        return new FakeSession(
          this, options.preferredOutputLocation ?? 'cpu');
      },
    };
  }

  /** @param {number[]} tokens */
  logitsOf(tokens) {
    const next = this.next(tokens);
    return typeof next === 'number' ? favouring(next, this.vocab) : next;
  }

  /** @param {FakeTensor} tensor of a cache */
  keep(tensor) {
    this.kept.add(tensor);
    return tensor;
  }

  /** The passes since the last call. */
  takePasses() {
    return this.passes.splice(0);
  }
}
