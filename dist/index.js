// SPDX-License-Identifier: Apache-2.0

// js-bindings/abi.js
var VERSION = "0.1.0";
var ABI_VERSION = 3;
var PROTOCOL_VERSION = 1;
var EVENT = Object.freeze({
  COMMAND: 1,
  LISTING_DATA: 2,
  LISTING_END: 3,
  HTTP_HEAD: 4,
  HTTP_DATA: 5,
  HTTP_END: 6,
  HTTP_FAIL: 7,
  TIMER: 8,
  CANCEL: 9,
  HTTP_KEPT: 10,
  STORE_KEY: 11,
  STORE_DATA: 12,
  STORE_END: 13,
  STORE_FAIL: 14,
  PULL: 15,
  RUNTIME_DATA: 16,
  RUNTIME_END: 17,
  RUNTIME_FAIL: 18,
  RUNTIME_PROGRESS: 19
});
var COMMAND_FLAG = Object.freeze({
  LISTING: 1,
  QUIET: 2,
  BROADCAST: 4,
  OUTSIDE: 8,
  JOURNAL: 16
});
var ACTION = Object.freeze({
  FETCH: 1,
  ABORT: 2,
  MESSAGE: 3,
  MODELS: 4,
  STORE: 5,
  FORGET: 6,
  DELIVER: 7,
  RUNTIME: 8
});
var MESSAGE_FLAG = Object.freeze({
  TERMINAL: 1,
  AGAIN: 4
});
var FETCH_FLAG = Object.freeze({
  KEEP: 1,
  WHOLE: 2
});
var DELIVER_FLAG = Object.freeze({
  LAST: 1
});
var WORD = Object.freeze({
  kind: 0,
  op: 1,
  request: 2,
  flags: 3,
  firstPtr: 4,
  firstLen: 5,
  secondPtr: 6,
  secondLen: 7
});
var CAPS = Object.freeze({
  EVENT_PAYLOAD_MAX: 65536,
  EVENT_RUNTIME_PAYLOAD_MAX: 2097152
});
var ERRORS = Object.freeze([
  {
    name: "INVALID_ARGUMENT",
    number: -100,
    code: "invalid_argument",
    cause: "an argument is out of its documented range"
  },
  {
    name: "INVALID_STATE",
    number: -101,
    code: "invalid_state",
    cause: "the event is not legal in the present state"
  },
  {
    name: "INVALID_PARAMS",
    number: -102,
    code: "invalid_params",
    cause: "a field of a request has the wrong type or range"
  },
  {
    name: "TOO_LARGE",
    number: -103,
    code: "too_large",
    cause: "a value exceeds a documented cap"
  },
  {
    name: "CANCELLED",
    number: -104,
    code: "cancelled",
    cause: "the caller cancelled the operation"
  },
  {
    name: "UNKNOWN_MESSAGE",
    number: -105,
    code: "unknown_message",
    cause: "no request of this name exists"
  },
  {
    name: "BUSY",
    number: -106,
    code: "busy",
    cause: "too many operations run at the same time"
  },
  {
    name: "UNKNOWN_JOB",
    number: -107,
    code: "unknown_job",
    cause: "there is no job of this id, or nothing to go on from"
  },
  {
    name: "JSON_SYNTAX",
    number: -200,
    code: "json_syntax",
    cause: "the bytes are not JSON"
  },
  {
    name: "JSON_DEPTH",
    number: -201,
    code: "json_depth",
    cause: "the JSON is nested deeper than the cap"
  },
  {
    name: "JSON_UTF8",
    number: -202,
    code: "json_utf8",
    cause: "the bytes are not well-formed UTF-8"
  },
  {
    name: "JSON_TRUNCATED",
    number: -203,
    code: "json_truncated",
    cause: "the JSON ends before it is complete"
  },
  {
    name: "MALFORMED_MESSAGE",
    number: -204,
    code: "malformed_message",
    cause: "the message is not an object with a name"
  },
  {
    name: "UNEXPECTED_SHAPE",
    number: -205,
    code: "unexpected_shape",
    cause: "the JSON is valid but not of the expected kind"
  },
  {
    name: "HTTP_STATUS",
    number: -300,
    code: "http_status",
    cause: "the server answered with an error status"
  },
  {
    name: "TIMEOUT",
    number: -301,
    code: "timeout",
    cause: "no answer or no progress in the allowed time"
  },
  {
    name: "RATE_LIMITED",
    number: -302,
    code: "rate_limited",
    cause: "the server's request budget is used up"
  },
  {
    name: "NETWORK",
    number: -303,
    code: "network",
    cause: "the connection failed or the machine is offline"
  },
  {
    name: "LISTING_FAILED",
    number: -304,
    code: "listing_failed",
    cause: "the listing produced nothing at all"
  },
  {
    name: "UNAUTHORIZED",
    number: -305,
    code: "unauthorized",
    cause: "the server wants other credentials"
  },
  {
    name: "NOT_FOUND",
    number: -306,
    code: "not_found",
    cause: "the Hub knows no such repository, revision or file"
  },
  {
    name: "RANGE_UNSUPPORTED",
    number: -307,
    code: "range_unsupported",
    cause: "the server does not send parts of files"
  },
  {
    name: "STORE_FAILED",
    number: -400,
    code: "store_failed",
    cause: "the browser or the disk refused to read or write"
  },
  {
    name: "QUOTA_EXCEEDED",
    number: -401,
    code: "quota_exceeded",
    cause: "there is no room for it"
  },
  {
    name: "STORE_BLOCKED",
    number: -402,
    code: "store_blocked",
    cause: "another tab with an older version holds the database"
  },
  {
    name: "STORE_CLOSED",
    number: -403,
    code: "store_closed",
    cause: "the database was closed or deleted while it was in use"
  },
  {
    name: "STORE_UNAVAILABLE",
    number: -404,
    code: "store_unavailable",
    cause: "this context has no storage, as in a private window"
  },
  {
    name: "HASH_MISMATCH",
    number: -405,
    code: "hash_mismatch",
    cause: "the bytes are not the ones that the Hub vouches for"
  },
  {
    name: "DTYPE_UNAVAILABLE",
    number: -406,
    code: "dtype_unavailable",
    cause: "the repository has no files of this dtype"
  },
  {
    name: "NOT_STORED",
    number: -407,
    code: "not_stored",
    cause: "the model is not in the store"
  },
  {
    name: "STORE_DAMAGED",
    number: -408,
    code: "store_damaged",
    cause: "a stored record or chunk is damaged"
  },
  {
    name: "RUNTIME_FAILED",
    number: -500,
    code: "runtime_failed",
    cause: "ONNX Runtime or the tokenizer failed"
  },
  {
    name: "NO_MODEL",
    number: -501,
    code: "no_model",
    cause: "no model is loaded"
  },
  {
    name: "UNSUPPORTED_TASK",
    number: -502,
    code: "unsupported_task",
    cause: "the model is for a task other than text generation"
  },
  {
    name: "DEVICE_LOST",
    number: -503,
    code: "device_lost",
    cause: "the device that ran the model is gone"
  },
  {
    name: "UNSUPPORTED_GRAPH",
    number: -504,
    code: "unsupported_graph",
    cause: "the graph has an input that no rule explains, or lacks one"
  },
  {
    name: "MALFORMED_GRAPH",
    number: -505,
    code: "malformed_graph",
    cause: "the file is not ONNX, is cut off, or names a forbidden file"
  },
  {
    name: "GRAPH_TOO_LARGE",
    number: -506,
    code: "graph_too_large",
    cause: "the graph without its weights is beyond what a runtime parses"
  },
  {
    name: "CONTEXT_OVERFLOW",
    number: -507,
    code: "context_overflow",
    cause: "the chat is longer than the context of the model"
  },
  {
    name: "TEMPLATE_FAILED",
    number: -508,
    code: "template_failed",
    cause: "the model's chat template cannot render the chat"
  },
  {
    name: "LOAD_CRASHED",
    number: -509,
    code: "load_crashed",
    cause: "the program died each time it tried to load the model"
  },
  {
    name: "OUT_OF_MEMORY",
    number: -900,
    code: "out_of_memory",
    cause: "an allocation failed"
  },
  {
    name: "INTERNAL",
    number: -901,
    code: "internal",
    cause: "a state that cannot happen"
  }
]);
var MODEL_TABLE_HEADER_WORDS = 4;
var MODEL_ROW_WORDS = 18;
var MODEL_FIELD = Object.freeze({
  ID: 0,
  PIPELINE_TAG: 1,
  MODEL_TYPE: 2,
  LICENSE: 3,
  CLASSIFICATION: 4,
  CONFIDENCE: 5,
  FETCH_STATUS: 6,
  FETCH_STATUS_CODE: 7,
  FETCH_MESSAGE: 8,
  GATED: 9,
  LAST_MODIFIED: 10,
  PARAMETERS: 12,
  DOWNLOADS: 14,
  LIKES: 16
});
var CLASSIFICATIONS = Object.freeze([
  "unknown",
  "gen",
  "encoder",
  "auth-protected"
]);
var CONFIDENCES = Object.freeze([
  "low",
  "medium",
  "high"
]);
var FETCH_STATUSES = Object.freeze([
  "pending",
  "ok",
  "listing",
  "no-config",
  "401",
  "403",
  "404",
  "429",
  "error"
]);
var GATED = Object.freeze([
  false,
  "auto",
  "manual"
]);
var DTYPES = Object.freeze([
  "fp32",
  "fp16",
  "q8",
  "int8",
  "uint8",
  "q4",
  "q4f16",
  "q2",
  "q2f16",
  "q1",
  "q1f16",
  "bnb4"
]);

// js-bindings/constants.js
var UIEventNames = Object.freeze({
  QUERY_SUBMITTED: "querySubmitted",
  BACKGROUND_RESPONSE_RECEIVED: "background:responseReceived",
  BACKGROUND_ERROR_RECEIVED: "background:errorReceived",
  BACKGROUND_SCRAPE_STAGE_RESULT: "background:scrapeStageResult",
  REQUEST_MODEL_LOAD: "ui:requestModelLoad",
  WORKER_READY: "worker:ready",
  WORKER_ERROR: "worker:error",
  NAVIGATION_PAGE_CHANGED: "navigation:pageChanged",
  SCRAPE_PAGE: "SCRAPE_PAGE",
  SCRAPE_ACTIVE_TAB: "SCRAPE_ACTIVE_TAB",
  DYNAMIC_SCRIPT_MESSAGE_TYPE: "offscreenIframeResult",
  MODEL_WORKER_LOADING_PROGRESS: "modelWorkerLoadingProgress",
  MODEL_SELECTION_CHANGED: "ui:modelSelectionChanged",
  REQUEST_MODEL_DOWNLOAD_ACTION: "ui:requestModelDownloadAction",
  REQUEST_MODEL_EXECUTION: "ui:requestModelExecution",
  MODEL_ALREADY_LOADED: "ui:modelAlreadyLoaded",
  WORKER_STATE_CHANGED: "worker:stateChanged",
  SHOW_GOOGLE_TERMS_DIALOG: "ui:showGoogleTermsDialog",
  SHOW_MODEL_SOURCE_DIALOG: "ui:showModelSourceDialog",
  SHOW_HUGGINGFACE_LOGIN_DIALOG: "ui:showHuggingFaceLoginDialog",
  SHOW_KAGGLE_LOGIN_DIALOG: "ui:showKaggleLoginDialog",
  SHOW_GOOGLE_LOGIN_DIALOG: "ui:showGoogleLoginDialog"
});
var WorkerEventNames = Object.freeze({
  WORKER_SCRIPT_READY: "workerScriptReady",
  INIT: "init",
  WORKER_READY: "workerReady",
  GENERATE: "generate",
  LOADING_STATUS: "loadingStatus",
  RESET: "reset",
  GENERATION_STATUS: "generationStatus",
  SET_BASE_URL: "setBaseUrl",
  GENERATION_UPDATE: "generationUpdate",
  SET_ENV_CONFIG: "setEnvConfig",
  GENERATION_COMPLETE: "generationComplete",
  MANIFEST_UPDATED: "manifestUpdated",
  GENERATION_ERROR: "generationError",
  INFERENCE_SETTINGS_UPDATE: "inferenceSettingsUpdate",
  GENERATION_STOPPED: "generationStopped",
  MEMORY_STATS: "memoryStats",
  STOP_GENERATION: "stopGeneration",
  REQUEST_MEMORY_STATS: "requestMemoryStats",
  RESET_COMPLETE: "resetComplete",
  HUGGINGFACE_LOGIN: "huggingfaceLogin",
  ERROR: "error",
  HUGGINGFACE_LOGOUT: "huggingfaceLogout",
  UNINITIALIZED: "uninitialized",
  MODEL_SOURCE_SELECTION: "modelSourceSelection",
  CREATING_WORKER: "creating_worker",
  CLEAR_CACHE: "clearCache",
  LOADING_MODEL: "loading_model",
  CACHE_CLEARED: "cacheCleared",
  MODEL_READY: "model_ready",
  GOOGLE_TERMS_ACCEPTED: "googleTermsAccepted",
  GENERATING: "generating",
  MEDIA_PIPE_MODULE_READY: "mediaPipeModuleReady",
  IDLE: "idle",
  UI_CONNECTED: "uiConnected",
  WORKER_ENV_READY: "workerEnvReady",
  UI_DISCONNECTED: "uiDisconnected",
  UI_PING: "uiPing",
  UI_PONG: "uiPong",
  RESTORE_FROM_POPUP: "restoreFromPopup"
});
var RuntimeMessageTypes = Object.freeze({
  LOAD_MODEL: "loadModel",
  SEND_CHAT_MESSAGE: "sendChatMessage",
  INTERRUPT_GENERATION: "interruptGeneration",
  RESET_WORKER: "resetWorker",
  GET_MODEL_WORKER_STATE: "getModelWorkerState",
  RESTORE_LAST_STATE: "restoreLastState",
  SCRAPE_REQUEST: "scrapeRequest",
  GET_DRIVE_FILE_LIST: "getDriveFileList",
  GET_LOG_SESSIONS: "getLogSessions",
  GET_LOG_ENTRIES: "getLogEntries",
  DETACH_SIDE_PANEL: "detachSidePanel",
  GET_DETACHED_STATE: "getDetachedState",
  GET_DB_READY_STATE: "getDbReadyState",
  CHECK_BACKGROUND_READY: "checkBackgroundReady"
});
var LoadingStatusTypes = Object.freeze({
  INITIATE: "initiate",
  PROGRESS: "progress",
  DONE: "done",
  READY: "ready",
  ERROR: "error",
  CACHED: "cached"
});
var ModelWorkerStates = Object.freeze({
  UNINITIALIZED: "uninitialized",
  CREATING_WORKER: "creating_worker",
  WORKER_SCRIPT_READY: "worker_script_ready",
  LOADING_MODEL: "loading_model",
  MODEL_READY: "model_ready",
  GENERATING: "generating",
  ERROR: "error",
  IDLE: "idle"
});
var QuantStatus = Object.freeze({
  Available: "available",
  Downloaded: "downloaded",
  Failed: "failed",
  NotFound: "not_found",
  Unavailable: "unavailable",
  Unsupported: "unsupported",
  ServerOnly: "server_only"
});
var DBNames = Object.freeze({
  DB_USER_DATA: "TabAgentUserData",
  DB_LOGS: "TabAgentLogs",
  DB_MODELS: "TabAgentModels",
  DB_CHATS: "TabAgentChats",
  DB_MESSAGES: "TabAgentMessages",
  DB_EMBEDDINGS: "TabAgentEmbeddings",
  DB_KNOWLEDGE_GRAPH_NODES: "TabAgentKnowledgeGraphNodes",
  DB_KNOWLEDGE_GRAPH_EDGES: "TabAgentKnowledgeGraphEdges",
  DB_CHAT_SUMMARIES: "TabAgentChatSummaries",
  DB_ATTACHMENTS: "TabAgentAttachments"
});
var ListChatModelsEvents = Object.freeze({
  LIST: "listChatModels",
  PROGRESS: "listChatModels:progress",
  DONE: "listChatModels:done",
  ERROR: "listChatModels:error",
  CANCEL: "cancelListChatModels",
  CANCEL_LOAD: "cancelLoad",
  CANCEL_LOAD_CHAT_MODELS: "cancelLoadChatModels"
});

