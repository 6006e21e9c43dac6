// SPDX-License-Identifier: Apache-2.0
// Uses of the public surface that must compile, and misuses that must not.
// Nothing here is run.

import { hubOAuth, startBackground } from 'tabagent-wasm/background';
import { connect } from 'tabagent-wasm/client';
import 'tabagent-wasm/host';
import {
  createModelManager, ListChatModelsEvents, protocolVersion, TabAgentError,
  version,
} from 'tabagent-wasm';
import type {
  Classification, Clock, ListChatModelsDone, ListChatModelsError,
  ListChatModelsMeta, ListChatModelsProgress, LoadResult, ModelEntry,
  ModelManager,
} from 'tabagent-wasm';

/** Fails to compile unless both types are the same. */
function same<A>():
  <B extends A>(..._proof: A extends B ? [] : [never]) => void {
  return () => {};
}

const clock: Clock = {
  now: () => Date.now(),
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  clearTimeout: (handle) => clearTimeout(handle),
};

export async function options(bytes: Uint8Array<ArrayBuffer>) {
  await createModelManager();
  await createModelManager({ wasm: 'tabagent.wasm', seed: 7 });
  await createModelManager({ wasm: new URL('https://example.com/'), clock });
  await createModelManager({ wasm: bytes, seed: bytes, fetch });
  await createModelManager({ wasm: new WebAssembly.Module(bytes) });
  await createModelManager({ onMessage: console.log, telemetry: console.log });
  await createModelManager({
    mirrors: ['https://mirror.example'], dataDir: '/var/models',
    indexedDB: globalThis.indexedDB, ort: () => import('tabagent-wasm'),
    ortWasmPaths: { wasm: '/ort.wasm' },
  });
  // @ts-expect-error there is no such option
  await createModelManager({ hub: 'https://huggingface.co' });
  // @ts-expect-error a clock needs timers
  await createModelManager({ clock: { now: () => 0 } });
}

export async function listing(manager: ModelManager, signal: AbortSignal) {
  const { models, meta } = await manager.listChatModels({
    maxCandidates: 10, hfToken: null, query: { filter: ['onnx', 'en'] },
    fetchConfigs: 'never', cursor: null,
  }, {
    signal,
    onProgress: (message) => {
      same<ListChatModelsProgress>()<typeof message>();
    },
  });
  await manager.listChatModels({
    listing: null, maxParameters: null, hfToken: null, cursor: null,
    query: {
      filter: null, sort: null, search: null, author: null, pipeline_tag: null,
    },
  });
  same<ModelEntry[]>()<typeof models>();
  same<ListChatModelsMeta>()<typeof meta>();
  const [{ id, gated, variants }] = models;
  const text: string = id + variants[0].files.join() + (gated || 'open');
  // @ts-expect-error unknown strategies are refused
  await manager.listChatModels({ fetchConfigs: 'sometimes' });
  // @ts-expect-error not every model has a license
  const license: string = models[0].license;
  return text + license;
}

export async function stream(manager: ModelManager) {
  for await (const message of manager.listChatModelsStream({}, {})) {
    if (message.action === 'listChatModels:done') {
      same<ListChatModelsDone>()<typeof message>();
      same<number>()<typeof message.ts>();
      return message.models.length;
    }
    same<number>()<typeof message.protocolVersion>();
    const status: string = message.status;
    console.log(status, message.seq);
  }
  return 0;
}

export function progress(message: ListChatModelsProgress) {
  const { delta, modelId, batch } = message;
  console.log(delta, modelId, batch?.length);
  switch (message.status) {
    case 'listing_page':
      return message.delta.pages + message.delta.fetched
        + message.delta.survivors;
    case 'listing_done':
      return message.delta.totalFound;
    case 'prefiltered':
      return message.delta.survivors + message.delta.dropped['no-onnx'];
    case 'rate_limited':
      // @ts-expect-error a wait is no count
      console.log(message.delta.totalFound);
      same<'api' | 'resolvers'>()<typeof message.delta.bucket>();
      return message.delta.resetAtMs - message.ts;
    case 'config_fetching':
      same<string[] | undefined>()<ReturnType<typeof ids>>();
      return message.batch ? message.batch.length : message.modelId.length;
    case 'classified': {
      const one: Classification | undefined = message.delta?.classification;
      const [first] = message.batch ?? [message];
      // @ts-expect-error a batch has its news inside
      if (message.batch) console.log(message.delta.confidence);
      return `${one}${first.modelId}${first.delta.fetchError?.statusCode}`;
    }
    case 'error': {
      const [first] = message.batch ?? [message];
      // @ts-expect-error an error of the listing has no model
      const name: string = first.modelId;
      return name + first.delta.code + first.delta.message;
    }
    default: {
      const nothing: never = message;
      return nothing;
    }
  }
}

