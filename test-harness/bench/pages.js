// SPDX-License-Identifier: Apache-2.0
// Pages of a synthetic Hub listing, for benchmarks of the scanner. Everything
// follows from the seed. "base" has the sizes of ordinary listings; "skew" has
// what makes some pages heavy: models with hundreds of files or languages,
// inlined configurations with chat templates, cards with non-ASCII text.

export const ROWS_PER_PAGE = 100;

/** @typedef {() => number} Random a generator of numbers in [0, 1) */

/**
 * Mulberry32: 32 bits of state are plenty for benchmark data.
 * @param {number} seed
 * @returns {Random}
 */
export function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** @param {Random} random @param {number} min @param {number} max */
function between(random, min, max) {
  return min + Math.floor(random() * (max - min + 1));
}

/** @template T @param {Random} random @param {readonly T[]} values */
function pick(random, values) {
  return values[Math.floor(random() * values.length)];
}

/** @param {Random} random @param {number} length */
function hex(random, length) {
  let text = '';
  while (text.length < length) {
    text += Math.floor(random() * 16).toString(16);
  }
  return text;
}

/** @param {Random} random */
function isoTime(random) {
  const start = Date.UTC(2022, 2, 2);
  return new Date(start + Math.floor(random() * 1.2e11)).toISOString();
}

const TASKS = [
  ['text-generation', 'LlamaForCausalLM', 'llama'],
  ['text-generation', 'Qwen2ForCausalLM', 'qwen2'],
  ['text-generation', 'GPT2LMHeadModel', 'gpt2'],
  ['text2text-generation', 'T5ForConditionalGeneration', 't5'],
  ['fill-mask', 'BertForMaskedLM', 'bert'],
  ['feature-extraction', 'BertModel', 'bert'],
  ['text-classification', 'RobertaForSequenceClassification', 'roberta'],
  ['automatic-speech-recognition', 'Wav2Vec2ForCTC', 'wav2vec2'],
];

const OWNERS = [
  'onnx-community', 'Xenova', 'HuggingFaceTB', 'some-research-lab',
  'a-person-42', 'models4all', 'tiny', 'the-quantization-people',
];

const WORDS = [
  'llama', 'instruct', 'base', 'small', 'distilled', 'chat', 'finetuned',
  'v2', '1b', '360M', 'multilingual', 'code', 'sft', 'dpo', 'merged',
];

const PLAIN_FILES = [
  '.gitattributes', 'README.md', 'config.json', 'generation_config.json',
  'special_tokens_map.json', 'tokenizer.json', 'tokenizer_config.json',
  'vocab.json', 'merges.txt', 'model.safetensors', 'pytorch_model.bin',
  'training_args.bin', 'chat_template.jinja', 'added_tokens.json',
];

const ONNX_SUFFIXES = [
  '', '_fp16', '_quantized', '_int8', '_uint8', '_q4', '_q4f16', '_bnb4',
];

const LANGUAGES = Array.from({ length: 90 }, (_, i) =>
  String.fromCharCode(97 + (i % 26), 97 + ((i * 7) % 26)),
);

const CJK_TAGS = [
  '文本生成', '对话模型', '多语言', '日本語モデル', '大規模言語モデル',
  '한국어 대화 모델', '量化模型', '開源',
];

const CHAT_TEMPLATE =
  "{% for message in messages %}{% if loop.first and messages[0]['role'] " +
  "!= 'system' %}{{ '<|im_start|>system\nYou are a \"helpful\" assistant" +
  "<|im_end|>\n' }}{% endif %}\n{{'<|im_start|>' + message['role'] + '\n' + " +
  "message['content'] + '<|im_end|>' + '\n'}}{% endfor %}\n\t{%- if " +
  "add_generation_prompt %}\n\t\t{{ '<|im_start|>assistant\n' }}{% endif %}";

const CARD_TEXT =
  'Ein Modell für Gespräche — 対話のための小さなモデル, naïve café, ' +
  'модель для диалога, \u{1f917} and more';

/** @param {Random} random */
function modelId(random) {
  const words = Array.from({ length: between(random, 2, 4) }, () =>
    pick(random, WORDS),
  );
  return `${pick(random, OWNERS)}/${words.join('-')}-${hex(random, 4)}`;
}

/** @param {Random} random @param {boolean} isOnnx @param {number} extra */
function fileNames(random, isOnnx, extra) {
  const names = PLAIN_FILES.filter(() => random() < 0.75);
  if (isOnnx) {
    names.push(...ONNX_SUFFIXES.map((suffix) => `onnx/model${suffix}.onnx`));
  }
  for (let i = 0; i < extra; i++) {
    const part = String(i + 1).padStart(5, '0');
    names.push(
      i % 2
        ? `model-${part}-of-00600.safetensors`
        : `runs/${hex(random, 8)}/events.out.tfevents.${1.6e9 + i}.host.${i}`,
    );
  }
  return names.sort();
}

/** @param {Random} random @param {readonly string[]} task */
function tagsOf(random, task) {
  return [
    'transformers', 'safetensors', task[2], task[0], 'conversational',
    `arxiv:${between(random, 1900, 2599)}.${between(random, 10000, 19999)}`,
    `base_model:${modelId(random)}`, `base_model:quantized:${modelId(random)}`,
    'license:apache-2.0', 'text-generation-inference', 'endpoints_compatible',
    'region:us', 'custom_code', 'autotrain_compatible', 'dataset:' + modelId(random),
    'en', 'doi:10.57967/hf/1234', 'has_space', 'eval-results',
  ].filter(() => random() < 0.75);
}

