// SPDX-License-Identifier: Apache-2.0
// The public surface of tabagent-wasm.

import type {
  AnswerPart, ChatState, GenerateRequest, GenerateResult, GenerationSettings,
  LoadProgress, LoadRequest, LoadResult, SettingsScope,
} from './chat-types.js';
import type {
  ListChatModelsOptions, ListChatModelsParams, ListChatModelsResult,
  ListChatModelsMeta, ListChatModelsProgress, ListChatModelsDone,
} from './listing-types.js';
import type {
  CallOptions, PlanOptions, Plan, DownloadOptions, DownloadResult,
  DownloadState, StoredModel, Verification, UpdateCheck, Check, StorageUse,
  FileCache,
} from './store-types.js';

export type * from './chat-types.js';
export type * from './listing-types.js';
export type * from './store-types.js';

/** Version of the package. */
export const version: string;

/** Version of the message protocol, sent with every message of ours. */
export const protocolVersion: number;

/**
 * Loads the WebAssembly core and makes a manager. Nothing is requested from
 * the network before a method asks for it.
 * @throws {TabAgentError} `invalid_argument` for a bad option or module,
 *   `network` or `http_status` when the module cannot be fetched
 */
export function createModelManager(
  options?: ModelManagerOptions,
): Promise<ModelManager>;

/** Where the WebAssembly module comes from. */
export type WasmSource = string | URL | BufferSource | WebAssembly.Module;

/** Time, as `Date` and the timer functions give it. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  setTimeout(callback: () => void, ms: number): unknown;
  clearTimeout(handle: any): void;
}

/** A number about a run, for a metrics system. */
export interface TelemetryEntry {
  name: string;
  value: number;
  unit?: string;
  labels?: Record<string, string>;
}

export interface ModelManagerOptions {
  /** `tabagent.wasm`; by default the file beside the module. */
  wasm?: WasmSource;
  /** Address of the Hub, `https://huggingface.co` by default. */
  hubUrl?: string | URL;
  /**
   * Other addresses of the same Hub, from which files of models are fetched
   * while the Hub itself cannot be reached. What they send is verified; the
   * token never goes there.
   */
  mirrors?: string[];
  /**
   * Node only: directory of the durable store. Without it the store lives in
   * `indexedDB`.
   */
  dataDir?: string;
  /** Makes all requests; the platform's by default. */
  fetch?: typeof fetch;
  /**
   * Where the store lives, the platform's by default. `IDBKeyRange` must be
   * there as well, as a global.
   */
  indexedDB?: IDBFactory;
  /**
   * onnxruntime-web, or a function that returns it; imported by that name when
   * a model is first loaded by default.
   */
  ort?: unknown;
  /** Where the files of onnxruntime-web are, in its own form. */
  ortWasmPaths?: string | object;
  /** The platform's by default. */
  clock?: Clock;
  /** An integer or 16 bytes: the same seed gives the same retry jitter. */
  seed?: number | Uint8Array;
  /**
   * Receives every message of every operation, and those that belong to none.
   * `isForChannel`: the message is for the panels' channel, `tabagent-llm`.
   */
  onMessage?: (message: any, isForChannel: boolean) => void;
  /**
   * Listings, downloads, loads and answers are written down in the store while
   * they run, so that they can go on when the program was killed: see
   * `resumeJobs`. For the one context of an extension that does the work; two
   * that share a store take turns. Ids of such requests must be unique among
   * those that run. What a chat says is among what is written down, until its
   * answer is complete; tokens are not.
   */
  journal?: boolean;
  /** Receives counters and durations. */
  telemetry?: (entry: TelemetryEntry) => void;
}

/**
 * What can be done with models. Every method fails with `TabAgentError`, but for
 * `fetch` of what is not a file of the Hub: that fails as the platform's does.
 */
export interface ModelManager {
  /**
   * Lists the Hub's models, keeps those that can run here, and says of each
   * whether it generates text.
   */
  listChatModels(
    params?: ListChatModelsParams,
    options?: ListChatModelsOptions,
  ): Promise<ListChatModelsResult>;

  /**
   * The same as a stream of messages, the last of which is the `done` message.
   * Leaving the loop cancels the listing.
   */
  listChatModelsStream(
    params?: ListChatModelsParams,
    options?: { signal?: AbortSignal },
  ): AsyncGenerator<
    ListChatModelsProgress | ListChatModelsDone, void, void>;