// js-bindings/errors.js
var TabAgentError = class extends Error {
  /**
   * @param {string} code stable name from the core's error list
   * @param {string} message for people
   * @param {Details} [details]
   */
  constructor(code, message, { cause, ...details } = {}) {
    super(message, cause === void 0 ? void 0 : { cause });
    this.name = "TabAgentError";
    this.code = code;
    this.stage = void 0;
    this.retryable = false;
    Object.assign(this, details);
  }
};
function errorOfMessage(message, cause) {
  const {
    code,
    stage,
    retryable,
    userAction,
    modelId,
    status,
    meta,
    totalBytes,
    neededBytes,
    freeBytes,
    quotaBytes,
    evict
  } = message;
  const room = neededBytes === void 0 ? {} : { totalBytes, neededBytes, freeBytes, quotaBytes, evict };
  return new TabAgentError(code, message.message, {
    stage,
    retryable: retryable === true,
    userAction,
    modelId,
    status,
    meta,
    ...room,
    cause
  });
}
function errorOfNumber(number, stage) {
  const { code, cause } = ERRORS.find((error) => error.number === number) ?? { code: "unknown", cause: `error ${number}` };
  return new TabAgentError(code, cause, { stage });
}
function cancelled(reason) {
  return new TabAgentError(
    "cancelled",
    "the operation was cancelled",
    { cause: reason }
  );
}

// js-bindings/core.js
var NOTHING = new Uint8Array(0);
var RECORD_WORDS = Object.keys(WORD).length;
var STREAMED = /* @__PURE__ */ new Set([
  EVENT.LISTING_DATA,
  EVENT.HTTP_DATA,
  EVENT.STORE_DATA,
  EVENT.RUNTIME_DATA
]);
async function loadCore(source = new URL("./tabagent.wasm", import.meta.url)) {
  const module = await compile(source).catch((error) => {
    throw error instanceof TabAgentError ? error : loadError(
      "invalid_argument",
      `cannot load tabagent.wasm: ${error.message}`,
      error
    );
  });
  const instance = await WebAssembly.instantiate(module);
  const exports = exportsOf(instance);
  exports._initialize?.();
  const version = exports.tam_abi_version?.();
  if (version !== ABI_VERSION) {
    throw loadError(
      "invalid_argument",
      `tabagent.wasm has ABI version ${version}, expected ${ABI_VERSION}`
    );
  }
  return exports;
}
function exportsOf(instance) {
  return instance.exports;
}
async function compile(source) {
  if (source instanceof WebAssembly.Module) return source;
  if (typeof source !== "string" && !(source instanceof URL)) {
    return WebAssembly.compile(source);
  }
  const url = String(source);
  if (isNodeFile(url)) {
    const fs = await import(
      /* webpackIgnore: true */
      "node:fs/promises"
    );
    return WebAssembly.compile(await fs.readFile(
      url.startsWith("file:") ? new URL(url) : url
    ));
  }
  const response = await fetch(url).catch((error) => {
    throw loadError("network", `cannot fetch ${url}: ${error.message}`, error);
  });
  if (!response.ok) {
    throw loadError("http_status", `${url} answered ${response.status}`);
  }
  const type = response.headers.get("content-type");
  return type === "application/wasm" ? WebAssembly.compileStreaming(response) : WebAssembly.compile(await response.arrayBuffer());
}
function isNodeFile(url) {
  const { process } = (
    /** @type {any} */
    globalThis
  );
  return process?.versions?.node && !/^(https?|data|blob):/.test(url);
}
function loadError(code, message, cause) {
  return new TabAgentError(code, message, { stage: "wasm", cause });
}
var Core = class {
  #exports;
  #now;
  #manager;
  /**
   * @param {Exports} exports
   * @param {{ hubUrl: string, mirrors?: string[], seed: Uint8Array,
   *   now: () => number }} options
   */
  constructor(exports, { hubUrl, mirrors = [], seed, now }) {
    this.#exports = exports;
    this.#now = now;
    const url = new TextEncoder().encode([hubUrl, ...mirrors].join("\n"));
    const ptr = exports.tam_abi_alloc(seed.length + url.length);
    if (ptr === 0) throw new TabAgentError("out_of_memory", "out of memory");
    this.#write(ptr, seed);
    this.#write(ptr + seed.length, url);
    this.#manager = exports.tam_abi_manager_new(
      ptr + seed.length,
      url.length,
      ptr
    );
    exports.tam_abi_free(ptr);
    if (this.#manager === 0) {
      const names = mirrors.length > 0 ? "hubUrl or mirrors" : "hubUrl";
      throw new TabAgentError(
        "invalid_argument",
        `option ${names}: expected an http or https address, got "${[hubUrl, ...mirrors].join('", "')}"`,
        { stage: "options" }
      );
    }
  }
  /** Size of the linear memory. */
  get memoryBytes() {
    return this.#exports.memory.buffer.byteLength;
  }
  /** How many operations have not ended. */
  get busy() {
    return this.#exports.tam_abi_busy(this.#manager);
  }
  /**
   * Tells the core what happened.
   * @param {number} kind one of `EVENT`
   * @param {CoreEvent} [event]
   * @returns {number} 0, or a negative error
   */
  feed(kind, { op, request, status, flags, payload = NOTHING } = {}) {
    const max = kind >= EVENT.RUNTIME_DATA ? CAPS.EVENT_RUNTIME_PAYLOAD_MAX : CAPS.EVENT_PAYLOAD_MAX;
    let at = 0;
    do {
      const piece = STREAMED.has(kind) ? payload.subarray(at, at + max) : payload;
      if (piece.length > max) return numberOf("TOO_LARGE");
      const ptr = this.#exports.tam_abi_in_buf(this.#manager, piece.length);
      if (ptr === 0) return numberOf("OUT_OF_MEMORY");
      this.#write(ptr, piece);
      const error = this.#exports.tam_abi_feed(
        this.#manager,
        kind,
        op ?? 0,
        request ?? 0,
        status ?? 0,
        flags ?? 0,
        piece.length,
        this.#now()
      );
      if (error < 0) return error;
      at += piece.length;
    } while (at < payload.length);
    return 0;
  }
  /**
   * @returns {Action | null} what the core wants done, or null when nothing
   */
  next() {
    const at = this.#exports.tam_abi_next(this.#manager);
    if (at === 0) return null;
    const { buffer } = this.#exports.memory;
    const word = new Uint32Array(buffer, at, RECORD_WORDS);
    return {
      kind: word[WORD.kind],
      op: word[WORD.op],
      request: word[WORD.request],
      flags: word[WORD.flags],
      first: new Uint8Array(buffer, word[WORD.firstPtr], word[WORD.firstLen]),
      second: new Uint8Array(
        buffer,
        word[WORD.secondPtr],
        word[WORD.secondLen]
      )
    };
  }
  /** Milliseconds until the core wants a TIMER event; -1: it wants none. */
  deadline() {
    return this.#exports.tam_abi_deadline(this.#manager, this.#now());
  }
  /** Frees the manager; no other method may be called afterwards. */
  delete() {
    this.#exports.tam_abi_manager_del(this.#manager);
    this.#manager = 0;
  }
  /**
   * A view is made for each use: growing memory detaches older ones.
   * @param {number} ptr
   * @param {Uint8Array} bytes
   */
  #write(ptr, bytes) {
    new Uint8Array(this.#exports.memory.buffer, ptr).set(bytes);
  }
};
function numberOf(name) {
  return Number(ERRORS.find((error) => error.name === name)?.number);
}

