// SPDX-License-Identifier: Apache-2.0
// Which keys of an entry go on the wire: default, full, config, cardData or
// an explicit `expand` list. Keys without a value are absent, not null.

const DEFAULT_KEYS = [
  '_id', 'id', 'likes', 'trendingScore', 'private', 'downloads', 'tags',
  'pipeline_tag', 'library_name', 'createdAt', 'modelId',
];

/** `full=true` adds these to the default keys. */
const FULL_KEYS = ['author', 'gated', 'lastModified', 'sha', 'siblings'];

/** The order in which keys appear in an entry, whatever the projection. */
const WIRE_ORDER = [
  '_id', 'id', 'author', 'gated', 'disabled', 'inference', 'lastModified',
  'likes', 'trendingScore', 'private', 'sha', 'config', 'cardData',
  'downloads', 'downloadsAllTime', 'tags', 'pipeline_tag', 'library_name',
  'mask_token', 'widgetData', 'model-index', 'transformersInfo',
  'safetensors', 'gguf', 'inferenceProviderMapping', 'createdAt', 'modelId',
  'siblings', 'spaces', 'usedStorage',
];

/** Keys the list accepts in `expand`, in the order the error text names. */
const EXPAND_KEYS = [
  'author', 'baseModels', 'cardData', 'config', 'createdAt', 'disabled',
  'downloads', 'downloadsAllTime', 'evalResults', 'gated', 'inference',
  'inferenceProviderMapping', 'lastModified', 'library_name', 'likes',
  'mask_token', 'model-index', 'pipeline_tag', 'private', 'safetensors',
  'sha', 'siblings', 'spaces', 'tags', 'transformersInfo', 'trendingScore',
  'widgetData', 'gguf', 'resourceGroup', 'xetEnabled',
];

/** Keys that only the single-model route knows. */
const SINGLE_MODEL_KEYS = ['childrenModelCount', 'usedStorage'];

/** Keys of a single model when nothing is expanded. */
const MODEL_INFO_KEYS = [
  ...DEFAULT_KEYS, ...FULL_KEYS, 'disabled', 'config', 'cardData',
  'transformersInfo', 'safetensors', 'gguf', 'model-index', 'widgetData',
  'spaces', 'usedStorage',
];

/**
 * @param {URLSearchParams} query
 * @param {string} sort the active sort key, always part of expanded entries
 * @returns {{ keys: string[] } | { error: string }}
 */
export function listProjection(query, sort) {
  const expand = expandParameter(query);
  if (expand.length > 0) {
    const error = checkExpand(expand, EXPAND_KEYS);
    return error ? { error } : { keys: inWireOrder(['_id', 'id', sort, ...expand]) };
  }
  const keys = [...DEFAULT_KEYS];
  if (isTrue(query, 'full')) keys.push(...FULL_KEYS);
  if (isTrue(query, 'config')) keys.push('config');
  if (isTrue(query, 'cardData')) keys.push('cardData');
  return { keys: inWireOrder(keys) };
}

/**
 * @param {URLSearchParams} query
 * @returns {{ keys: string[] } | { error: string }}
 */
export function modelProjection(query) {
  const expand = expandParameter(query);
  if (expand.length === 0) return { keys: inWireOrder(MODEL_INFO_KEYS) };
  const error = checkExpand(expand, [...EXPAND_KEYS, ...SINGLE_MODEL_KEYS]);
  return error ? { error } : { keys: inWireOrder(['_id', 'id', ...expand]) };
}

/** @param {URLSearchParams} query */
function expandParameter(query) {
  return [...query.getAll('expand'), ...query.getAll('expand[]')]
    .flatMap((value) => value.split(','))
    .filter((key) => key !== '');
}

/**
 * @param {string[]} expand
 * @param {string[]} allowed
 */
function checkExpand(expand, allowed) {
  if (expand.every((key) => allowed.includes(key))) return null;
  const options = allowed.map((key) => `"${key}"`).join('|');
  return `✖ Invalid option: expected one of ${options}`;
}

/**
 * @param {URLSearchParams} query
 * @param {string} name
 */
export function isTrue(query, name) {
  return ['true', '1', ''].includes(query.get(name) ?? 'absent');
}

/** @param {string[]} keys */
function inWireOrder(keys) {
  const wanted = new Set(keys);
  const known = WIRE_ORDER.filter((key) => wanted.has(key));
  return [...known, ...[...wanted].filter((key) => !WIRE_ORDER.includes(key))];
}
