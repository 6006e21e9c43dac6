// SPDX-License-Identifier: Apache-2.0
// Generates the catalogue: thousands of listing entries with the measured
// proportions of the real Hub, the same ones for the same seed.

import { chatTemplate } from './chat-templates.js';
import { drawCheckpoint, MODEL_TYPES } from './checkpoint.js';
import { CONVERTERS, FINE_TUNES, LANGUAGES, LICENSES } from './families.js';
import { drawFiles } from './layout.js';
import { Model } from './model.js';
import { oddities, RENAMED } from './oddities.js';
import { hexOf, Random } from './random.js';

/** @typedef {import('./checkpoint.js').Checkpoint} Checkpoint */

/** Models of the default catalogue. */
export const DEFAULT_MODELS = 6000;

/** Share of models with the `onnx` tag; the others are PyTorch repositories. */
const ONNX_SHARE = 0.88;

/** What repositories look like; the shares keep the measured file counts. */
const SHAPES = /** @type {[import('./layout.js').Shape, number][]} */ ([
  ['bare', 0.235], ['conversion', 0.09], ['training', 0.165], ['export', 1],
]);

/** Share of models whose config tells how the weights were quantised. */
const QUANTIZED_SHARE = 0.03;

/** Share of cards that list languages, and of those that list many. */
const LANGUAGES_SHARE = 0.3;
const MANY_LANGUAGES_SHARE = 0.15;

/** The Hub knows no creation dates before this moment. */
const FIRST_CREATION = Date.parse('2022-03-02T23:29:04.000Z');
const LAST_CREATION = Date.parse('2026-08-20T00:00:00.000Z');

const CUSTOM_TAGS = ['generated_from_trainer', 'model_hub_mixin', 'autotrain'];

/**
 * @param {{ seed?: number, models?: number }} [options]
 * @returns {{ models: Model[], renamed: [string, string][] }}
 */
export function generateCatalogue({ seed = 1, models = DEFAULT_MODELS } = {}) {
  const random = new Random(`catalogue ${seed}`);
  const names = new Set();
  const rows = oddities(random).slice(0, models);
  for (const row of rows) names.add(row.id);

  // Every type of the table occurs at least once if there is room.
  const types = Object.keys(MODEL_TYPES);
  while (rows.length < models) {
    const checkpoint = drawCheckpoint(random, types.pop());
    rows.push(drawModel(random, checkpoint, names));
  }
  const renamed = RENAMED.filter(([, id]) => names.has(id));
  return { models: rows, renamed };
}

/**
 * @param {Random} random
 * @param {Checkpoint} checkpoint
 * @param {Set<string>} names ids in use
 */
function drawModel(random, checkpoint, names) {
  const onnx = random.chance(ONNX_SHARE);
  const shape = drawShape(random);
  const parameters = Math.max(1, Math.round(
    checkpoint.family.parameters * (shape === 'bare' ? 0.1 : 1)));
  const files = drawFiles(random, checkpoint, shape, parameters, onnx);
  const id = drawId(random, checkpoint, shape, names);
  const known = shape !== 'bare' || random.chance(0.1);
  const library = drawLibrary(random, checkpoint, shape, known);
  // Without its task nothing tells an encoder that is made from a chat model.
  const told = checkpoint.truth.why === 'encoder-use' || random.chance(0.9);
  const task = known && told ? checkpoint.task : undefined;
  const chats = checkpoint.chats && shape !== 'bare';

  const hidden = /** @type {import('./model.js').Hidden} */ ({
    parameters: parameters * 1e6,
    truth: { ...checkpoint.truth },
  });
  if (chats) hidden.chatTemplate = chatTemplate(random);
  const config = shape === 'bare' ? undefined
    : configDigest(random, checkpoint, hidden.chatTemplate);
  const entry = assembleEntry(random, {
    id, files, library, task, config, checkpoint, shape, onnx, chats,
    parameters,
  });
  return new Model(entry, settleEvidence(random, entry, hidden));
}

/** @param {Random} random */
function drawShape(random) {
  let rest = random.next();
  const found = SHAPES.find(([, share]) => (rest -= share) < 0);
  return found ? found[0] : 'export';
}

/**
 * Moves a few configs out of the listing, and notes where evidence is left.
 * @param {Random} random
 * @param {Record<string, any>} entry
 * @param {import('./model.js').Hidden} hidden
 */
