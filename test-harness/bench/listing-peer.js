// SPDX-License-Identifier: Apache-2.0
// The peer of the listing benchmark: the same work without WebAssembly, as one
// would write it in JavaScript. JSON.parse over strict UTF-8, the same
// prefilter, the same order, the same records. It knows the tasks, classes
// and types of the benchmark's pages only, which is in its favour.

/**
 * @typedef {object} Survivor
 * @property {any} row
 * @property {number} preference of its task, 0 is best
 */

const REPO_ID = /^\w[\w.-]{0,95}(\/\w[\w.-]{0,95})?$/;
const DENIED_TASKS = new Set([
  'feature-extraction', 'fill-mask', 'sentence-similarity', 'masked-lm',
]);
const DENIED_ID = /sentence-transformers|cross-encoder\//i;
const TOKENIZER =
  /(^|\/)(tokenizer\.json|merges\.txt|vocab\.[^./]*)$|\.(model|spm)$/i;
const GRAPH = /\.onnx$/i;
const ONNX_FILE = /^(.*?)\.onnx([._]data(_\d+)?)?$/i;

const PREFERENCES = new Map([
  ['text-generation', 0], ['image-text-to-text', 1],
  ['text2text-generation', 2], ['conversational', 3], ['summarization', 4],
  ['translation', 4], [undefined, 5],
]);
const PREFERENCE_OF_OTHERS = 6;

/** In the order in which models list them. */
const DTYPES = [
  'fp32', 'fp16', 'q8', 'int8', 'uint8', 'q4', 'q4f16', 'bnb4',
];
const DTYPE_OF_SUFFIX = new Map([
  ['quantized', 'q8'],
  ...DTYPES.map((dtype) => /** @type {[string, string]} */ ([dtype, dtype])),
]);

const HEAD_OF_CLASS = new Map([
  ['LlamaForCausalLM', 'gen'], ['Qwen2ForCausalLM', 'gen'],
  ['GPT2LMHeadModel', 'gen'], ['T5ForConditionalGeneration', 'gen'],
  ['BertForMaskedLM', 'encoder'], ['BertModel', 'encoder'],
  ['RobertaForSequenceClassification', 'encoder'], ['Wav2Vec2ForCTC', 'encoder'],
]);
const HEAD_OF_TYPE = new Map([
  ['llama', 'gen'], ['qwen2', 'gen'], ['gpt2', 'gen'], ['t5', 'gen'],
  ['bert', 'encoder'], ['roberta', 'encoder'], ['wav2vec2', 'encoder'],
]);
const HEAD_OF_TASK = new Map([
  ['text-generation', 'gen'], ['text2text-generation', 'gen'],
  ['conversational', 'gen'], ['fill-mask', 'encoder'],
  ['feature-extraction', 'encoder'], ['text-classification', 'encoder'],
  ['automatic-speech-recognition', 'other'],
]);
const BEATS_GEN = new Set(['feature-extraction', 'text-classification']);
const HEAD_OF_NAME = new Map([
  ['llama', 'gen'], ['chat', 'gen'], ['instruct', 'gen'],
]);

/** @param {any} row */
function passes({ id, disabled, pipeline_tag: task, siblings }) {
  if (!REPO_ID.test(id) || disabled || DENIED_TASKS.has(task)
    || DENIED_ID.test(id)) {
    return false;
  }
  let hasTokenizer = false;
  let hasGraph = false;
  for (const { rfilename } of siblings) {
    hasGraph ||= GRAPH.test(rfilename);
    hasTokenizer ||= TOKENIZER.test(rfilename);
    if (hasGraph && hasTokenizer) return true;
  }
  return false;
}

/**
 * @param {Uint8Array[]} pages
 * @returns {Survivor[]} in the order of the listing
 */
function survivorsOf(pages) {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const seen = new Set();
  const survivors = [];
  for (const page of pages) {
    for (const row of JSON.parse(decoder.decode(page))) {
      if (seen.has(row.id)) continue;
      seen.add(row.id);
      if (!passes(row)) continue;
      const preference =
        PREFERENCES.get(row.pipeline_tag) ?? PREFERENCE_OF_OTHERS;
      survivors.push({ row, preference });
    }
  }
  return survivors;
}