// js-bindings/lazy-stream.js
function lazyStream(open) {
  let reader;
  return new ReadableStream({
    async pull(controller) {
      reader ??= (await open()).getReader();
      const { done, value } = await reader.read();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader?.cancel(reason)
  }, { highWaterMark: 0 });
}

// js-bindings/callback.js
function attempt(callback) {
  try {
    const result = callback();
    if (result instanceof Promise) result.catch(tell);
    return result;
  } catch (error) {
    tell(error);
    return void 0;
  }
}
function tell(error) {
  (globalThis.reportError ?? console.error)(error);
}

// js-bindings/chat/stored.js
async function downloadModel(loop, request, { modelId, dtype, revision }, signal, onProgress) {
  const end = await loop.run({
    action: "download",
    id: `load-${request}`,
    params: { modelId, dtype, revision }
  }, { signal, onProgress, isInner: true });
  if (end.code !== void 0) throw errorOfMessage(end, signal.reason);
  return {
    modelId: end.modelId,
    commit: end.commit,
    dtype: end.dtype,
    files: end.files.map((file) => file.path)
  };
}

// js-bindings/fetch.js
var INPUT_URL = "input:";
var READ_BYTES = 1 << 18;
var GATHERED_BYTES = 1 << 17;
var encoder = new TextEncoder();
function headerBlock(headers) {
  let block = "";
  for (const [name, value] of headers) {
    const line = `${name}: ${value}\r
`;
    if ((block.length + line.length) * 2 > CAPS.EVENT_PAYLOAD_MAX) continue;
    block += line;
  }
  return encoder.encode(block);
}
function headerPairs(block) {
  return block.split("\r\n").slice(0, -1).map((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
}
var Requests = class {
  #fetch;
  #report;
  /**
   * Bodies that are kept, by the numbers of their requests.
   * @type {Map<number, Blob>}
   */
  bodies = /* @__PURE__ */ new Map();
  /** @type {Map<number, AbortController>} */
  #inFlight = /* @__PURE__ */ new Map();
  /**
   * @param {typeof fetch} fetch
   * @param {(kind: number, event: import('./core.js').CoreEvent) => void}
   *   report
   */
  constructor(fetch2, report) {
    this.#fetch = fetch2;
    this.#report = report;
  }
  /** How many requests are in flight. */
  get size() {
    return this.#inFlight.size;
  }
  /**
   * Starts a request; returns at once.
   * @param {number} request
   * @param {string} url
   * @param {string} headers header block
   * @param {number} flags `FETCH_FLAG`s
   * @param {import('./archive.js').Input} [input] files that are handed in
   */
  start(request, url, headers, flags, input) {
    const controller = new AbortController();
    this.#inFlight.set(request, controller);
    const { signal } = controller;
    if (url.startsWith(INPUT_URL)) {
      this.#take(request, url.slice(INPUT_URL.length), headers, signal, input);
    } else {
      this.#run(request, url, headers, flags, signal);
    }
  }
  /**
   * Aborts a request; nothing more is reported about it.
   * @param {number} request
   */
  abort(request) {
    this.#inFlight.get(request)?.abort();
    this.#inFlight.delete(request);
    this.bodies.delete(request);
  }
  /** Aborts every request and forgets every body. */
  abortAll() {
    for (const request of [...this.#inFlight.keys()]) this.abort(request);
    this.bodies.clear();
  }
  /**
   * Answers a request from what is handed in, as a server would.
   * @param {number} request
   * @param {string} path
   * @param {string} headers
   * @param {AbortSignal} signal
   * @param {import('./archive.js').Input} [input]
   */
  async #take(request, path, headers, signal, input) {
    const range = /^range: bytes=(\d+)-(\d+)/m.exec(headers);
    const report = (kind, event = {}) => {
      if (!signal.aborted) this.#report(kind, { request, ...event });
    };
    try {
      const body = await input?.read(
        path,
        Number(range?.[1] ?? 0),
        range ? Number(range[2]) + 1 : void 0,
        signal
      );
      if (!body) throw new Error(`${path} was not handed in`);
      report(EVENT.HTTP_HEAD, { status: range ? 206 : 200 });
      if (!signal.aborted) this.bodies.set(request, body);
      report(EVENT.HTTP_END, { status: body.size });
    } catch (error) {
      report(EVENT.HTTP_FAIL, { payload: encoder.encode(reasonOf(error)) });
    } finally {
      if (!signal.aborted) this.#inFlight.delete(request);
    }
  }
  /**
   * @param {number} request
   * @param {string} url
   * @param {string} headers
   * @param {number} flags
   * @param {AbortSignal} signal
   */
  async #run(request, url, headers, flags, signal) {
    const report = (kind, event = {}) => {
      if (!signal.aborted) this.#report(kind, { request, ...event });
    };
    try {
      const fetch2 = this.#fetch;
      const response = await fetch2(url, {
        headers: headerPairs(headers),
        credentials: "omit",
        redirect: "follow",
        // What is kept here shall not lie in the browser's cache as well.
        cache: flags & FETCH_FLAG.KEEP ? "no-store" : "default",
        signal
      });
      report(EVENT.HTTP_HEAD, {
        status: response.status,
        payload: headerBlock(response.headers)
      });
      if (flags & FETCH_FLAG.KEEP) {
        const body = await (flags & FETCH_FLAG.WHOLE ? response.blob() : gatherBody(response, signal, report));
        if (!signal.aborted) this.bodies.set(request, body);
        report(EVENT.HTTP_END, { status: body.size });
        return;
      }
      await readBody(response, signal, (payload) => {
        report(EVENT.HTTP_DATA, { payload });
      });
      report(EVENT.HTTP_END);
    } catch (error) {
      report(EVENT.HTTP_FAIL, { payload: encoder.encode(reasonOf(error)) });
    } finally {
      if (!signal.aborted) this.#inFlight.delete(request);
    }
  }
};
async function gatherBody(response, signal, report) {
  const blobs = [];
  const gathered = new Uint8Array(GATHERED_BYTES);
  let size = 0;
  const seal = async () => {
    const blob = new Blob([gathered.subarray(0, size)]);
    await blob.slice(0, 1).arrayBuffer();
    blobs.push(blob);
    size = 0;
  };
  await readBody(response, signal, async (bytes) => {
    for (let at = 0; at < bytes.length; ) {
      const piece = bytes.subarray(at, at + GATHERED_BYTES - size);
      gathered.set(piece, size);
      size += piece.length;
      at += piece.length;
      if (size === GATHERED_BYTES) await seal();
    }
    report(EVENT.HTTP_KEPT, { status: bytes.length });
  });
  await seal();
  return new Blob(blobs);
}
async function readBody(response, signal, onBytes) {
  if (!response.body) return;
  const { reader, read } = readerOf(response.body);
  const stop = async () => {
    try {
      await reader.cancel();
    } catch {
    }
  };
  signal.addEventListener("abort", stop);
  try {
    while (!signal.aborted) {
      const { done, value } = await read();
      if (done) return;
      if (!(value instanceof Uint8Array)) {
        throw new TypeError("the body is not made of bytes");
      }
      await onBytes(value);
    }
  } finally {
    stop();
  }
}
function readerOf(body) {
  try {
    const reader = body.getReader({ mode: "byob" });
    let buffer = new ArrayBuffer(READ_BYTES);
    const read = async () => {
      const result = await reader.read(new Uint8Array(buffer));
      if (result.value) buffer = result.value.buffer;
      return result;
    };
    return { reader, read };
  } catch {
    const reader = body.getReader();
    return { reader, read: () => reader.read() };
  }
}
function reasonOf(error) {
  const cause = error?.cause?.message ?? error?.cause?.code;
  const reason = String(error?.message ?? error);
  return (cause ? `${reason}: ${cause}` : reason).slice(0, 500);
}

// js-bindings/jobs.js
var JOB_BYTES_MAX = 16 << 20;
var ENDED_BYTES_MAX = 16 << 20;
var ENDED_MAX = 64;
var PARTS = ["text", "batch", "items", "tokenIds", "models", "error"];
var JobLog = class {
  /** @type {Entry[]} in the order of their numbers */
  #entries = [];
  /** Of the latest that was forgotten for want of room. */
  #lostSeq = -1;
  /** @type {Set<() => void>} */
  #waiting = /* @__PURE__ */ new Set();
  /** @type {unknown} why there is no last message */
  #failure;
  lastSeq = -1;
  bytes = 0;
  /** @type {Job['state']} */
  state = "running";
  /**
   * @param {string} id
   * @param {string} kind
   */
  constructor(id, kind) {
    this.id = id;
    this.kind = kind;
  }
  /** @returns {Job} */
  describe() {
    const { id, kind, state, lastSeq } = this;
    return { id, kind, state, lastSeq };
  }
  /**
   * @param {Message} message
   * @param {number} size in bytes, about
   * @param {boolean} isLast
   */
  add(message, size, isLast) {
    const seq = message.seq ?? this.lastSeq + 1;
    const kind = isLast ? void 0 : stateOf(message);
    const last = this.#entries.at(-1);
    if (kind !== void 0 && last?.kind === kind) {
      this.bytes -= last.size;
      this.#entries.pop();
    }
    this.#entries.push({ seq, message, size, kind });
    this.bytes += size;
    this.lastSeq = seq;
    while (this.bytes > JOB_BYTES_MAX && this.#entries.length > 1) {
      const lost = (
        /** @type {Entry} */
        this.#entries.shift()
      );
      this.bytes -= lost.size;
      this.#lostSeq = lost.seq;
    }
    if (isLast) this.state = message.code === void 0 ? "done" : "failed";
    this.#wake();
  }
  /** @param {unknown} failure there will be no last message */
  fail(failure) {
    this.state = "failed";
    this.#failure = failure;
    this.#wake();
  }
  /**
   * Yields the messages behind `seq`, the last one of the job last.
   * @param {number} seq
   * @param {AbortSignal} [signal]
   * @returns {AsyncGenerator<Message, void, void>}
   */
  async *read(seq, signal) {
    while (true) {
      if (signal?.aborted) throw cancelled(signal.reason);
      if (seq < this.#lostSeq) {
        throw new TabAgentError("too_large", `messages of ${this.id} up to ${this.#lostSeq} are no longer kept`, { stage: "jobs" });
      }
      const entry = this.#entries[this.#behind(seq)];
      if (entry) {
        seq = entry.seq;
        yield entry.message;
      } else if (this.state === "running") {
        await this.#change(signal);
      } else {
        if (this.#failure !== void 0) throw this.#failure;
        return;
      }
    }
  }
  /**
   * The place of the first message behind `seq`.
   * @param {number} seq
   */
  #behind(seq) {
    let low = 0;
    for (let high = this.#entries.length; low < high; ) {
      const middle = low + high >> 1;
      if (this.#entries[middle].seq > seq) high = middle;
      else low = middle + 1;
    }
    return low;
  }
  /** @param {AbortSignal} [signal] */
  async #change(signal) {
    let wake = () => {
    };
    await new Promise((resolve) => {
      wake = resolve;
      this.#waiting.add(wake);
      signal?.addEventListener("abort", wake);
    });
    this.#waiting.delete(wake);
    signal?.removeEventListener("abort", wake);
  }
  #wake() {
    for (const wake of this.#waiting) wake();
  }
};
var JobLogs = class {
  /** @type {Map<string, JobLog>} those that have ended in the order of that */
  #logs = /* @__PURE__ */ new Map();
  /**
   * Begins the log of a job. Of two that run under one id the first has it.
   * @param {string} id
   * @param {string} kind
   * @returns {JobLog | undefined}
   */
  begin(id, kind) {
    if (this.#logs.get(id)?.state === "running") return void 0;
    const log = new JobLog(id, kind);
    this.#logs.set(id, log);
    return log;
  }
  /**
   * A job has ended: it becomes the latest of those.
   * @param {JobLog} log
   */
  end(log) {
    this.#logs.delete(log.id);
    this.#logs.set(log.id, log);
    const ended = [...this.#logs.values()].filter(({ state }) => state !== "running");
    let bytes = ended.reduce((sum, each) => sum + each.bytes, 0);
    let count = ended.length;
    for (const each of ended) {
      if (count <= ENDED_MAX && bytes <= ENDED_BYTES_MAX) break;
      this.#logs.delete(each.id);
      bytes -= each.bytes;
      count -= 1;
    }
  }
  /**
   * Forgets a job that was not even begun.
   * @param {JobLog} log
   */
  forget(log) {
    if (this.#logs.get(log.id) === log) this.#logs.delete(log.id);
  }
  /** @returns {Job[]} that have ended, the latest last */
  ended() {
    return [...this.#logs.values()].filter(({ state }) => state !== "running").map((log) => log.describe());
  }
  /**
   * @param {string} id
   * @param {number} seq
   * @param {AbortSignal} [signal]
   * @returns {AsyncGenerator<Message, void, void>}
   */
  async *read(id, seq, signal) {
    const log = this.#logs.get(id);
    if (!log) {
      throw new TabAgentError(
        "unknown_job",
        `there is no job "${id}"`,
        { stage: "jobs" }
      );
    }
    yield* log.read(seq, signal);
  }
};
function stateOf(message) {
  if (message.status === "error" || PARTS.some((name) => message[name] !== void 0)) return void 0;
  return `${message.action ?? message.type} ${message.status} ${message.phase} ${message.file}`;
}

// js-bindings/model-table.js
function decodeModels(bytes) {
  const words = new Uint32Array(
    bytes.buffer,
    bytes.byteOffset,
    bytes.byteLength >>> 2
  );
  const [rowCount, wordCount, stringCount, blobLength] = words;
  const offsetsAt = MODEL_TABLE_HEADER_WORDS + wordCount;
  const blobAt = (offsetsAt + stringCount) * 4;
  const table = new Table(words, MODEL_TABLE_HEADER_WORDS, readStrings(
    words.subarray(offsetsAt, offsetsAt + stringCount),
    bytes.subarray(blobAt, blobAt + blobLength)
  ));
  const models = new Array(rowCount);
  for (let i = 0; i < rowCount; i += 1) models[i] = new Model(table);
  return models;
}
function readStrings(ends, blob) {
  const decoder3 = new TextDecoder("utf-8", { ignoreBOM: true });
  const text = decoder3.decode(blob);
  const isAscii = text.length === blob.length;
  const strings = new Array(ends.length + 1);
  strings[0] = void 0;
  let start = 0;
  for (let i = 0; i < ends.length; i += 1) {
    const end = ends[i];
    strings[i + 1] = isAscii ? text.slice(start, end) : decoder3.decode(blob.subarray(start, end));
    start = end;
  }
  return strings;
}
var Table = class {
  /** @type {number} */
  at;
  #words;
  #strings;
  #numbers;
  /**
   * @param {Uint32Array} words
   * @param {number} at
   * @param {any[]} strings
   */
  constructor(words, at, strings) {
    this.#words = words;
    this.at = at;
    this.#strings = strings;
    this.#numbers = new DataView(words.buffer, words.byteOffset);
  }
  /** @param {number} field */
  word(field) {
    return this.#words[this.at + field];
  }
  /** @param {number} field */
  string(field) {
    return this.#strings[this.word(field)];
  }
  /** @param {number} field */
  number(field) {
    return this.#numbers.getFloat64((this.at + field) * 4, true);
  }
  /** @returns {number} the word here, and steps over it */
  take() {
    this.at += 1;
    return this.#words[this.at - 1];
  }
  /**
   * Takes a list, led by its length. (Array.from would take ten times longer,
   * and a growing array more memory than it needs.)
   * @returns {string[]}
   */
  takeStrings() {
    const list = new Array(this.take());
    for (let i = 0; i < list.length; i += 1) {
      list[i] = this.#strings[this.#words[this.at + i]];
    }
    this.at += list.length;
    return list;
  }
  /** @returns {ModelEntry['variants']} */
  takeVariants() {
    const list = new Array(this.take());
    for (let i = 0; i < list.length; i += 1) {
      list[i] = { dtype: DTYPES[this.take()], files: this.takeStrings() };
    }
    return list;
  }
};
function Model(row) {
  const id = row.string(MODEL_FIELD.ID);
  this.id = id;
  this.name = id.slice(id.indexOf("/") + 1);
  this.pipeline_tag = row.string(MODEL_FIELD.PIPELINE_TAG) ?? null;
  this.model_type = row.string(MODEL_FIELD.MODEL_TYPE) ?? null;
  this.architectures = null;
  this.classification = CLASSIFICATIONS[row.word(MODEL_FIELD.CLASSIFICATION)];
  this.confidence = CONFIDENCES[row.word(MODEL_FIELD.CONFIDENCE)];
  this.fetchStatus = FETCH_STATUSES[row.word(MODEL_FIELD.FETCH_STATUS)];
  this.gated = GATED[row.word(MODEL_FIELD.GATED)];
  this.downloads = row.number(MODEL_FIELD.DOWNLOADS);
  this.likes = row.number(MODEL_FIELD.LIKES);
  const license = row.string(MODEL_FIELD.LICENSE);
  if (license !== void 0) this.license = license;
  const parameters = row.number(MODEL_FIELD.PARAMETERS);
  if (parameters >= 0) this.parameters = parameters;
  const lastModified = row.number(MODEL_FIELD.LAST_MODIFIED);
  if (lastModified >= 0) this.lastModified = lastModified;
  const message = row.string(MODEL_FIELD.FETCH_MESSAGE);
  if (message !== void 0) {
    this.fetchError = fetchError(message, row.word(MODEL_FIELD.FETCH_STATUS_CODE));
  }
  row.at += MODEL_ROW_WORDS;
  const tags = row.takeStrings();
  if (tags.length > 0) this.tags = tags;
  const architectures = row.takeStrings();
  if (architectures.length > 0) this.architectures = architectures;
  this.why = row.takeStrings();
  this.variants = row.takeVariants();
}
Model.prototype = Object.prototype;
function fetchError(message, statusCode) {
  return statusCode === 0 ? { message } : { message, statusCode };
}

// js-bindings/opened-file.js
async function openStored(loop, id, file, signal) {
  let opened;
  const end = await loop.run({ action: "openFile", id, params: file }, {
    signal,
    onOpened: (blob) => {
      opened = blob;
    }
  });
  if (end.code !== void 0) throw errorOfMessage(end, signal?.reason);
  return (
    /** @type {Blob} */
    opened
  );
}

// js-bindings/request.js
var PIECE_CHARS = 65536;
var UNWRITABLE = ["bigint", "function", "symbol"];
function suppliedListing(message) {
  const params = message?.params ?? message;
  return Array.isArray(params?.listing) ? params.listing : void 0;
}
var CHAT_MEMBERS = ["messages", "message", "input"];
function splitChat(message) {
  if ((message?.action ?? message?.type) !== "generate") {
    return { rest: message };
  }
  const params = message.params ?? message;
  const name = CHAT_MEMBERS.find((member) => params[member] !== void 0);
  if (name === void 0) return { rest: message };
  const { [name]: chat, ...rest } = params;
  return {
    rest: params === message ? rest : { ...message, params: rest },
    chat: writeMessage(chat, void 0)
  };
}
function writeMessage(message, listing) {
  try {
    return JSON.stringify(message, (_key, value) => {
      if (listing !== void 0 && value === listing) return void 0;
      return UNWRITABLE.includes(typeof value) || isUnwritableNumber(value) ? String(value) : value;
    }) ?? "null";
  } catch (error) {
    throw new TabAgentError("malformed_message", `the message cannot be written as JSON: ${error}`, { cause: error });
  }
}
function isUnwritableNumber(value) {
  return typeof value === "number" && !Number.isFinite(value);
}
function* listingPieces(listing) {
  let text = "[";
  for (let i = 0; i < listing.length; i += 1) {
    text += (i === 0 ? "" : ",") + writeRow(listing[i], i);
    if (text.length >= PIECE_CHARS) {
      yield text;
      text = "";
    }
  }
  yield `${text}]`;
}
function writeRow(row, index) {
  try {
    return JSON.stringify(row) ?? "null";
  } catch (error) {
    throw new TabAgentError("invalid_params", `params.listing[${index}] cannot be written as JSON: ${error}`, { stage: "params", cause: error });
  }
}

// js-bindings/store/actions.js
var READ_BYTES2 = 1 << 18;
var encoder2 = new TextEncoder();
var waitingReaders = /* @__PURE__ */ new Set();
var SPARE_BUFFERS_MAX = 4;
var StoreActions = class {
  #openStore;
  #bodies;
  #report;
  /** @type {Promise<Store> | undefined} */
  #store;
  /** @type {Map<number, AbortController>} */
  #waiting = /* @__PURE__ */ new Map();
  /** @type {Map<number, () => void>} */
  #locks = /* @__PURE__ */ new Map();
  /** @type {Map<number, Uint8Array>} bytes that may be delivered */
  #read = /* @__PURE__ */ new Map();
  /** @type {Map<number, Blob>} files that operations have opened */
  #files = /* @__PURE__ */ new Map();
  /** @type {Map<number, BlobReader>} where operations stopped reading */
  #readers = /* @__PURE__ */ new Map();
  /** @type {ArrayBuffer[]} */
  #spare = [];
  /** @type {{ key: string, blob: Blob } | undefined} the content read last */
  #latest;
  /**
   * @param {() => Promise<Store>} openStore
   * @param {Map<number, Blob>} bodies of requests, by their numbers
   * @param {Report} report
   */
  constructor(openStore2, bodies, report) {
    this.#openStore = openStore2;
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
    const store = await this.#store?.catch(() => void 0);
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
    const report = (kind, event = {}) => {
      if (!signal.aborted) this.#report([[kind, { request, ...event }]]);
    };
    const changes = order.do === "write" && this.#changes(order.batch, bytes);
    try {
      const store = await this.#opened();
      const found = changes ? await this.#write(store, changes) : await this.#do(store, order, op, request, signal, report);
      this.#waiting.delete(request);
      report(EVENT.STORE_END, { status: found ? 1 : 0 });
    } catch (error) {
      this.#waiting.delete(request);
      report(EVENT.STORE_FAIL, { payload: encoder2.encode(reasonOf2(error)) });
    }
  }
  /** The store, which is opened again when that has failed. */
  async #opened() {
    const opening = this.#store ??= this.#openStore();
    try {
      return await opening;
    } catch (error) {
      if (this.#store === opening) this.#store = void 0;
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
    const data = (payload) => {
      report(EVENT.STORE_DATA, { payload });
    };
    switch (order.do) {
      case "get": {
        const value = await store.get(order.store, order.key);
        if (value) data(value);
        return value !== null;
      }
      case "list": {
        const entries2 = await store.list(order.store, order.prefix);
        if (signal.aborted) return true;
        this.#report(entries2.flatMap(({ key, bytes }) => (
          /** @type {Happening[]} */
          [
            [EVENT.STORE_KEY, {
              request,
              status: bytes.length,
              payload: encoder2.encode(key)
            }],
            [EVENT.STORE_DATA, { request, payload: bytes }]
          ]
        )));
        return true;
      }
      case "keys": {
        const keys = await store.keys(order.prefix);
        if (signal.aborted) return true;
        const { suffix = "" } = order;
        this.#report(keys.filter((key) => key.endsWith(suffix)).map((key) => (
          /** @type {Happening} */
          [EVENT.STORE_KEY, { request, payload: encoder2.encode(key) }]
        )));
        return true;
      }
      case "size": {
        const size = await store.size(order.key);
        if (size !== null) data(encoder2.encode(String(size)));
        return size !== null;
      }
      case "read":
        return (order.keep ? this.#readOn(store, order, op, request, signal, data) : this.#readContent(store, order, op, signal, data)).catch(absentWhenUnreadable);
      case "open": {
        const { blobs, lost } = await this.#contents(store, order);
        if (signal.aborted) return true;
        if (lost >= 0) data(encoder2.encode(String(lost)));
        else this.#files.set(op, new Blob(blobs));
        return lost < 0;
      }
      case "estimate":
        data(encoder2.encode(JSON.stringify(await store.estimate())));
        return true;
      case "lock": {
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
      ({ byteLength }) => byteLength === length
    );
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
    const lengths = Array.from(
      { length: Math.ceil(size / chunk) },
      (_, i) => Math.min(chunk, size - i * chunk)
    );
    const blobs = await Promise.all(lengths.map((_, i) => store.blob(prefix + i).catch(absentWhenUnreadable)));
    const lost = lengths.findIndex(
      (length, i) => !blobs[i] || blobs[i].size !== length
    );
    return { blobs: (
      /** @type {Blob[]} */
      blobs
    ), lost };
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
    let buffer = new ArrayBuffer(READ_BYTES2);
    for (let left = to - from; left > 0 && !signal.aborted; ) {
      const bytes = await reader.fill(
        left < buffer.byteLength ? new ArrayBuffer(left) : buffer,
        onBytes
      );
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
    return body === void 0 ? this.#blob(store, key) : this.#bodies.get(body);
  }
  /**
   * @param {Store} store
   * @param {string} key
   */
  async #blob(store, key) {
    if (this.#latest?.key !== key) {
      const blob = await store.blob(key);
      this.#latest = blob ? { key, blob } : void 0;
    }
    return this.#latest?.blob;
  }
  /**
   * @param {Store} store
   * @param {(Change | Move)[]} changes
   */
  async #write(store, changes) {
    this.#latest = void 0;
    for (const op of [...this.#readers.keys()]) this.#endReading(op);
    await store.write(await Promise.all(changes.map(async (change) => change.kind === "move" ? moved(store, change) : change)));
    return true;
  }
  /**
   * The batch with its bytes, which are copied: they are the core's.
   * @param {any[]} batch
   * @param {Uint8Array} bytes
   * @returns {(Change | Move)[]}
   */
  #changes(batch, bytes) {
    let at = 0;
    const next = (length) => {
      at += length;
      return bytes.slice(at - length, at);
    };
    return batch.map(({ kind, store, key, ...what }) => {
      switch (kind) {
        case "record":
          return { kind, store, key, bytes: next(what.bytes) };
        case "merge":
          return { kind, store, key, patch: next(what.bytes) };
        case "content":
          return what.from !== void 0 ? { kind: "move", key, from: what.from } : {
            kind,
            key,
            blob: this.#bodies.get(what.body) ?? new Blob([next(what.bytes ?? 0)], { type: what.type })
          };
        default:
          return { kind, store, key };
      }
    });
  }
};
var BlobReader = class {
  #reader;
  /**
   * @param {string} key
   * @param {Blob} blob
   * @param {number} at
   */
  constructor(key, blob, at) {
    this.key = key;
    this.at = at;
    this.#reader = (at === 0 ? blob : blob.slice(at)).stream().getReader({ mode: "byob" });
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
      for (let filled = 0; filled < buffer.byteLength; ) {
        const { done, value } = await this.#reader.read(
          new Uint8Array(buffer, filled)
        );
        if (done || !value) return void 0;
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
    this.#reader.cancel().catch(() => {
    });
  }
};
async function moved(store, { key, from }) {
  const blob = await store.blob(from);
  if (!blob) throw new Error(`there is nothing under ${from}`);
  return { kind: "content", key, blob };
}
function absentWhenUnreadable(error) {
  if (!["NotReadableError", "NotFoundError"].includes(error?.name)) throw error;
  return false;
}
function reasonOf2(error) {
  const name = typeof error?.code === "string" ? error.code : error?.name;
  const reason = String(error?.message ?? error);
  return (reason.startsWith(`${name}:`) ? reason : `${name}: ${reason}`).slice(0, 500);
}

// js-bindings/telemetry.js
function telemetryOf(message) {
  const meta = message.result?.meta ?? message.meta;
  if (!meta?.telemetry) return [];
  const { counters, configFetchMs } = meta.telemetry;
  return [
    ...entries("", counters, "count"),
    ...entries("configFetchMs.", configFetchMs, "ms").filter(({ name }) => name !== "configFetchMs.count"),
    ...entries("listChatModels.", { durationMs: meta.durationMs }, "ms")
  ];
}
function entries(prefix, numbers, unit) {
  return Object.entries(numbers).map(([name, value]) => ({ name: prefix + name, value, unit }));
}

// js-bindings/timer.js
var DELAY_MAX_MS = 2147483647;
var platformClock = {
  now: () => Math.floor(performance.timeOrigin + performance.now()),
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  clearTimeout: (handle) => clearTimeout(handle)
};
function guardedClock(clock) {
  return {
    now() {
      const ms = attempt(() => clock.now());
      return typeof ms === "number" && Number.isFinite(ms) ? ms : platformClock.now();
    },
    setTimeout(callback, ms) {
      const start = (by) => {
        const handle = by.setTimeout(callback, ms);
        return () => by.clearTimeout(handle);
      };
      return attempt(() => start(clock)) ?? start(platformClock);
    },
    clearTimeout: attempt
  };
}
var Timer = class {
  #clock;
  #fire;
  /** @type {unknown} */
  #handle = null;
  /**
   * @param {Clock} clock
   * @param {() => void} fire
   */
  constructor(clock, fire) {
    this.#clock = clock;
    this.#fire = fire;
  }
  /**
   * Replaces the pending call, if there is one.
   * @param {number} delayMs from now; a negative one only cancels
   */
  set(delayMs) {
    if (this.#handle !== null) this.#clock.clearTimeout(this.#handle);
    this.#handle = delayMs < 0 ? null : this.#clock.setTimeout(() => {
      this.#handle = null;
      this.#fire();
    }, Math.min(delayMs, DELAY_MAX_MS));
  }
};

// js-bindings/loop.js
var encoder3 = new TextEncoder();
var decoder = new TextDecoder();
var ANSWER = "generate";
var Loop = class {
  /** @type {import('./core.js').Core | null} */
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
  #jobs = /* @__PURE__ */ new Map();
  #logs = new JobLogs();
  #lastOp = 0;
  #draining = false;
  #closing = false;
  /** @type {TabAgentError | undefined} why the core is gone, unless disposed */
  #failure;
  /**
   * @param {import('./core.js').Core} core
   * @param {Outside} outside
   */
  constructor(core, outside) {
    const { fetch: fetch2, openStore: openStore2, clock, onMessage, telemetry } = outside;
    this.#outside = outside;
    this.#core = core;
    this.#onMessage = onMessage;
    this.#telemetry = telemetry;
    this.#isHeard = Boolean(onMessage || outside.journal);
    this.#journalFlag = outside.journal ? COMMAND_FLAG.JOURNAL : 0;
    if (outside.journal) this.life = `${crypto.randomUUID().slice(0, 8)}-`;
    this.#requests = new Requests(fetch2, (kind, event) => {
      this.#feed(kind, event);
    });
    this.#storage = new StoreActions(
      openStore2,
      this.#requests.bodies,
      (happenings) => {
        this.#turn((core2) => {
          for (const [kind, event] of happenings) core2.feed(kind, event);
        });
      }
    );
    this.#timer = new Timer(clock, () => {
      this.#feed(EVENT.TIMER);
    });
  }
  /**
   * Stands in ids, so that they are others than those of the life before, which
   * may go on.
   */
  life = "";
  /** Size of the core's memory; 0 when it is gone. */
  get memoryBytes() {
    return this.#core?.memoryBytes ?? 0;
  }
  /**
   * The operations that have not ended.
   * @param {boolean} [withEnded] and those of which the messages are kept
   * @returns {import('./types/index.d.ts').Job[]}
   */
  jobs(withEnded = false) {
    const running = [...this.#jobs.values()].map(({ id, kind, lastSeq }) => ({ id, kind, state: (
      /** @type {const} */
      "running"
    ), lastSeq }));
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
      onProgress,
      signal,
      onBytes,
      onOpened,
      onStart,
      rows,
      input,
      isInner
    } = options;
    if (this.#core === null || this.#closing) {
      throw new TabAgentError(
        "invalid_state",
        this.#failure?.message ?? "the manager was disposed",
        { cause: this.#failure?.cause }
      );
    }
    const { id, kind } = describe(message, this.#lastOp + 1);
    const isAborted = Boolean(signal?.aborted);
    if (isAborted && kind !== ANSWER) throw cancelled(signal?.reason);
    this.#lastOp += 1;
    const op = this.#lastOp;
    const cancel = () => {
      this.#feed(EVENT.CANCEL, { op });
    };
    signal?.addEventListener("abort", cancel);
    const log = this.#logs.begin(id, kind);
    try {
      return await new Promise((resolve, reject) => {
        this.#jobs.set(op, {
          id,
          kind,
          lastSeq: -1,
          tools: toolsOf(message),
          size: 0,
          log,
          onProgress,
          onBytes,
          onOpened,
          input,
          resolve,
          reject
        });
        onStart?.(
          () => this.#feed(EVENT.PULL, { op }),
          (buffer) => this.#storage.giveBack(buffer)
        );
        this.#send(op, message, (isInner ? 0 : this.#journalFlag) | (!onProgress && !this.#isHeard ? COMMAND_FLAG.QUIET : 0));
        if (rows) this.#sendListing(op, rows);
        if (isAborted) cancel();
      });
    } catch (error) {
      if (log?.state === "running") this.#logs.forget(log);
      this.#jobs.delete(op);
      cancel();
      throw error;
    } finally {
      signal?.removeEventListener("abort", cancel);
    }
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
    const { rest, chat } = splitChat(message);
    const payload = encoder3.encode(writeMessage(rest, listing));
    if (payload.length > CAPS.EVENT_PAYLOAD_MAX) {
      throw new TabAgentError(
        "too_large",
        `a request has at most ${CAPS.EVENT_PAYLOAD_MAX} bytes, this one ${payload.length}`,
        { stage: "request" }
      );
    }
    const flags = theseFlags | (listing || chat ? COMMAND_FLAG.LISTING : 0) | (this.#onMessage ? COMMAND_FLAG.BROADCAST : 0) | (this.#outside.isOutside ? COMMAND_FLAG.OUTSIDE : 0);
    const error = this.#feed(EVENT.COMMAND, { op, flags, payload });
    if (error < 0) throw errorOfNumber(error, "request");
    if (listing) this.#sendListing(op, listing);
    if (chat) {
      this.#feed(EVENT.LISTING_DATA, { op, payload: encoder3.encode(chat) });
      this.#feed(EVENT.LISTING_END, { op });
    }
  }
  /**
   * @param {number} op
   * @param {unknown[]} listing
   */
  #sendListing(op, listing) {
    try {
      for (const piece of listingPieces(listing)) {
        if (!this.#jobs.has(op)) return;
        this.#feed(EVENT.LISTING_DATA, { op, payload: encoder3.encode(piece) });
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
   * @param {(core: import('./core.js').Core) => T} tell
   * @returns {T | undefined}
   */
  #turn(tell2) {
    if (this.#core === null) return void 0;
    try {
      const result = tell2(this.#core);
      if (!this.#draining) this.#drain();
      return result;
    } catch (error) {
      this.#fail(error);
      return void 0;
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
          request,
          decoder.decode(first),
          decoder.decode(second),
          flags,
          this.#jobs.get(op)?.input
        );
        break;
      case ACTION.ABORT:
        this.#requests.abort(request);
        this.#storage.abort(request);
        if (this.#runtimeLoads) {
          this.#withRuntime((runtime) => runtime.abort(request));
        }
        break;
      case ACTION.RUNTIME: {
        const order = JSON.parse(decoder.decode(first));
        const bytes = second.slice();
        if (order.tools === true) order.tools = this.#jobs.get(op)?.tools;
        this.#withRuntime(
          (runtime) => runtime.start(request, order, bytes),
          (error) => this.#feed(EVENT.RUNTIME_FAIL, {
            request,
            payload: encoder3.encode(`runtime_failed: ${error}`)
          })
        );
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
        const [offset, length] = decoder.decode(first).split(" ").map(Number);
        const bytes = this.#storage.take(request, offset, length);
        if (bytes) {
          this.#jobs.get(op)?.onBytes?.(
            bytes,
            (flags & DELIVER_FLAG.LAST) !== 0
          );
        }
        break;
      }
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
  #withRuntime(use, fail = () => {
  }) {
    if (this.#runtime) {
      use(this.#runtime);
      return;
    }
    this.#runtimeLoads ??= this.#loadRuntime();
    this.#runtimeLoads.then((runtime) => {
      this.#runtime = runtime;
      use(runtime);
    }).catch((error) => {
      this.#runtimeLoads = void 0;
      fail(error);
    });
  }
  /** @returns {Promise<Runtime>} */
  async #loadRuntime() {
    const { ort, ortWasmPaths } = this.#outside;
    const { Runtime } = await import("./chat.js");
    return new Runtime({
      ort,
      ortWasmPaths,
      download: (...order) => downloadModel(this, ...order),
      open: (request, { modelId, commit, path }, signal) => openStored(
        this,
        `open-${request}`,
        { modelId, revision: commit, path },
        signal
      ),
      report: (kind, event) => this.#feed(kind, event)
    });
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
    const isTerminal = (flags & MESSAGE_FLAG.TERMINAL) !== 0;
    if (job?.models) (message.result ?? message).models = job.models;
    if (isTerminal && job?.failure) blame(message, job.failure);
    if (job) job.lastSeq = message.seq ?? job.lastSeq + 1;
    if (job?.log) {
      job.log.add(message, size + job.size, isTerminal);
      if (isTerminal) this.#logs.end(job.log);
    }
    const isAgain = (flags & MESSAGE_FLAG.AGAIN) !== 0;
    if (isTerminal || !isAgain) {
      this.#deliver(op, message, isTerminal, isAgain);
    }
  }
  /**
   * @param {number} op
   * @param {Message} message
   * @param {boolean} isTerminal
   * @param {boolean} isAgain
   */
  #deliver(op, message, isTerminal, isAgain) {
    const job = this.#jobs.get(op);
    if (isTerminal) {
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
    if (!isAgain) attempt(() => this.#onMessage?.(message));
  }
  /**
   * The core stopped in a trap, or speaks another language: nothing it says
   * from here on can be trusted.
   * @param {unknown} cause
   */
  #fail(cause) {
    this.#core = null;
    this.#failure = new TabAgentError(
      "internal",
      `the core stopped: ${cause}`,
      { cause }
    );
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
};
function describe(message, op) {
  return {
    id: String(message?.id ?? op),
    kind: String(message?.action ?? message?.type)
  };
}
function toolsOf(message) {
  return (message?.params ?? message)?.tools;
}
function blame(message, { code, stage, message: text }) {
  Object.assign(
    message,
    { code, stage, [message.type ? "error" : "message"]: text }
  );
}

