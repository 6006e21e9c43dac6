// SPDX-License-Identifier: Apache-2.0
// The classifier as a list of rules over the recorded registries: slow, plain,
// and the yardstick for wasm/hub/classify.c. It reads the fixture itself, not
// the tables generated from it.
import { readFileSync } from 'node:fs';

/** @typedef {import('../differential/classify_driver.js').Row} Row */
/** @typedef {'gen' | 'encoder' | 'either' | 'base' | 'other'} Head */
/** @typedef {'high' | 'medium' | 'low'} Confidence */

/**
 * @typedef {object} Verdict
 * @property {string} classification
 * @property {Confidence} confidence
 * @property {string[]} why
 */

/** @param {string} path */
const read = (path) => readFileSync(new URL(path, import.meta.url), 'utf8');

const registry = JSON.parse(read('../fixtures/model_types.json'));

/** @type {Record<string, Head>} */
const headOfType = Object.assign(Object.create(null), {
  gpt: 'gen', qwen: 'gen', 'sentence-transformers': 'encoder',
});
for (const [type, { expect, hf }] of Object.entries(registry)) {
  if (!type.startsWith('_')) {
    headOfType[type] = expect === 'encoder' && hf.includes('CAUSAL_LM') ? 'either' : expect;
  }
}
const typesByFoldedName = new Map(
  Object.keys(headOfType).map((type) => [type.replaceAll('-', '_'), headOfType[type]]));

/** @param {string} [type] */
const typeHead = (type = '') => typesByFoldedName.get(type.replaceAll('-', '_'));

/** @type {Record<string, Head>} */
const headOfClass = Object.assign(Object.create(null));
for (const name of registry._irregular_generation_classes) {
  headOfClass[name] = 'gen';
}
for (const [task, classes] of Object.entries(registry._tjs_architectures)) {
  for (const [name, type] of Object.entries(classes)) {
    if (task === 'MASKED_LM') continue;
    if (task === 'AUDIO_TEXT_TO_TEXT') headOfClass[name] = 'gen';
    if (registry[type]?.expect === 'other') headOfClass[name] = 'other';
  }
}
Object.assign(headOfClass, {
  BertLMHeadModel: 'either', XLMWithLMHeadModel: 'either', FlaubertWithLMHeadModel: 'either',
  SeamlessM4TForTextToText: 'gen', SeamlessM4Tv2ForTextToText: 'gen',
  EvollaForProteinText2Text: 'other', SpeechEncoderDecoderModel: 'other',
  ClvpModelForConditionalGeneration: 'encoder', FSMTModel: 'base',
});

const CLASS_ENDS = /** @type {[RegExp, Head][]} */ ([
  [/(CausalLM|LMHeadModel|WithLMHead|ForConditionalGeneration|DoubleHeadsModel|MTModel|Seq2SeqLM|Vision2Seq|ImageTextToText)$/, 'gen'],
  [/For(MaskedLM|PreTraining|MultipleChoice|NextSentencePrediction|Retrieval|CTC|ObjectDetection)$/, 'encoder'],
  [/(Classification|QuestionAnswering|Segmentation|DepthEstimation|EncoderModel)$/, 'encoder'],
  [/(For(TextToSpeech|SpeechToText|SpeechToSpeech|Prediction)|SpeechSeq2Seq)$/, 'other'],
  [/Model$/, 'base'],
]);

/** @param {string} name */
const classHead = (name) =>
  headOfClass[name] ?? CLASS_ENDS.find(([end]) => end.test(name))?.[1];

/**
 * The hints about rows are data that both sides share.
 * @param {string} macro
 */
function hints(macro) {
  const lines = read('../../wasm/hub/row_hint.def').matchAll(
    new RegExp(`^${macro}\\("([^"]+)", (\\w+)(?:, (\\w+))?\\)$`, 'gm'));
  return new Map([...lines].map(([, word, head, weight]) => [word, {
    head: /** @type {Head} */ (head.toLowerCase()), beats: weight === 'BEATS_GEN',
  }]));
}
const tasks = hints('PIPELINE_TAG');
const libraries = hints('LIBRARY');
const topics = hints('TOPIC');
const nameParts = hints('NAME_PART');

/**
 * @param {Head} head
 * @param {Confidence} confidence
 * @param {string[]} why
 * @returns {Verdict}
 */
function verdict(head, confidence, ...why) {
  switch (head) {
    case 'gen':
      return { classification: 'gen', confidence, why };
    case 'other':
      return { classification: 'unknown', confidence, why: ['not-text-generation', ...why] };
    default:
      return { classification: 'encoder', confidence, why };
  }
}

/**
 * A causal class of a family of encoders.
 * @param {Row} row
 * @param {string} name
 */
function decoderOrEncoder(row, name) {
  const because = `architecture=${name}`;
  if (row.config?.isDecoder) return verdict('gen', 'high', 'is_decoder=true', because);
  return tasks.get(row.pipelineTag ?? '')?.head === 'gen'
    ? verdict('gen', 'medium', `pipeline_tag=${row.pipelineTag}`, because)
    : verdict('encoder', 'medium', 'not-a-decoder', because);
}

/**
 * The rules, in order; each returns a verdict or undefined.
 * @type {((row: Row) => Verdict | undefined)[]}
 */
