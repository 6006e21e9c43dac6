// SPDX-License-Identifier: Apache-2.0
// File lists of generated repositories: ONNX conversions of one to eight
// variants, plain exports, training runs with their logs, and bare uploads.

/** @typedef {import('./random.js').Random} Random */
/** @typedef {import('./checkpoint.js').Checkpoint} Checkpoint */
/** @typedef {'bare' | 'export' | 'conversion' | 'training'} Shape */

/** Suffixes of the eight usual variants, in the order tools write them. */
const VARIANTS = [
  '', '_fp16', '_quantized', '_int8', '_uint8', '_q4', '_q4f16', '_bnb4',
];

/** Bytes per weight, by variant, for choosing who needs external data. */
const BYTES_PER_WEIGHT = /** @type {Record<string, number>} */ ({
  '': 4, _fp16: 2, _quantized: 1, _int8: 1, _uint8: 1, _q4: 0.6, _q4f16: 0.55,
  _bnb4: 0.6,
});

/** A protobuf holds at most 2 GiB, so larger graphs keep weights outside. */
const PROTOBUF_LIMIT = 2 ** 31;

/** Size of one external-data part. */
const PART_BYTES = 2_000_000_000;

/** Share of conversions that carry all eight variants. */
const FULL_SET_SHARE = 0.68;

/** Log files of one training run; the one giant is among the oddities. */
const MOST_LOGS = 1500;

/**
 * @param {Random} random
 * @param {Checkpoint} checkpoint
 * @param {Shape} shape
 * @param {number} parameters millions of weights
 * @param {boolean} onnx
 * @returns {string[]} paths, in the order of the listing
 */
export function drawFiles(random, checkpoint, shape, parameters, onnx) {
  const files = ['.gitattributes'];
  if (shape === 'bare') {
    if (random.chance(0.6)) files.push('README.md');
    if (onnx) files.push(...bareOnnx(random));
    else if (random.chance(0.3)) files.push('pytorch_model.bin');
    return files;
  }
  files.push('README.md', 'config.json', ...companions(random, checkpoint, shape));
  if (onnx) files.push(...onnxFiles(random, checkpoint, shape, parameters));
  else files.push(...frameworkFiles(random));
  if (shape === 'training') files.push(...trainingFiles(random));
  return files.sort(byDirectoryThenName);
}

/** @param {Random} random */
function bareOnnx(random) {
  const name = random.pick([
    'model.onnx', 'model.onnx', 'yolov8n.onnx', 'decoder.onnx', 'best.onnx',
    'model_int8.onnx', 'policy.onnx', 'det_10g.onnx', 'My Model v2.onnx',
  ]);
  return random.chance(0.05) ? [name, `labels ${random.between(1, 99)}.txt`]
    : random.chance(0.3) ? [name, 'class_names.json', 'example.py'] : [name];
}

/**
 * Tokenizer and preprocessor files that fit the modality.
 * @param {Random} random
 * @param {Checkpoint} checkpoint
 * @param {Shape} shape
 */
function companions(random, { type, chats, embeds, truth }, shape) {
  /** @type {string[]} */
  const files = [];
  if (truth.classification === 'gen') files.push('generation_config.json');
  if (isTextless(type)) return [...files, 'preprocessor_config.json'];
  if (['clip', 'siglip', 'whisper', 'idefics3'].includes(type)) {
    files.push('preprocessor_config.json');
  }
  files.push('tokenizer.json', 'tokenizer_config.json');
  if (random.chance(0.55)) files.push('special_tokens_map.json');
  if (/bert|electra|mpnet/.test(type)) {
    if (random.chance(0.4)) files.push('vocab.txt');
  } else if (/^(t5|mt5|marian|mbart|xlm|deberta|albert|llama)/.test(type)) {
    if (random.chance(0.35)) files.push('sentencepiece.bpe.model');
  } else if (random.chance(0.35)) {
    files.push('vocab.json', 'merges.txt');
  }
  if (chats && random.chance(0.5)) files.push('chat_template.jinja');
  if (embeds && shape !== 'conversion') {
    files.push('modules.json', '1_Pooling/config.json');
  }
  return files;
}

/** @param {string} type */
function isTextless(type) {
  return /^(vit|detr|yolos|segformer|dinov2|depth_anything|sam|wav2vec2|hubert)/
    .test(type);
}