// js-bindings/message-stream.js
async function* messageStream(start, signal) {
  yield yield* partStream(start, signal);
}
async function* partStream(start, signal) {
  const controller = new AbortController();
  const abort = () => controller.abort(signal?.reason);
  signal?.addEventListener("abort", abort);
  if (signal?.aborted) abort();
  const messages = [];
  let wake = () => {
  };
  let isRunning = true;
  const end = start({
    signal: controller.signal,
    onProgress(message) {
      messages.push(message);
      wake();
    }
  });
  const stop = () => {
    isRunning = false;
    wake();
  };
  end.then(stop, stop);
  try {
    while (isRunning || messages.length > 0) {
      if (messages.length === 0) {
        await new Promise((resolve) => {
          wake = resolve;
        });
      }
      yield* messages.splice(0);
    }
    return await end;
  } finally {
    signal?.removeEventListener("abort", abort);
    controller.abort();
  }
}

// js-bindings/store/errors.js
function storeError(name, message, cause) {
  const error = new Error(message, cause === void 0 ? void 0 : { cause });
  error.name = name;
  return error;
}
function closedError() {
  return storeError("ClosedError", "the store was closed");
}

// js-bindings/store/json-object.js
var encoder4 = new TextEncoder();
var decoder2 = new TextDecoder("utf-8", { fatal: true });
function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
function parseObject(text) {
  const value = JSON.parse(decoder2.decode(text));
  if (!isObject(value)) throw new TypeError("not the JSON text of an object");
  return value;
}
function formatObject(object) {
  return encoder4.encode(JSON.stringify(object));
}
function mergePatch(target, patch) {
  if (!isObject(patch)) return patch;
  const merged = new Map(isObject(target) ? Object.entries(target) : []);
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) merged.delete(name);
    else merged.set(name, mergePatch(merged.get(name), value));
  }
  return Object.fromEntries(merged);
}

