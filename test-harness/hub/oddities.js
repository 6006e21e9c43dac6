// SPDX-License-Identifier: Apache-2.0
// The outliers every real catalogue has: gigantic entries, odd names, missing
// and null fields, and configs that are not what they should be.

import { Model } from './model.js';
import { hexOf } from './random.js';

/** @typedef {import('./random.js').Random} Random */
/** @typedef {import('./model.js').Hidden} Hidden */

/** Files of the largest repository seen, and the size of its entry. */
const MOST_SIBLINGS = 23_763;
const LARGEST_ENTRY = 1_695_094;

/** Longest id, tag and file name seen, and the most tags of one model. */
const LONGEST_ID = 257;
const LONGEST_TAG = 96;
const LONGEST_FILE_NAME = 248;
const MOST_TAGS = 127;
const LARGEST_CONFIG = 34_670;

/** Former id, present id. */
export const RENAMED = /** @type {[string, string][]} */ ([
  ['gpt2', 'openai-community/gpt2'],
  ['bert-base-uncased', 'google-bert/bert-base-uncased'],
  ['distilbert-base-uncased', 'distilbert/distilbert-base-uncased'],
]);

/** Ids from the time when a model needed no owner. */
const OWNERLESS = [
  'ctrl-onnx', 'bart-large-onnx', 'camembert-base-onnx', 'xlnet-onnx',
  't5-11b-onnx', 'roberta-large-onnx', 'gpt2-xl-onnx', 'albert-xl-onnx',
  'distilgpt2-onnx', 'openai-gpt-onnx', 'transfo-xl-onnx', 'xlm-mlm-onnx',
];

/** Keys that are null instead of absent in old dumps. */
const NULLABLE = [
  'pipeline_tag', 'library_name', 'downloads', 'likes', 'author',
  'lastModified', 'cardData',
];

const CONVERSION = [
  '.gitattributes', 'README.md', 'config.json', 'generation_config.json',
  'tokenizer.json', 'tokenizer_config.json', 'special_tokens_map.json',
  'onnx/model.onnx', 'onnx/model_quantized.onnx',
];

/**
 * @param {Random} random
 * @returns {Model[]}
 */
export function oddities(random) {
  return [
    ...giants(), ...oddNames(), ...oddFields(), ...oddConfigs(),
    ...oddTemplates(), ...closedRepositories(), ...renamedTargets(random),
  ];
}

function giants() {
  const files = Array.from({ length: MOST_SIBLINGS }, (_, i) =>
    `runs/2022-01/shard-${String(i).padStart(6, '0')}/events.out.tfevents.bin`);
  const giant = gpt2('mass-uploads/every-checkpoint', { siblings: list(files) });
  // The missing bytes are spread over the names: no single one is absurd.
  const missing = LARGEST_ENTRY - JSON.stringify(giant).length;
  const each = Math.floor(missing / files.length);
  const longer = missing - each * files.length;
  giant.siblings.forEach((/** @type {any} */ file, /** @type {number} */ i) => {
    file.rfilename += 'x'.repeat(i < longer ? each + 1 : each);
  });

  const tags = Array.from({ length: MOST_TAGS - 2 }, (_, i) => `dataset:corpus-${i}`);
  return [
    odd(giant),
    odd(gpt2('many-tags/polyglot', { tags: ['onnx', 'gpt2', ...tags] })),
    odd(gpt2(`o/${'long-name-'.repeat(40)}`.slice(0, LONGEST_ID), {})),
    odd(gpt2('long-tags/model', {
      tags: ['onnx', 'dataset:'.padEnd(LONGEST_TAG, 'd')],
    })),
    odd(gpt2('long-files/model', {
      siblings: list([...CONVERSION, 'deep/x.txt'.padStart(LONGEST_FILE_NAME, 'deep/')]),
    })),
    odd(gpt2('big-config/model', { config: bigConfig() })),
  ];
}

function oddNames() {
  return [
    ...OWNERLESS.map((id) => odd(gpt2(id, { author: undefined }))),
    odd(gpt2('odd-names/spaces-in-files', {
      siblings: list([...CONVERSION, 'my notes (final).txt', 'onnx/model copy.onnx']),
    })),
    odd(gpt2('odd-names/percent', {
      siblings: list([...CONVERSION, '100%.txt', 'a+b&c=d?.json', 'c#.md']),
    })),
    ...['模型', 'модель', 'modèle', 'μοντέλο', '모델', '🤗 emoji'].map((word, i) =>
      odd(gpt2(`odd-names/non-ascii-${i}`, {
        tags: ['onnx', 'gpt2', `dataset:${word}`],
        siblings: list([...CONVERSION, `${word}.txt`, `onnx/${word}/model.onnx`]),
      }))),
  ];
}

