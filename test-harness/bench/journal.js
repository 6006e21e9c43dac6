// SPDX-License-Identifier: Apache-2.0
// What it costs to write an answer down while it is made: milliseconds per token
// of the tiny chat model with the journal and without. The smaller a model the
// more it shows; of this one a token takes a millisecond or two. Runs come in
// pairs, the order of a pair being the reverse of that before, and what counts
// is the difference within a pair: what the machine does besides, slowly, is in
// both. The processor's time says it also on a machine that has other work. By
// hand: node test-harness/bench/journal.js [pairs]

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import * as ort from 'onnxruntime-web';

import { createHub } from '../hub/index.js';
import { TINY_CHAT, tinyChat } from '../models/tiny-chat.js';
import { createModelManager } from '../module-under-test.js';

const PAIRS = Number(process.argv[2] ?? 20);
const TOKENS = 256;

/** Their caches, and code that is not compiled yet, are warm afterwards. */
const WARM_UP = 2;

/**
 * The value below which a share of |values| lies.
 * @param {number[]} values
 * @param {number} share
 */
function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.round(share * (sorted.length - 1))];
}

const hub = createHub({ catalogue: [], rateLimits: false, latency: false,
  repositories: [tinyChat()] });
const dataDir = await mkdtemp(join(tmpdir(), 'journal-'));

/** @param {boolean} journal */
async function makeManager(journal) {
  const manager = await createModelManager({ fetch: hub.fetch, ort, journal,
    dataDir: join(dataDir, journal ? 'with' : 'without') });
  await manager.load({ modelId: TINY_CHAT, dtype: 'fp32' });
  return manager;
}

/**
 * Milliseconds per token of one answer: of the clock, and of the processor.
 * @param {Awaited<ReturnType<typeof makeManager>>} manager
 */
async function measure(manager) {
  const before = process.cpuUsage();
  const start = performance.now();
  const { newTokens } = await manager.generate({
    message: 'Who are you?',
    settings: { min_new_tokens: TOKENS, max_new_tokens: TOKENS },
  }, { onToken: () => {} });
  const clock = performance.now() - start;
  const { user, system } = process.cpuUsage(before);
  return { clock: clock / newTokens, busy: (user + system) / 1000 / newTokens };
}

const [without, kept] = [await makeManager(false), await makeManager(true)];
/** @type {Record<'clock' | 'busy', { base: number[], extra: number[] }>} */
const results = {
  clock: { base: [], extra: [] }, busy: { base: [], extra: [] },
};
for (let pair = -WARM_UP; pair < PAIRS; pair += 1) {
  const isReversed = pair % 2 !== 0;
  const first = await measure(isReversed ? kept : without);
  const second = await measure(isReversed ? without : kept);
  const [plain, journalled] = isReversed ? [second, first] : [first, second];
  if (pair < 0) continue;
  for (const name of /** @type {const} */ (['clock', 'busy'])) {
    results[name].base.push(plain[name]);
    results[name].extra.push(journalled[name] - plain[name]);
  }
}
for (const manager of [without, kept]) await manager.dispose();
await rm(dataDir, { recursive: true });
for (const [name, { base, extra }] of Object.entries(results)) {
  const step = quantile(base, 0.5);
  const [low, middle, high] = [0.25, 0.5, 0.75].map(
    (share) => quantile(extra, share) / step * 100);
  console.log(`${name === 'clock' ? 'by the clock' : 'of the processor'}: ${
    step.toFixed(3)} ms per token, with the journal ${middle.toFixed(1)} % more`
    + ` (half of the pairs ${low.toFixed(1)} to ${high.toFixed(1)} %)`);
}