// js-bindings/store/layout.js
var KEY_PATHS = {
  files: "url",
  manifest: "repo",
  inferenceSettings: "id"
};
var STORE_NAMES = (
  /** @type {StoreName[]} */
  Object.keys(KEY_PATHS)
);
var GET_BYTES_MAX = 1024 * 1024;
async function bytesOfBlob(blob) {
  if (blob.size > GET_BYTES_MAX) {
    throw storeError("TooLargeError", `content of more than ${GET_BYTES_MAX} bytes is not read at once, this has ${blob.size}`);
  }
  return new Uint8Array(await blob.arrayBuffer());
}
function readBatch(batch) {
  return batch.map((change) => {
    const store = change.kind === "content" ? "files" : change.store;
    if (!Object.hasOwn(KEY_PATHS, store) || typeof change.key !== "string") {
      throw new TypeError(`no place of the store: ${store}, ${change.key}`);
    }
    return { store, step: readChange(change, store) };
  });
}
function readChange(change, store) {
  const { kind, key } = change;
  switch (kind) {
    case "content":
      if (!(change.blob instanceof Blob)) throw new TypeError("not a Blob");
      return { kind, key, blob: change.blob };
    case "record":
      if (store === "files") return { kind, key, bytes: change.bytes.slice() };
      return objectStep(store, key, change.bytes, (_, value) => value);
    case "merge":
      if (store === "files") throw new TypeError("files hold no objects");
      return objectStep(store, key, change.patch, mergePatch);
    case "delete":
      return { kind, key };
    default:
      throw new TypeError(`no change of the store: ${kind}`);
  }
}
function objectStep(store, key, text, combine) {
  const value = parseObject(text);
  return {
    kind: "object",
    key,
    change: (old) => ({ ...combine(old, value), [KEY_PATHS[store]]: key })
  };
}

