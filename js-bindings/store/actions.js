// SPDX-License-Identifier: Apache-2.0
// Carries out what the core wants from the storage, and reports what came of
// it. The core's orders are JSON; wasm/store/storage.h describes them.

import { EVENT } from '../abi.js';
import { ByteReader } from '../byte-reader.js';

/**
 * @typedef {import('./index.js').Store} Store
 * @typedef {import('./index.js').Change} Change
 * @typedef {{ kind: 'move', key: string, from: string }} Move
 * @typedef {[kind: number, event: import('../core.js').CoreEvent]} Happening
 * @typedef {(happenings: Happening[]) => void} Report
 */

/** Bytes that are read at a time: several events of the core. */
const READ_BYTES = 1 << 18;

const encoder = new TextEncoder();

/**
 * Readers that wait. Browsers have been seen to forget a read of a Blob whose
 * reader nothing else refers to, so it would never end.
 * @type {Set<unknown>}
 */
const waitingReaders = new Set();

/** Buffers that are kept for further reads: two of each of two readers. */
const SPARE_BUFFERS_MAX = 4;

/** What was asked of the storage and has not ended, and what is kept for it. */
export class StoreActions {
  #openStore;
  #bodies;
  #report;
  /** @type {Promise<Store> | undefined} */
  #store;
  /** @type {Map<number, AbortController>} */
  #waiting = new Map();
  /** @type {Map<number, () => void>} */
  #locks = new Map();
  /** @type {Map<number, Uint8Array>} bytes that may be delivered */
  #read = new Map();
  /** @type {Map<number, Blob>} files that operations have opened */
  #files = new Map();
  /** @type {Map<number, BlobReader>} where operations stopped reading */
  #readers = new Map();
  /** @type {ArrayBuffer[]} */
  #spare = [];
  /** @type {{ key: string, blob: Blob } | undefined} the content read last */
  #latest;

  /**
   * @param {() => Promise<Store>} openStore
   * @param {Map<number, Blob>} bodies of requests, by their numbers
   * @param {Report} report
   */
  constructor(openStore, bodies, report) {
    this.#openStore = openStore;
    this.#bodies = bodies;
    this.#report = report;
  }

  /**
   * Starts what `order` says; returns at once.
   * @param {number} op for which it is done
   * @param {number} request
   * @param {string} order
   * @param {Uint8Array} bytes what it writes
   */
  start(op, request, order, bytes) {
    const controller = new AbortController();
    this.#waiting.set(request, controller);
    this.#run(op, request, JSON.parse(order), bytes, controller.signal);
  }

  /**
   * Ends a request, or releases its lock; nothing more is reported about it.
   * @param {number} request
   */
  abort(request) {
    this.#waiting.get(request)?.abort();
    this.#waiting.delete(request);
    this.#locks.get(request)?.();
    this.#locks.delete(request);
    this.forget(request);
  }

  /**
   * Gives up the bytes that were read for a request.
   * @param {number} request
   */
  forget(request) {
    this.#read.delete(request);
  }

  /**
   * Hands out a part of what was read for a request, and forgets the rest.
   * @param {number} request
   * @param {number} offset
   * @param {number} length
   * @returns {Uint8Array | undefined}
   */
  take(request, offset, length) {
    const bytes = this.#read.get(request);
    this.#read.delete(request);
    return bytes?.subarray(offset, offset + length);
  }

  /**
   * Takes back the memory of bytes that were handed out.
   * @param {ArrayBuffer} buffer
   */
  giveBack(buffer) {
    if (this.#spare.length < SPARE_BUFFERS_MAX) this.#spare.push(buffer);
  }

  /**
   * Gives up what was kept for an operation that has ended.
   * @param {number} op
   * @returns {Blob | undefined} the file that it has opened
   */
  end(op) {
    const opened = this.#files.get(op);
    this.#files.delete(op);
    this.#endReading(op);
    return opened;
  }

  /** @param {number} op */
  #endReading(op) {
    this.#readers.get(op)?.close();
    this.#readers.delete(op);
  }

