// SPDX-License-Identifier: Apache-2.0
// What it costs to write an answer down while it is made: tokens per second of
// the tiny chat model with the journal and without, in turns. The smaller a
// model the more it shows; of this one a token takes a millisecond or two.
// The processor's time says it also on a machine that has other work. By hand:
// node test-harness/bench/journal.js [runs]

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import * as ort from 'onnxruntime-web';

import { createHub } from '../hub/index.js';
import { TINY_CHAT, tinyChat } from '../models/tiny-chat.js';
import { createModelManager } from '../module-under-test.js';

const RUNS = Number(process.argv[2] ?? 15);
const TOKENS = 256;

/** @param {number[]} values */
const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];

const hub = createHub({ catalogue: [], rateLimits: false, latency: false,
  repositories: [tinyChat()] });
const dataDir = await mkdtemp(join(tmpdir(), 'journal-'));
/** @type {Record<string, number[]>} */
const rates = { without: [], with: [] };
/** @type {Record<string, number[]>} milliseconds of the processor per token */
const busy = { without: [], with: [] };
/** @type {Record<string, any>} */
const managers = {};
for (const kind of Object.keys(rates)) {
  managers[kind] = await createModelManager({ fetch: hub.fetch, ort,
    dataDir: join(dataDir, kind), journal: kind === 'with' });
  await managers[kind].load({ modelId: TINY_CHAT, dtype: 'fp32' });
}
for (let run = 0; run < RUNS; run += 1) {
  for (const [kind, manager] of Object.entries(managers)) {
    const before = process.cpuUsage();
    const start = performance.now();
    const { newTokens } = await manager.generate({
      message: 'Who are you?',
      settings: { min_new_tokens: TOKENS, max_new_tokens: TOKENS },
    }, { onToken: () => {} });
    rates[kind].push(newTokens * 1000 / (performance.now() - start));
    const { user, system } = process.cpuUsage(before);
    busy[kind].push((user + system) / 1000 / newTokens);
  }
}
for (const manager of Object.values(managers)) await manager.dispose();
await rm(dataDir, { recursive: true });
const [without, with_] = [median(rates.without), median(rates.with)];
const [busyWithout, busyWith] = [median(busy.without), median(busy.with)];
console.log(`processor per token without the journal ${
  busyWithout.toFixed(3)} ms, with it ${busyWith.toFixed(3)} ms`);
console.log(`tokens per second without the journal ${without.toFixed(0)}, with `
  + `it ${with_.toFixed(0)}: ${((1 - with_ / without) * 100).toFixed(1)} % fewer, `
  + `${(1000 / with_ - 1000 / without).toFixed(3)} ms per token`);