function ids(message: ListChatModelsProgress): string[] | undefined {
  return message.batch?.map(({ modelId }) => modelId ?? 'the listing');
}

export function end(message: ListChatModelsDone | ListChatModelsError) {
  if (message.action === 'listChatModels:done') return message.meta.fetched;
  const { code, stage, retryable, userAction, status, meta } = message;
  same<string>()<typeof message.message>();
  same<string>()<typeof code>();
  same<string>()<typeof stage>();
  same<boolean>()<typeof retryable>();
  return [userAction?.length, status?.toFixed(), meta?.fetched, message.seq];
}

export async function rest(manager: ModelManager) {
  const response: unknown = await manager.handleMessage({ action: 'x' }, {});
  const [{ lastSeq }] = await manager.jobs();
  const { wasmBytes } = await manager.memory();
  await manager.dispose();
  const done: 'listChatModels:done' = ListChatModelsEvents.DONE;
  const name: string = done + version;
  // @ts-expect-error the names are frozen
  ListChatModelsEvents.DONE = 'other';
  return [response, lastSeq + wasmBytes + protocolVersion, name];
}

export function errors(error: unknown) {
  if (!(error instanceof TabAgentError)) return undefined;
  // @ts-expect-error codes do not change
  error.code = 'other';
  const retry: boolean = error.retryable;
  return [retry, error.code, error.stage, error.userAction, error.status];
}

export async function chat(manager: ModelManager, panel: HTMLElement) {
  const loaded: LoadResult = await manager.load(
    { modelId: 'owner/model', device: 'auto' },
    { onProgress: ({ progress, file }) => console.log(progress, file) });
  // @ts-expect-error there is no such device
  await manager.load({ modelId: 'owner/model', device: 'npu' });
  await manager.updateSettings(
    { top_p: 0.9 }, { modelId: loaded.modelId, dtype: loaded.dtype });
  const answer = manager.generateStream({
    messages: [{ role: 'user', content: 'Hello' }], chatId: 'tab',
    settings: { temperature: 0.7 }, overflow: 'dropOldest',
  }, { signal: AbortSignal.timeout(1000) });
  for await (const { text, kind } of answer) {
    same<'content' | 'reasoning'>()<typeof kind>();
    panel.append(text);
  }
  const result = await manager.generate({ message: 'Hello' },
    { onToken: ({ tokenIds }) => console.log(tokenIds.length) });
  const ended: 'eos' | 'length' | 'stop' | 'stopped' | 'time'
    = result.stopReason;
  const { state, busy } = await manager.state();
  await manager.reset();
  return [ended, state, busy, result.ignored[0]?.reason, result.toolCalls];
}

export async function panel(): Promise<ModelManager> {
  startBackground({ hubUrl: 'https://hub.example', mirrors: [],
    hostUrl: 'host.html', allowContentScripts: ['getModelWorkerState'],
    idle: { unloadGraceMs: 30_000, unloadAfterIdleMs: null },
    oauth: hubOAuth({ clientId: 'id', identity: {
      getRedirectURL: () => '', launchWebAuthFlow: async () => '' } }) });
  // @ts-expect-error a list
  startBackground({ allowContentScripts: 'all' });
  const manager = connect({ wasm: new URL('https://example.org/x.wasm') });
  const { sessions, jsHeapBytes } = await manager.memory();
  same<number | null>()<typeof jsHeapBytes>();
  console.log(sessions[0]?.executionProvider);
  return manager;
}

export async function account(manager: ModelManager, signal: AbortSignal) {
  const { name, role } = await manager.login('hf_x', { signal });
  await manager.login('hf_x', { persist: false });
  // @ts-expect-error a login needs a token
  await manager.login();
  await manager.logout();
  const { entries, platform } = await manager.log();
  const checks = await manager.doctor();
  const bad = checks.filter(({ check, ok }) => check === 'webgpu' && !ok);
  // @ts-expect-error there is no such check
  checks.find(({ check }) => check === 'weather');
  const advice: (string | null)[] = bad.map(({ fix }) => fix);
  return [name.length, role?.length, entries[0]?.at, platform, advice];
}
