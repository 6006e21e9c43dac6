// SPDX-License-Identifier: Apache-2.0
// The small files of the model's repository: configuration and tokenizer.

import { byteLetters, trainMerges, WORD } from './byte-pairs.js';
import { CLOCK, CLOCK_QUESTIONS, introduction, sum } from './conversations.js';
import {
  FACTS, FILLER, JSON_ONLY, NAMES, ONE_WORD, PIRATE,
} from './facts.js';

/** Entries of the vocabulary, the added ones included. */
const VOCABULARY = 1024;

/** Of an added token, whether it is kept out of the text. */
const ADDED = /** @type {[string, boolean][]} */ ([
  ['<|endoftext|>', true], ['<|im_start|>', true], ['<|im_end|>', true],
  ['<think>', false], ['</think>', false],
  ['<tool_call>', false], ['</tool_call>', false],
  ['<tool_response>', false], ['</tool_response>', false],
]);

const END_OF_TEXT = 0;
const START = 1;

/** Ends an answer. */
export const END = 2;

/** The longest conversation, in tokens. */
export const CONTEXT = 512;

const CHAT_TEMPLATE = `{%- if tools %}
    {{- '<|im_start|>system\\n' }}
    {%- if messages[0].role == 'system' %}
        {{- messages[0].content + '\\n\\n' }}
    {%- endif %}
    {{- 'Tools:' }}
    {%- for tool in tools %}
        {{- '\\n' + (tool | tojson) }}
    {%- endfor %}
    {{- '<|im_end|>\\n' }}
{%- elif messages[0].role == 'system' %}
    {{- '<|im_start|>system\\n' + messages[0].content + '<|im_end|>\\n' }}
{%- endif %}
{%- for message in messages %}
    {%- if message.role == 'tool' %}
        {{- '<|im_start|>user\\n<tool_response>\\n' + message.content }}
        {{- '\\n</tool_response><|im_end|>\\n' }}
    {%- elif message.role != 'system' or not loop.first %}
        {{- '<|im_start|>' + message.role + '\\n' + message.content }}
        {%- for call in message.tool_calls or [] %}
            {{- '<tool_call>\\n{"name": "' + call.function.name }}
            {{- '", "arguments": ' + (call.function.arguments | tojson) }}
            {{- '}\\n</tool_call>' }}
        {%- endfor %}
        {{- '<|im_end|>\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}`;

/** A Llama as small as the dialogues allow. */
export const CONFIG = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  attention_bias: false,
  attention_dropout: 0,
  bos_token_id: START,
  eos_token_id: END,
  pad_token_id: END_OF_TEXT,
  head_dim: 32,
  hidden_act: 'silu',
  hidden_size: 128,
  initializer_range: 0.02,
  intermediate_size: 352,
  max_position_embeddings: CONTEXT,
  mlp_bias: false,
  num_attention_heads: 4,
  num_hidden_layers: 4,
  num_key_value_heads: 2,
  rms_norm_eps: 1e-5,
  rope_scaling: null,
  rope_theta: 10000,
  tie_word_embeddings: true,
  torch_dtype: 'float32',
  transformers_version: '4.57.0',
  use_cache: true,
  vocab_size: VOCABULARY,
  'transformers.js_config': {
    use_external_data_format: { 'model_fp16.onnx': 1 },
  },
};

const GENERATION_CONFIG = {
  bos_token_id: START,
  eos_token_id: [END, END_OF_TEXT],
  pad_token_id: END_OF_TEXT,
  do_sample: false,
  max_new_tokens: 256,
  transformers_version: '4.57.0',
};

const TOKENIZER_CONFIG = {
  add_prefix_space: false,
  added_tokens_decoder: Object.fromEntries(ADDED.map(([content, special], id) => (
    [id, addedToken(content, special)]))),
  bos_token: '<|im_start|>',
  chat_template: CHAT_TEMPLATE,
  clean_up_tokenization_spaces: false,
  eos_token: '<|im_end|>',
  model_max_length: CONTEXT,
  pad_token: '<|endoftext|>',
  tokenizer_class: 'PreTrainedTokenizerFast',
  unk_token: null,
};

const SPECIAL_TOKENS_MAP = {
  bos_token: '<|im_start|>', eos_token: '<|im_end|>', pad_token: '<|endoftext|>',
};

/**
 * @param {string} content
 * @param {boolean} special
 */
function addedToken(content, special) {
  return {
    content, lstrip: false, normalized: false, rstrip: false,
    single_word: false, special,
  };
}

/** What the vocabulary is made for. */
function corpus() {
  return [
    ...FACTS.flatMap(({ ask, say, word }) => [...ask, say, word ?? '']),
    ...FILLER, ...JSON_ONLY, ...ONE_WORD, ...PIRATE, ...CLOCK_QUESTIONS,
    ...NAMES.map(introduction).flatMap(({ ask, say }) => [ask, say]),
    ...[0, 1, 2, 3, 4].flatMap((wording) => [sum(1, 2, wording).ask, sum(1, 2).say]),
    'Arr! ', 'system\nuser\nassistant\n', 'And one more?', 'What is my name?',
    'Your name is', 'I add to. That makes', JSON.stringify(CLOCK),
  ];
}

/** tokenizer.json, in the form that all libraries of Hugging Face read. */
function tokenizerFile() {
  const letters = byteLetters();
  const merges = trainMerges(corpus(), VOCABULARY - ADDED.length - letters.length);
  const names = [...ADDED.map(([content]) => content),
    ...[...letters].sort(), ...merges.map((pair) => pair.join(''))];
  if (names.length !== VOCABULARY || new Set(names).size !== VOCABULARY) {
    throw new Error(`the vocabulary has ${new Set(names).size} entries`);
  }
  const byteLevel = {
    type: 'ByteLevel', add_prefix_space: false, trim_offsets: false,
    use_regex: false,
  };
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: ADDED.map(([content, special], id) => (
      { id, ...addedToken(content, special) })),
    normalizer: null,
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        {
          type: 'Split', pattern: { Regex: WORD }, behavior: 'Isolated',
          invert: false,
        },
        byteLevel,
      ],
    },
    post_processor: null,
    decoder: { ...byteLevel, add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE', dropout: null, unk_token: null,
      continuing_subword_prefix: null, end_of_word_suffix: null,
      fuse_unk: false, byte_fallback: false, ignore_merges: false,
      vocab: Object.fromEntries(names.map((name, id) => [name, id])),
      merges,
    },
  };
}

/** @returns {Map<string, string>} path to text */
export function smallFiles() {
  return new Map(Object.entries({
    'config.json': CONFIG,
    'generation_config.json': GENERATION_CONFIG,
    'special_tokens_map.json': SPECIAL_TOKENS_MAP,
    'tokenizer.json': tokenizerFile(),
    'tokenizer_config.json': TOKENIZER_CONFIG,
  }).map(([path, value]) => [path, `${JSON.stringify(value, null, 2)}\n`]));
}