  /** Ends everything and closes the store. */
  async close() {
    for (const request of [...this.#waiting.keys(), ...this.#locks.keys()]) {
      this.abort(request);
    }
    for (const op of [...this.#readers.keys()]) this.#endReading(op);
    this.#files.clear();
    this.#spare = [];
    const store = await this.#store?.catch(() => undefined);
    store?.close();
  }

  /**
   * @param {number} op
   * @param {number} request
   * @param {any} order
   * @param {Uint8Array} bytes
   * @param {AbortSignal} signal
   */
  async #run(op, request, order, bytes, signal) {
    const report = (/** @type {number} */ kind, event = {}) => {
      if (!signal.aborted) this.#report([[kind, { request, ...event }]]);
    };
    const changes = order.do === 'write' && this.#changes(order.batch, bytes);
    try {
      const store = await this.#opened();
      const found = changes ? await this.#write(store, changes)
        : await this.#do(store, order, op, request, signal, report);
      this.#waiting.delete(request);
      report(EVENT.STORE_END, { status: found ? 1 : 0 });
    } catch (error) {
      this.#waiting.delete(request);
      report(EVENT.STORE_FAIL, { payload: encoder.encode(reasonOf(error)) });
    }
  }

  /** The store, which is opened again when that has failed. */
  async #opened() {
    const opening = this.#store ??= this.#openStore();
    try {
      return await opening;
    } catch (error) {
      if (this.#store === opening) this.#store = undefined;
      throw error;
    }
  }

  /**
   * @param {Store} store
   * @param {any} order
   * @param {number} op
   * @param {number} request
   * @param {AbortSignal} signal
   * @param {(kind: number, event?: object) => void} report
   * @returns {Promise<boolean>} what was asked for is there
   */
  async #do(store, order, op, request, signal, report) {
    const data = (/** @type {Uint8Array} */ payload) => {
      report(EVENT.STORE_DATA, { payload });
    };
    switch (order.do) {
      case 'get': {
        const value = await store.get(order.store, order.key);
        if (value) data(value);
        return value !== null;
      }
      case 'list': {
        const entries = await store.list(order.store, order.prefix);
        if (signal.aborted) return true;
        this.#report(entries.flatMap(({ key, bytes }) => (
          /** @type {Happening[]} */ ([
            [EVENT.STORE_KEY, {
              request, status: bytes.length, payload: encoder.encode(key),
            }],
            [EVENT.STORE_DATA, { request, payload: bytes }],
          ]))));
        return true;
      }
      case 'keys': {
        const keys = await store.keys(order.prefix);
        if (signal.aborted) return true;
        const { suffix = '' } = order;
        this.#report(keys.filter((key) => key.endsWith(suffix)).map((key) => /** @type {Happening} */ (
          [EVENT.STORE_KEY, { request, payload: encoder.encode(key) }])));
        return true;
      }
      case 'size': {
        const size = await store.size(order.key);
        if (size !== null) data(encoder.encode(String(size)));
        return size !== null;
      }
      case 'read':
        return (order.keep
          ? this.#readOn(store, order, op, request, signal, data)
          : this.#readContent(store, order, op, signal, data))
          .catch(absentWhenUnreadable);
      case 'open': {
        const { blobs, lost } = await this.#contents(store, order);
        if (signal.aborted) return true;
        if (lost >= 0) data(encoder.encode(String(lost)));
        else this.#files.set(op, new Blob(blobs));
        return lost < 0;
      }
      case 'estimate':
        data(encoder.encode(JSON.stringify(await store.estimate())));
        return true;
      case 'lock': {
        const release = await store.lock(order.name, signal);
        if (signal.aborted) release();
        else this.#locks.set(request, release);
        return true;
      }
      default:
        throw new TypeError(`the storage cannot "${order.do}"`);
    }
  }

  /**
   * Reads a part and keeps it. Parts that follow one another come out of one
   * stream, which is several times faster than a part of its own each.
   * @param {Store} store
   * @param {any} order
   * @param {number} op
   * @param {number} request
   * @param {AbortSignal} signal
   * @param {(bytes: Uint8Array) => void} onBytes
   * @returns {Promise<boolean>} there were as many bytes as asked for
   */
  async #readOn(store, { key, from, to }, op, request, signal, onBytes) {
    let reader = this.#readers.get(op);
    this.#readers.delete(op);
    if (!reader || reader.key !== key || reader.at !== from) {
      reader?.close();
      const blob = await this.#blob(store, key);
      if (signal.aborted || !blob || blob.size < to) return false;
      reader = new BlobReader(key, blob, from);
    }
    const bytes = await reader.fill(this.#bufferOf(to - from), onBytes);
    if (signal.aborted || !bytes) {
      reader.close();
      return false;
    }
    this.#readers.set(op, reader);
    this.#read.set(request, bytes);
    return true;
  }

  /** @param {number} length */
  #bufferOf(length) {
    const place = this.#spare.findIndex(
      ({ byteLength }) => byteLength === length);
    return place < 0 ? new ArrayBuffer(length) : this.#spare.splice(place, 1)[0];
  }

  /**
   * The contents that a file consists of.
   * @param {Store} store
   * @param {any} order
   * @returns {Promise<{ blobs: Blob[], lost: number }>} lost: the first that is
   *   missing or has another length, -1 when none is
   */
  async #contents(store, { prefix, chunk, size }) {
    const lengths = Array.from({ length: Math.ceil(size / chunk) },
      (_, i) => Math.min(chunk, size - i * chunk));
    const blobs = await Promise.all(lengths.map((_, i) => (
      store.blob(prefix + i).catch(absentWhenUnreadable))));
    const lost = lengths.findIndex(
      (length, i) => !blobs[i] || blobs[i].size !== length);
    return { blobs: /** @type {Blob[]} */ (blobs), lost };
  }

  /**
   * @param {Store} store
   * @param {any} order
   * @param {number} op
   * @param {AbortSignal} signal
   * @param {(bytes: Uint8Array) => void} onBytes
   * @returns {Promise<boolean>} there were as many bytes as asked for
   */
  async #readContent(store, order, op, signal, onBytes) {
    const whole = await this.#whole(store, order, op);
    const from = order.from ?? 0;
    const to = order.to ?? whole?.size;
    if (!whole || whole.size < to) return false;
    const reader = new BlobReader(order.key, whole.slice(from, to), 0);
    let buffer = new ArrayBuffer(READ_BYTES);
    for (let left = to - from; left > 0 && !signal.aborted;) {
      const bytes = await reader.fill(
        left < buffer.byteLength ? new ArrayBuffer(left) : buffer, onBytes);
      if (!bytes) return false;
      left -= bytes.length;
      buffer = bytes.buffer;
    }
    reader.close();
    return true;
  }

  /**
   * What is to be read.
   * @param {Store} store
   * @param {any} order
   * @param {number} op
   */
  async #whole(store, { opened, body, key }, op) {
    if (opened) return this.#files.get(op);
    return body === undefined ? this.#blob(store, key) : this.#bodies.get(body);
  }

  /**
   * @param {Store} store
   * @param {string} key
   */
  async #blob(store, key) {
    if (this.#latest?.key !== key) {
      const blob = await store.blob(key);
      this.#latest = blob ? { key, blob } : undefined;
    }
    return this.#latest?.blob;
  }

  /**
   * @param {Store} store
   * @param {(Change | Move)[]} changes
   */
  async #write(store, changes) {
    this.#latest = undefined;
    for (const op of [...this.#readers.keys()]) this.#endReading(op);
    await store.write(await Promise.all(changes.map(async (change) => (
      change.kind === 'move' ? moved(store, change) : change))));
    return true;
  }

  /**
   * What several requests have brought, one behind the other.
   * @param {number[]} requests
   */
  #joined(requests) {
    const bodies = requests.map(
      (request) => this.#bodies.get(request) ?? new Blob());
    return bodies.length === 1 ? bodies[0] : new Blob(bodies);
  }

  /**
   * The batch with its bytes, which are copied: they are the core's.
   * @param {any[]} batch
   * @param {Uint8Array} bytes
   * @returns {(Change | Move)[]}
   */
  #changes(batch, bytes) {
    let at = 0;
    const next = (/** @type {number} */ length) => {
      at += length;
      return bytes.slice(at - length, at);
    };
    return batch.map(({ kind, store, key, ...what }) => {
      switch (kind) {
        case 'record': return { kind, store, key, bytes: next(what.bytes) };
        case 'merge': return { kind, store, key, patch: next(what.bytes) };
        case 'content': return what.from !== undefined
          ? { kind: 'move', key, from: what.from }
          : {
            kind, key, blob: what.bodies ? this.#joined(what.bodies)
              : new Blob([next(what.bytes)], { type: what.type }),
          };
        default: return { kind, store, key };
      }
    });
  }
}

