// SPDX-License-Identifier: Apache-2.0
// Types of finding models: parameters, messages and results of listChatModels.

import type { TabAgentError } from './index.js';

export interface ListChatModelsOptions {
  onProgress?: (message: ListChatModelsProgress) => void;
  signal?: AbortSignal;
}

export interface ListChatModelsParams {
  /** How many models to keep, the best ones; 250 by default. */
  maxCandidates?: number;
  /** How many requests may be in flight; 12 by default. */
  concurrency?: number;
  /**
   * Access token, by default that of whoever is logged in. It is sent to the
   * Hub's origin only.
   */
  hfToken?: string | null;
  /** The longest a request may take, 10,000 by default. */
  timeoutMs?: number;
  /** How many rows to look at; 5,000 by default and at the most. */
  maxListing?: number;
  /** Entries of the Hub's listing, used instead of asking the Hub. */
  listing?: unknown[] | null;
  /** Adds `raw` to the summary. */
  debug?: boolean;
  /** What to ask the Hub for. */
  query?: ListChatModelsQuery;
  /** Drop models without an ONNX file; true by default. */
  requireOnnx?: boolean;
  /** Drop models with more parameters; an unknown count passes. */
  maxParameters?: number | null;
  /** Read config.json where the row has no configuration (`'missing'`, the
   * default), for every model, or for none. */
  fetchConfigs?: 'missing' | 'all' | 'never';
  /** Goes on where an earlier listing with the same query stopped. */
  cursor?: string | null;
  /** Rows per page. */
  pageSize?: number;
}

/** What the Hub is asked for; `null` asks for nothing and removes a default. */
export interface ListChatModelsQuery {
  search?: string | null;
  author?: string | null;
  /** A tag or tags, `'onnx'` by default. */
  filter?: string | string[] | null;
  pipeline_tag?: string | null;
  /** `'downloads'` by default. */
  sort?: string | null;
}

export interface ListChatModelsResult {
  /** The best first. */
  models: ModelEntry[];
  meta: ListChatModelsMeta;
}

export type Classification = 'gen' | 'encoder' | 'unknown' | 'auth-protected';

export interface ModelEntry {
  /** Name of the repository, usually `owner/name`. */
  id: string;
  /** The part behind the owner. */
  name: string;
  pipeline_tag: string | null;
  tags?: string[];
  model_type: string | null;
  architectures: string[] | null;
  classification: Classification;
  confidence: 'high' | 'medium' | 'low';
  /** How the configuration was come by. */
  fetchStatus: 'ok' | 'listing' | 'no-config' | '401' | '403' | '404' | '429'
    | 'error';
  fetchError?: { statusCode?: number; message: string };
  gated: false | 'auto' | 'manual';
  license?: string;
  parameters?: number;
  /** Milliseconds since the epoch. */
  lastModified?: number;
  downloads: number;
  likes: number;
  /** One per dtype that the repository has ONNX files of. */
  variants: ModelVariant[];
  /** The evidence behind the classification. */
  why: string[];
}

export interface ModelVariant {
  dtype: string;
  /** The graphs and their external data. */
  files: string[];
}

export interface ListChatModelsMeta {
  /** Rows looked at. */
  fetched: number;
  pages: number;
  /** Rows kept. */
  filtered: number;
  /** Rows dropped, per rule. */
  dropped: Record<string, number>;
  classified: Record<Classification, number>;
  /** At most 100. */
  errors: { modelId?: string; code: string; message: string }[];
  errorCount: number;
  durationMs: number;
  rate_limited: boolean;
  /** Rows are missing because of an error. */
  partial: boolean;
  /** Where a later listing can go on. */
  cursor: string | null;
  hasMore: boolean;
  telemetry: {
    counters: Record<string, number>;
    configFetchMs: { count: number; p50: number; p95: number; max: number };
  };
  /** Under `debug`. */
  raw?: unknown;
}

interface ListChatModelsMessageBase {
  /** That of the request; `null` when it had none. */
  id: string | number | null;
  /** Counts the messages of the operation. */
  seq: number;
  /** Milliseconds since the epoch. */
  ts: number;
  protocolVersion: number;
}

interface ListChatModelsProgressBase<Status> extends ListChatModelsMessageBase {
  action: 'listChatModels:progress';
  status: Status;
}

/** News of the listing as a whole. */
interface ListChatModelsStep<Status, Delta>
  extends ListChatModelsProgressBase<Status> {
  delta: Delta;
  modelId?: undefined;
  batch?: undefined;
}

/** News of one model, or of several at once. */
type ListChatModelsNews<Status, Item extends { modelId?: string }> =
  ListChatModelsProgressBase<Status> & (
    | Item & { batch?: undefined }
    | { batch: Item[]; modelId?: undefined; delta?: undefined });

/** What is happening: `status` tells which `delta` it is. */
export type ListChatModelsProgress =
  /** So far. */
  | ListChatModelsStep<'listing_page', {
    pages: number;
    fetched: number;
    survivors: number;
  }>
  | ListChatModelsStep<'listing_done', { totalFound: number }>
  /** Models that are kept, and those that are not, per rule. */
  | ListChatModelsStep<'prefiltered', {
    survivors: number;
    dropped: Record<string, number>;
  }>
  | ListChatModelsNews<'config_fetching', { modelId: string; delta: null }>
  | ListChatModelsNews<'classified', {
    modelId: string;
    delta: Pick<ModelEntry, 'classification' | 'confidence' | 'model_type'
      | 'architectures' | 'fetchStatus' | 'fetchError'>;
  }>
  /** The Hub wants fewer requests: those of the bucket wait. */
  | ListChatModelsStep<'rate_limited', {
    bucket: 'api' | 'resolvers';
    /** Milliseconds since the epoch. */
    resetAtMs: number;
  }>
  /** Of a model, or of the listing when it names none. */
  | ListChatModelsNews<'error', {
    modelId?: string;
    delta: { code: string; message: string };
  }>;

/** The good end. */
export interface ListChatModelsDone
  extends ListChatModelsMessageBase, ListChatModelsResult {
  action: 'listChatModels:done';
}

/**
 * The bad end, as `handleMessage` and `onMessage` give it; methods throw a
 * `TabAgentError` that says the same.
 */
export interface ListChatModelsError extends ListChatModelsMessageBase,
  Pick<TabAgentError, 'code' | 'message' | 'retryable' | 'userAction'
    | 'status' | 'meta'> {
  action: 'listChatModels:error';
  /** What was being done. */
  stage: string;
}