/** Entries of old dumps have nulls where today's have no key. */
function oddFields() {
  const nothing = Object.fromEntries(['tags', 'siblings', 'pipeline_tag',
    'config', 'likes', 'downloads', 'library_name']
    .map((key) => [key, undefined]));
  return [
    new Model(gpt2('odd-fields/absent', nothing), noEvidence()),
    ...NULLABLE.map((key) => odd(gpt2(`odd-fields/null-${key}`, { [key]: null }))),
    unlistedConfig('odd-fields/null-config', { config: null }),
    new Model(gpt2('odd-fields/null-all', {
      ...Object.fromEntries(NULLABLE.map((key) => [key, null])), config: null,
      tags: ['onnx'], siblings: list(['.gitattributes', 'model.onnx', 'tokenizer.json']),
    }), noEvidence()),
    odd(gpt2('odd-fields/model-id-only', { id: undefined, _id: undefined })),
    odd(gpt2('odd-fields/empty', { tags: ['onnx'], library_name: '' })),
    new Model(withConfig('odd-fields/architectures-missing',
      { model_type: 'gpt2' }), truth('gen', 'model-type', 'listing')),
    new Model(withConfig('odd-fields/architectures-null',
      { architectures: null, model_type: 'gpt2' }),
    truth('gen', 'model-type', 'listing')),
    new Model(withConfig('odd-fields/architectures-empty',
      { architectures: [], model_type: 'gpt2' }),
    truth('gen', 'model-type', 'listing')),
    new Model(withConfig('odd-fields/type-null',
      { architectures: ['GPT2LMHeadModel'], model_type: null }),
    truth('gen', 'generation-head', 'listing')),
    new Model(withConfig('odd-fields/config-empty', {}),
      truth('gen', 'pipeline-tag', 'none')),
  ];
}

/** The listing shows no config for these; the file itself is the surprise. */
function oddConfigs() {
  const text = '{\n  "architectures": ["GPT2LMHeadModel"],\n'
    + '  "model_type": "gpt2",\n  "n_embd": 768\n}\n';
  const pointer = 'version https://git-lfs.github.com/spec/v1\n'
    + `oid sha256:${hexOf('pointer', 64)}\nsize 1420\n`;
  const nested = '{"text_config": {"architectures": ["LlamaForCausalLM"], '
    + '"model_type": "llama"}, "vision_config": {"model_type": "siglip"}}';
  return [
    oddConfig('invalid-json', `${text.slice(0, -3)},}`, null),
    oddConfig('nan', text.replace('768', '768,\n  "eps": NaN'), null),
    oddConfig('bom', `\ufeff${text}`, 'generation-head'),
    oddConfig('lfs-pointer', pointer, null),
    oddConfig('empty-file', '', null),
    oddConfig('array', '["GPT2LMHeadModel"]', null),
    oddConfig('text-config-only', nested, 'text-config'),
  ];
}

/**
 * @param {string} name
 * @param {string} config text of config.json
 * @param {string | null} why null when the file tells nothing
 */
function oddConfig(name, config, why) {
  const entry = gpt2(`odd-configs/${name}`, {
    config: undefined, pipeline_tag: undefined,
  });
  entry.tags = ['onnx', 'region:us'];
  const hidden = why ? truth('gen', why, 'repository') : noEvidence();
  return new Model(entry, { ...hidden, config });
}

function oddTemplates() {
  const token = {
    __type: 'AddedToken', content: '<|endoftext|>', lstrip: false,
    normalized: true, rstrip: false, single_word: false,
  };
  const config = {
    architectures: ['GPT2LMHeadModel'], model_type: 'gpt2',
    tokenizer_config: {
      bos_token: token, eos_token: token, unk_token: token, pad_token: null,
      chat_template: [
        { name: 'default', template: '{{ messages }}' },
        { name: 'tool_use', template: '{{ tools }}{{ messages }}' },
      ],
      use_default_system_prompt: false,
    },
  };
  return [odd(gpt2('odd-templates/list-and-added-tokens', { config }))];
}