const RULES = [
  function byClass(row) {
    const name = row.config?.architectures?.[0] ?? '';
    const why = `architecture=${name}`;
    const type = typeHead(row.config?.modelType);
    const listed = headOfClass[name];
    if (listed === 'either') return decoderOrEncoder(row, name);
    if (listed && listed !== 'base') return verdict(listed, 'high', why);
    if (type === 'other') return undefined;
    switch (classHead(name)) {
      case 'gen':
        if (type === 'either') return decoderOrEncoder(row, name);
        if (!type && /speech|whisper|asr|tts|music/i.test(name)) {
          return verdict('other', 'medium', why);
        }
        return verdict('gen', type === 'encoder' ? 'medium' : 'high', why);
      case 'encoder':
        return verdict('encoder', 'high', why);
      case 'other':
        return verdict('other', 'high', why);
      case 'base':
        return type && verdict('encoder', 'high', why);
      default:
        return undefined;
    }
  },
  function byType({ config }) {
    const head = typeHead(config?.modelType);
    return head && verdict(head, 'high', `model_type=${config?.modelType}`);
  },
  function byClassThatIsAType({ config }) {
    const name = config?.architectures?.[0] ?? '';
    const head = name.length <= 64 ? typeHead(asciiLower(name)) : undefined;
    return head && verdict(head, 'high', `architecture=${name}`);
  },
  function byAutoMap({ config }) {
    const name = ['AutoModelForCausalLM', 'AutoModelForSeq2SeqLM']
      .find((auto) => config?.autoMap?.includes(auto));
    return name ? verdict('gen', 'medium', `auto_map=${name}`) : undefined;
  },
  function byTextClass({ config }) {
    const name = config?.textArchitecture ?? '';
    const head = classHead(name);
    return head === 'gen' || head === 'encoder'
      ? verdict(head, 'medium', `text_config.architecture=${name}`) : undefined;
  },
  function byTextType({ config }) {
    const head = typeHead(config?.textModelType);
    return head && verdict(head, 'medium', `text_config.model_type=${config?.textModelType}`);
  },
  function byTask({ pipelineTag = '' }) {
    const task = tasks.get(pipelineTag);
    return task && verdict(task.head, 'medium', `pipeline_tag=${pipelineTag}`);
  },
  function byHeadlessClass({ config }) {
    const name = config?.architectures?.[0] ?? '';
    return classHead(name) === 'base' && !config?.autoMap
      ? verdict('encoder', 'medium', `architecture=${name}`) : undefined;
  },
  function byLibrary({ libraryName = '' }) {
    const library = libraries.get(libraryName);
    return library && verdict(library.head, 'medium', `library_name=${libraryName}`);
  },
  function byTags({ tags = [] }) {
    const meanings = [
      (/** @type {string} */ tag) => tasks.get(tag)?.head,
      (/** @type {string} */ tag) => libraries.get(tag)?.head,
      typeHead,
      (/** @type {string} */ tag) => topics.get(tag)?.head,
    ];
    for (const meaning of meanings) {
      const tag = tags.find(meaning);
      if (tag !== undefined) {
        return verdict(/** @type {Head} */ (meaning(tag)), 'low', `tag=${tag}`);
      }
    }
    return undefined;
  },
];

/** @param {string} text */
function asciiLower(text) {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** @param {string} id */
function namePartOf(id) {
  const name = asciiLower(id.slice(id.indexOf('/') + 1));
  const found = [...nameParts].find(([part]) => name.includes(part));
  return found && { word: found[0], ...found[1] };
}

/**
 * What the row's words make of a generating verdict: an embedder, a ranker, a
 * classifier or a voice.
 * @param {Row} row
 * @param {Verdict} gen
 */
function overruled({ id, pipelineTag = '', libraryName = '', tags = [] }, gen) {
  const task = tasks.get(pipelineTag);
  const library = libraries.get(libraryName);
  const name = namePartOf(id);
  const embeds = tags.includes('text-embeddings-inference') &&
    ['sentence-similarity', 'feature-extraction', 'text-ranking']
      .some((tag) => tags.includes(tag));
  const make = (/** @type {Head} */ head, /** @type {string} */ why) =>
    verdict(head, gen.confidence, why, gen.why[0]);
  if (task?.beats) return make(task.head, `pipeline_tag=${pipelineTag}`);
  if (library?.beats) return make(library.head, `library_name=${libraryName}`);
  if (tags.includes('sentence-transformers')) return make('encoder', 'tag=sentence-transformers');
  if (embeds) return make('encoder', 'tag=text-embeddings-inference');
  return name?.beats && !task
    ? verdict(name.head, 'medium', `name=${name.word}`, gen.why[0]) : gen;
}

/**
 * What is left when neither configuration nor row tell.
 * @param {Row} row
 * @returns {Verdict}
 */
function lastResort({ id, gated, config }) {
  if (gated && config === undefined) {
    return { classification: 'auth-protected', confidence: 'medium', why: ['gated'] };
  }
  const why = [];
  if (config?.architectures?.length) {
    why.push(labelled('unknown-architecture', config.architectures[0]));
  }
  if (config?.modelType) why.push(`unknown-model_type=${config.modelType}`);
  if (why.length > 0) return { classification: 'unknown', confidence: 'low', why };

  const part = namePartOf(id);
  return part
    ? verdict(part.head, 'low', `name=${part.word}`)
    : { classification: 'unknown', confidence: 'low', why: ['no-evidence'] };
}

/**
 * @param {string} rule
 * @param {string} value
 */
function labelled(rule, value) {
  return value === '' ? rule : `${rule}=${value}`;
}

/**
 * @param {Row} row
 * @returns {Verdict}
 */
export function classify(row) {
  if (row.authDenied) {
    return { classification: 'auth-protected', confidence: 'high', why: ['auth-denied'] };
  }
  for (const rule of RULES) {
    const found = rule(row);
    if (found) {
      return found.classification === 'gen' ? overruled(row, found) : found;
    }
  }
  return lastResort(row);
}