function settleEvidence(random, entry, hidden) {
  const truth = /** @type {import('./model.js').Truth} */ (hidden.truth);
  if (entry.config) {
    // The Hub reads configs with a delay, and only from the root.
    if (!random.chance(0.045)) return hidden;
    hidden.digest = entry.config;
    delete entry.config;
    truth.source = 'repository';
    const place = random.pick(['config.json', 'config.json', 'config/config.json',
      'adapter_config.json']);
    hidden.configPath = place;
    entry.siblings = entry.siblings.map((/** @type {any} */ file) =>
      file.rfilename === 'config.json' ? { rfilename: place } : file);
    return hidden;
  }
  truth.source = 'none';
  truth.ambiguous = true;
  if (!entry.pipeline_tag) {
    Object.assign(truth, { classification: 'unknown', why: 'no-evidence' });
  }
  return hidden;
}

/**
 * @param {Random} random
 * @param {Checkpoint} checkpoint
 * @param {string} shape
 * @param {Set<string>} names
 */
function drawId(random, checkpoint, shape, names) {
  const { family, name } = checkpoint;
  const original = random.chance(0.1) && shape !== 'training';
  const owner = original ? family.org
    : shape === 'conversion' ? random.pick(CONVERTERS.slice(0, 4))
      : random.chance(0.3) ? random.pick(CONVERTERS) : drawUser(random);
  let title = name;
  if (shape === 'training') title += `-finetuned-${random.pick(FINE_TUNES)}`;
  else if (!original && random.chance(0.25)) title += `-${random.pick(FINE_TUNES)}`;
  if (!original && random.chance(0.3)) title += random.pick(['-ONNX', '-onnx']);
  if (random.chance(0.025)) title += '-quantized-dynamic-avx512-seq128-batch1';
  let id = `${owner}/${title}`.replace(/--+/g, '-').slice(0, 96);
  for (let n = 2; names.has(id); n += 1) id = `${owner}/${title}-${n}`;
  names.add(id);
  return id;
}

/** @param {Random} random */
function drawUser(random) {
  const syllables = ['an', 'ko', 'mi', 'ra', 'lu', 'sen', 'tor', 'vik', 'jo', 'ha'];
  let user = '';
  const length = random.between(2, 4);
  for (let i = 0; i < length; i += 1) user += random.pick(syllables);
  return random.chance(0.3) ? `${user}${random.below(2000)}` : user;
}

/**
 * @param {Random} random
 * @param {Checkpoint} checkpoint
 * @param {string} shape
 * @param {boolean} known
 */
function drawLibrary(random, checkpoint, shape, known) {
  if (!known || random.chance(0.03)) return undefined;
  if (shape === 'conversion') return 'transformers.js';
  return checkpoint.embeds ? 'sentence-transformers' : 'transformers';
}

/**
 * @param {Random} random
 * @param {Checkpoint} checkpoint
 * @param {string} [template]
 */
function configDigest(random, checkpoint, template) {
  /** @type {Record<string, any>} */
  const config = {};
  if (checkpoint.architectures) config.architectures = checkpoint.architectures;
  config.model_type = checkpoint.type;
  if (checkpoint.autoMap) config.auto_map = checkpoint.autoMap;
  if (random.chance(QUANTIZED_SHARE)) {
    config.quantization_config = {
      quant_method: 'bitsandbytes', bits: 4,
      modules_to_not_convert: Array.from({ length: random.between(1, 30) },
        (_, layer) => `model.layers.${layer}.mlp`),
    };
  }
  if (template !== undefined) {
    config.tokenizer_config = {
      bos_token: '<s>', eos_token: '<|im_end|>', pad_token: '<|endoftext|>',
      chat_template: template,
    };
    if (random.chance(0.4)) config.chat_template_jinja = template;
  }
  return config;
}

/**
 * The entry with every key the real Hub has for such a model.
 * @param {Random} random
 * @param {{ id: string, files: string[], library?: string, task?: string,
 *   config?: Record<string, any>, checkpoint: Checkpoint, shape: string,
 *   onnx: boolean, chats: boolean, parameters: number }} parts
 */
