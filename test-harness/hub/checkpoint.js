// SPDX-License-Identifier: Apache-2.0
// What one generated model is: its type, its class, its task, and the truth
// about whether it can chat, taken from the committed table of model types.

import { readFileSync } from 'node:fs';

import { FAMILIES } from './families.js';

/** @typedef {import('./random.js').Random} Random */
/** @typedef {import('./families.js').Family} Family */

/**
 * @typedef {object} TypeFacts one line of the table
 * @property {'gen' | 'encoder' | 'other'} expect
 * @property {string} modality
 * @property {boolean} [ambiguous]
 * @property {string[]} hf
 * @property {string[]} tjs
 */

/**
 * @typedef {object} Checkpoint
 * @property {Family} family
 * @property {string} name
 * @property {string} type
 * @property {string[] | undefined} architectures
 * @property {string | undefined} task pipeline_tag
 * @property {boolean} embeds made for sentence-transformers
 * @property {boolean} chats has a chat template
 * @property {Record<string, string>} [autoMap] custom code
 * @property {import('./model.js').Truth} truth
 */

const table = JSON.parse(readFileSync(
  new URL('../fixtures/model_types.json', import.meta.url), 'utf8'));

/** @type {Record<string, TypeFacts>} */
export const MODEL_TYPES = Object.fromEntries(
  Object.entries(table).filter(([key]) => !key.startsWith('_')));

/** Class suffix and task of each head a type can carry. */
const HEADS = /** @type {Record<string, [string, string | undefined]>} */ ({
  CAUSAL_LM: ['ForCausalLM', 'text-generation'],
  SEQ_TO_SEQ_CAUSAL_LM: ['ForConditionalGeneration', 'text2text-generation'],
  IMAGE_TEXT_TO_TEXT: ['ForConditionalGeneration', 'image-text-to-text'],
  MULTIMODAL_LM: ['ForConditionalGeneration', 'any-to-any'],
  VISION_2_SEQ: ['ForConditionalGeneration', 'image-to-text'],
  AUDIO_TEXT_TO_TEXT: ['ForConditionalGeneration', 'audio-text-to-text'],
  MASKED_LM: ['ForMaskedLM', 'fill-mask'],
  SEQUENCE_CLASSIFICATION: ['ForSequenceClassification', 'text-classification'],
  TOKEN_CLASSIFICATION: ['ForTokenClassification', 'token-classification'],
  QUESTION_ANSWERING: ['ForQuestionAnswering', 'question-answering'],
  IMAGE_CLASSIFICATION: ['ForImageClassification', 'image-classification'],
  SEMANTIC_SEGMENTATION: ['ForSemanticSegmentation', 'image-segmentation'],
  OBJECT_DETECTION: ['ForObjectDetection', 'object-detection'],
  DEPTH_ESTIMATION: ['ForDepthEstimation', 'depth-estimation'],
  CTC: ['ForCTC', 'automatic-speech-recognition'],
  AUDIO_CLASSIFICATION: ['ForSequenceClassification', 'audio-classification'],
  SPEECH_SEQ_2_SEQ: ['ForConditionalGeneration', 'automatic-speech-recognition'],
  TEXT_TO_WAVEFORM: ['Model', 'text-to-speech'],
  TIME_SERIES: ['ForPrediction', 'time-series-forecasting'],
  MASK_GENERATION: ['Model', 'mask-generation'],
  ZERO_SHOT_IMAGE_CLASSIFICATION: ['Model', 'zero-shot-image-classification'],
});

/** Heads that produce text, in the order in which a type's main head is found. */
const GENERATION_HEADS = [
  'SEQ_TO_SEQ_CAUSAL_LM', 'IMAGE_TEXT_TO_TEXT', 'CAUSAL_LM', 'MULTIMODAL_LM',
  'VISION_2_SEQ', 'AUDIO_TEXT_TO_TEXT',
];

/** Heads that make an encoder of any type. */
const CLASSIFIER_HEADS = new RegExp('CLASSIFICATION|QUESTION_ANSWERING|'
  + 'MASKED_LM|CTC|DETECTION|SEGMENTATION|DEPTH');

/** Uses of a generative type that make it an encoder: [suffix, task]. */
const ENCODER_USES = /** @type {[string, string][]} */ ([
  ['Model', 'feature-extraction'],
  ['ForCausalLM', 'feature-extraction'],
  ['ForCausalLM', 'text-ranking'],
  ['ForSequenceClassification', 'text-ranking'],
  ['ForSequenceClassification', 'text-classification'],
  ['Model', 'sentence-similarity'],
]);

