// SPDX-License-Identifier: Apache-2.0
// Writes ONNX graphs node by node: opset 17, standard operators only, so that
// every runtime can execute them.
import { readFileSync } from 'node:fs';

import protobuf from 'protobufjs';

import { toHalves } from './weights.js';

const SCHEMA = new URL('onnx.proto', import.meta.url);
const Model = protobuf
  .parse(readFileSync(SCHEMA, 'utf8'), { keepCase: true })
  .root.lookupType('onnx.ModelProto');

/** Initialisers of so many bytes go into the file of external data. */
const EXTERNAL_BYTES = 1024;

/** Numbers of TensorProto.DataType. */
const ELEMENT = {
  float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7, bool: 9, float16: 10,
};

/** Numbers of AttributeProto.AttributeType. */
const ATTRIBUTE = { f: 1, i: 2, s: 3, t: 4, g: 5, floats: 6, ints: 7 };

/**
 * An attribute: a whole number, a list of them, a float ({ f }), or a graph.
 * @typedef {number | number[] | string | { f: number } | GraphBuilder} Attribute
 * @typedef {keyof typeof ELEMENT} ElementType
 * @typedef {Float32Array | Int8Array | Int32Array | BigInt64Array |
 *   Uint16Array} Data
 * @typedef {(number | string)[]} Shape
 * @typedef {{ [field: string]: any }} Message
 */

/** @param {Data} data */
function elementOf(data) {
  if (data instanceof Float32Array) return ELEMENT.float32;
  if (data instanceof Int8Array) return ELEMENT.int8;
  if (data instanceof Int32Array) return ELEMENT.int32;
  return data instanceof Uint16Array ? ELEMENT.float16 : ELEMENT.int64;
}

/**
 * @param {string} name
 * @param {Attribute} value
 * @returns {Message}
 */
function attribute(name, value) {
  if (value instanceof GraphBuilder) {
    return { name, type: ATTRIBUTE.g, g: value.message() };
  }
  if (Array.isArray(value)) {
    return { name, type: ATTRIBUTE.ints, ints: value };
  }
  if (typeof value === 'string') {
    return { name, type: ATTRIBUTE.s, s: new TextEncoder().encode(value) };
  }
  return typeof value === 'number' ?
    { name, type: ATTRIBUTE.i, i: value } :
    { name, type: ATTRIBUTE.f, f: value.f };
}

/**
 * @param {string} name
 * @param {ElementType} type
 * @param {Shape} shape numbers, and names of what may vary
 * @returns {Message}
 */
function valueInfo(name, type, shape) {
  const dim = shape.map((size) => typeof size === 'number' ?
    { dim_value: size } : { dim_param: size });
  return {
    name,
    type: { tensor_type: { elem_type: ELEMENT[type], shape: { dim } } },
  };
}

/** A graph, or a subgraph of a node. Values are known by their names. */
export class GraphBuilder {
  /** @type {Message[]} */
  #nodes = [];
  /** @type {Message[]} */
  #initializers = [];
  /** @type {Message[]} */
  #inputs = [];
  /** @type {Message[]} */
  #outputs = [];
  /** @type {Set<string>} */
  #names = new Set();
  #prefix;
  #outer;
  #halves;
  #count = 0;

  /**
   * @param {string} [prefix] of the names it makes up, none used twice
   * @param {GraphBuilder | null} [outer] the graph around it, which keeps its
   *   weights
   * @param {{ halves?: boolean }} [options] whether matrices are kept in
   *   float16
   */
  constructor(prefix = '', outer = null, { halves = false } = {}) {
    this.#prefix = prefix;
    this.#outer = outer;
    this.#halves = halves;
  }

  /**
   * @param {string} name
   * @param {ElementType} type
   * @param {Shape} shape
   * @returns {string} the name
   */
  input(name, type, shape) {
    this.#inputs.push(valueInfo(name, type, shape));
    return name;
  }

  /**
   * Says that the value |from| is the output |name|. Outputs of a subgraph are
   * known by their order.
   * @param {string} from
   * @param {string} name
   * @param {ElementType} type
   * @param {Shape} shape
   */
  output(from, name, type, shape) {
    this.#nodes.push({ op_type: 'Identity', input: [from], output: [name] });
    this.#outputs.push(valueInfo(name, type, shape));
  }

  /**
   * Adds an initialiser with raw data, once.
   * @param {string} name
   * @param {Data} data
   * @param {number[]} dims
   * @returns {string} the name of its value
   */
  weight(name, data, dims) {
    if (this.#outer) return this.#outer.weight(name, data, dims);
    if (this.#halves && data instanceof Float32Array && dims.length > 1) {
      return this.cast(this.ownWeight(name, toHalves(data), dims), 'float32');
    }
    return this.ownWeight(name, data, dims);
  }

  /**
   * The same, in this very graph.
   * @param {string} name
   * @param {Data} data
   * @param {number[]} dims
   */
  ownWeight(name, data, dims) {
    if (!this.#names.has(name)) {
      this.#names.add(name);
      const raw = new Uint8Array(data.buffer, data.byteOffset,
        data.byteLength);
      this.#initializers.push(
        { name, dims, data_type: elementOf(data), raw_data: raw });
    }
    return name;
  }