/**
 * @param {Random} random
 * @param {Checkpoint} checkpoint
 * @param {Shape} shape
 * @param {number} parameters
 */
function onnxFiles(random, checkpoint, shape, parameters) {
  const sessions = sessionsOf(checkpoint);
  if (shape !== 'conversion') {
    const directory = random.chance(0.5) ? 'onnx/' : '';
    const suffixes = random.chance(0.3) ? ['', '_quantized'] : [''];
    return sessions.flatMap((session) => suffixes.flatMap((suffix) =>
      withExternalData(`${directory}${session}${suffix}`, suffix, parameters)));
  }
  const variants = random.chance(FULL_SET_SHARE) ? VARIANTS
    : someOf(random, VARIANTS, random.between(1, 7));
  return sessions.flatMap((session) => variants.flatMap((suffix) =>
    withExternalData(`onnx/${session}${suffix}`, suffix, parameters)));
}

/**
 * Graph names of a conversion; encoder-decoders are split in two.
 * @param {Checkpoint} checkpoint
 */
function sessionsOf({ architectures, type }) {
  const name = architectures?.[0] ?? '';
  if (/^(t5|mt5|bart|marian|m2m_100|mbart|pegasus|whisper)$/.test(type)
    && /ForConditionalGeneration|MTModel/.test(name)) {
    return ['encoder_model', 'decoder_model_merged'];
  }
  if (/^(idefics3|llava|qwen2_vl|florence2|paligemma|gemma3)$/.test(type)) {
    return ['embed_tokens', 'decoder_model_merged', 'vision_encoder'];
  }
  return ['model'];
}

/**
 * @param {string} stem
 * @param {string} suffix
 * @param {number} parameters millions
 */
function withExternalData(stem, suffix, parameters) {
  const bytes = parameters * 1e6 * BYTES_PER_WEIGHT[suffix];
  const files = [`${stem}.onnx`];
  if (bytes < PROTOBUF_LIMIT || stem.includes('vision')) return files;
  const parts = Math.ceil(bytes / PART_BYTES);
  for (let part = 0; part < parts; part += 1) {
    files.push(`${stem}.onnx_data${part === 0 ? '' : `_${part}`}`);
  }
  return files;
}

/** @param {Random} random */
function frameworkFiles(random) {
  const files = [random.chance(0.5) ? 'pytorch_model.bin' : 'model.safetensors'];
  if (random.chance(0.15)) files.push('tf_model.h5');
  if (random.chance(0.1)) files.push('flax_model.msgpack');
  return files;
}

/**
 * Logs and checkpoints of a training run: few as a rule, thousands at worst.
 * @param {Random} random
 */
function trainingFiles(random) {
  const files = ['training_args.bin'];
  const logs = Math.min(MOST_LOGS, Math.round(random.logNormal(1.4, 1.7)));
  const host = `${random.below(256).toString(16)}a7c${random.below(4096)}d`;
  for (let i = 0; i < logs; i += 1) {
    const time = 1_640_995_200 + random.below(120_000_000);
    const run = `runs/Aug${String(1 + (i % 28)).padStart(2, '0')}_08-31-36_${host}`;
    const event = `events.out.tfevents.${time}.${host}.62.${i}`;
    const step = `checkpoints/global_step_${500 * (i + 1)}`;
    files.push(random.chance(0.4) ? `${step}/zero_rank_${i % 8}_optimizer.pt`
      : random.chance(0.7) ? `${run}/${event}`
        : `${run}/${time}.${random.below(1e6)}/${event}`);
  }
  if (random.chance(0.12)) files.push(`eval results ${random.below(9)}.txt`);
  return files;
}

/**
 * @template T
 * @param {Random} random
 * @param {readonly T[]} items
 * @param {number} count
 */
function someOf(random, items, count) {
  const start = random.below(items.length);
  const chosen = new Set(Array.from({ length: count },
    (_, i) => items[(start + i) % items.length]));
  return items.filter((item) => chosen.has(item));
}

/**
 * Files of the root come before those of folders, as the Hub lists them.
 * @param {string} a
 * @param {string} b
 */
function byDirectoryThenName(a, b) {
  const nested = Number(a.includes('/')) - Number(b.includes('/'));
  return nested || (a < b ? -1 : 1);
}