/** One in this many checkpoints of a generative type is such an encoder. */
const ENCODER_USE_SHARE = 0.07;

/** Class names start with these where CamelCase of the type would be wrong. */
const PREFIXES = /** @type {Record<string, string>} */ ({
  clip: 'CLIP', vit: 'ViT', deit: 'DeiT', hubert: 'Hubert', dpt: 'DPT',
  'nomic_bert': 'NomicBert', rwkv: 'Rwkv', xglm: 'XGLM', ctrl: 'CTRL',
  xlnet: 'XLNet', led: 'LED', esm: 'Esm', blip: 'Blip', sam: 'Sam',
  wav2vec2: 'Wav2Vec2', segformer: 'Segformer', prophetnet: 'ProphetNet',
  'openai-gpt': 'OpenAIGPT', biogpt: 'BioGpt', umt5: 'UMT5', gemma3_text: 'Gemma3',
});

/** Exact class names, by head and type. */
const EXACT_CLASSES = exactClasses();

/** Names that tell the head: [part of the name, class suffix, task]. */
const NAMED_HEADS = /** @type {[RegExp, string, string][]} */ ([
  [/reranker|ms-marco/, 'ForSequenceClassification', 'text-ranking'],
  [/-NER/, 'ForTokenClassification', 'token-classification'],
  [/squad/, 'ForQuestionAnswering', 'question-answering'],
  [/mnli/, 'ForSequenceClassification', 'zero-shot-classification'],
  [/sst-2|sentiment/, 'ForSequenceClassification', 'text-classification'],
  [/MiniLM|mpnet-base|paraphrase/, 'Model', 'sentence-similarity'],
  [/bge|gte|e5|embed/, 'Model', 'feature-extraction'],
]);

/** Custom code the library does not know: [type, class, chat?]. */
const CUSTOM_TYPES = /** @type {[string, string, boolean][]} */ ([
  ['chatglm', 'ChatGLMModel', true],
  ['baichuan', 'BaichuanForCausalLM', true],
  ['internlm2', 'InternLM2ForCausalLM', true],
  ['qwen', 'QWenLMHeadModel', true],
  ['hymba', 'HymbaForCausalLM', true],
  ['plamo', 'PlamoForCausalLM', true],
  ['tiny_router', 'TinyRouterModel', false],
  ['audio_tagger', 'AudioTaggerModel', false],
]);

/** Share of rows with custom code. */
const CUSTOM_SHARE = 0.02;

/** Share of rows drawn evenly from all types instead of the usual families. */
const LONG_TAIL_SHARE = 0.12;

const totalWeight = FAMILIES.reduce((sum, { weight }) => sum + weight, 0);

/**
 * @param {Random} random
 * @param {string} [type] draw a checkpoint of this type
 * @returns {Checkpoint}
 */
export function drawCheckpoint(random, type) {
  if (type === undefined && random.chance(CUSTOM_SHARE)) {
    return customCheckpoint(random);
  }
  const family = type !== undefined ? familyOf(type)
    : random.chance(LONG_TAIL_SHARE)
      ? familyOf(random.pick(Object.keys(MODEL_TYPES))) : drawFamily(random);
  const name = random.pick(family.names);
  const facts = MODEL_TYPES[family.type];
  if (facts.expect === 'gen') return generative(random, family, name);

  const [suffix, task] = headNamedBy(name) ?? random.pick(headsOf(facts));
  return {
    family, name, task, type: family.type, chats: false,
    architectures: [className(family.type, suffix)],
    embeds: suffix === 'Model' && facts.modality === 'text',
    truth: truthOf(family.type, facts.expect === 'encoder'
      ? ['encoder', 'model-type'] : ['unknown', 'not-text-generation']),
  };
}

/**
 * @param {Random} random
 * @param {Family} family
 * @param {string} name
 * @returns {Checkpoint}
 */
function generative(random, family, name) {
  const { type } = family;
  if (type === 't5' && name.startsWith('sentence-')) {
    return encoderUse(family, name, 'T5EncoderModel', 'sentence-similarity');
  }
  const named = /embedding|reranker|mnli/i.exec(name);
  if (named || random.chance(ENCODER_USE_SHARE)) {
    const [suffix, task] = named ? namedUse(named[0].toLowerCase())
      : random.pick(ENCODER_USES);
    return encoderUse(family, name, className(type, suffix), task);
  }
  const { hf, tjs } = MODEL_TYPES[type];
  const head = GENERATION_HEADS.find((h) => hf.includes(h) || tjs.includes(h))
    ?? 'CAUSAL_LM';
  const [suffix, task] = HEADS[head];
  return {
    family, name, type, embeds: false,
    architectures: [EXACT_CLASSES.get(`${head} ${type}`)
      ?? className(type, suffix)],
    task: type === 'marian' ? 'translation' : task,
    chats: head !== 'SEQ_TO_SEQ_CAUSAL_LM' && /it$|chat|instruct|qwen3|lfm2/i.test(name),
    truth: truthOf(type, ['gen', 'generation-head']),
  };
}