  /**
   * Returns a constant of whole numbers, kept in a typed field.
   * @param {number | number[]} value a number is a scalar
   */
  ints(value) {
    const list = Array.isArray(value) ? value : [value];
    const dims = Array.isArray(value) ? [list.length] : [];
    return this.#constant(`int.${value}${dims.length}`,
      { dims, data_type: ELEMENT.int64, int64_data: list });
  }

  /** @param {number} value of a scalar */
  float(value) {
    return this.#constant(`float.${value}`,
      { dims: [], data_type: ELEMENT.float32, float_data: [value] });
  }

  /**
   * @param {string} key
   * @param {Message} tensor
   */
  #constant(key, tensor) {
    const name = `${this.#prefix}${key}`;
    if (!this.#names.has(name)) {
      this.#names.add(name);
      this.#initializers.push({ name, ...tensor });
    }
    return name;
  }

  /**
   * Adds a node and returns the names of its outputs.
   * @param {string} type
   * @param {string[]} input
   * @param {Record<string, Attribute>} attributes
   * @param {number} outputs
   */
  nodes(type, input, attributes, outputs) {
    const output = Array.from({ length: outputs },
      () => `${this.#prefix}${type}.${this.#count++}`);
    this.#nodes.push({
      op_type: type,
      name: output[0],
      input,
      output,
      attribute: Object.entries(attributes)
        .map(([name, value]) => attribute(name, value)),
    });
    return output;
  }

  /**
   * Adds a node with one output and returns its name.
   * @param {string} type
   * @param {string[]} input
   * @param {Record<string, Attribute>} [attributes]
   */
  node(type, input, attributes = {}) {
    return this.nodes(type, input, attributes, 1)[0];
  }

  /**
   * @param {string} value
   * @param {ElementType} type
   */
  cast(value, type) {
    return this.node('Cast', [value], { to: ELEMENT[type] });
  }

  /**
   * @param {string} value
   * @param {number[]} shape
   */
  reshape(value, shape) {
    return this.node('Reshape', [value, this.ints(shape)]);
  }

  /**
   * @param {string} value
   * @param {number[]} axes
   */
  unsqueeze(value, axes) {
    return this.node('Unsqueeze', [value, this.ints(axes)]);
  }

  /**
   * Returns the size of dimension |axis| of |value| as a scalar.
   * @param {string} value
   * @param {number} axis
   */
  size(value, axis) {
    return this.node('Gather', [this.node('Shape', [value]), this.ints(axis)]);
  }

  /** @returns {Message} */
  message() {
    return {
      name: `${this.#prefix}graph`,
      node: this.#nodes,
      initializer: this.#initializers,
      input: this.#inputs,
      output: this.#outputs,
    };
  }

  /**
   * Takes the data of large initialisers out, subgraphs included.
   * @param {string} location
   * @param {Uint8Array[]} pieces
   * @param {Message} graph
   * @param {number} end of the pieces so far
   * @returns {number} the new end
   */
  static #externalise(location, pieces, graph, end) {
    let offset = end;
    for (const tensor of graph.initializer) {
      const length = tensor.raw_data?.length ?? 0;
      if (length < EXTERNAL_BYTES) continue;
      pieces.push(tensor.raw_data);
      delete tensor.raw_data;
      tensor.external_data = Object.entries({ location, offset, length })
        .map(([key, value]) => ({ key, value: String(value) }));
      tensor.data_location = 1;
      offset += length;
    }
    for (const { g } of graph.node.flatMap(
      (/** @type {Message} */ node) => node.attribute ?? [])) {
      if (g) offset = this.#externalise(location, pieces, g, offset);
    }
    return offset;
  }

  /**
   * Returns the graph as files of a repository.
   * @param {string} path of the graph, "onnx/model.onnx"
   * @param {boolean} externalData whether weights go to "<path>_data"
   * @returns {Map<string, Uint8Array>}
   */
  files(path, externalData) {
    const graph = this.message();
    /** @type {Uint8Array[]} */
    const pieces = [];
    if (externalData) {
      const name = path.replace(/.*\//, '');
      GraphBuilder.#externalise(`${name}_data`, pieces, graph, 0);
    }
    const bytes = Model.encode(Model.create({
      ir_version: 8,
      producer_name: 'tabagent-wasm test models',
      graph,
      opset_import: [{ domain: '', version: 17 }],
    })).finish();
    const files = new Map([[path, bytes]]);
    if (externalData) {
      files.set(`${path}_data`, new Uint8Array(Buffer.concat(pieces)));
    }
    return files;
  }
}