  /**
   * Finds out what a download would fetch, and whether it fits. Nothing is
   * stored.
   */
  plan(modelId: string, options?: PlanOptions): Promise<Plan>;

  /**
   * Stores the files that a dtype needs, verified by the Hub's hashes. Goes on
   * where an earlier download stopped, however it stopped. Aborting it keeps
   * what is stored.
   * @throws {TabAgentError} `quota_exceeded` before the first byte when the
   *   files do not fit, or when the platform's quota ends in the middle;
   *   `dtype_unavailable`, `not_found`, `unauthorized`, `network`, `timeout`,
   *   `hash_mismatch`, `cancelled`, and `store_*` when the storage fails
   */
  download(modelId: string, options?: DownloadOptions):
    Promise<DownloadResult>;

  /** Lists what is stored, a row for each revision of a model. */
  models(): Promise<StoredModel[]>;

  /** Deletes a model, or the files that only the given dtype needs. */
  deleteModel(modelId: string, options?: { dtype?: string } & CallOptions):
    Promise<void>;

  /**
   * Reads every stored byte of the model's current revision and compares it
   * with what was verified when it was stored. Damaged chunks are fetched
   * again, unless `repair` is false.
   * @throws {TabAgentError} `not_stored`, and those of `download`
   */
  verifyModel(
    modelId: string,
    options?: {
      revision?: string, repair?: boolean, hfToken?: string | null,
    } & Pick<DownloadOptions, 'onProgress' | 'signal'>,
  ): Promise<Verification>;

  /** A pinned model is never proposed to make room. */
  pinModel(modelId: string, pinned: boolean): Promise<void>;

  /** Asks the Hub whether the model has changed. */
  checkForUpdate(
    modelId: string,
    options?: { revision?: string, hfToken?: string | null } & CallOptions,
  ): Promise<UpdateCheck>;

  /**
   * Stores the latest revision beside the current one, in the same dtypes, and
   * then makes it the current one. The old one stays for `rollbackModel`.
   */
  updateModel(
    modelId: string, options?: Omit<DownloadOptions, 'dtype'>,
  ): Promise<DownloadResult>;

  /** Makes the revision before the latest update the current one again. */
  rollbackModel(modelId: string): Promise<{ commit: string }>;

  /**
   * Writes the model's current revision, all complete files, as a tar archive
   * with their hashes. Every byte is checked on the way; the stream fails when
   * one is damaged, which `verifyModel` can repair.
   */
  exportModel(modelId: string, options?: { revision?: string }):
    ReadableStream<Uint8Array>;

  /**
   * Stores what `exportModel` wrote, or files that the user has (with
   * `modelId`; their hashes are asked of the Hub), verified like a download.
   * A file that comes without its folder counts as the only one of its name.
   * What the Hub does not know is left out.
   * @throws {TabAgentError} `unexpected_shape` for another archive,
   *   `hash_mismatch`, and those of `download`
   */
  importModel(
    source: ReadableStream<Uint8Array> | Blob | File[],
    options?: { modelId?: string, revision?: string }
      & Pick<DownloadOptions, 'onProgress' | 'signal' | 'hfToken'>,
  ): Promise<DownloadResult>;

  /** The downloads that wait, run or are paused. */
  downloads(): Promise<DownloadState[]>;

  /** Stops a download without ending it; what is stored stays. */
  pauseDownload(id: string): Promise<void>;

  resumeDownload(id: string): Promise<void>;

  /**
   * Ends a download with `cancelled`. Without `keepPartial` the files that are
   * not complete are deleted; by default they stay for the next attempt.
   */
  cancelDownload(id: string, options?: { keepPartial?: boolean }):
    Promise<void>;

  /**
   * Deletes all models, also those that TabAgent stored.
   * @throws {TabAgentError} `busy` while a download runs
   */
  clearStore(): Promise<void>;

  /**
   * Looks at the browser and the manifest, tries the storage, and says what to
   * do about what is missing. What is not ok need not keep models from running:
   * without `webgpu` they are slow.
   */
  doctor(): Promise<Check[]>;

  /** How much room there is. */
  storage(): Promise<StorageUse>;