// js-bindings/store/database.js
var OPEN_ATTEMPTS_MAX = 5;
var Database = class {
  #factory;
  #name;
  /** @type {IDBDatabase | null} */
  #connection = null;
  /** @type {Promise<IDBDatabase> | null} */
  #opening = null;
  #isBlocked = false;
  #isClosed = false;
  /**
   * @param {IDBFactory | undefined} factory
   * @param {string} name
   */
  constructor(factory, name) {
    this.#factory = factory;
    this.#name = name;
  }
  /**
   * Runs one transaction. A connection that turns out to be closed is opened
   * again, once.
   * @template T
   * @param {string[]} stores
   * @param {IDBTransactionMode} mode
   * @param {(transaction: IDBTransaction, fail: (error: unknown) => void)
   *   => () => T} work makes the requests, and returns what makes the result
   *   when all is done; |fail| aborts the transaction
   * @returns {Promise<T>}
   */
  async transact(stores, mode, work) {
    const connection = await this.#open();
    try {
      return await this.#run(connection, stores, mode, work);
    } catch (error) {
      if (!isNotOpen(error)) throw error;
      this.#forget(connection);
    }
    const again = await this.#open();
    try {
      return await this.#run(again, stores, mode, work);
    } catch (error) {
      if (!isNotOpen(error)) throw error;
      this.#forget(again);
      throw storeError("ClosedError", "the browser closed the database", error);
    }
  }
  /** Closes for good. */
  close() {
    this.#isClosed = true;
    this.#connection?.close();
    this.#connection = null;
  }
  /**
   * @template T
   * @param {IDBDatabase} connection
   * @param {string[]} stores
   * @param {IDBTransactionMode} mode
   * @param {(transaction: IDBTransaction, fail: (error: unknown) => void)
   *   => () => T} work
   * @returns {Promise<T>}
   */
  #run(connection, stores, mode, work) {
    return new Promise((resolve, reject) => {
      const transaction = connection.transaction(
        stores,
        mode,
        { durability: "strict" }
      );
      let failure;
      const fail = (error) => {
        failure ??= error;
        transaction.abort();
      };
      let result = () => (
        /** @type {T} */
        void 0
      );
      transaction.oncomplete = () => {
        try {
          resolve(result());
        } catch (error) {
          reject(error);
        }
      };
      transaction.onabort = () => {
        reject(failure ?? reasonOf3(transaction.error));
      };
      try {
        result = work(transaction, fail);
      } catch (error) {
        fail(error);
      }
    });
  }
  /** @returns {Promise<IDBDatabase>} */
  async #open() {
    if (this.#isClosed) throw closedError();
    if (this.#connection) return this.#connection;
    if (this.#isBlocked) throw blockedError();
    this.#opening ??= this.#connect().finally(() => {
      this.#opening = null;
    });
    return this.#opening;
  }
  /**
   * Opens whatever version there is, and adds the object stores that are
   * missing; nothing else is touched.
   */
  async #connect() {
    let version;
    for (let attempt2 = 0; attempt2 < OPEN_ATTEMPTS_MAX; attempt2 += 1) {
      const connection = await this.#request(version);
      if (!connection) {
        version = void 0;
        continue;
      }
      if (hasAllStores(connection)) return this.#adopt(connection);
      version = connection.version + 1;
      connection.close();
    }
    throw storeError("UnavailableError", "the database keeps changing");
  }
  /**
   * @param {number} [version]
   * @returns {Promise<IDBDatabase | null>} null when the database has a
   *   higher version than that by now
   */
  #request(version) {
    return new Promise((resolve, reject) => {
      const request = this.#openRequest(version);
      request.onupgradeneeded = () => addStores(request.result);
      request.onblocked = () => {
        this.#isBlocked = true;
        reject(blockedError());
      };
      request.onsuccess = () => {
        if (this.#isBlocked) this.#adopt(request.result);
        this.#isBlocked = false;
        resolve(request.result);
      };
      request.onerror = () => {
        this.#isBlocked = false;
        const { error } = request;
        if (error?.name === "VersionError") resolve(null);
        else if (error?.name === "QuotaExceededError") reject(error);
        else reject(unavailableError(error));
      };
    });
  }
  /** @param {number} [version] */
  #openRequest(version) {
    if (!this.#factory) throw unavailableError("there is no IndexedDB");
    try {
      return this.#factory.open(this.#name, version);
    } catch (error) {
      throw unavailableError(error);
    }
  }
  /** @param {IDBDatabase} connection */
  #adopt(connection) {
    if (this.#isClosed) connection.close();
    connection.onversionchange = () => {
      connection.close();
      this.#forget(connection);
    };
    connection.onclose = () => this.#forget(connection);
    this.#connection = connection;
    return connection;
  }
  /** @param {IDBDatabase} connection */
  #forget(connection) {
    if (this.#connection === connection) this.#connection = null;
  }
};
function hasAllStores(database) {
  return STORE_NAMES.every((name) => database.objectStoreNames.contains(name));
}
function addStores(database) {
  for (const name of STORE_NAMES) {
    if (database.objectStoreNames.contains(name)) continue;
    database.createObjectStore(name, { keyPath: KEY_PATHS[name] });
  }
}
function isNotOpen(error) {
  return error?.name === "InvalidStateError";
}
function reasonOf3(error) {
  return error && error.name !== "AbortError" ? error : storeError(
    "ClosedError",
    "the browser closed the database",
    error
  );
}
function blockedError() {
  return storeError(
    "BlockedError",
    "another tab keeps an older version of the database open"
  );
}
function unavailableError(cause) {
  return storeError(
    "UnavailableError",
    `IndexedDB cannot be used: ${cause?.message ?? cause}`,
    cause
  );
}

// js-bindings/store/locks.js
var queues = /* @__PURE__ */ new Map();
async function acquireInRealm(name, signal) {
  signal.throwIfAborted();
  const before = queues.get(name);
  let release = () => {
  };
  const released = new Promise((resolve) => {
    release = resolve;
  });
  const end = Promise.resolve(before).then(() => released);
  queues.set(name, end);
  end.then(() => {
    if (queues.get(name) === end) queues.delete(name);
  });
  try {
    if (before) await untilAborted(before, signal);
    return release;
  } catch (error) {
    release();
    throw error;
  }
}
function acquireFrom(locks) {
  return (name, signal) => new Promise((resolve, reject) => {
    locks.request(name, { signal }, () => new Promise((release) => {
      resolve(() => release(void 0));
    })).catch(reject);
  });
}
function untilAborted(promise, signal) {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort);
    promise.then(resolve, reject).finally(() => {
      signal.removeEventListener("abort", abort);
    });
  });
}
var Locks = class {
  #acquire;
  /** @type {Set<Release>} */
  #held = /* @__PURE__ */ new Set();
  #closing = new AbortController();
  /** @param {Acquire} acquire */
  constructor(acquire) {
    this.#acquire = acquire;
  }
  /**
   * @param {string} name
   * @param {AbortSignal} [signal]
   * @returns {Promise<Release>}
   */
  async lock(name, signal) {
    const either = new AbortController();
    const sources = [this.#closing.signal, ...signal ? [signal] : []];
    const aborts = sources.map((source) => {
      const abort = () => either.abort(source.reason);
      if (source.aborted) abort();
      source.addEventListener("abort", abort);
      return () => source.removeEventListener("abort", abort);
    });
    try {
      const free = await this.#acquire(name, either.signal);
      const release = () => {
        if (this.#held.delete(release)) free();
      };
      this.#held.add(release);
      if (either.signal.aborted) {
        release();
        throw either.signal.reason;
      }
      return release;
    } finally {
      for (const stop of aborts) stop();
    }
  }
  /** Releases all that are held and ends every wait for one. */
  close() {
    this.#closing.abort(closedError());
    for (const release of [...this.#held]) release();
  }
};

// js-bindings/store/indexed-db.js
var DATABASE = "TabAgentModels";
var IndexedDbStore = class {
  #database;
  #locks;
  /** @type {Read[]} what was asked for since the microtask began */
  #reads = [];
  /** @param {IDBFactory | undefined} indexedDB */
  constructor(indexedDB) {
    this.#database = new Database(indexedDB, DATABASE);
    const { locks } = globalThis.navigator ?? {};
    this.#locks = new Locks(locks ? acquireFrom(locks) : acquireInRealm);
  }
  /** @type {Store['get']} */
  async get(store, key) {
    const entry = await this.#read(store, (objects) => objects.get(key));
    const blob = blobOf(entry);
    if (store === "files" && blob) return bytesOfBlob(blob);
    return bytesOf(store, entry);
  }
  /** @type {Store['list']} */
  async list(store, prefix) {
    const entries2 = await this.#read(
      store,
      (objects) => objects.getAll(rangeOf(prefix))
    );
    return entries2.flatMap((entry) => {
      const bytes = bytesOf(store, entry);
      return bytes ? [{ key: entry[KEY_PATHS[store]], bytes }] : [];
    });
  }
  /** @type {Store['keys']} */
  async keys(prefix) {
    return this.#read("files", (files) => files.getAllKeys(rangeOf(prefix)));
  }
  /** @type {Store['size']} */
  async size(key) {
    return (await this.blob(key))?.size ?? null;
  }
  /** @type {Store['blob']} */
  async blob(key) {
    return blobOf(await this.#read("files", (files) => files.get(key)));
  }
  /** @type {Store['write']} */
  async write(batch) {
    const steps = readBatch(batch);
    const stores = [...new Set(steps.map(({ store }) => store))];
    if (stores.length === 0) return;
    await this.#database.transact(stores, "readwrite", (transaction, fail) => {
      takeSteps(transaction, steps, fail);
      return () => {
      };
    });
  }
  /** @type {Store['estimate']} */
  async estimate() {
    const { storage } = globalThis.navigator ?? {};
    const { usage, quota } = await storage?.estimate?.() ?? {};
    const persisted = await storage?.persisted?.();
    return {
      usage: usage ?? null,
      quota: quota ?? null,
      persisted: persisted ?? null
    };
  }
  /** @type {Store['lock']} */
  async lock(name, signal) {
    return this.#locks.lock(`${DATABASE}:${name}`, signal);
  }
  /** @type {Store['close']} */
  close() {
    this.#locks.close();
    this.#database.close();
  }
  /**
   * What is asked for at once shares a transaction, whose beginning and end
   * take longer than a read.
   * @param {string} store
   * @param {(objects: IDBObjectStore) => IDBRequest<any>} ask
   * @returns {Promise<any>}
   */
  #read(store, ask) {
    return new Promise((resolve, reject) => {
      this.#reads.push({ store, ask, resolve, reject });
      if (this.#reads.length === 1) {
        queueMicrotask(() => this.#readAll(this.#reads.splice(0)));
      }
    });
  }
  /** @param {Read[]} reads */
  async #readAll(reads) {
    const stores = [...new Set(reads.map(({ store }) => store))];
    try {
      const results = await this.#database.transact(
        stores,
        "readonly",
        (transaction) => {
          const requests = reads.map(
            ({ store, ask }) => ask(transaction.objectStore(store))
          );
          return () => requests.map(({ result }) => result);
        }
      );
      for (const [i, { resolve }] of reads.entries()) resolve(results[i]);
    } catch (error) {
      for (const { reject } of reads) reject(error);
    }
  }
};
function takeSteps(transaction, steps, fail) {
  for (const [i, { store, step }] of steps.entries()) {
    const objects = transaction.objectStore(store);
    if (step.kind === "object") {
      const request = objects.get(step.key);
      request.onsuccess = () => {
        try {
          objects.put(step.change(request.result));
          takeSteps(transaction, steps.slice(i + 1), fail);
        } catch (error) {
          fail(error);
        }
      };
      return;
    }
    if (step.kind === "delete") objects.delete(step.key);
    else objects.put(entryOf(step));
  }
}
function entryOf(step) {
  return step.kind === "content" ? { url: step.key, blob: step.blob } : {
    url: step.key,
    blob: { size: step.bytes.length, type: "application/octet-stream" },
    record: step.bytes
  };
}
function blobOf(entry) {
  return entry?.blob instanceof Blob ? entry.blob : null;
}
function bytesOf(store, entry) {
  if (store !== "files") return entry ? formatObject(entry) : null;
  return entry?.record instanceof Uint8Array ? entry.record : null;
}
function rangeOf(prefix) {
  const stem = prefix.replace(/\uffff+$/, "");
  if (stem === "") return IDBKeyRange.lowerBound(prefix);
  const next = stem.slice(0, -1) + String.fromCharCode(stem.charCodeAt(stem.length - 1) + 1);
  return IDBKeyRange.bound(prefix, next, false, true);
}

