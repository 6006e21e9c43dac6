// SPDX-License-Identifier: Apache-2.0
// Which files of a repository a dtype needs, written as plainly as possible: the
// yardstick for wasm/store/file_select.c.
import { fileDtype, fileKind } from './model-files.js';

const SUFFIXES = /** @type {Record<string, string>} */ ({
  fp32: '', fp16: '_fp16', q8: '_quantized', int8: '_int8', uint8: '_uint8',
  q4: '_q4', q4f16: '_q4f16', q2: '_q2', q2f16: '_q2f16', q1: '_q1',
  q1f16: '_q1f16', bnb4: '_bnb4',
});

/** What "auto" takes first. */
const PREFERENCE = [
  'q8', 'q4', 'q4f16', 'int8', 'uint8', 'fp16', 'q2', 'q2f16', 'q1', 'q1f16',
  'bnb4', 'fp32',
];

const COMPANIONS = new Set([
  'config.json', 'generation_config.json', 'genai_config.json',
  'tokenizer.json', 'tokenizer_config.json', 'special_tokens_map.json',
  'added_tokens.json', 'vocab.json', 'vocab.txt', 'merges.txt',
  'tokenizer.model', 'spiece.model', 'sentencepiece.bpe.model',
  'chat_template.jinja', 'chat_template.json',
]);

/** @param {string} path */
const folderOf = (path) => path.slice(0, path.lastIndexOf('/') + 1);

/** The graphs of the folder in which they are looked for. @param {string[]} paths */
function graphsOf(paths) {
  const graphs = paths.filter((path) => fileKind(path) === 'onnx');
  const folders = new Set(graphs.map(folderOf));
  const folder = folders.has('onnx/') ? 'onnx/'
    : folders.has('') ? '' : [...folders][0];
  return graphs.filter((path) => folderOf(path) === folder);
}

/**
 * The graphs that |dtype| needs, of |graphs|, which lie in one folder.
 * @param {string[]} graphs
 * @param {string} dtype
 */
function neededGraphs(graphs, dtype) {
  const folder = folderOf(graphs[0]);
  /** @param {string[]} names */
  const named = (...names) => names
    .map((name) => `${folder}${name}${SUFFIXES[dtype]}.onnx`)
    .filter((path) => graphs.includes(path));
  if (named('decoder_model_merged').length > 0) {
    return named('decoder_model_merged', 'encoder_model', 'embed_tokens');
  }
  if (named('model').length > 0) return named('model');
  return graphs.filter((path) => fileDtype(path) === dtype);
}

/**
 * @param {string[]} paths all files of the repository
 * @param {string} name of a dtype; empty and "auto" leave the choice
 * @returns {{ dtype: string | null, available: Set<string>, wanted: string[] }}
 *   the files in the order of |paths|; without dtype there are none
 */
export function selectFiles(paths, name) {
  const graphs = graphsOf(paths);
  const available = new Set(graphs.map(fileDtype));
  const asked = name === 'quantized' ? 'q8' : name;
  const dtype = PREFERENCE.find((each) => available.has(each) &&
    (asked === '' || asked === 'auto' || asked === each)) ?? null;
  if (dtype === null) return { dtype, available, wanted: [] };
  const needed = new Set(neededGraphs(graphs, dtype));
  const wanted = paths.filter((path) => {
    const [, graph] = /^(.*)[._]data(?:_[0-9]+)?$/s.exec(path) ?? [];
    return COMPANIONS.has(path) || needed.has(path) ||
      (graph !== undefined && needed.has(graph));
  });
  return { dtype, available, wanted };
}
