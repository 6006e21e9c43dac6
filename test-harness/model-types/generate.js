// SPDX-License-Identifier: Apache-2.0
// Writes the classifier's tables: wasm/hub/model_word.def from the recorded
// registries in fixtures/model_types.json, row_word.def from row_hint.def.
//
//   node test-harness/model-types/generate.js           writes the tables
//   node test-harness/model-types/generate.js --check   fails when they differ
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';

const FIXTURE = new URL('../fixtures/model_types.json', import.meta.url);
const HINTS = new URL('../../wasm/hub/row_hint.def', import.meta.url);
const TABLES = new URL('../../wasm/hub/', import.meta.url);

// Model types that no registry lists but that the original allow and deny
// lists of listChatModels name.
const LISTED_TYPES = {
  gpt: 'GEN',
  qwen: 'GEN',
  'sentence-transformers': 'ENCODER',
};

// Registries whose classes take something other than text, so that neither
// their name nor the registry's name tells whether one can chat with them.
const SPEECH_TO_TEXT = 'SPEECH_SEQ_2_SEQ';
const AUDIO_CHAT = 'AUDIO_TEXT_TO_TEXT';
const MASKED_LM = 'MASKED_LM';

// Classes that the registries put where their name or type misleads.
const CLASS_EXCEPTIONS = {
  // One class serves masked and causal checkpoints.
  BertLMHeadModel: 'ENCODER_OR_GEN',
  FlaubertWithLMHeadModel: 'ENCODER_OR_GEN',
  XLMWithLMHeadModel: 'ENCODER_OR_GEN',
  // The causal class of a type that is listed as an encoder.
  ReformerModelWithLMHead: 'GEN',
  // The translating half of speech models.
  SeamlessM4TForTextToText: 'GEN',
  SeamlessM4Tv2ForTextToText: 'GEN',
  // Text comes out, but something else has to go in.
  EvollaForProteinText2Text: 'OTHER',
  SpeechEncoderDecoderModel: 'OTHER',
  // Ranks speech; nothing is generated.
  ClvpModelForConditionalGeneration: 'ENCODER',
  // The headless class of the type "fsmt", not a "...MTModel".
  FSMTModel: 'BASE',
};

// The macros of row_hint.def whose words are known by their whole, and the
// kind of such a word in wasm/hub/known_word.h.
/** @type {Record<string, string>} */
const ROW_HINTS = {
  PIPELINE_TAG: 'TASK', LIBRARY: 'LIBRARY', TOPIC: 'TOPIC',
};

/** @param {{expect: string, hf?: string[]}} type */
function typeHead({ expect, hf = [] }) {
  if (expect === 'encoder') {
    return hf.includes('CAUSAL_LM') ? 'ENCODER_OR_GEN' : 'ENCODER';
  }
  return expect === 'gen' ? 'GEN' : 'OTHER';
}

/** @param {Record<string, any>} data */
function typeHeads(data) {
  const types = Object.keys(data).filter((name) => !name.startsWith('_'));
  return {
    ...Object.fromEntries(types.map((name) => [name, typeHead(data[name])])),
    ...LISTED_TYPES,
  };
}

/**
 * The classes whose head does not follow from the end of their name.
 * @param {Record<string, any>} data
 */
function classHeads(data) {
  /** @type {Record<string, string>} */
  const heads = {};
  for (const name of data._irregular_generation_classes) {
    heads[name] = 'GEN';
  }
  for (const [registry, classes] of Object.entries(data._tjs_architectures)) {
    for (const [name, type] of Object.entries(classes)) {
      const isText = data[type]?.expect !== 'other';
      if (registry === SPEECH_TO_TEXT || (registry !== MASKED_LM && !isText)) {
        heads[name] = 'OTHER';
      } else if (registry === AUDIO_CHAT) {
        heads[name] = 'GEN';
      }
    }
  }
  return { ...heads, ...CLASS_EXCEPTIONS };
}