/** Reads a content from somewhere on. */
class BlobReader {
  #reader;

  /**
   * @param {string} key
   * @param {Blob} blob
   * @param {number} at
   */
  constructor(key, blob, at) {
    this.key = key;
    /** Where the next byte is in the content. */
    this.at = at;
    this.#reader = new ByteReader((at === 0 ? blob : blob.slice(at)).stream());
  }

  /**
   * @param {ArrayBuffer} buffer that is given away
   * @param {(bytes: Uint8Array) => void} onBytes gets what has come
   * @returns {Promise<Uint8Array<ArrayBuffer> | undefined>} the bytes, in the
   *   same memory; undefined: there are fewer
   */
  async fill(buffer, onBytes) {
    waitingReaders.add(this.#reader);
    try {
      for (let filled = 0; filled < buffer.byteLength;) {
        const { done, value } = await this.#reader.read(
          new Uint8Array(buffer, filled));
        if (done || !value) return undefined;
        onBytes(value);
        filled += value.length;
        buffer = value.buffer;
      }
    } finally {
      waitingReaders.delete(this.#reader);
    }
    this.at += buffer.byteLength;
    return new Uint8Array(buffer);
  }

  /** Ends a read that waits, too. */
  close() {
    this.#reader.cancel().catch(() => {});
  }
}

/**
 * The content of another key as that of `key`.
 * @param {Store} store
 * @param {Move} move
 * @returns {Promise<Change>}
 */
async function moved(store, { key, from }) {
  const blob = await store.blob(from);
  if (!blob) throw new Error(`there is nothing under ${from}`);
  return { kind: 'content', key, blob };
}

/**
 * A content whose bytes are gone is as good as none: it can be fetched again.
 * @param {any} error
 * @returns {false}
 */
function absentWhenUnreadable(error) {
  if (!['NotReadableError', 'NotFoundError'].includes(error?.name)) throw error;
  return false;
}

/**
 * What the core tells errors apart by, and the platform's words.
 * @param {any} error
 */
function reasonOf(error) {
  const name = typeof error?.code === 'string' ? error.code : error?.name;
  const reason = String(error?.message ?? error);
  return (reason.startsWith(`${name}:`) ? reason : `${name}: ${reason}`)
    .slice(0, 500);
}
