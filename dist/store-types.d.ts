// SPDX-License-Identifier: Apache-2.0
// What storing models needs.

/** Options that most methods take. */
export interface CallOptions {
  /** Ends the operation with `cancelled`. */
  signal?: AbortSignal | null;
}

export interface PlanOptions extends CallOptions {
  /**
   * One of the dtypes that the repository has; `auto`, the default, is the
   * first of q8, q4, q4f16, int8, uint8, fp16, … that it has.
   */
  dtype?: string;
  /** A branch, a tag or a commit; `main` by default. */
  revision?: string;
  /**
   * Access token of the Hub, by default that of whoever is logged in. It goes to
   * the Hub's origin only.
   */
  hfToken?: string | null;
}

/** A file of a model, and what is stored of it. */
export interface PlannedFile {
  path: string;
  bytes: number;
  /** Hexadecimal; of files in LFS. */
  sha256?: string;
  cachedBytes: number;
}

export interface Plan {
  /** As the Hub spells it; so it is stored. */
  modelId: string;
  commit: string;
  /** That was chosen. */
  dtype: string;
  files: PlannedFile[];
  totalBytes: number;
  /** What would have to be fetched. */
  neededBytes: number;
  /** null: the platform does not say. */
  freeBytes: number | null;
  quotaBytes: number | null;
  fits: boolean;
  /** Models whose deletion would make room, the least recently used first. */
  evict: string[];
}

/** How far a download is; at most ten a second, never less than before. */
export interface DownloadProgress {
  /** waiting: for other downloads, or for another context. */
  phase: 'waiting' | 'download' | 'verify';
  /** In work, or null at the end. */
  file: string | null;
  /** Bytes that are stored or on their way. */
  loaded: number;
  /** Known before the first byte. */
  total: number;
  bytesPerSecond: number;
  /** null: not known yet. */
  etaMs: number | null;
}

export interface DownloadOptions extends PlanOptions {
  onProgress?: ((progress: DownloadProgress) => void) | null;
  /** Downloads run one after the other, those of higher priority first; 0. */
  priority?: number;
}

export interface DownloadResult {
  /** As the Hub spells it; so it is stored. */
  modelId: string;
  commit: string;
  /** null: of several, or of single files. */
  dtype: string | null;
  files: PlannedFile[];
  /** Of all files. */
  bytes: number;
  /** Nothing had to be fetched. */
  fromCache: boolean;
  /** That were there before. */
  resumedBytes: number;
  /** That came from the network. */
  fetchedBytes: number;
  durationMs: number;
}

/** A download in the queue. */
export interface DownloadState {
  id: string;
  modelId: string;
  /** As it was asked for; null: the first that there is. */
  dtype: string | null;
  state: 'queued' | 'running' | 'paused';
  priority: number;
  loaded: number;
  /** 0 until it is known. */
  total: number;
}

export interface StoredModel {
  modelId: string;
  /** The label under which it was asked for: `main`. */
  revision: string;
  commit: string;
  /** The label stands for this one. */
  current: boolean;
  /** Those that were asked for, and those of which a graph came by itself. */
  dtypes: {
    dtype: string;
    status: 'downloaded' | 'available';
    /** Of the files that it needs, as far as they are complete. */
    bytes: number;
    complete: boolean;
  }[];
  /**
   * What is stored, each content once: files that dtypes share, and those that
   * revisions of a model share, which count for the current one. The sum over
   * all rows is what the models take.
   */
  bytes: number;
  /** Milliseconds since the epoch. */
  lastUsedAt: number | null;
  pinned: boolean;
}

export interface Verification {
  /** Everything is right, or was repaired. */
  ok: boolean;
  damaged: { file: string, chunk: number }[];
  /** How many chunks were fetched again. */
  repaired: number;
}

export interface UpdateCheck {
  /** Commit that is stored. */
  current: string;
  /** Commit that the Hub has now. */
  latest: string;
  /** Of the files that the model needs now, those that are not the same. */
  changedBytes: number;
}

/** A finding of `doctor`. */
export interface Check {
  /**
   * In this order. Of the browser: browser; in an extension manifestVersion,
   * storagePermission, hubAccess, csp, in Chrome offscreen, and minimumVersion;
   * threads, webgpu, f16 (where there is webgpu), locks. Everywhere: storage;
   * where that works room, persistence, and in an extension unlimitedStorage.
   */
  check: 'browser' | 'manifestVersion' | 'storagePermission' | 'hubAccess'
    | 'csp' | 'offscreen' | 'minimumVersion' | 'threads' | 'webgpu' | 'f16'
    | 'locks' | 'storage' | 'room' | 'persistence' | 'unlimitedStorage';
  ok: boolean;
  message: string;
  /** What to do; null when all is well. */
  fix: string | null;
}

export interface StorageUse {
  /** null: the platform does not say. */
  usedBytes: number | null;
  quotaBytes: number | null;
  persisted: boolean | null;
}

export interface FileCache {
  /** A stored file, or undefined. */
  match(request: RequestInfo | URL): Promise<Response | undefined>;
  /**
   * Stores the file, verified. What is not a file of the Hub is left alone.
   * @throws {TabAgentError} `invalid_argument` for what is no good answer, and
   *   those of `download`
   */
  put(request: RequestInfo | URL, response: Response): Promise<void>;
}
