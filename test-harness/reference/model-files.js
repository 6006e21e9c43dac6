// SPDX-License-Identifier: Apache-2.0
// What file names say, written as plainly as possible: the yardstick for
// wasm/core/model_files.c.

const DATA_FILE = /^(.+)\.onnx[._]data(_[0-9]+)?$/is;
const GRAPH_FILE = /^(.*)\.onnx$/is;
const TOKENIZER_FILE =
  /(^|\/)(tokenizer\.json|merges\.txt|vocab\.[^./]*)$|\.(model|spm)$/i;

const DTYPE_OF_SUFFIX = new Map([
  ['quantized', 'q8'],
  ...['fp16', 'int8', 'uint8', 'q4', 'q4f16', 'q2', 'q2f16', 'q1', 'q1f16', 'bnb4']
    .map((name) => /** @type {[string, string]} */ ([name, name])),
]);

/** @param {string} name */
export function fileKind(name) {
  if (DATA_FILE.test(name)) return 'onnx-data';
  if (GRAPH_FILE.test(name)) return 'onnx';
  if (name === 'config.json') return 'config';
  return TOKENIZER_FILE.test(name) ? 'tokenizer' : 'none';
}

/** @param {string} name */
export function fileDtype(name) {
  const stem = (DATA_FILE.exec(name) ?? GRAPH_FILE.exec(name))?.[1] ?? '';
  const base = stem.split('/').at(-1) ?? '';
  const [, suffix] = /_([^_]*)$/s.exec(base) ?? [];
  return DTYPE_OF_SUFFIX.get(suffix ?? '') ?? 'fp32';
}

/**
 * The dtypes in which |files| offer a graph, unordered.
 * @param {string[]} files
 */
export function filesDtypes(files) {
  return new Set(files.filter((file) => fileKind(file) === 'onnx').map(fileDtype));
}