  /**
   * `fetch` with the store in front of it: files of the Hub come out of it,
   * verified, and are downloaded when they are not there. GET, HEAD and Range
   * are answered as the Hub would answer them. What is not a file of the Hub
   * goes to the platform's `fetch` as it is. Bound: it may be taken off.
   */
  fetch: typeof fetch;

  /**
   * For libraries that look into a cache before they fetch, such as
   * transformers.js with `env.customCache`.
   */
  cache: FileCache;

  /**
   * Loads a model, after storing what is missing of it. The model that was
   * loaded before is released first. Requests wait for each other.
   * @throws {TabAgentError} `unsupported_task`, `unsupported_graph`,
   *   `runtime_failed`, `out_of_memory`, `cancelled`, and those of `download`
   */
  load(request: LoadRequest, options?: LoadOptions): Promise<LoadResult>;

  /**
   * Answers with the loaded model. Aborting it, or `stop()`, is no error: it
   * resolves with what there is, and `stopReason` `stopped`.
   * @throws {TabAgentError} `no_model`, `invalid_params`, `context_overflow`,
   *   `template_failed`, `runtime_failed`, `out_of_memory`
   */
  generate(request: GenerateRequest, options?: GenerateOptions):
    Promise<GenerateResult>;

  /**
   * The same as a stream of the parts of the answer; returns the result.
   * Leaving the loop stops the generation.
   */
  generateStream(
    request: GenerateRequest, options?: { signal?: AbortSignal },
  ): AsyncGenerator<AnswerPart, GenerateResult, void>;

  /** Stops every answer that is being generated or waits for its turn. */
  stop(): Promise<void>;

  /** Stops everything and releases the model and its memory. */
  reset(): Promise<void>;

  /**
   * What was saved for all models, for one, or for one in one dtype, by us or by
   * TabAgent, and is meant.
   */
  settings(scope?: SettingsScope): Promise<GenerationSettings>;

  /**
   * Saves settings, where TabAgent has them: they stand above those of the
   * model and below those of a request. Null takes one away. Returns what is
   * saved for the scope.
   * @throws {TabAgentError} `invalid_params` quotes the range
   */
  updateSettings(patch: GenerationSettings, scope?: SettingsScope):
    Promise<GenerationSettings>;

  /** What the chat is doing. */
  state(): Promise<ChatState>;

  /**
   * Asks the Hub whose the access token is and, when it is good, uses it for
   * every later request to the Hub that brings none of its own. It is kept in
   * memory only and goes to the Hub's origin only. Another login takes its place;
   * one that fails leaves who was logged in before.
   * @throws {TabAgentError} `invalid_params` for what cannot be a token,
   *   `unauthorized` when the Hub does not accept it, `rate_limited`, `network`,
   *   `timeout`, `http_status`, `unexpected_shape` when the address is no Hub,
   *   `cancelled`, `invalid_argument` for `persist` where nothing can keep it
   */
  login(token: string, options?: LoginOptions): Promise<Account>;

  /**
   * Forgets the token. No request that goes out afterwards has it, also none of
   * operations that began before.
   */
  logout(): Promise<void>;

  /**
   * Who is logged in, as the Hub said at the login; it is not asked again. A
   * `name` of null: there is a token of which nobody has asked whose it is. The
   * token itself is never told.
   * @returns null: nobody
   */
  account(): Promise<KnownAccount | null>;

  /**
   * Handles a request of the message protocol, in any of its styles (`action`,
   * `type`, TabAgent's `type` and `payload`). Progress goes to `onMessage`.
   * Resolves with the last message of the operation, which may report an error:
   * for TabAgent's panel exactly what `sendResponse` shall get. Resolves with
   * undefined when the message is for somebody else and must not be answered.
   */
  handleMessage(message: unknown, sender?: unknown): Promise<any>;

  /**
   * The jobs that have not ended, each under the id of its request: listings,
   * downloads, updates, verifications, imports, loads and answers. With `ended`
   * also those that ended lately and can still be subscribed to.
   */
  jobs(options?: { ended?: boolean }): Promise<Job[]>;