function assembleEntry(random, parts) {
  const { id, files, library, task, config } = parts;
  const createdAt = random.chance(0.1) ? FIRST_CREATION
    : random.between(FIRST_CREATION / 1000, LAST_CREATION / 1000) * 1000;
  const lastModified = createdAt
    + Math.floor(random.next() * (LAST_CREATION - createdAt));
  const card = cardOf(random, parts);
  /** @type {Record<string, any>} */
  const entry = {
    _id: objectId(random, createdAt),
    id,
    author: id.includes('/') ? id.split('/')[0] : undefined,
    gated: random.chance(0.02) ? random.pick(['auto', 'manual']) : false,
    disabled: false,
    lastModified: new Date(lastModified).toISOString(),
    likes: random.chance(0.75) ? 0 : Math.floor(random.logNormal(3, 1.8)),
    trendingScore: drawTrend(random),
    private: false,
    sha: hexOf(`${id}@main`, 40),
    config,
    cardData: card,
    downloads: random.chance(0.005) ? undefined
      : Math.floor(random.logNormal(8, 2.6)),
    tags: tagsOf(random, parts, card),
    pipeline_tag: task,
    library_name: library,
    createdAt: new Date(createdAt).toISOString(),
    modelId: id,
    siblings: files.map((rfilename) => ({ rfilename })),
  };
  if (files.includes('model.safetensors')) {
    const total = parts.parameters * 1e6;
    entry.safetensors = { parameters: { F32: total }, total };
  }
  if (config && library === 'transformers') {
    entry.transformersInfo = { auto_model: autoModel(config), pipeline_tag: task };
  }
  return entry;
}

/**
 * @param {Random} random
 * @param {{ checkpoint: Checkpoint, library?: string, task?: string,
 *   shape: string }} parts
 */
function cardOf(random, { checkpoint, library, task, shape }) {
  if (shape === 'bare' && random.chance(0.7)) return undefined;
  /** @type {Record<string, any>} */
  const card = {};
  if (library === 'transformers.js') card.library_name = library;
  if (shape === 'conversion' || random.chance(0.2)) {
    card.base_model = `${checkpoint.family.org}/${checkpoint.name}`;
  }
  if (random.chance(0.45)) card.license = random.pick(LICENSES);
  if (random.chance(LANGUAGES_SHARE)) {
    const count = random.chance(MANY_LANGUAGES_SHARE) ? random.between(3, 10) : 1;
    const first = random.below(LANGUAGES.length - count + 1);
    card.language = LANGUAGES.slice(first, first + count);
  }
  if (task && random.chance(0.5)) card.pipeline_tag = task;
  if (shape === 'training') card.datasets = [random.pick(FINE_TUNES)];
  return card;
}

/**
 * @param {Random} random
 * @param {{ checkpoint: Checkpoint, library?: string, task?: string,
 *   config?: object, shape: string, onnx: boolean, chats: boolean }} parts
 * @param {Record<string, any>} [card]
 */
function tagsOf(random, parts, card = {}) {
  const { checkpoint, library, task, shape, onnx, chats, config } = parts;
  const tags = [];
  if (library) tags.push(library);
  if (onnx) tags.push('onnx');
  else if (shape !== 'bare') tags.push(random.chance(0.5) ? 'pytorch' : 'safetensors');
  if (config) tags.push(checkpoint.type);
  if (task) tags.push(task);
  if (shape === 'training') tags.push('generated_from_trainer');
  else if (random.chance(0.1)) tags.push(random.pick(CUSTOM_TAGS));
  if (chats) tags.push('conversational');
  if (checkpoint.autoMap) tags.push('custom_code');
  for (const language of card.language ?? []) tags.push(language);
  for (const dataset of card.datasets ?? []) tags.push(`dataset:${dataset}`);
  if (random.chance(0.06)) {
    tags.push(`arxiv:${random.between(1706, 2508)}.${random.between(10000, 19999)}`);
  }
  if (card.base_model) {
    tags.push(`base_model:${card.base_model}`);
    if (shape === 'conversion') tags.push(`base_model:quantized:${card.base_model}`);
  }
  if (card.license) tags.push(`license:${card.license}`);
  if (library === 'transformers' && random.chance(0.5)) tags.push('endpoints_compatible');
  tags.push('region:us');
  return [...new Set(tags)];
}

/** @param {Record<string, any>} config */
function autoModel(config) {
  const name = config.architectures?.[0] ?? '';
  const head = name.match(/For[A-Z]\w+$/)?.[0];
  return head ? `AutoModel${head}` : 'AutoModel';
}

/**
 * Scores are mostly zero and may be fractional.
 * @param {Random} random
 */
function drawTrend(random) {
  if (random.chance(0.8)) return 0;
  const score = random.logNormal(2, 1.2);
  return random.chance(0.2) ? Math.round(score * 10) / 10 : Math.ceil(score);
}

/**
 * Object ids begin with their creation time in seconds.
 * @param {Random} random
 * @param {number} createdAt
 */
function objectId(random, createdAt) {
  const seconds = Math.floor(createdAt / 1000).toString(16).padStart(8, '0');
  let rest = '';
  while (rest.length < 16) rest += random.below(65536).toString(16).padStart(4, '0');
  return seconds + rest;
}