// js-bindings/store/index.js
async function openStore({ dataDir, indexedDB }) {
  if (dataDir === void 0) {
    return new IndexedDbStore(indexedDB ?? platformFactory());
  }
  const { DiskStore } = await import(
    /* webpackIgnore: true */
    "./disk-store.js"
  );
  return new DiskStore(dataDir);
}
function platformFactory() {
  try {
    return globalThis.indexedDB;
  } catch {
    return void 0;
  }
}

// js-bindings/options.js
var HUB_URL = "https://huggingface.co";
var SEED_BYTES = 16;
var MANAGER_CHECKS = {
  wasm: (value) => !isWasmSource(value) && "a URL, a string, a BufferSource or a WebAssembly.Module",
  hubUrl: (value) => !addressOf(value) && "an http or https address",
  mirrors: (value) => !(Array.isArray(value) && value.every(addressOf)) && "an array of http or https addresses",
  dataDir: (value) => (typeof value !== "string" || value === "") && "the path of a directory",
  fetch: (value) => typeof value !== "function" && "a function",
  indexedDB: () => false,
  ort: (value) => !["object", "function"].includes(typeof value) && "the module onnxruntime-web or a function that brings it",
  ortWasmPaths: (value) => !["object", "string"].includes(typeof value) && "a string or an object, as onnxruntime-web takes it",
  clock: (value) => !isClock(value) && "an object with the functions now, setTimeout and clearTimeout",
  seed: (value) => !isSeed(value) && "an integer or 16 bytes",
  onMessage: (value) => typeof value !== "function" && "a function",
  telemetry: (value) => typeof value !== "function" && "a function",
  journal: (value) => typeof value !== "boolean" && "true or false"
};
var STREAM_CHECKS = {
  signal: (value) => value !== null && !isSignal(value) && "an AbortSignal"
};
var CALL_CHECKS = {
  ...STREAM_CHECKS,
  onProgress: (value) => value !== null && typeof value !== "function" && "a function"
};
var TOKEN_CHECKS = {
  ...STREAM_CHECKS,
  onToken: CALL_CHECKS.onProgress
};
function check(options, checks) {
  if (typeof options !== "object" || options === null) {
    throw optionError(`options: expected an object, got ${quote(options)}`);
  }
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(checks, name)) {
      throw optionError(`there is no option "${name}"`);
    }
    const expected = value !== void 0 && checks[name](value);
    if (expected) {
      throw optionError(
        `option ${name}: expected ${expected}, got ${quote(value)}`
      );
    }
  }
  return options;
}
function readCallOptions(options = {}) {
  return check(options, CALL_CHECKS);
}
function readTokenOptions(options = {}) {
  const { onToken, signal } = check(options, TOKEN_CHECKS);
  return { onProgress: onToken, signal };
}
function readScope(scope = {}) {
  if (typeof scope !== "object" || scope === null) {
    throw optionError(`scope: expected an object, got ${quote(scope)}`);
  }
  const { modelId, dtype } = scope;
  return { modelId, dtype };
}
function splitOptions(options = {}) {
  if (typeof options !== "object" || options === null) {
    throw optionError(`options: expected an object, got ${quote(options)}`);
  }
  const { onProgress, signal, ...rest } = options;
  return { call: check({ onProgress, signal }, CALL_CHECKS), rest };
}
function readJobsOptions(options = {}) {
  return Boolean(check(options, {
    ended: (value) => typeof value !== "boolean" && "true or false"
  }).ended);
}
function checkSubscription(jobId, fromSeq) {
  if (typeof jobId !== "string") {
    throw optionError(`jobId: expected a string, got ${quote(jobId)}`);
  }
  if (!Number.isInteger(fromSeq)) {
    throw optionError(`fromSeq: expected an integer, got ${quote(fromSeq)}`);
  }
}
function readStreamOptions(options = {}) {
  return check(options, STREAM_CHECKS);
}
function readOptions(options) {
  check(options, MANAGER_CHECKS);
  return {
    wasm: options.wasm,
    hubUrl: addressOf(options.hubUrl ?? HUB_URL) ?? "",
    mirrors: (options.mirrors ?? []).map((url) => addressOf(url) ?? ""),
    fetch: options.fetch ?? platformFetch,
    openStore: () => openStore(options),
    isOutside: areBodiesOutside(),
    ort: options.ort,
    ortWasmPaths: options.ortWasmPaths,
    clock: options.clock ? guardedClock(options.clock) : platformClock,
    seed: seedBytes(options.seed),
    onMessage: options.onMessage,
    telemetry: options.telemetry,
    journal: options.journal
  };
}
function areBodiesOutside() {
  const { process } = (
    /** @type {any} */
    globalThis
  );
  return !process?.versions?.node;
}
var platformFetch = (...args) => globalThis.fetch(...args);
function addressOf(value) {
  try {
    return typeof value === "string" || value instanceof URL ? new URL(value).href.replace(/\/+$/, "") : void 0;
  } catch {
    return void 0;
  }
}
function isSignal(value) {
  return typeof value.aborted === "boolean" && typeof value.addEventListener === "function";
}
function isWasmSource(value) {
  return typeof value === "string" || value instanceof URL || value instanceof WebAssembly.Module || value instanceof ArrayBuffer || ArrayBuffer.isView(value);
}
function isClock(value) {
  return ["now", "setTimeout", "clearTimeout"].every((name) => typeof value?.[name] === "function");
}
function isSeed(value) {
  return Number.isSafeInteger(value) || value instanceof Uint8Array && value.length === SEED_BYTES;
}
function seedBytes(seed) {
  if (seed === void 0) {
    return crypto.getRandomValues(new Uint8Array(SEED_BYTES));
  }
  if (typeof seed !== "number") return seed;
  const bytes = new Uint8Array(SEED_BYTES);
  new DataView(bytes.buffer).setBigInt64(0, BigInt(seed), true);
  return bytes;
}
function checkResponse(response) {
  if (!(response instanceof Response) || !response.ok || response.bodyUsed) {
    throw optionError(`response: expected a Response that is ok and not read, got ${response instanceof Response ? `one of status ${response.status}` : quote(response)}`);
  }
}
function checkImportSource(source) {
  const isFine = source instanceof ReadableStream || source instanceof Blob || Array.isArray(source) && source.length > 0 && source.every((file) => file instanceof Blob && "name" in file);
  if (!isFine) {
    throw optionError(`source: expected a ReadableStream, a Blob or an array of Files, got ${quote(source)}`);
  }
}
function quote(value) {
  if (typeof value === "string") return `"${value.slice(0, 100)}"`;
  if (value === null || typeof value !== "object") {
    return `${typeof value} ${String(value)}`.slice(0, 100);
  }
  return value instanceof Uint8Array ? `${value.length} bytes` : `a ${value.constructor?.name ?? "object"}`;
}
function optionError(message) {
  return new TabAgentError("invalid_argument", message, { stage: "options" });
}

// js-bindings/served-file.js
var BLOCKS_AHEAD = 2;
function wantedOf(input, init) {
  const request = typeof input === "object" && input !== null && "url" in input ? input : void 0;
  const headers = new Headers(init?.headers ?? request?.headers);
  const [, hfToken] = /^Bearer ([\x21-\x7e]+)$/i.exec(headers.get("authorization") ?? "") ?? [];
  return {
    url: absolute(request?.url ?? String(input)),
    method: (init?.method ?? request?.method ?? "GET").toUpperCase(),
    range: headers.get("range") ?? void 0,
    ifNoneMatch: headers.get("if-none-match") ?? void 0,
    ifRange: headers.get("if-range") ?? void 0,
    hfToken
  };
}
function absolute(url) {
  try {
    return new URL(url, globalThis.location?.href).href;
  } catch {
    return url;
  }
}
function serveFile(loop, id, wanted, signal, input) {
  return new Promise((resolve, reject) => {
    const body = new ServedBody(signal);
    loop.run({ action: "fetchFile", id, params: wanted }, {
      signal: body.signal,
      input,
      onStart: (pull, giveBack) => body.begin(pull, giveBack),
      onProgress: (head) => resolve(responseOf(
        head,
        wanted.method === "HEAD" || head.status >= 300 ? null : body
      )),
      onBytes: (bytes, isLast) => body.take(bytes, isLast)
    }).then((end) => {
      if (end.code !== void 0) {
        throw errorOfMessage(end, signal?.reason);
      }
      if (end.outcome === "absent") resolve(absentResponse());
      else if (end.outcome !== "file") resolve(end.outcome);
      body.end();
    }).catch((error) => {
      const reason = signal?.aborted ? signal.reason : error;
      body.fail(reason);
      reject(reason);
    });
  });
}
var ServedBody = class {
  #stop = new AbortController();
  /** @type {ReadableByteStreamController | undefined} */
  #controller;
  #pull = () => {
  };
  /** @type {(buffer: ArrayBuffer) => void} */
  #giveBack = () => {
  };
  /** @type {Uint8Array<ArrayBuffer>[]} in order */
  #blocks = [];
  #asked = 0;
  #isEnded = false;
  #isOver = false;
  /** Called when there is something for a reader that waits. */
  #wake = () => {
  };
  /** @param {AbortSignal | null} [signal] of the caller */
  constructor(signal) {
    const stop = () => this.#stop.abort(signal?.reason);
    if (signal?.aborted) stop();
    else signal?.addEventListener("abort", stop, { signal: this.signal });
  }
  /** Aborted when nobody wants the file any more. */
  get signal() {
    return this.#stop.signal;
  }
  /**
   * @param {() => void} pull asks the core for a block
   * @param {(buffer: ArrayBuffer) => void} giveBack
   */
  begin(pull, giveBack) {
    this.#pull = pull;
    this.#giveBack = giveBack;
  }
  /** @returns {ReadableStream<Uint8Array>} */
  stream() {
    return new ReadableStream({
      type: "bytes",
      start: (controller) => {
        this.#controller = controller;
      },
      pull: () => this.#read(),
      cancel: (reason) => this.#stop.abort(reason)
    }, { highWaterMark: 0 });
  }
  /**
   * @param {Uint8Array} bytes
   * @param {boolean} isLast
   */
  take(bytes, isLast) {
    this.#blocks.push(
      /** @type {Uint8Array<ArrayBuffer>} */
      bytes
    );
    this.#asked -= 1;
    if (isLast) this.end();
    else this.#ask();
    this.#wake();
  }
  end() {
    this.#isEnded = true;
    if (this.#blocks.length === 0) this.#close();
    this.#wake();
  }
  /** @param {unknown} reason */
  fail(reason) {
    if (!this.#isOver) this.#controller?.error(reason);
    this.#isOver = true;
    this.#wake();
  }
  /** One block is asked for at a time. */
  #ask() {
    if (this.#asked > 0 || this.#isEnded || this.#blocks.length >= BLOCKS_AHEAD) return;
    this.#asked += 1;
    this.#pull();
  }
  /** Gives a reader what is there, or as soon as something is. */
  async #read() {
    this.#ask();
    while (this.#blocks.length === 0 && !this.#isOver) {
      await new Promise((resolve) => {
        this.#wake = resolve;
      });
    }
    const [block] = this.#blocks;
    if (!block) return;
    const { view } = this.#controller?.byobRequest ?? {};
    if (!view) {
      this.#blocks.shift();
      this.#controller?.enqueue(block);
    } else if (isSwappable(view, block)) {
      this.#blocks.shift();
      this.#controller?.byobRequest?.respondWithNewView(block);
      this.#giveBack(
        /** @type {ArrayBuffer} */
        view.buffer
      );
    } else {
      this.#copy(block, view);
    }
    if (this.#isEnded && this.#blocks.length === 0) this.#close();
    else this.#ask();
  }
  /**
   * Into the reader's own memory; ours is used again.
   * @param {Uint8Array<ArrayBuffer>} block
   * @param {ArrayBufferView} view
   */
  #copy(block, view) {
    const length = Math.min(block.length, view.byteLength);
    new Uint8Array(view.buffer, view.byteOffset, length).set(block.subarray(0, length));
    if (length < block.length) {
      this.#blocks[0] = block.subarray(length);
    } else {
      this.#blocks.shift();
      this.#giveBack(block.buffer);
    }
    this.#controller?.byobRequest?.respond(length);
  }
  #close() {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#controller?.close();
    this.#controller?.byobRequest?.respond(0);
  }
};
function isSwappable(view, block) {
  const { byteLength } = view.buffer;
  return view.byteLength === byteLength && block.byteLength === byteLength && block.buffer.byteLength === byteLength;
}
function responseOf({ status, headers }, body) {
  const length = Number(headers["content-length"] ?? 0);
  const response = new Response(body?.stream() ?? null, {
    status,
    headers: (
      /** @type {Record<string, string>} */
      headers
    )
  });
  if (body) {
    Object.defineProperty(response, "arrayBuffer", {
      value: () => gather(response, length)
    });
  }
  return response;
}
async function gather(response, length) {
  if (response.bodyUsed || !response.body) {
    throw new TypeError("the body was read already");
  }
  let whole = new ArrayBuffer(length);
  const reader = response.body.getReader({ mode: "byob" });
  for (let at = 0; at < length; ) {
    const { done, value } = await reader.read(new Uint8Array(whole, at));
    if (done) throw new TypeError("the body is too short");
    at += value.length;
    whole = value.buffer;
  }
  return whole;
}
function absentResponse() {
  return new Response("Entry not found", {
    status: 404,
    headers: { "x-error-code": "EntryNotFound" }
  });
}

