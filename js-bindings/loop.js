// SPDX-License-Identifier: Apache-2.0
// The driver of the core: feed an event, do every action that comes out, set
// the timer, return to the event loop.

import {
  ACTION, CAPS, COMMAND_FLAG, DELIVER_FLAG, EVENT, FETCH_FLAG, JOB_NAMES,
  MESSAGE_FLAG,
} from './abi.js';
import { attempt } from './callback.js';
import { askStore, downloadModel } from './chat/stored.js';
import { cancelled, errorOfNumber, TabAgentError } from './errors.js';
import { Requests } from './fetch.js';
import { JobLogs } from './jobs.js';
import { decodeModels } from './model-table.js';
import { openStored } from './opened-file.js';
import { listingPieces, suppliedListing, writeMessage } from './request.js';
import { StoreActions } from './store/actions.js';
import { telemetryOf } from './telemetry.js';
import { Timer } from './timer.js';

/**
 * @typedef {Record<string, any>} Message
 * @typedef {import('./chat/runtime.js').Outside} RuntimeOutside
 * @typedef {Pick<import('./chat/runtime.js').Runtime,
 *   'start' | 'abort' | 'close' | 'sessions'>} Runtime
 * @typedef {import('./event-log.js').CoreFace} CoreFace
 *
 * @typedef {object} Job an operation that has not ended
 * @property {string} id
 * @property {string} kind
 * @property {boolean} isListed people know of it
 * @property {number} lastSeq
 * @property {CallOptions['onProgress']} onProgress
 * @property {CallOptions['onBytes']} onBytes
 * @property {CallOptions['onOpened']} onOpened
 * @property {CallOptions['input']} input
 * @property {CallOptions['isInner']} isInner
 * @property {unknown} [tools] of a chat, for its template
 * @property {(message: Message) => void} resolve
 * @property {(error: unknown) => void} reject
 * @property {import('./types/index.d.ts').ModelEntry[]} [models]
 * @property {number} size of these in bytes
 * @property {ReturnType<JobLogs['begin']>} log what it has said
 * @property {any} [failure] a TabAgentError: why we cancelled it
 */

/**
 * @typedef {object} Outside what there is besides the core
 * @property {typeof fetch} fetch
 * @property {() => Promise<import('./store/index.js').Store>} openStore
 * @property {boolean} [isOutside] Blobs lie outside of this process
 * @property {boolean} [journal] jobs outlive the program
 * @property {unknown} [ort] onnxruntime-web, or what brings it
 * @property {unknown} [ortWasmPaths]
 * @property {(outside: RuntimeOutside) => Runtime} [openRuntime] makes what runs
 *   models elsewhere; here by default
 * @property {import('./types/index.d.ts').Clock} clock
 * @property {(message: any, isForChannel: boolean) => void} [onMessage]
 * @property {(entry: any) => void} [telemetry]
 *
 * @typedef {object} CallOptions
 * @property {((message: any) => void) | null} [onProgress]
 * @property {AbortSignal | null} [signal]
 * @property {((bytes: Uint8Array, isLast: boolean) => void)} [onBytes] takes
 *   what a file that is served consists of
 * @property {(pull: () => void, giveBack: (buffer: ArrayBuffer) => void)
 *   => void} [onStart] gets what asks for more bytes, and what takes back the
 *   memory of those that were handed out
 * @property {((file: Blob) => void)} [onOpened] takes the file that was opened,
 *   before the end, be that good or bad
 * @property {unknown[]} [rows] files that the caller hands in
 * @property {import('./archive.js').Input} [input] and their bytes
 * @property {boolean} [isInner] it is a part of another job, and nobody else's
 */

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The request that is cancelled without an error: with what there is. */
const ANSWER = 'generate';