/** @param {string} use */
function namedUse(use) {
  if (use === 'embedding') return ['ForCausalLM', 'feature-extraction'];
  if (use === 'reranker') return ['ForCausalLM', 'text-ranking'];
  return ['ForSequenceClassification', 'zero-shot-classification'];
}

/**
 * @param {Family} family
 * @param {string} name
 * @param {string} architecture
 * @param {string} task
 * @returns {Checkpoint}
 */
function encoderUse(family, name, architecture, task) {
  return {
    family, name, task, type: family.type, architectures: [architecture],
    embeds: ['feature-extraction', 'sentence-similarity'].includes(task),
    chats: false,
    truth: truthOf(family.type, ['encoder', 'encoder-use']),
  };
}

/**
 * @param {Random} random
 * @returns {Checkpoint}
 */
function customCheckpoint(random) {
  const [type, architecture, chat] = random.pick(CUSTOM_TYPES);
  const family = familyOf(type);
  const auto = chat ? 'AutoModelForCausalLM' : 'AutoModel';
  return {
    family, name: random.pick(family.names), type, embeds: false, chats: chat,
    architectures: [architecture],
    task: chat ? 'text-generation' : undefined,
    autoMap: {
      AutoConfig: `configuration_${type}.${classPrefix(type)}Config`,
      [auto]: `modeling_${type}.${architecture}`,
    },
    truth: truthOf(type, chat ? ['gen', 'auto-map'] : ['unknown', 'custom-code']),
  };
}

/**
 * @param {string} type
 * @param {[import('./model.js').Truth['classification'], string]} verdict
 * @returns {import('./model.js').Truth}
 */
function truthOf(type, [classification, why]) {
  return {
    classification, why, source: 'listing', modelType: type,
    ambiguous: MODEL_TYPES[type]?.ambiguous ?? false,
  };
}

/** @param {Random} random */
function drawFamily(random) {
  let rest = random.next() * totalWeight;
  return FAMILIES.find(({ weight }) => (rest -= weight) < 0) ?? FAMILIES[0];
}

/**
 * The family of a type, made up from its name if it is a rare one.
 * @param {string} type
 * @returns {Family}
 */
function familyOf(type) {
  const known = FAMILIES.find((family) => family.type === type);
  if (known) return known;
  const stem = type.replace(/_/g, '-');
  const names = [`${stem}-base`, `${stem}-small`, `tiny-random-${stem}`];
  return { type, weight: 0, org: 'hf-internal', names, parameters: 120 };
}

/**
 * Heads that do not generate text; for types that are no encoders, those
 * without a classifier, which would make encoders of them.
 * @param {TypeFacts} facts
 */
function headsOf({ expect, hf, tjs }) {
  const heads = [...new Set([...hf, ...tjs])]
    .filter((head) => HEADS[head] && !GENERATION_HEADS.includes(head))
    .filter((head) => expect === 'encoder' || !CLASSIFIER_HEADS.test(head))
    .map((head) => HEADS[head]);
  return heads.length > 0 ? heads
    : /** @type {typeof heads} */ ([['Model', undefined]]);
}

/**
 * @param {string} name
 * @returns {[string, string] | undefined}
 */
function headNamedBy(name) {
  const head = NAMED_HEADS.find(([part]) => part.test(name));
  return head && [head[1], head[2]];
}

/**
 * @param {string} type
 * @param {string} suffix
 */
function className(type, suffix) {
  return classPrefix(type).replace(/Model$/, '') + suffix;
}

/** @param {string} type */
function classPrefix(type) {
  if (PREFIXES[type]) return PREFIXES[type];
  for (const head of Object.keys(table._tjs_architectures)) {
    const name = EXACT_CLASSES.get(`${head} ${type}`);
    const stem = name?.match(/^(.+?)(For[A-Z]|LMHead|WithLMHead|MTModel)/);
    if (stem) return stem[1];
  }
  return type.split(/[-_.]/)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}

function exactClasses() {
  /** @type {Map<string, string>} */
  const classes = new Map();
  for (const [head, names] of Object.entries(table._tjs_architectures)) {
    for (const [name, type] of Object.entries(names)) {
      classes.set(`${head} ${type}`, name);
    }
  }
  return classes;
}