/**
 * @param {string} head
 * @param {'high' | 'medium' | 'low'} confidence
 * @param {string[]} why
 */
function verdict(head, confidence, ...why) {
  return head === 'other'
    ? { classification: 'unknown', confidence,
      why: ['not-text-generation', ...why] }
    : { classification: head, confidence, why };
}

/** @param {any} row */
function classify({ id, config, pipeline_tag: task, tags }) {
  const name = config?.architectures?.[0];
  const ofClass = HEAD_OF_CLASS.get(name);
  if (ofClass === 'gen' && BEATS_GEN.has(task)) {
    return verdict('encoder', 'high', `pipeline_tag=${task}`,
      `architecture=${name}`);
  }
  if (ofClass) return verdict(ofClass, 'high', `architecture=${name}`);
  const ofTask = HEAD_OF_TASK.get(task);
  if (ofTask) return verdict(ofTask, 'medium', `pipeline_tag=${task}`);
  for (const heads of [HEAD_OF_TASK, HEAD_OF_TYPE]) {
    for (const tag of tags) {
      const head = heads.get(tag);
      if (head) return verdict(head, 'low', `tag=${tag}`);
    }
  }
  for (const [part, head] of HEAD_OF_NAME) {
    if (id.includes(part, id.indexOf('/') + 1)) {
      return verdict(head, 'low', `name=${part}`);
    }
  }
  return { classification: 'unknown', confidence: 'low', why: ['no-evidence'] };
}

/** @param {{ rfilename: string }[]} siblings */
function variantsOf(siblings) {
  /** @type {Map<string, string[]>} */
  const files = new Map();
  const graphs = new Set();
  for (const { rfilename } of siblings) {
    const match = ONNX_FILE.exec(rfilename);
    if (!match) continue;
    const suffix = match[1].slice(match[1].lastIndexOf('_') + 1);
    const dtype = DTYPE_OF_SUFFIX.get(suffix) ?? 'fp32';
    if (match[2] === undefined) graphs.add(dtype);
    const others = files.get(dtype);
    if (others) others.push(rfilename);
    else files.set(dtype, [rfilename]);
  }
  return DTYPES.filter((dtype) => graphs.has(dtype))
    .map((dtype) => ({ dtype, files: files.get(dtype) ?? [] }));
}

/** @param {Survivor} survivor */
function record({ row }) {
  const { id, tags, config } = row;
  const { classification, confidence, why } = classify(row);
  const license = tags
    .find((/** @type {string} */ tag) => tag.startsWith('license:'));
  const parameters = row.safetensors?.total ?? row.gguf?.total;
  return {
    id,
    name: id.slice(id.indexOf('/') + 1),
    pipeline_tag: row.pipeline_tag ?? null,
    model_type: config?.model_type ?? null,
    architectures: config?.architectures ?? null,
    classification,
    confidence,
    fetchStatus: 'listing',
    gated: row.gated,
    downloads: row.downloads,
    likes: row.likes,
    ...(license ? { license: license.slice('license:'.length) } : {}),
    ...(parameters === undefined ? {} : { parameters }),
    lastModified: Date.parse(row.lastModified),
    tags,
    why,
    variants: variantsOf(row.siblings),
  };
}

/**
 * Lists `pages`: the best `maxCandidates` of what passes, best first.
 * @param {Uint8Array[]} pages
 * @param {number} maxCandidates
 */
export function listByJsonParse(pages, maxCandidates) {
  return survivorsOf(pages)
    .sort((a, b) => a.preference - b.preference
      || b.row.downloads - a.row.downloads || b.row.likes - a.row.likes)
    .slice(0, maxCandidates)
    .map(record);
}

/**
 * Counts what passes, and makes no records.
 * @param {Uint8Array[]} pages
 */
export function countByJsonParse(pages) {
  return survivorsOf(pages).length;
}