  /**
   * What a job has said behind the message `fromSeq`, and what it will say, up
   * to its last message. Without `fromSeq` from the beginning; that of
   * progress of which only the newest counts, such as the bytes of a download,
   * is kept the newest. An answer that is taken up again after a kill says so at
   * once with `resumed`, and the number of the message before it. May be
   * iterated while others are. Messages are shared: do not change them. A job
   * that was begun without a listener says only its end, but in a manager with
   * `onMessage` or `journal`. Throws `unknown_job` when nothing is known of it, and
   * `too_large` when messages behind `fromSeq` are no longer kept (a job keeps
   * 16 MiB).
   */
  subscribe(jobId: string, fromSeq?: number, options?: { signal?: AbortSignal }):
    AsyncIterableIterator<any>;

  /**
   * With the option `journal`: the listings, downloads, loads and answers that
   * a program which died has left, in the order of their start. Each goes on
   * when its request is sent again with `resume: true`, as in
   * `handleMessage({ ...job.request, resume: true })`; a token has to be put in
   * again. Waits until no other context keeps the journal.
   */
  resumeJobs(options?: { signal?: AbortSignal }): Promise<LeftJob[]>;

  /**
   * What happened lately, for a bug report: names of requests, codes, times and
   * sizes. No text of a chat, no token, no address, no name of a model is in it.
   */
  log(): Promise<EventLogReport>;

  /** How much memory is in use. */
  memory(): Promise<MemoryUsage>;

  /**
   * Cancels every operation and frees the core. The manager cannot be used
   * afterwards.
   */
  dispose(): Promise<void>;
}

export interface LoginOptions extends CallOptions {
  /**
   * Keeps the token over a restart of the browser, in the storage of the
   * extension. Only the client of an extension can do that; others refuse it.
   */
  persist?: boolean;
}

/** Whose a token is, as the Hub says. */
export interface Account {
  name: string;
  /** read, write, fineGrained, …; null: the Hub does not say. */
  role: string | null;
}

/** Who is logged in. */
export interface KnownAccount extends Omit<Account, 'name'> {
  name: string | null;
}

export interface LoadOptions extends CallOptions {
  onProgress?: (progress: LoadProgress) => void;
}

export interface GenerateOptions extends CallOptions {
  /** Called with every part of the answer. */
  onToken?: (part: AnswerPart) => void;
}

export interface Job {
  id: string;
  /** Name of the request. */
  kind: string;
  state: 'running' | 'done' | 'failed';
  /** `seq` of the last message; -1 when there was none. */
  lastSeq: number;
}

/** Something that happened. */
export interface LogEntry {
  /** When, in milliseconds since the epoch. */
  at: number;
  /**
   * request: the core took one; done, failed: how it ended; cancel: somebody
   * wanted its end; refused: the core did not take an event; http: an answer
   * began; failure: of the network, the storage or the runtime; broadcast: a
   * message for all; error: nobody had caught it.
   */
  kind: 'request' | 'done' | 'failed' | 'cancel' | 'refused' | 'http'
    | 'failure' | 'broadcast' | 'error';
  /** Number of the operation. */
  op?: number;
  /** Number of what the operation had asked for. */
  request?: number;
  /** Of the request, the broadcast, the stage, or of what failed. */
  name?: string;
  /** Error code, or the name of a platform's error. */
  code?: string;
  /** Of HTTP; of a refused event the number of the error. */
  status?: number;
  bytes?: number;
  /** How often it happened in a row, the last time at `lastAt`. */
  count?: number;
  lastAt?: number;
}

export interface EventLogReport {
  version: string;
  protocolVersion: number;
  /** As the browser calls itself; null: it does not. */
  platform: string | null;
  /** The oldest first; the newest few hundred. */
  entries: LogEntry[];
}

/** A job of a program that died. */
export interface LeftJob {
  /** That of its request. */
  id: string | number;
  /** Name of the request. */
  kind: 'listChatModels' | 'download' | 'load' | 'generate';
  /** The request without secrets, and without the text of a chat. */
  request: any;
  /** `seq` of the last message that can have been said; -1: none. */
  lastSeq: number;
  /** A download that was paused, and will be. */
  paused: boolean;
}

export interface MemoryUsage {
  /** Size of the core's linear memory. */
  wasmBytes: number;
  /** What JavaScript has in use; null: the platform does not say. */
  jsHeapBytes: number | null;
  /** What is stored; null: the platform does not say. */
  storeBytes: number | null;
  /** The sessions of the loaded model. */
  sessions: {
    /** Of graph and weights. */
    bytes: number;
    executionProvider: string;
  }[];
}

