// SPDX-License-Identifier: Apache-2.0
// An application that runs models with transformers.js and keeps them in the
// store.

import { AutoModel, AutoTokenizer, env } from '@huggingface/transformers';
import { createModelManager } from 'tabagent-wasm';

/**
 * Loads the model out of the store and says what it makes of `text`.
 * @param {{ hubUrl: string, modelId: string, text: string,
 *   way: 'fetch' | 'cache' }} order `way`: how the library gets at the store
 */
async function features({ hubUrl, modelId, text, way }) {
  const manager = await createModelManager({ hubUrl });
  Object.assign(env, {
    remoteHost: `${hubUrl}/`, allowLocalModels: false, useBrowserCache: false,
    useWasmCache: false, useCustomCache: way === 'cache',
    customCache: way === 'cache' ? manager.cache : null,
    fetch: way === 'fetch' ? manager.fetch : globalThis.fetch.bind(globalThis),
  });
  env.backends.onnx.wasm.wasmPaths = new URL('./', location.href).href;
  try {
    const tokenizer = await AutoTokenizer.from_pretrained(modelId);
    const model = await AutoModel.from_pretrained(
      modelId, { dtype: 'q8', device: 'wasm' });
    const { last_hidden_state: found } = await model(await tokenizer(text));
    await model.dispose();
    const stored = await manager.models();
    return { features: [...found.data], stored: stored.map((m) => m.modelId) };
  } finally {
    await manager.dispose();
  }
}

Object.assign(globalThis, { features });
