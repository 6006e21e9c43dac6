// SPDX-License-Identifier: Apache-2.0
// Publishes files as a model: the listing entry is made from what is in them,
// as the Hub does after an upload.

import { uploadedContent } from './content.js';
import { Model } from './model.js';
import { hexOf } from './random.js';
import { readDirectory } from './repository.js';

/** Keys of config.json that the listing repeats. */
const DIGEST_KEYS = [
  'architectures', 'model_type', 'auto_map', 'quantization_config',
];

/**
 * @typedef {object} Publication
 * @property {string} id
 * @property {import('./model.js').Files | string} files bytes, texts or
 *   generated content by path; or the name of a directory
 * @property {Record<string, any>} [entry] what the listing says besides
 */

/**
 * @param {Publication} upload
 * @returns {Model}
 */
export function modelFromFiles({ id, files: source, entry = {} }) {
  const files = typeof source === 'string' ? readDirectory(source) : source;
  const paths = [...files.keys()].sort();
  const config = configDigest(files);
  return new Model({
    _id: hexOf(id, 24),
    id,
    author: id.split('/')[0],
    gated: false,
    disabled: false,
    lastModified: '2026-01-01T00:00:00.000Z',
    likes: 0,
    trendingScore: 0,
    private: false,
    sha: hexOf(`${id}@main`, 40),
    ...(config && { config }),
    downloads: 0,
    tags: paths.some((path) => path.endsWith('.onnx')) ? ['onnx'] : [],
    createdAt: '2026-01-01T00:00:00.000Z',
    modelId: id,
    siblings: paths.map((rfilename) => ({ rfilename })),
    ...entry,
  }, { files });
}

/** @param {import('./model.js').Files} files */
function configDigest(files) {
  const config = parse(files.get('config.json'));
  if (!config) return undefined;
  const digest = Object.fromEntries(DIGEST_KEYS.filter((key) => key in config)
    .map((key) => [key, config[key]]));
  const tokenizer = parse(files.get('tokenizer_config.json'));
  if (tokenizer) digest.tokenizer_config = tokenizer;
  return digest;
}

/** @param {import('./content.js').Upload | undefined} upload */
function parse(upload) {
  try {
    const content = upload && uploadedContent(upload);
    return content && JSON.parse(
      new TextDecoder().decode(content.read(0, content.size)));
  } catch {
    return undefined;
  }
}