/** What went wrong, under a stable code. */
export class TabAgentError extends Error {
  constructor(code: string, message: string, details?: {
    stage?: string;
    retryable?: boolean;
    userAction?: string;
    modelId?: string;
    status?: number;
    meta?: object;
    cause?: unknown;
  });
  /** Stable name in lower snake case, such as `invalid_params`. */
  readonly code: string;
  /** What was being done. */
  readonly stage?: string;
  /** Whether the same call may succeed later. */
  readonly retryable: boolean;
  /** What the user can do about it. */
  readonly userAction?: string;
  readonly modelId?: string;
  /** HTTP status, when an answer was the reason. */
  readonly status?: number;
  /** Summary of what was done until then. */
  readonly meta?: Partial<ListChatModelsMeta>;
  /** Of `quota_exceeded`: what a plan says of the room. */
  readonly totalBytes?: number;
  readonly neededBytes?: number;
  readonly freeBytes?: number | null;
  readonly quotaBytes?: number | null;
  readonly evict?: string[];
  readonly cause?: unknown;
}

/** What the panel and its parts tell each other. */
export const UIEventNames: Readonly<{
  QUERY_SUBMITTED: 'querySubmitted';
  BACKGROUND_RESPONSE_RECEIVED: 'background:responseReceived';
  BACKGROUND_ERROR_RECEIVED: 'background:errorReceived';
  BACKGROUND_SCRAPE_STAGE_RESULT: 'background:scrapeStageResult';
  REQUEST_MODEL_LOAD: 'ui:requestModelLoad';
  WORKER_READY: 'worker:ready';
  WORKER_ERROR: 'worker:error';
  NAVIGATION_PAGE_CHANGED: 'navigation:pageChanged';
  SCRAPE_PAGE: 'SCRAPE_PAGE';
  SCRAPE_ACTIVE_TAB: 'SCRAPE_ACTIVE_TAB';
  DYNAMIC_SCRIPT_MESSAGE_TYPE: 'offscreenIframeResult';
  MODEL_WORKER_LOADING_PROGRESS: 'modelWorkerLoadingProgress';
  MODEL_SELECTION_CHANGED: 'ui:modelSelectionChanged';
  REQUEST_MODEL_DOWNLOAD_ACTION: 'ui:requestModelDownloadAction';
  REQUEST_MODEL_EXECUTION: 'ui:requestModelExecution';
  MODEL_ALREADY_LOADED: 'ui:modelAlreadyLoaded';
  WORKER_STATE_CHANGED: 'worker:stateChanged';
  SHOW_GOOGLE_TERMS_DIALOG: 'ui:showGoogleTermsDialog';
  SHOW_MODEL_SOURCE_DIALOG: 'ui:showModelSourceDialog';
  SHOW_HUGGINGFACE_LOGIN_DIALOG: 'ui:showHuggingFaceLoginDialog';
  SHOW_KAGGLE_LOGIN_DIALOG: 'ui:showKaggleLoginDialog';
  SHOW_GOOGLE_LOGIN_DIALOG: 'ui:showGoogleLoginDialog';
}>;

/** Requests to the background and its events. */
export const WorkerEventNames: Readonly<{
  WORKER_SCRIPT_READY: 'workerScriptReady';
  INIT: 'init';
  WORKER_READY: 'workerReady';
  GENERATE: 'generate';
  LOADING_STATUS: 'loadingStatus';
  RESET: 'reset';
  GENERATION_STATUS: 'generationStatus';
  SET_BASE_URL: 'setBaseUrl';
  GENERATION_UPDATE: 'generationUpdate';
  SET_ENV_CONFIG: 'setEnvConfig';
  GENERATION_COMPLETE: 'generationComplete';
  MANIFEST_UPDATED: 'manifestUpdated';
  GENERATION_ERROR: 'generationError';
  INFERENCE_SETTINGS_UPDATE: 'inferenceSettingsUpdate';
  GENERATION_STOPPED: 'generationStopped';
  MEMORY_STATS: 'memoryStats';
  STOP_GENERATION: 'stopGeneration';
  REQUEST_MEMORY_STATS: 'requestMemoryStats';
  RESET_COMPLETE: 'resetComplete';
  HUGGINGFACE_LOGIN: 'huggingfaceLogin';
  ERROR: 'error';
  HUGGINGFACE_LOGOUT: 'huggingfaceLogout';
  UNINITIALIZED: 'uninitialized';
  MODEL_SOURCE_SELECTION: 'modelSourceSelection';
  CREATING_WORKER: 'creating_worker';
  CLEAR_CACHE: 'clearCache';
  LOADING_MODEL: 'loading_model';
  CACHE_CLEARED: 'cacheCleared';
  MODEL_READY: 'model_ready';
  GOOGLE_TERMS_ACCEPTED: 'googleTermsAccepted';
  GENERATING: 'generating';
  MEDIA_PIPE_MODULE_READY: 'mediaPipeModuleReady';
  IDLE: 'idle';
  UI_CONNECTED: 'uiConnected';
  WORKER_ENV_READY: 'workerEnvReady';
  UI_DISCONNECTED: 'uiDisconnected';
  UI_PING: 'uiPing';
  UI_PONG: 'uiPong';
  RESTORE_FROM_POPUP: 'restoreFromPopup';
}>;