function closedRepositories() {
  return [
    odd(gpt2('closed/gated-auto', { gated: 'auto' })),
    odd(gpt2('closed/gated-manual', { gated: 'manual' })),
    unlistedConfig('closed/gated-without-config', {
      gated: 'manual', config: undefined, pipeline_tag: undefined,
    }),
    odd(gpt2('closed/private', { private: true })),
    odd(gpt2('closed/disabled', { disabled: true })),
  ];
}

/** @param {Random} random */
function renamedTargets(random) {
  return RENAMED.map(([, id]) => {
    const bert = id.includes('bert');
    const entry = withConfig(id, bert
      ? { architectures: ['BertForMaskedLM'], model_type: 'bert' }
      : { architectures: ['GPT2LMHeadModel'], model_type: 'gpt2' });
    entry.downloads = 1_000_000 + random.below(1_000_000);
    if (!bert) return odd(entry);
    entry.pipeline_tag = 'fill-mask';
    entry.tags = ['transformers', 'onnx', 'bert', 'fill-mask', 'region:us'];
    const hidden = truth('encoder', 'model-type', 'listing');
    Object.assign(/** @type {object} */ (hidden.truth), { modelType: 'bert' });
    return new Model(entry, hidden);
  });
}

/** @param {Record<string, any>} entry */
function odd(entry) {
  return new Model(entry, truth('gen', 'generation-head', 'listing'));
}

/**
 * A model whose config.json is good although the listing does not show it.
 * @param {string} id
 * @param {Record<string, any>} changes
 */
function unlistedConfig(id, changes) {
  return new Model(gpt2(id, changes), {
    ...truth('gen', 'generation-head', 'repository'),
    digest: { architectures: ['GPT2LMHeadModel'], model_type: 'gpt2' },
  });
}

function noEvidence() {
  const hidden = truth('unknown', 'no-evidence', 'none');
  Object.assign(/** @type {object} */ (hidden.truth), { ambiguous: true });
  return hidden;
}

/**
 * @param {import('./model.js').Truth['classification']} classification
 * @param {string} why
 * @param {import('./model.js').Truth['source']} source
 * @returns {Hidden}
 */
function truth(classification, why, source) {
  return {
    parameters: 124e6,
    truth: { classification, why, source, modelType: 'gpt2', ambiguous: false },
  };
}

/**
 * @param {string} id
 * @param {Record<string, any>} config
 */
function withConfig(id, config) {
  return gpt2(id, { config });
}

/**
 * An ordinary entry of a small GPT-2 conversion, with some keys replaced.
 * @param {string} id
 * @param {Record<string, any>} changes
 * @returns {Record<string, any>}
 */
function gpt2(id, changes) {
  return {
    _id: `63${hexOf(id, 22)}`,
    id,
    author: id.split('/')[0],
    gated: false,
    disabled: false,
    lastModified: '2023-05-11T09:12:00.000Z',
    likes: 2,
    trendingScore: 0,
    private: false,
    sha: hexOf(`${id}@main`, 40),
    config: { architectures: ['GPT2LMHeadModel'], model_type: 'gpt2' },
    downloads: 40,
    tags: ['transformers.js', 'onnx', 'gpt2', 'text-generation', 'region:us'],
    pipeline_tag: 'text-generation',
    library_name: 'transformers.js',
    createdAt: '2022-12-01T10:00:00.000Z',
    modelId: id,
    siblings: list(CONVERSION),
    ...changes,
  };
}

/** @param {string[]} files */
function list(files) {
  return files.map((rfilename) => ({ rfilename }));
}

/** A digest as large as the largest seen: custom code for every task. */
function bigConfig() {
  const config = {
    architectures: ['GPT2LMHeadModel'], model_type: 'gpt2',
    auto_map: /** @type {Record<string, string>} */ ({}),
  };
  const entry = '"AutoModelForTask0000":"modeling_tasks.TaskModel0000",'.length;
  for (let i = 0; i < Math.floor(LARGEST_CONFIG / entry) - 1; i += 1) {
    const task = String(i).padStart(4, '0');
    config.auto_map[`AutoModelForTask${task}`] = `modeling_tasks.TaskModel${task}`;
  }
  return config;
}