/**
 * FNV-1a of 32 bits over |word|, which is ASCII, with '-' as '_': what
 * wasm/hub/known_word.c computes.
 * @param {string} word
 */
export function hashOf(word) {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(word.replaceAll('-', '_'))) {
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  }
  return hash;
}

/** @typedef {{ kind: string, head: string, weight: string, word: string }} Entry */

/**
 * @param {string} kind
 * @param {Record<string, string>} heads
 * @returns {Entry[]}
 */
function entriesOf(kind, heads) {
  return Object.keys(heads).sort()
    .map((word) => ({ kind, head: heads[word], weight: 'HINT', word }));
}

/** @returns {Entry[]} */
function rowHints() {
  const lines = readFileSync(HINTS, 'utf8')
    .matchAll(/^([A-Z_]+)\("([^"]+)", ([A-Z]+)(?:, ([A-Z_]+))?\)/gm);
  return [...lines].filter(([, macro]) => macro in ROW_HINTS)
    .map(([, macro, word, head, weight = 'HINT']) => (
      { kind: ROW_HINTS[macro], head, weight, word }));
}

/**
 * @param {Entry[]} entries of one kind
 * @returns {string[]} the lines of a group for each head and weight
 */
function groups(entries) {
  const hashes = new Set(entries.map(({ word }) => hashOf(word)));
  if (hashes.size !== entries.length) {
    throw new Error(`two words of the kind ${entries[0].kind} are one`);
  }
  const titles = new Set(entries.map(titleOf));
  return [...titles].sort().flatMap((title) => [
    `GROUP(${title},`,
    ...entries.filter((entry) => titleOf(entry) === title)
      .map(({ word }) => `  0x${hex(hashOf(word))}, // ${word}`),
    ')',
  ]);
}

/** @param {Entry} entry */
function titleOf({ kind, head, weight }) {
  return `${kind}, ${head}, ${weight}`;
}

/** @param {number} hash */
function hex(hash) {
  return hash.toString(16).padStart(8, '0');
}

/**
 * @param {string} purpose
 * @param {Entry[][]} kinds the entries of each kind
 */
function table(purpose, kinds) {
  return [
    '// SPDX-License-Identifier: Apache-2.0',
    `// ${purpose}`,
    '// Generated by test-harness/model-types/generate.js; do not edit.',
    '//',
    '// GROUP(kind, head, weight, hash of each word)',
    ...kinds.flatMap(groups),
    '',
  ].join('\n');
}

/**
 * Returns the tables as file name -> text.
 * @returns {Record<string, string>}
 */
export function generateTables() {
  const data = JSON.parse(readFileSync(FIXTURE, 'utf8'));
  const hints = rowHints();
  return {
    'model_word.def': table(
      'The types and classes that configurations name.',
      [entriesOf('TYPE', typeHeads(data)),
        entriesOf('CLASS', classHeads(data))],
    ),
    'row_word.def': table(
      'The tasks, libraries and topics that rows name, as row_hint.def says.',
      Object.values(ROW_HINTS).map((kind) =>
        hints.filter((hint) => hint.kind === kind)),
    ),
  };
}

/**
 * Returns the names of the committed tables that are not what their sources
 * give.
 * @returns {string[]}
 */
export function staleTables() {
  return Object.entries(generateTables())
    .filter(([name, text]) => readFileSync(new URL(name, TABLES), 'utf8') !== text)
    .map(([name]) => name);
}

function main() {
  if (process.argv.includes('--check')) {
    const stale = staleTables();
    for (const name of stale) {
      console.error(`${name} differs from what its sources give`);
    }
    process.exitCode = stale.length > 0 ? 1 : 0;
    return;
  }
  for (const [name, text] of Object.entries(generateTables())) {
    writeFileSync(new URL(name, TABLES), text);
    console.log(fileURLToPath(new URL(name, TABLES)));
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  main();
}