// js-bindings/stream-input.js
var StreamInput = class {
  #reader;
  #at = 0;
  /** @type {Uint8Array} */
  #rest = new Uint8Array(0);
  /** @param {ReadableStream<Uint8Array> | null} stream null: there is nothing */
  constructor(stream) {
    this.#reader = stream?.getReader();
  }
  /**
   * The bytes from `from` on, which is not before the end of an earlier part,
   * to `to` or to the end.
   * @param {number} from
   * @param {number} [to]
   */
  async read(from, to = Infinity) {
    const parts = [];
    while (this.#at < to) {
      const bytes = await this.#next(
        this.#at < from ? from - this.#at : to - this.#at
      );
      if (!bytes) break;
      if (this.#at >= from) {
        parts.push(
          /** @type {Uint8Array<ArrayBuffer>} */
          bytes
        );
      }
      this.#at += bytes.length;
    }
    return new Blob(parts);
  }
  async close() {
    await this.#reader?.cancel();
  }
  /** @param {number} most */
  async #next(most) {
    while (this.#rest.length === 0) {
      const { done, value } = await this.#reader?.read() ?? { done: true };
      if (done || !value) return void 0;
      this.#rest = value;
    }
    const bytes = this.#rest.subarray(0, most);
    this.#rest = this.#rest.subarray(bytes.length);
    return bytes;
  }
};

// js-bindings/model-manager.js
async function createModelManager(options = {}) {
  const { wasm, hubUrl, mirrors, seed, ...outside } = readOptions(options);
  const exports = await loadCore(wasm);
  const now = () => outside.clock.now();
  const core = new Core(exports, { hubUrl, mirrors, seed, now });
  return new ModelManager(new Loop(core, outside), hubUrl, outside.fetch);
}
var ModelManager = class {
  #loop;
  #hubUrl;
  #fetch;
  #lastId = 0;
  /**
   * @param {Loop} loop
   * @param {string} hubUrl
   * @param {typeof fetch} fetch for what is not the store's business
   */
  constructor(loop, hubUrl, fetch2) {
    this.#loop = loop;
    this.#hubUrl = hubUrl;
    this.#fetch = fetch2;
    this.fetch = this.fetch.bind(this);
    this.cache = {
      match: this.#match.bind(this),
      put: this.#put.bind(this)
    };
  }
  /** @type {Manager['listChatModels']} */
  async listChatModels(params, options) {
    const { models, meta } = await this.#listChatModels(
      params,
      readCallOptions(options)
    );
    return { models, meta };
  }
  /** @type {Manager['listChatModelsStream']} */
  async *listChatModelsStream(params, options) {
    const { signal } = readStreamOptions(options);
    yield* messageStream(
      (inner) => this.#listChatModels(params, inner),
      signal
    );
  }
  /** @type {Manager['plan']} */
  plan(modelId, options) {
    return this.#ask("plan", { modelId }, options);
  }
  /** @type {Manager['download']} */
  download(modelId, options) {
    return this.#ask("download", { modelId }, options);
  }
  /** @type {Manager['models']} */
  async models() {
    return (await this.#ask("models")).models;
  }
  /** @type {Manager['deleteModel']} */
  async deleteModel(modelId, options) {
    await this.#ask("deleteModel", { modelId }, options);
  }
  /** @type {Manager['verifyModel']} */
  verifyModel(modelId, options) {
    return this.#ask("verifyModel", { modelId }, options);
  }
  /** @type {Manager['pinModel']} */
  async pinModel(modelId, pinned) {
    await this.#ask("pinModel", { modelId, pinned });
  }
  /** @type {Manager['checkForUpdate']} */
  checkForUpdate(modelId, options) {
    return this.#ask("checkForUpdate", { modelId }, options);
  }
  /** @type {Manager['updateModel']} */
  updateModel(modelId, options) {
    return this.#ask("updateModel", { modelId }, options);
  }
  /** @type {Manager['rollbackModel']} */
  rollbackModel(modelId) {
    return this.#ask("rollbackModel", { modelId });
  }
  /** @type {Manager['exportModel']} */
  exportModel(modelId, options) {
    return lazyStream(async () => {
      const { writeArchive } = await import("./archive.js");
      const model = await this.#ask("exportModel", { modelId }, options);
      return writeArchive(model, (path) => this.#openStored(model, path));
    });
  }
  /** @type {Manager['importModel']} */
  async importModel(source, options) {
    checkImportSource(source);
    const { archiveOf, FilesInput, readArchive } = await import("./archive.js");
    const archive = archiveOf(source);
    if (!archive) {
      const input2 = new FilesInput(
        /** @type {File[]} */
        source
      );
      return this.#ask(
        "importFiles",
        { input: true },
        options,
        { input: input2, rows: input2.rows }
      );
    }
    const { description, input } = await readArchive(archive);
    const { files, modelId, revision, commit, task } = description;
    try {
      return await this.#ask(
        "importModel",
        { modelId, revision, commit, task, input: true },
        options,
        { input, rows: files }
      );
    } finally {
      input.close();
    }
  }
  /** @type {Manager['downloads']} */
  async downloads() {
    return (await this.#ask("downloads")).downloads;
  }
  /** @type {Manager['pauseDownload']} */
  async pauseDownload(id) {
    await this.#ask("pauseDownload", { id });
  }
  /** @type {Manager['resumeDownload']} */
  async resumeDownload(id) {
    await this.#ask("resumeDownload", { id });
  }
  /** @type {Manager['cancelDownload']} */
  async cancelDownload(id, options) {
    await this.#ask("cancelDownload", { id }, options);
  }
  /** @type {Manager['clearStore']} */
  async clearStore() {
    await this.#ask("clearStore");
  }
  /** @type {Manager['doctor']} */
  async doctor() {
    const { chrome } = (
      /** @type {any} */
      globalThis
    );
    const permissions = chrome?.runtime?.getManifest?.().permissions;
    return (await this.#ask("doctor", {
      unlimitedStorage: permissions?.includes("unlimitedStorage")
    })).checks;
  }
  /** @type {Manager['storage']} */
  storage() {
    return this.#ask("storage");
  }
  /**
   * @param {RequestInfo | URL} input
   * @param {RequestInit} [init]
   * @returns {Promise<Response>}
   */
  async fetch(input, init) {
    const signal = init?.signal ?? (input instanceof Request ? input.signal : void 0);
    const wanted = wantedOf(input, init);
    const served = wanted.url.startsWith(`${this.#hubUrl}/`) && await serveFile(
      this.#loop,
      this.#nextId("fetchFile"),
      wanted,
      signal
    );
    return served instanceof Response ? served : this.#fetch(input, init);
  }
  /** @type {Manager['load']} */
  async load(request, options) {
    return this.#ask("load", request, bare(readCallOptions(options)));
  }
  /** @type {Manager['generate']} */
  async generate(request, options) {
    return this.#ask("generate", request, bare(readTokenOptions(options)));
  }
  /** @type {Manager['generateStream']} */
  async *generateStream(request, options) {
    const { signal } = readStreamOptions(options);
    return yield* partStream(
      (inner) => this.#ask("generate", request, bare(inner)),
      signal
    );
  }
  /** @type {Manager['settings']} */
  async settings(scope) {
    return (await this.#ask("settings", readScope(scope))).settings;
  }
  /** @type {Manager['updateSettings']} */
  async updateSettings(patch, scope) {
    return (await this.#ask(
      "updateSettings",
      { ...readScope(scope), settings: patch }
    )).settings;
  }
  /** @type {Manager['stop']} */
  async stop() {
    await this.#ask("stop");
  }
  /** @type {Manager['reset']} */
  async reset() {
    await this.#ask("reset");
  }
  /** @type {Manager['state']} */
  state() {
    return this.#ask("state");
  }
  /** @type {Manager['handleMessage']} */
  async handleMessage(message) {
    return this.#loop.run(message);
  }
  /** @type {Manager['jobs']} */
  async jobs(options) {
    return this.#loop.jobs(readJobsOptions(options));
  }
  /** @type {Manager['subscribe']} */
  subscribe(jobId, fromSeq = -1, options) {
    checkSubscription(jobId, fromSeq);
    return this.#loop.subscribe(
      jobId,
      fromSeq,
      readStreamOptions(options).signal ?? void 0
    );
  }
  /** @type {Manager['resumeJobs']} */
  async resumeJobs(options) {
    const { call } = splitOptions(options);
    const { jobs } = await this.#ask("resumeJobs", {}, call);
    return jobs;
  }
  /** @type {Manager['memory']} */
  async memory() {
    return { wasmBytes: this.#loop.memoryBytes };
  }
  /** @type {Manager['dispose']} */
  async dispose() {
    this.#loop.dispose();
  }
  /**
   * @param {Params | undefined} params
   * @param {import('./loop.js').CallOptions} options
   * @returns {Promise<any>} the terminal message
   */
  #listChatModels(params = {}, options) {
    return this.#run("listChatModels", params, options);
  }
  /**
   * @param {string} action
   * @param {object} [params]
   * @param {object} [options] of the call; parameters are among them
   * @param {Pick<import('./loop.js').CallOptions, 'input' | 'rows'>} [handedIn]
   * @returns {Promise<any>} what the terminal message carries
   */
  async #ask(action, params = {}, options, handedIn = {}) {
    const { call, rest } = splitOptions(options);
    const { action: name, id, seq, ts, protocolVersion, ...result } = await this.#run(
      action,
      { ...rest, ...params },
      { ...call, ...handedIn }
    );
    return result;
  }
  /**
   * @param {string} action
   * @param {object} params
   * @param {import('./loop.js').CallOptions} options
   * @returns {Promise<any>} the terminal message
   */
  async #run(action, params, options) {
    const end = await this.#loop.run(
      { action, id: this.#nextId(action), params },
      options
    );
    if (end.code !== void 0) {
      throw errorOfMessage(end, options.signal?.reason);
    }
    return end;
  }
  /**
   * @param {{ modelId: string, commit: string }} model
   * @param {string} path
   * @returns {Promise<ReadableStream<Uint8Array>>}
   */
  async #openStored({ modelId, commit }, path) {
    const served = await serveFile(this.#loop, this.#nextId("export"), {
      url: `${this.#hubUrl}/${modelId}/resolve/${commit}/${path.split("/").map(encodeURIComponent).join("/")}`,
      method: "GET",
      onlyCached: true
    });
    if (!(served instanceof Response) || !served.body) {
      throw new TabAgentError(
        "store_damaged",
        `${path} is no longer in the store`,
        { stage: "export", modelId }
      );
    }
    return served.body;
  }
  /** @param {string} action */
  #nextId(action) {
    this.#lastId += 1;
    return `${action}-${this.#loop.life}${this.#lastId}`;
  }
  /**
   * @param {RequestInfo | URL} request
   * @returns {Promise<Response | undefined>}
   */
  async #match(request) {
    const served = await serveFile(this.#loop, this.#nextId("match"), {
      ...wantedOf(request),
      onlyCached: true
    });
    return served instanceof Response && served.ok ? served : void 0;
  }
  /**
   * @param {RequestInfo | URL} request
   * @param {Response} response
   */
  async #put(request, response) {
    checkResponse(response);
    const body = new StreamInput(response.body);
    const input = { read: (_path, from, to) => body.read(from, to) };
    try {
      const stored = await serveFile(
        this.#loop,
        this.#nextId("put"),
        { ...wantedOf(request), input: true },
        null,
        input
      );
      if (stored instanceof Response) await stored.body?.cancel();
    } finally {
      await body.close();
    }
  }
};
function bare({ onProgress, ...options }) {
  return (
    /** @type {any} */
    {
      ...options,
      onProgress: onProgress && ((message) => {
        const { action, id, protocolVersion, seq, ts, ...rest } = message;
        return onProgress(rest);
      })
    }
  );
}
export {
  DBNames,
  ListChatModelsEvents,
  LoadingStatusTypes,
  ModelWorkerStates,
  QuantStatus,
  RuntimeMessageTypes,
  TabAgentError,
  UIEventNames,
  WorkerEventNames,
  createModelManager,
  PROTOCOL_VERSION as protocolVersion,
  VERSION as version
};
