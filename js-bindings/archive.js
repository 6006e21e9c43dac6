// SPDX-License-Identifier: Apache-2.0
// Models as tar archives: "tabagent.json" describes the model, the files follow
// under "files/" in the order in which the core asks for them. Nothing is held
// in memory but the part that was asked for.

import { createTarDecoder, createTarPacker } from 'modern-tar';

import { CAPS } from './abi.js';
import { cancelled, TabAgentError } from './errors.js';
import { StreamInput } from './stream-input.js';
import { Timer } from './timer.js';

/**
 * @typedef {import('./timer.js').Clock} Clock
 *
 * @typedef {object} Input files that a caller hands in
 * @property {(path: string, from: number, to: number | undefined,
 *   onBytes: (bytes: number) => void) => Promise<Blob | undefined>} read a part
 *   of a file, to its end when `to` is undefined; `onBytes` hears how many bytes
 *   of it have come, 0 where others had to be passed over
 *
 * @typedef {object} Description
 * @property {string} modelId
 * @property {string} revision
 * @property {string} commit
 * @property {string} task
 * @property {{ path: string, size: number }[]} files rows of the Hub's tree
 */

const DESCRIPTION = 'tabagent.json';
const FOLDER = 'files/';

/** The longest description: that of the most files a model can have. */
const DESCRIPTION_BYTES_MAX = 8 << 20;

/**
 * @param {Description} description
 * @param {(path: string) => Promise<ReadableStream<Uint8Array>>} openFile
 * @returns {ReadableStream<Uint8Array>}
 */
export function writeArchive(description, openFile) {
  const { readable, controller } = createTarPacker();
  const write = async () => {
    const text = new TextEncoder().encode(
      `${JSON.stringify({ format: 1, ...description }, null, 2)}\n`);
    const head = controller.add(headerOf(DESCRIPTION, text.length));
    await new Blob([text]).stream().pipeTo(head);
    for (const { path, size } of description.files) {
      const body = await openFile(path);
      await body.pipeTo(controller.add(headerOf(FOLDER + path, size)));
    }
    controller.finalize();
  };
  write().catch((error) => controller.error(error));
  return readable;
}

/**
 * Without the time of day: the same model gives the same archive.
 * @param {string} name
 * @param {number} size
 */
function headerOf(name, size) {
  return { name, size, mtime: new Date(0) };
}

/**
 * @param {ReadableStream<Uint8Array>} archive
 * @param {Clock} clock
 * @param {AbortSignal | null} [signal] ends the reading of the description
 * @returns {Promise<{ description: Description, input: ArchiveInput }>}
 */
export async function readArchive(archive, clock, signal) {
  if (signal?.aborted) throw cancelled(signal.reason);
  const decoder = createTarDecoder({ strict: true });
  const stop = new AbortController();
  const watch = watched(clock, () => stop.abort(new TabAgentError(
    'timeout', 'the archive brings nothing', { stage: 'import' })));
  const entries = /** @type {any} */ (archive).pipeThrough(watch.stream)
    .pipeThrough(decoder, { signal: stop.signal }).getReader();
  const input = new ArchiveInput(entries, stop);
  const close = () => input.close();
  signal?.addEventListener('abort', close);
  try {
    return { description: await readDescription(entries), input };
  } catch (error) {
    input.close();
    throw signal?.aborted ? cancelled(signal.reason)
      : stop.signal.reason instanceof TabAgentError ? stop.signal.reason : error;
  } finally {
    watch.end();
    signal?.removeEventListener('abort', close);
  }
}

/**
 * A stream that hands on what comes, and notices when nothing does. The core
 * does that when it has asked for something: the description is read before.
 * @param {Clock} clock
 * @param {() => void} onStall
 */
function watched(clock, onStall) {
  const timer = new Timer(clock, onStall);
  let isWatched = true;
  const wait = () => timer.set(isWatched ? CAPS.INPUT_PATIENCE_MS : -1);
  wait();
  return {
    stream: new TransformStream({
      transform(bytes, next) {
        wait();
        next.enqueue(bytes);
      },
    }),
    end() {
      isWatched = false;
      wait();
    },
  };
}

/**
 * @param {ReadableStreamDefaultReader<any>} entries
 * @returns {Promise<Description>}
 */
async function readDescription(entries) {
  const { done, value } = /** @type {ReadableStreamReadResult<any>} */ (
    await entries.read().catch(notAnArchive));
  if (done || value.header.name !== DESCRIPTION
    || value.header.size > DESCRIPTION_BYTES_MAX) {
    throw notAnArchive();
  }
  const description = await new Response(value.body).json()
    .catch(notAnArchive);
  if (description?.format !== 1 || !Array.isArray(description.files)) {
    throw notAnArchive();
  }
  return description;
}

/** @param {unknown} [cause] */
function notAnArchive(cause) {
  throw new TabAgentError('unexpected_shape',
    'this is no archive that exportModel has written',
    { stage: 'import', cause });
}

/**
 * The files of an archive, which can only be read forwards.
 * @implements {Input}
 */
class ArchiveInput {
  #entries;
  #stop;
  #name = '';
  #body = new StreamInput(null);

  /**
   * @param {ReadableStreamDefaultReader<any>} entries
   * @param {AbortController} stop of what they come from
   */
  constructor(entries, stop) {
    this.#entries = entries;
    this.#stop = stop;
  }

  /** @type {Input['read']} */
  async read(path, from, to, onBytes) {
    while (this.#name !== FOLDER + path) {
      await this.#body.skip(() => onBytes(0));
      const { done, value } = await this.#entries.read();
      if (done) return undefined;
      this.#name = value.header.name;
      this.#body = new StreamInput(value.body);
    }
    return this.#body.read(from, to, onBytes);
  }

  /** Lets the archive go, however much of it was read. */
  close() {
    this.#stop.abort();
  }
}

/**
 * Files that a user picked, by their paths in the repository, or by their names
 * where the browser does not tell the folder.
 * @implements {Input}
 */
export class FilesInput {
  #files;

  /** @param {File[]} files */
  constructor(files) {
    this.#files = new Map(files.map((file) => [pathOf(file), file]));
  }

  /** As rows of the Hub's tree, but for what nobody knows yet. */
  get rows() {
    return [...this.#files].map(([path, { size }]) => (
      { type: 'file', path, size }));
  }

  /** @type {Input['read']} */
  async read(path, from, to) {
    const name = path.slice(path.lastIndexOf('/') + 1);
    const file = this.#files.get(path) ?? this.#files.get(name);
    return file?.slice(from, to);
  }
}

/**
 * The path below the folder that was picked.
 * @param {File} file
 */
function pathOf({ webkitRelativePath, name }) {
  return webkitRelativePath
    ? webkitRelativePath.slice(webkitRelativePath.indexOf('/') + 1) : name;
}

/**
 * The archive among what a user may hand in, if it is one.
 * @param {ReadableStream<Uint8Array> | Blob | File[]} source
 * @returns {ReadableStream<Uint8Array> | undefined}
 */
export function archiveOf(source) {
  if (source instanceof ReadableStream) return source;
  if (source instanceof Blob) return source.stream();
  const [file] = source;
  return source.length === 1 && file.name.endsWith('.tar')
    ? file.stream() : undefined;
}