/** @param {Random} random @param {readonly string[]} task */
function configOf(random, task) {
  return {
    architectures: [task[1]],
    model_type: task[2],
    tokenizer_config: {
      bos_token: '<|im_start|>',
      eos_token: '<|im_end|>',
      pad_token: '<|im_end|>',
      unk_token: null,
      chat_template: CHAT_TEMPLATE.repeat(between(random, 1, 2)),
    },
  };
}

/** @param {Random} random */
function cardOf(random) {
  return {
    license: 'apache-2.0',
    language: LANGUAGES.slice(0, between(random, 1, 5)),
    thumbnail: null,
    widget: [{ text: CARD_TEXT, example_title: 'Begrüßung' }],
    'model-index': [{ name: pick(random, WORDS), results: [] }],
  };
}

/** @param {readonly string[]} task */
function transformersInfoOf(task) {
  return {
    auto_model: 'AutoModelForCausalLM',
    pipeline_tag: task[0],
    processor: 'AutoTokenizer',
  };
}

/** @param {Random} random */
function safetensorsOf(random) {
  const total = between(random, 1e6, 8e9);
  return { parameters: { BF16: total }, total };
}

/**
 * One entry, its keys in the order in which the Hub sends them.
 * @param {Random} random
 * @param {boolean} isSkewed
 */
function entry(random, isSkewed) {
  const task = pick(random, TASKS);
  const id = modelId(random);
  const isHeavy = isSkewed && random() < 0.05;
  const hasParts = random() < 0.25;
  const extra = isHeavy
    ? between(random, 200, 600)
    : hasParts ? between(random, 2, 12) : 0;
  const languages = isSkewed && random() < 0.1 ? LANGUAGES : [];
  const names = fileNames(random, random() < 0.5, extra);
  return {
    _id: hex(random, 24),
    id,
    author: id.split('/')[0],
    gated: random() < 0.05 ? 'auto' : false,
    lastModified: isoTime(random),
    likes: Math.floor(random() ** 6 * 3000),
    trendingScore: Math.floor(random() ** 4 * 50),
    private: false,
    sha: hex(random, 40),
    ...(isSkewed && random() < 0.8 ? { config: configOf(random, task) } : {}),
    downloads: Math.floor(random() ** 8 * 5e6),
    tags: [...tagsOf(random, task), ...languages],
    ...(random() < 0.7 ? { pipeline_tag: task[0] } : {}),
    ...(random() < 0.75 ? { library_name: 'transformers' } : {}),
    createdAt: isoTime(random),
    modelId: id,
    ...(random() < 0.7 ? { transformersInfo: transformersInfoOf(task) } : {}),
    ...(random() < 0.6 ? { safetensors: safetensorsOf(random) } : {}),
    ...(isSkewed ? { cardData: cardOf(random) } : {}),
    siblings: names.map((rfilename) => ({ rfilename })),
  };
}

/**
 * The rows of a listing, page by page.
 * @param {{ seed: number, pages: number, isSkewed: boolean }} options
 * @returns {any[][]}
 */
export function listing({ seed, pages, isSkewed }) {
  const random = randomFrom(seed);
  return Array.from({ length: pages }, () =>
    Array.from({ length: ROWS_PER_PAGE }, () => entry(random, isSkewed)),
  );
}

/** @param {any} page @returns {Uint8Array} */
export function compact(page) {
  return new TextEncoder().encode(JSON.stringify(page));
}

/** Half of the non-ASCII characters as \u escapes, as other writers do it.
 * @param {any} page @returns {Uint8Array} */
export function escaped(page) {
  let count = 0;
  const text = JSON.stringify(page).replace(/[\u0080-\uffff]/g, (unit) =>
    ++count % 2
      ? unit
      : `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return new TextEncoder().encode(text);
}

/** @param {any} page @returns {Uint8Array} */
export function pretty(page) {
  return new TextEncoder().encode(JSON.stringify(page, null, 2));
}

/** The keys of every row in another order.
 * @param {any[]} page @param {Random} random */
export function shuffled(page, random) {
  return page.map((row) =>
    Object.fromEntries(
      Object.entries(row)
        .map((member) => ({ member, place: random() }))
        .sort((a, b) => a.place - b.place)
        .map(({ member }) => member),
    ),
  );
}

/** The files with the keys that blobs=true adds.
 * @param {any[]} page @param {Random} random */
export function withBlobs(page, random) {
  const blob = (/** @type {{ rfilename: string }} */ file) => ({
    ...file,
    size: between(random, 100, 4e9),
    blobId: hex(random, 40),
    lfs: { sha256: hex(random, 64), size: 4e8, pointerSize: 135 },
  });
  return page.map((row) => ({ ...row, siblings: row.siblings.map(blob) }));
}

/** Rows whose tags are Chinese, Japanese and Korean.
 * @param {any[]} page */
export function withCjkTags(page) {
  return page.map((row) => ({ ...row, tags: [...row.tags, ...CJK_TAGS] }));
}