/** Runs operations on one core. */
export class Loop {
  /** @type {CoreFace | null} */
  #core;
  #onMessage;
  #telemetry;
  #isHeard;
  #journalFlag;
  #requests;
  #storage;
  /** @type {Promise<Runtime> | undefined} */
  #runtimeLoads;
  /** @type {Runtime | undefined} once it is loaded, so that nothing waits */
  #runtime;
  #outside;
  #timer;
  /** @type {Map<number, Job>} */
  #jobs = new Map();
  #logs = new JobLogs();
  #lastOp = 0;
  #draining = false;
  #closing = false;
  /** @type {TabAgentError | undefined} why the core is gone, unless disposed */
  #failure;

  /**
   * @param {CoreFace} core
   * @param {Outside} outside
   */
  constructor(core, outside) {
    const { fetch, openStore, clock, onMessage, telemetry } = outside;
    this.#outside = outside;
    this.#core = core;
    this.#onMessage = onMessage;
    this.#telemetry = telemetry;
    // Whoever hears all, and whoever asks later, wants to know of progress.
    this.#isHeard = Boolean(onMessage || outside.journal);
    this.#journalFlag = outside.journal ? COMMAND_FLAG.JOURNAL : 0;
    if (outside.journal) this.life = `${crypto.randomUUID().slice(0, 8)}-`;
    this.#requests = new Requests(fetch, (kind, event) => {
      this.#feed(kind, event);
    });
    this.#storage = new StoreActions(
      openStore, this.#requests.bodies, (happenings) => {
        this.#turn((core) => {
          for (const [kind, event] of happenings) core.feed(kind, event);
        });
      });
    this.#timer = new Timer(clock, () => {
      this.#feed(EVENT.TIMER);
    });
  }

  /**
   * Stands in ids, so that they are others than those of the life before, which
   * may go on.
   */
  life = '';

  /** Time, as the core is told it. */
  get clock() {
    return this.#outside.clock;
  }

  /** Size of the core's memory; 0 when it is gone. */
  get memoryBytes() {
    return this.#core?.memoryBytes ?? 0;
  }

  /** What core and sessions use. */
  async memory() {
    const sessions = await this.#runtime?.sessions() ?? [];
    return {
      wasmBytes: this.memoryBytes, jsHeapBytes: heapBytes(), sessions,
    };
  }

  /**
   * The operations that have not ended.
   * @param {boolean} [withEnded] and those of which the messages are kept
   * @returns {import('./types/index.d.ts').Job[]}
   */
  jobs(withEnded = false) {
    const running = [...this.#jobs.values()].filter(({ isListed }) => isListed)
      .map(({ id, kind, lastSeq }) => (
        { id, kind, state: /** @type {const} */ ('running'), lastSeq }));
    return withEnded ? [...this.#logs.ended(), ...running] : running;
  }

  /**
   * What a job says behind `seq`, its last message last.
   * @param {string} id
   * @param {number} seq
   * @param {AbortSignal} [signal]
   */
  subscribe(id, seq, signal) {
    return this.#logs.read(id, seq, signal);
  }

  /**
   * Runs one request to its end.
   * @param {unknown} message
   * @param {CallOptions} [options]
   * @returns {Promise<Message>} the terminal message, be it good or bad;
   *   rejects only when there is none
   */
  async run(message, options = {}) {
    const {
      onProgress, signal, onBytes, onOpened, onStart, rows, input, isInner,
    } = options;
    if (this.#core === null || this.#closing) {
      throw new TabAgentError('invalid_state',
        this.#failure?.message ?? 'the manager was disposed',
        { cause: this.#failure?.cause });
    }
    const { id, kind } = describe(message, `${this.life}${this.#lastOp + 1}`);
    const isAborted = Boolean(signal?.aborted);
    if (isAborted && kind !== ANSWER) throw cancelled(signal?.reason);
    this.#lastOp += 1;
    const op = this.#lastOp;
    const cancel = () => {
      this.#feed(EVENT.CANCEL, { op });
    };
    signal?.addEventListener('abort', cancel);
    const isListed = !isInner && JOB_NAMES.includes(kind);
    const log = this.#logs.begin(id, kind, isListed);
    try {
      return await new Promise((resolve, reject) => {
        this.#jobs.set(op, {
          id, kind, isListed, lastSeq: -1, tools: toolsOf(message), size: 0, log,
          onProgress, onBytes, onOpened, input, isInner, resolve, reject,
        });
        onStart?.(() => this.#feed(EVENT.PULL, { op }),
          (buffer) => this.#storage.giveBack(buffer));
        this.#send(op, this.#named(message, id), (isInner ? 0 : this.#journalFlag)
          | (!onProgress && !this.#isHeard ? COMMAND_FLAG.QUIET : 0));
        if (rows) this.#sendListing(op, rows);
        if (isAborted) cancel();
      });
    } catch (error) {
      if (log?.state === 'running') this.#logs.forget(log);
      this.#jobs.delete(op);
      cancel();
      throw error;
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
  }

  /**
   * A job that goes on after a kill needs an id; panels give none with what they
   * send.
   * @param {any} message
   * @param {string} id
   */
  #named(message, id) {
    return this.life && message?.payload && message.id == null
      ? { ...message, id } : message;
  }

  /** Cancels every operation and frees the core. */
  dispose() {
    this.#closing = true;
    this.#turn((core) => {
      for (const op of this.#jobs.keys()) core.feed(EVENT.CANCEL, { op });
    });
  }

  /**
   * @param {number} op
   * @param {unknown} message
   * @param {number} theseFlags of this one
   */
  #send(op, message, theseFlags) {
    const listing = suppliedListing(message);
    const flags = theseFlags | (listing ? COMMAND_FLAG.LISTING : 0)
      | (this.#onMessage ? COMMAND_FLAG.BROADCAST : 0)
      | (this.#outside.isOutside ? COMMAND_FLAG.OUTSIDE : 0);
    const error = this.#sendText(
      op, flags, encoder.encode(writeMessage(message, listing)));
    if (error < 0) throw errorOfNumber(error, 'request');
    if (listing) this.#sendListing(op, listing);
  }

  /**
   * Sends a message, in pieces when it is long.
   * @param {number} op
   * @param {number} flags
   * @param {Uint8Array} text
   * @returns {number} 0, or a negative error
   */
  #sendText(op, flags, text) {
    let at = 0;
    let error;
    do {
      const payload = text.subarray(at, at + CAPS.EVENT_PAYLOAD_MAX);
      at += payload.length;
      error = this.#feed(EVENT.COMMAND, {
        op, payload,
        flags: at < text.length ? flags | COMMAND_FLAG.MORE : flags,
      });
    } while (error === 0 && at < text.length);
    return error;
  }

  /**
   * @param {number} op
   * @param {unknown[]} listing
   */
  #sendListing(op, listing) {
    try {
      for (const piece of listingPieces(listing)) {
        // The core may have enough, or may have refused the request.
        if (!this.#jobs.has(op)) return;
        this.#feed(EVENT.LISTING_DATA, { op, payload: encoder.encode(piece) });
      }
      this.#feed(EVENT.LISTING_END, { op });
    } catch (error) {
      const job = this.#jobs.get(op);
      if (job) job.failure = error;
      this.#feed(EVENT.CANCEL, { op });
    }
  }

  /**
   * @param {number} kind
   * @param {import('./core.js').CoreEvent} [event]
   * @returns {number} 0, or a negative error
   */
  #feed(kind, event) {
    return this.#turn((core) => core.feed(kind, event)) ?? 0;
  }

  /**
   * Tells the core something, and does what it wants done.
   * @template T
   * @param {(core: CoreFace) => T} tell
   * @returns {T | undefined}
   */
  #turn(tell) {
    if (this.#core === null) return undefined;
    try {
      const result = tell(this.#core);
      // A callback may feed while actions are being done; the loop that
      // called it goes on with what comes of it.
      if (!this.#draining) this.#drain();
      return result;
    } catch (error) {
      this.#fail(error);
      return undefined;
    }
  }

  #drain() {
    this.#draining = true;
    try {
      let action = this.#core?.next();
      while (action) {
        this.#perform(action);
        action = this.#core?.next();
      }
    } finally {
      this.#draining = false;
    }
    this.#timer.set(this.#core?.deadline() ?? -1);
    if (this.#closing) this.#close();
  }

  /** @param {import('./core.js').Action} action */
  #perform({ kind, op, request, flags, first, second }) {
    switch (kind) {
      case ACTION.FETCH:
        this.#requests.start(
          request, decoder.decode(first), decoder.decode(second), flags,
          this.#jobs.get(op)?.input);
        break;
      case ACTION.ABORT:
        this.#requests.abort(request, (flags & FETCH_FLAG.KEEP) !== 0);
        this.#storage.abort(request);
        if (this.#runtimeLoads) {
          this.#withRuntime((runtime) => runtime.abort(request));
        }
        break;
      case ACTION.RUNTIME: {
        const order = JSON.parse(decoder.decode(first));
        const bytes = second.slice(); // the core goes on before it is used
        // Of the tools the core knows only that there are some.
        if (order.tools === true) order.tools = this.#jobs.get(op)?.tools;
        this.#withRuntime(
          (runtime) => runtime.start(request, order, bytes),
          (error) => this.#feed(EVENT.RUNTIME_FAIL, {
            request, payload: encoder.encode(`runtime_failed: ${error}`),
          }));
        break;
      }
      case ACTION.STORE:
        this.#storage.start(op, request, decoder.decode(first), second);
        break;
      case ACTION.FORGET:
        this.#requests.bodies.delete(request);
        this.#storage.forget(request);
        break;
      case ACTION.DELIVER: {
        const [offset, length] = decoder.decode(first).split(' ').map(Number);
        const bytes = this.#storage.take(request, offset, length);
        if (bytes) {
          this.#jobs.get(op)?.onBytes?.(
            bytes, (flags & DELIVER_FLAG.LAST) !== 0);
        }
        break;
      }
      case ACTION.REQUEST:
        // What becomes of it, all hear; nobody asked for it.
        this.run(JSON.parse(decoder.decode(first))).catch(() => {});
        break;
      case ACTION.MESSAGE:
        this.#take(op, JSON.parse(decoder.decode(first)), first.length, flags);
        break;
      case ACTION.MODELS: {
        const job = this.#jobs.get(op);
        if (job) {
          job.models = decodeModels(first);
          job.size = first.length;
        }
        break;
      }
    }
  }

  /**
   * Does something with sessions and tokenizer, which are loaded when they are
   * first needed.
   * @param {(runtime: Runtime) => void} use
   * @param {(error: unknown) => void} [fail] told when they cannot be loaded
   */
  #withRuntime(use, fail = () => {}) {
    if (this.#runtime) {
      use(this.#runtime);
      return;
    }
    this.#runtimeLoads ??= this.#loadRuntime();
    this.#runtimeLoads.then((runtime) => {
      this.#runtime = runtime;
      use(runtime);
    }).catch((error) => {
      // The next one tries again.
      this.#runtimeLoads = undefined;
      fail(error);
    });
  }

  /** @returns {Promise<Runtime>} */
  async #loadRuntime() {
    const { ort, ortWasmPaths, openRuntime } = this.#outside;
    /** @type {RuntimeOutside} */
    const outside = {
      ort, ortWasmPaths,
      download: (...order) => downloadModel(this, ...order),
      ask: (...order) => askStore(this, ...order),
      open: (request, { modelId, commit, path }, signal) => openStored(
        this, `open-${request}`, { modelId, revision: commit, path }, signal),
      report: (kind, event) => this.#feed(kind, event),
    };
    if (openRuntime) return openRuntime(outside);
    const { Runtime } = await import('./chat/runtime.js');
    return new Runtime(outside);
  }

  /**
   * Notes a message for whoever comes later, and hands it on.
   * @param {number} op
   * @param {Message} message
   * @param {number} size
   * @param {number} flags
   */
  #take(op, message, size, flags) {
    const job = this.#jobs.get(op);
    if ((flags & MESSAGE_FLAG.STANDING) !== 0) {
      job?.log?.stand(message);
      return;
    }
    const isTerminal = (flags & MESSAGE_FLAG.TERMINAL) !== 0;
    const isAgain = (flags & MESSAGE_FLAG.AGAIN) !== 0;
    if (job?.models) (message.result ?? message).models = job.models;
    if (isTerminal && job?.failure) blame(message, job.failure);
    if (job) job.lastSeq = message.seq ?? job.lastSeq + 1;
    if (job?.log) {
      job.log.add(message, size + job.size, isTerminal, isAgain);
      if (isTerminal) this.#logs.end(job.log);
    }
    // What was said before the program was killed is only kept, but whoever
    // had the job go on waits for its end.
    if (isTerminal || !isAgain) {
      this.#deliver(op, message, flags);
    }
  }

  /**
   * @param {number} op
   * @param {Message} message
   * @param {number} flags MESSAGE_FLAG
   */
  #deliver(op, message, flags) {
    const job = this.#jobs.get(op);
    if ((flags & MESSAGE_FLAG.TERMINAL) !== 0) {
      this.#jobs.delete(op);
      const opened = this.#storage.end(op);
      if (opened) job?.onOpened?.(opened);
      for (const entry of telemetryOf(message)) {
        attempt(() => this.#telemetry?.(entry));
      }
      job?.resolve(message);
    } else {
      attempt(() => job?.onProgress?.(message));
    }
    if ((flags & MESSAGE_FLAG.AGAIN) !== 0 || job?.isInner) return;
    // What a panel is answered has no name, and is for nobody else.
    if (message.type === undefined && message.action === undefined) return;
    const isForChannel = (flags & MESSAGE_FLAG.CHANNEL) !== 0;
    attempt(() => this.#onMessage?.(message, isForChannel));
  }

  /**
   * The core stopped in a trap, or speaks another language: nothing it says
   * from here on can be trusted.
   * @param {unknown} cause
   */
  #fail(cause) {
    this.#core = null;
    this.#failure = new TabAgentError(
      'internal', `the core stopped: ${cause}`, { cause });
    this.#release(this.#failure);
  }

  #close() {
    this.#core?.delete();
    this.#core = null;
    this.#release(cancelled());
  }

  /** @param {TabAgentError} error for operations that have not ended */
  #release(error) {
    for (const job of this.#jobs.values()) {
      if (job.log) {
        job.log.fail(error);
        this.#logs.end(job.log);
      }
      job.reject(error);
    }
    this.#jobs.clear();
    this.#requests.abortAll();
    this.#storage.close();
    if (this.#runtimeLoads) this.#withRuntime((runtime) => runtime.close());
    this.#timer.set(-1);
  }
}

/** What JavaScript has in use here, where the platform tells. */
function heapBytes() {
  const { performance, process } = /** @type {any} */ (globalThis);
  return performance?.memory?.usedJSHeapSize
    ?? process?.memoryUsage?.().heapUsed ?? null;
}

/**
 * @param {any} message
 * @param {string} id that it has unless it brings one
 */
function describe(message, id) {
  return {
    id: String(message?.id ?? id),
    kind: String(message?.action ?? message?.type),
  };
}

/** @param {any} message */
function toolsOf(message) {
  return (message?.params ?? message?.payload ?? message)?.tools;
}

/**
 * Makes the end of an operation that we cancelled tell why.
 * @param {Message} message
 * @param {TabAgentError} failure
 */
function blame(message, { code, stage, message: text }) {
  Object.assign(message,
    { code, stage, [message.type ? 'error' : 'message']: text });
}
