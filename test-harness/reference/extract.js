// SPDX-License-Identifier: Apache-2.0
// What the scanners extract, written a second time in plain JavaScript on top
// of JSON.parse: slow, obvious, and sharing nothing with the C code.

const STRING_MAX = 1024;
const TAGS_MAX = 256;
const ONNX_FILES_MAX = 256;
const ROW_TEXT_MAX = 32768;
const ARCHITECTURES_MAX = 4;
const CONFIG_NAME_MAX = 128;

const KIND = { TOKENIZER: 1, ONNX: 2, ONNX_DATA: 4, CONFIG: 8 };
const GATED = new Map([['auto', 1], ['manual', 2]]);

/** @param {unknown} value */
function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @param {string} text */
function byteLength(text) {
  return Buffer.byteLength(text.toWellFormed());
}

/**
 * @param {unknown} value
 * @param {number} max bytes
 * @returns {string} the text as UTF-8 would carry it, or '' for anything else
 */
function textOf(value, max = STRING_MAX) {
  const isText = typeof value === 'string' && byteLength(value) <= max;
  return isText ? value.toWellFormed() : '';
}

/** @param {unknown} value */
function countOf(value) {
  return Number.isSafeInteger(value) && Number(value) >= 0
    ? Math.abs(Number(value))
    : -1;
}

/** @param {any} value */
function totalOf(value) {
  return isObject(value) ? countOf(value.total) : -1;
}

/** @param {unknown} value */
function namesOf(value) {
  return (Array.isArray(value) ? value : [value])
    .map((name) => textOf(name, CONFIG_NAME_MAX))
    .filter((name) => name !== '');
}

/** @param {any} map */
function autoMapOf(map) {
  if (!isObject(map)) {
    return 0;
  }
  const has = (/** @type {string} */ key) => Object.hasOwn(map, key);
  return (
    1 |
    (has('AutoModelForCausalLM') ? 2 : 0) |
    (has('AutoModelForSeq2SeqLM') ? 4 : 0)
  );
}

/** @param {any} config a parsed config.json or the "config" of a row */
export function digestOf(config) {
  const present = isObject(config);
  const own = present ? config : {};
  const text = isObject(own.text_config) ? own.text_config : {};
  return {
    present: present ? 1 : 0,
    modelType: textOf(own.model_type, CONFIG_NAME_MAX),
    architectures: namesOf(own.architectures).slice(0, ARCHITECTURES_MAX),
    autoMap: autoMapOf(own.auto_map),
    isDecoder: own.is_decoder === true ? 1 : 0,
    textModelType: textOf(text.model_type, CONFIG_NAME_MAX),
    textArchitecture: namesOf(text.architectures)[0] ?? '',
  };
}

/** @param {string} name of a repository file */
function fileKind(name) {
  if (/(^|\/)(tokenizer\.json|merges\.txt|vocab\.[^./]*)$/i.test(name) ||
      /\.(model|spm)$/i.test(name)) {
    return KIND.TOKENIZER;
  }
  if (/\.onnx$/i.test(name)) {
    return KIND.ONNX;
  }
  if (/\.onnx[_.]data(_[0-9]+)?$/i.test(name)) {
    return KIND.ONNX_DATA;
  }
  return name === 'config.json' ? KIND.CONFIG : 0;
}

/** @param {any} siblings */
function filesOf(siblings) {
  return (Array.isArray(siblings) ? siblings : [])
    .map((file) => (isObject(file) ? textOf(file.rfilename) : ''))
    .filter((name) => name !== '');
}

/** @param {any} tags */
function tagsOf(tags) {
  return (Array.isArray(tags) ? tags : [])
    .map((tag) => textOf(tag))
    .filter((tag) => tag !== '')
    .slice(0, TAGS_MAX);
}

/** @param {any} entry of a listing; what is no object has nothing to say */
function rowOf(entry) {
  const row = isObject(entry) ? entry : {};
  const files = filesOf(row.siblings);
  const kinds = files.map(fileKind);
  const isOnnx = (/** @type {number} */ i) =>
    (kinds[i] & (KIND.ONNX | KIND.ONNX_DATA)) !== 0;
  const total = totalOf(row.safetensors);
  return {
    id: textOf(row.id) || textOf(row.modelId),
    pipelineTag: textOf(row.pipeline_tag),
    libraryName: textOf(row.library_name),
    lastModified: textOf(row.lastModified),
    downloads: countOf(row.downloads),
    likes: countOf(row.likes),
    parameters: total >= 0 ? total : totalOf(row.gguf),
    gated: GATED.get(row.gated) ?? 0,
    isDisabled: row.disabled === true ? 1 : 0,
    hasSiblings: Array.isArray(row.siblings) ? 1 : 0,
    fileKinds: kinds.reduce((all, kind) => all | kind, 0),
    tags: tagsOf(row.tags),
    onnxFiles: files.filter((_, i) => isOnnx(i)).slice(0, ONNX_FILES_MAX),
    config: digestOf(row.config),
  };
}

/** @param {any} page a parsed page: an array of entries */
export function rowsOf(page) {
  return page.map(rowOf);
}
