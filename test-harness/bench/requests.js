// SPDX-License-Identifier: Apache-2.0
// How many requests it takes to classify 5,000 rows that carry `config`.

import { createHub, createVirtualClock } from '../hub/index.js';
import { createModelManager, wasm } from '../module-under-test.js';
import { listing } from './pages.js';

/** @typedef {import('./report.js').Section} Section */

const START_MS = Date.UTC(2026, 0, 1);

const CONFIG = Object.freeze({
  architectures: ['LlamaForCausalLM'], model_type: 'llama',
});

/** Rows as the Hub lists them, each with a configuration. */
function catalogue() {
  return listing({ seed: 1, pages: 50, isSkewed: false }).flat()
    .map((row) => ({
      ...row, gated: false, config: CONFIG, tags: ['onnx', ...row.tags],
    }));
}

/** @returns {Promise<Section>} */
export async function benchRequests() {
  const clock = createVirtualClock(START_MS);
  const hub = createHub({ clock, catalogue: catalogue() });
  const manager = await createModelManager({
    wasm, clock, fetch: hub.fetch, seed: 1,
  });
  const { models, meta } = await clock.run(
    manager.listChatModels({ maxCandidates: 5000 }));
  return {
    title: 'Requests to classify rows that carry their configuration',
    notes: [`${meta.fetched} rows from the simulated Hub, ${models.length} of `
      + `them pass and are classified; ${meta.pages} pages`],
    rows: [{
      what: 'requests beyond the pages', unit: 'requests',
      result: hub.requests.length - meta.pages,
      target: { floor: 0, isMost: true },
    }],
  };
}
