// SPDX-License-Identifier: Apache-2.0
// The repository behind a model: its revisions and files, with the sizes and
// hashes that belong to the bytes it serves.

import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

import {
  digestOf, generatedContent, heldContent, uploadedContent,
} from './content.js';
import { textOf } from './file-texts.js';
import { hashText, hexOf } from './random.js';

/** @typedef {import('./content.js').Content} Content */
/** @typedef {import('./model.js').Model} Model */

/** Files that git keeps outside, by name or by size. */
const LFS_NAME = new RegExp('\\.(onnx|onnx_data(_\\d+)?|bin|safetensors|h5|'
  + 'msgpack|model|pt|ot|gguf|wasm|zip)$|tfevents');
const LFS_BYTES = 10_000_000;

/**
 * Weights are made this much smaller than life: every byte has to be computed
 * to be hashed, and a tree call asks for the hash of every file.
 */
const WEIGHT_SCALE = 1 / 1024;

/** Smallest weight file, so that ranges have something to cut. */
const MIN_WEIGHT_BYTES = 4096;

/** Bytes per weight of an ONNX variant or of a framework's file. */
const BYTES_PER_WEIGHT = /** @type {[RegExp, number][]} */ ([
  [/_q4f16\./, 0.55], [/_(q4|bnb4)\./, 0.6], [/_(quantized|int8|uint8)\./, 1],
  [/_fp16\.|safetensors/, 2], [/./, 4],
]);

/** Part of a graph that is left inside when the weights are outside. */
const GRAPH_BYTES = 655_272;

/** One file. Content and hashes are made when first asked for. */
export class RepositoryFile {
  /** @type {Content | undefined} */
  #content;
  #open;
  /** @type {string | undefined} */
  #sha256;
  /** @type {string | undefined} */
  #oid;

  /**
   * @param {string} path
   * @param {() => Content} open
   */
  constructor(path, open) {
    this.path = path;
    this.#open = open;
  }

  get content() {
    this.#content ??= this.#open();
    return this.#content;
  }

  get size() {
    return this.content.size;
  }

  get isLfs() {
    return LFS_NAME.test(this.path) || this.size > LFS_BYTES;
  }

  get sha256() {
    this.#sha256 ??= digestOf(this.content, 'sha256');
    return this.#sha256;
  }

  /** What git itself stores for an LFS file. */
  get pointer() {
    return 'version https://git-lfs.github.com/spec/v1\n'
      + `oid sha256:${this.sha256}\nsize ${this.size}\n`;
  }

  /** SHA-1 of the git blob: of the pointer for an LFS file. */
  get oid() {
    if (this.#oid === undefined) {
      const blob = this.isLfs ? heldContent(Buffer.from(this.pointer))
        : this.content;
      this.#oid = digestOf(blob, 'sha1', `blob ${blob.size}\0`);
    }
    return this.#oid;
  }

  /** The storage back end's own hash: opaque to clients, and not the sha256. */
  get xetHash() {
    return hexOf(`xet ${this.sha256}`, 64);
  }
}

/** Revisions of one model, and the files of each. */
export class Repository {
  /** @type {Map<string, Map<string, RepositoryFile>>} files by commit */
  #commits = new Map();

  /**
   * @param {Model} model
   * @param {number} [weightScale]
   */
  constructor(model, weightScale = WEIGHT_SCALE) {
    this.id = model.id;
    this.hash = hexOf(`repository ${model.id}`, 24);
    const pullRequest = hexOf(`${model.id}@refs/pr/1`, 40);
    let files = firstFiles(model, weightScale);
    this.#commits.set(model.sha, files).set(pullRequest, files);
    for (const { sha, changes } of model.commits) {
      files = changedFiles(files, changes);
      this.#commits.set(sha, files);
    }
    /** Branches and pull requests, by name. */
    this.revisions = new Map([
      ['main', model.commits.at(-1)?.sha ?? model.sha],
      ['refs/pr/1', pullRequest],
    ]);
  }

  /**
   * @param {string} commit full hash
   * @returns {RepositoryFile[]}
   */
  files(commit) {
    return [...this.#commits.get(commit)?.values() ?? []];
  }

  /**
   * @param {string} commit full hash
   * @param {string} path
   */
  file(commit, path) {
    return this.#commits.get(commit)?.get(path);
  }

  /**
   * @param {string} revision branch, reference, full or short commit hash
   * @returns {string | undefined} full commit hash
   */
  commit(revision) {
    const named = this.revisions.get(revision);
    if (named) return named;
    if (!/^[0-9a-f]{7,40}$/.test(revision)) return undefined;
    return [...this.#commits.keys()].find((sha) => sha.startsWith(revision));
  }
}

/**
 * Reads a directory into the form `createHub({ repositories })` takes.
 * @param {string} directory
 * @returns {Map<string, Uint8Array>} path in the repository -> bytes
 */
export function readDirectory(directory) {
  /** @type {Map<string, Uint8Array>} */
  const files = new Map();
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((item) => item.isFile())) {
    const path = join(entry.parentPath, entry.name);
    files.set(relative(directory, path).split(sep).join('/'), readFileSync(path));
  }
  return files;
}

/**
 * @param {Model} model
 * @param {number} weightScale
 */
function firstFiles(model, weightScale) {
  return new Map(pathsOf(model).map((path) => {
    const upload = model.hidden.files?.get(path);
    const open = () => (upload === undefined
      ? contentOf(model, path, weightScale) : uploadedContent(upload));
    return [path, new RepositoryFile(path, open)];
  }));
}

/**
 * @param {Map<string, RepositoryFile>} before
 * @param {import('./model.js').Changes} changes
 */
function changedFiles(before, changes) {
  const files = new Map(before);
  for (const [path, upload] of changes) {
    files.delete(path);
    if (upload === null) continue;
    files.set(path, new RepositoryFile(path, () => uploadedContent(upload)));
  }
  return files;
}

/** @param {Model} model */
function pathsOf({ entry, hidden }) {
  if (hidden.files) return [...hidden.files.keys()];
  const siblings = /** @type {{ rfilename: string }[]} */ (entry.siblings ?? []);
  return siblings.map(({ rfilename }) => rfilename);
}

/**
 * @param {Model} model
 * @param {string} path
 * @param {number} scale
 */
function contentOf(model, path, scale) {
  const text = textOf(model, path);
  if (text !== undefined) {
    return heldContent(typeof text === 'string' ? Buffer.from(text) : text);
  }
  const key = hashText(`${model.id}/${path}`);
  return generatedContent(key, sizeOf(model, path, key, scale));
}

/**
 * @param {Model} model
 * @param {string} path
 * @param {number} key
 * @param {number} scale
 */
function sizeOf(model, path, key, scale) {
  if (!/\.(onnx|bin|safetensors|h5|msgpack)$|\.onnx_data/.test(path)
    || path.includes('training_args')) {
    return 200 + (key % 20_000);
  }
  const paths = pathsOf(model);
  const stem = path.replace(/_data(_\d+)?$/, '');
  const parts = paths.filter((name) => name.startsWith(`${stem}_data`));
  const [, bytesPerWeight] = /** @type {[RegExp, number]} */ (
    BYTES_PER_WEIGHT.find(([pattern]) => pattern.test(path)));
  const weights = (model.hidden.parameters ?? 1e6) * bytesPerWeight;
  const bytes = path === stem && parts.length > 0 ? GRAPH_BYTES
    : weights / Math.max(1, parts.length);
  // A few odd bytes, so that sizes are not multiples of anything.
  return Math.max(MIN_WEIGHT_BYTES, Math.floor(bytes * scale)) + (key % 97);
}
