// SPDX-License-Identifier: Apache-2.0
// Keys and values of the past as inputs and outputs of a graph, in each of the
// forms that exporters give them.

/** @typedef {import('./graph-builder.js').GraphBuilder} GraphBuilder */
/** @typedef {import('./graph-builder.js').Shape} Shape */

/**
 * How the cache goes in and out:
 * * separate: past_key_values.{i}.key and .value, [batch, heads, past, size]
 * * past_i: past_{i}, [2, batch, heads, past, size]
 * * key_value: past_key_values.{i}.key_value, [batch, past, 2 * size], of one
 *   head
 * @typedef {'separate' | 'past_i' | 'key_value'} CacheForm
 */

/** The symbols of optimum's exports. */
const BATCH = 'batch_size';
const PAST = 'past_sequence_length';
const TOTAL = 'past_sequence_length + sequence_length';

export class KvCache {
  #graph;
  #form;
  #type;
  #heads;
  #size;
  #symbolic;

  /**
   * @param {GraphBuilder} graph
   * @param {{ form: CacheForm, type: 'float32' | 'float16', heads: number,
   *   size: number, symbolic: boolean }} kind symbolic: heads and size are
   *   names in the shapes
   */
  constructor(graph, { form, type, heads, size, symbolic }) {
    this.#graph = graph;
    this.#form = form;
    this.#type = type;
    this.#heads = heads;
    this.#size = size;
    this.#symbolic = symbolic;
  }

  /**
   * @param {string} sequence name of the dimension
   * @returns {Shape}
   */
  #shape(sequence) {
    const heads = this.#symbolic ? 'num_heads' : this.#heads;
    const size = this.#symbolic ? 'head_dim' : this.#size;
    switch (this.#form) {
      case 'past_i':
        return [2, BATCH, heads, sequence, size];
      case 'key_value':
        return [BATCH, sequence, 2 * this.#size];
      default:
        return [BATCH, heads, sequence, size];
    }
  }

  /**
   * @param {string} past
   * @param {string} fresh
   * @param {string} present
   * @param {number} axis of the sequence
   * @returns {string} past and fresh as float32
   */
  #join(past, fresh, present, axis) {
    const graph = this.#graph;
    const before = graph.input(past, this.#type, this.#shape(PAST));
    const added = this.#type === 'float32' ? fresh :
      graph.cast(fresh, this.#type);
    const joined = graph.node('Concat', [before, added], { axis });
    graph.output(joined, present, this.#type, this.#shape(TOTAL));
    return this.#type === 'float32' ? joined : graph.cast(joined, 'float32');
  }

  /**
   * Appends keys and values of layer |i|, [batch, heads, sequence, size], to
   * the past ones and returns them all.
   * @param {number} i
   * @param {string} k
   * @param {string} v
   * @returns {[string, string]}
   */
  append(i, k, v) {
    const graph = this.#graph;
    if (this.#form === 'past_i') {
      const both = graph.node('Concat',
        [graph.unsqueeze(k, [0]), graph.unsqueeze(v, [0])], { axis: 0 });
      const all = this.#join(`past_${i}`, both, `present_${i}`, 3);
      const take = (/** @type {number} */ part) =>
        graph.node('Gather', [all, graph.ints(part)], { axis: 0 });
      return [take(0), take(1)];
    }
    if (this.#form === 'key_value') {
      const both = graph.node('Squeeze',
        [graph.node('Concat', [k, v], { axis: 3 }), graph.ints([1])]);
      const all = this.#join(`past_key_values.${i}.key_value`, both,
        `present.${i}.key_value`, 1);
      const [keys, values] = graph.nodes('Split',
        [graph.unsqueeze(all, [1])], { axis: -1 }, 2);
      return [keys, values];
    }
    const name = `past_key_values.${i}`;
    return [
      this.#join(`${name}.key`, k, `present.${i}.key`, 2),
      this.#join(`${name}.value`, v, `present.${i}.value`, 2),
    ];
  }
}
