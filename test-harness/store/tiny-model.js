// SPDX-License-Identifier: Apache-2.0
// The smallest model that a library loads: a tokenizer of three words and an
// ONNX graph that makes a feature of each token's number.

/** @param {number} value */
function varint(value) {
  const bytes = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest & 127) | 128);
  }
}

/**
 * A field of a protobuf message: a number, a text, or a message.
 * @param {number} number
 * @param {number | string | Buffer} value
 */
function field(number, value) {
  if (typeof value === 'number') {
    return Buffer.concat([varint(number << 3), varint(value)]);
  }
  const bytes = Buffer.from(value);
  return Buffer.concat([varint((number << 3) | 2), varint(bytes.length), bytes]);
}

/** @param {Buffer[]} fields */
function message(...fields) {
  return Buffer.concat(fields);
}

/** Element types of ONNX. */
const FLOAT = 1;
const INT64 = 7;

/**
 * ValueInfoProto of a tensor whose sizes are names or numbers.
 * @param {string} name
 * @param {number} type
 * @param {(string | number)[]} sizes
 */
function value(name, type, sizes) {
  const shape = message(...sizes.map((size) => field(1, message(
    field(typeof size === 'number' ? 1 : 2, size)))));
  return message(field(1, name),
    field(2, message(field(1, message(field(1, type), field(2, shape))))));
}

/** features = unsqueeze(cast(input_ids)), [batch, sequence, 1]. */
function graph() {
  const cast = message(field(1, 'input_ids'), field(2, 'numbers'),
    field(4, 'Cast'), field(5, message(
      field(1, 'to'), field(3, FLOAT), field(20, 2))));
  const unsqueeze = message(field(1, 'numbers'), field(1, 'axes'),
    field(2, 'last_hidden_state'), field(4, 'Unsqueeze'));
  const axes = Buffer.alloc(8);
  axes.writeBigInt64LE(2n);
  return message(field(1, cast), field(1, unsqueeze), field(2, 'tiny'),
    field(5, message(field(1, 1), field(2, INT64), field(8, 'axes'),
      field(9, axes))),
    field(11, value('input_ids', INT64, ['batch', 'sequence'])),
    field(11, value('attention_mask', INT64, ['batch', 'sequence'])),
    field(12, value('last_hidden_state', FLOAT, ['batch', 'sequence', 1])));
}

const onnx = message(field(1, 8), field(7, graph()),
  field(8, message(field(2, 13))));

const tokenizer = {
  version: '1.0',
  truncation: null,
  padding: null,
  added_tokens: [],
  normalizer: null,
  pre_tokenizer: { type: 'Whitespace' },
  post_processor: null,
  decoder: null,
  model: {
    type: 'WordLevel',
    vocab: { '[UNK]': 0, hello: 1, world: 2 },
    unk_token: '[UNK]',
  },
};

export const TINY_MODEL = 'tiny/words';

/** For the simulator. */
export const tinyModel = {
  id: TINY_MODEL,
  /** @type {Map<string, any>} */
  files: new Map(Object.entries({
    'config.json': JSON.stringify(
      { model_type: 'bert', architectures: ['BertModel'], hidden_size: 1 }),
    'tokenizer.json': JSON.stringify(tokenizer),
    'tokenizer_config.json': JSON.stringify(
      { tokenizer_class: 'PreTrainedTokenizerFast', unk_token: '[UNK]' }),
    'onnx/model_quantized.onnx': onnx,
  })),
};
