// SPDX-License-Identifier: Apache-2.0
// Kills service worker and host of an extension at random moments of listings,
// downloads, loads and answers, and says what became of each. By hand:
// node test-harness/browser/extension-kills.js [KILLS] [SEED]

import { TINY_CHAT } from '../models/tiny-chat.js';
import { LARGE, LARGE_BYTES, openExtension } from './extension-stage.js';
import { ask, call } from './manager-stage.js';

/** Longer than any of the jobs takes. */
const MOMENT_MS_MAX = 600;

/** Nothing takes so long; then it hangs. */
const HANG_MS = 60_000;

const TOKENS = 120;

const [kills = 100, seed = 1] = process.argv.slice(2).map(Number);

let state = seed;

/** @param {number} below */
function random(below) {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * below);
}

/**
 * @typedef {object} Job
 * @property {string} name
 * @property {any[]} args
 * @property {(panel: any) => Promise<any>} [before]
 * @property {(end: any, progress: any[]) => boolean} isRight
 */

/** @type {Job[]} */
const JOBS = [
  {
    name: 'listChatModels', args: [{ maxCandidates: 250 }],
    isRight: ({ models }) => models?.length > 100,
  }, {
    name: 'download', args: [LARGE],
    before: (panel) => ask(panel, 'deleteModel', LARGE),
    isRight: ({ bytes }) => bytes > LARGE_BYTES,
  }, {
    name: 'load', args: [{ modelId: TINY_CHAT }],
    before: (panel) => ask(panel, 'reset'),
    isRight: ({ modelId }) => modelId === TINY_CHAT,
  }, {
    name: 'generate', args: [{
      message: 'Hello', settings: { max_new_tokens: TOKENS, eos_token_id: [] },
    }],
    before: (panel) => ask(panel, 'load', { modelId: TINY_CHAT }),
    isRight: ({ newTokens, output }, progress) => newTokens === TOKENS
      && progress.map(({ text }) => text).join('') === output
      && progress.flatMap(({ tokenIds }) => tokenIds).length === TOKENS,
  },
];

/** Waits by the clock: where the jobs are then is the question. */
const wait = (/** @type {number} */ ms) => new Promise(
  (resolve) => { setTimeout(resolve, ms); });

const extension = await openExtension();
const panel = await extension.openPanel();
const count = { kills: 0, lost: 0, doubled: 0, wrong: 0 };
for (let i = 0; count.kills < kills; i += 1) {
  const { name, args, before, isRight } = JOBS[random(JOBS.length)];
  const whom = ['worker', 'host', 'both'][random(3)];
  const momentMs = random(MOMENT_MS_MAX);
  const id = `${name}-${i}`;
  await before?.(panel);
  await call(panel, 'begin', { id, name, args });
  await wait(momentMs);
  const { ends: isOver } = await call(panel, 'look', id);
  const killed = await Promise.all([
    whom === 'host' ? 0 : extension.killWorker(),
    whom === 'worker' ? 0 : extension.killHost(),
  ]);
  if (!isOver) count.kills += killed[0] + killed[1];
  const result = await Promise.race(
    [call(panel, 'whenEnded', id), wait(HANG_MS)]);
  const { ends, end, progress } = /** @type {any} */ (result)
    ?? { ends: 0, end: {}, progress: [] };
  // What comes late comes now.
  await ask(panel, 'state');
  const { ends: endsLater } = await call(panel, 'look', id);
  if (ends === 0) count.lost += 1;
  else if (endsLater > 1) count.doubled += 1;
  else if (!isRight(end, progress)) count.wrong += 1;
  else continue;
  console.log(`${name}, ${whom} killed after ${momentMs} ms: ${ends} ends, `
    + JSON.stringify(end).slice(0, 300));
}
console.log(`${count.kills} kills: ${count.lost} lost, ${count.doubled} `
  + `doubled, ${count.wrong} wrong`);
await extension.close();
process.exit(count.lost + count.doubled + count.wrong > 0 ? 1 : 0);