/** Runtime messages, the older names included. */
export const RuntimeMessageTypes: Readonly<{
  LOAD_MODEL: 'loadModel';
  SEND_CHAT_MESSAGE: 'sendChatMessage';
  INTERRUPT_GENERATION: 'interruptGeneration';
  RESET_WORKER: 'resetWorker';
  GET_MODEL_WORKER_STATE: 'getModelWorkerState';
  RESTORE_LAST_STATE: 'restoreLastState';
  SCRAPE_REQUEST: 'scrapeRequest';
  GET_DRIVE_FILE_LIST: 'getDriveFileList';
  GET_LOG_SESSIONS: 'getLogSessions';
  GET_LOG_ENTRIES: 'getLogEntries';
  DETACH_SIDE_PANEL: 'detachSidePanel';
  GET_DETACHED_STATE: 'getDetachedState';
  GET_DB_READY_STATE: 'getDbReadyState';
  CHECK_BACKGROUND_READY: 'checkBackgroundReady';
}>;

/** Values of `status` in loading progress. */
export const LoadingStatusTypes: Readonly<{
  INITIATE: 'initiate';
  PROGRESS: 'progress';
  DONE: 'done';
  READY: 'ready';
  ERROR: 'error';
  CACHED: 'cached';
}>;

/** States of the model worker. */
export const ModelWorkerStates: Readonly<{
  UNINITIALIZED: 'uninitialized';
  CREATING_WORKER: 'creating_worker';
  WORKER_SCRIPT_READY: 'worker_script_ready';
  LOADING_MODEL: 'loading_model';
  MODEL_READY: 'model_ready';
  GENERATING: 'generating';
  ERROR: 'error';
  IDLE: 'idle';
}>;

/** What is known about one dtype of a model. */
export const QuantStatus: Readonly<{
  Available: 'available';
  Downloaded: 'downloaded';
  Failed: 'failed';
  NotFound: 'not_found';
  Unavailable: 'unavailable';
  Unsupported: 'unsupported';
  ServerOnly: 'server_only';
}>;

/** Databases and the stores inside them. */
export const DBNames: Readonly<{
  DB_USER_DATA: 'TabAgentUserData';
  DB_LOGS: 'TabAgentLogs';
  DB_MODELS: 'TabAgentModels';
  DB_CHATS: 'TabAgentChats';
  DB_MESSAGES: 'TabAgentMessages';
  DB_EMBEDDINGS: 'TabAgentEmbeddings';
  DB_KNOWLEDGE_GRAPH_NODES: 'TabAgentKnowledgeGraphNodes';
  DB_KNOWLEDGE_GRAPH_EDGES: 'TabAgentKnowledgeGraphEdges';
  DB_CHAT_SUMMARIES: 'TabAgentChatSummaries';
  DB_ATTACHMENTS: 'TabAgentAttachments';
}>;

/** Messages of `listChatModels`. */
export const ListChatModelsEvents: Readonly<{
  LIST: 'listChatModels';
  PROGRESS: 'listChatModels:progress';
  DONE: 'listChatModels:done';
  ERROR: 'listChatModels:error';
  CANCEL: 'cancelListChatModels';
  CANCEL_LOAD: 'cancelLoad';
  CANCEL_LOAD_CHAT_MODELS: 'cancelLoadChatModels';
}>;
