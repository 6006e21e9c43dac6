// SPDX-License-Identifier: Apache-2.0
// Types of loading a model and of answering with it.

/** What can run a model. */
export type Device = 'auto' | 'webgpu' | 'wasm';

export interface LoadRequest {
  modelId: string;
  /** A dtype of the repository; the smallest that is well kept by default. */
  dtype?: string;
  /** `text-generation`, `text2text-generation` or `image-text-to-text`. */
  task?: string;
  /** Comes back in every message about this load. */
  loadId?: string;
  /** `auto` by default: the best that works. */
  device?: Device;
  /** Branch, tag or commit; `main` by default. */
  revision?: string;
}

export interface LoadProgress {
  status: 'initiate' | 'progress' | 'done';
  /** 0 to 100; never falls. */
  progress: number;
  /** What is being worked on. */
  file: string;
  /** Bytes of the download, once they are known. */
  loaded?: number;
  total?: number;
  modelId: string;
  loadId?: string;
}

export interface LoadResult {
  modelId: string;
  dtype: string;
  commit: string;
  task: string;
  /** What really runs the model. */
  executionProvider: string;
  /** Threads of WebAssembly; 1: it has none. */
  threads: number;
  /** Tokens of prompt and answer together. */
  contextLength: number;
  /** Why it is not what was asked for. */
  warning?: string;
}

export interface ChatMessage {
  role: string;
  /** A text, or a list of texts; other parts, such as images, are refused. */
  content?: string | { type: 'text'; text: string }[] | null;
  [member: string]: unknown;
}

/** What every parameter of a request may be; docs/chat.md tells of each. */
export type GenerationSettings = Record<string, unknown>;

/** Whose settings: of all models when it is empty. */
export interface SettingsScope {
  modelId?: string;
  dtype?: string;
}

export interface GenerateRequest {
  /** The chat so far; or one of the next two. */
  messages?: ChatMessage[];
  /** What the user says. */
  message?: string;
  input?: string;
  settings?: GenerationSettings;
  /** Turns of one chat share what was computed of the turns before. */
  chatId?: string;
  messageId?: string;
  /** Descriptions of functions, for the model's chat template. */
  tools?: unknown[];
  /**
   * What happens to a chat that is longer than the model's context: `error` by
   * default; or messages are dropped, the oldest or those in the middle.
   */
  overflow?: 'error' | 'dropOldest' | 'middleOut';
}

/** A piece of an answer. */
export interface AnswerPart {
  text: string;
  kind: 'content' | 'reasoning';
  /** The tokens that were chosen since the last part. */
  tokenIds: number[];
  /** Tokens of the answer so far. */
  numTokens: number;
  tokensPerSecond: number;
  /**
   * The program that made the answer has died, and another one goes on. Such a
   * part has no text.
   */
  resumed?: true;
}

export interface IgnoredSetting {
  name: string;
  reason: string;
}

export interface ToolCall {
  name: string;
  arguments: unknown;
}

export interface GenerateResult {
  /** The answer without the reasoning before it. */
  text: string;
  /** Everything the model wrote. */
  output: string;
  reasoning?: string;
  toolCalls?: ToolCall[];
  stopReason: 'eos' | 'length' | 'stop' | 'stopped' | 'time';
  promptTokens: number;
  newTokens: number;
  /** Tokens of the prompt that were not computed again. */
  reusedTokens: number;
  /** Messages that were left out so that the chat fits. */
  droppedMessages: number;
  timeToFirstTokenMs: number;
  tokensPerSecond: number;
  /** The settings that had an effect, with their values. */
  effective: Record<string, unknown>;
  /** Those that had none, and why. */
  ignored: IgnoredSetting[];
  /** With `num_return_sequences` above 1: all of them, the best first. */
  sequences?: { text: string, score?: number }[];
}

export interface ChatState {
  state: 'unloaded' | 'loading' | 'ready' | 'generating';
  modelId: string | null;
  dtype: string | null;
  executionProvider: string | null;
  busy: boolean;
}
