// SPDX-License-Identifier: Apache-2.0
// An application that uses the package as its README says, and nothing of its
// inside. The test builds it in several ways and asks it for an answer.

import { createModelManager } from 'tabagent-wasm';

/**
 * Lists the Hub at `hubUrl`, stores the model `modelId`, and has it answer.
 * @param {string} hubUrl
 * @param {string} modelId
 * @param {string} message
 */
async function answer(hubUrl, modelId, message) {
  const manager = await createModelManager({
    hubUrl, ort: () => import('onnxruntime-web/wasm'),
  });
  try {
    const { models } = await manager.listChatModels();
    await manager.load({ modelId, dtype: 'q8' });
    const { text } = await manager.generate(
      { message, settings: { do_sample: false } });
    return { text, models: models.map(({ id }) => id) };
  } finally {
    await manager.dispose();
  }
}

Object.assign(globalThis, { answer });
