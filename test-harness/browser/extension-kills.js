// SPDX-License-Identifier: Apache-2.0
// Kills service worker, host and the worker with the model at random moments of
// listings, downloads, loads and answers, and says what became of each, and how
// soon it went on. By hand:
// node test-harness/browser/extension-kills.js [KILLS] [SEED]

import { TINY_CHAT } from '../models/tiny-chat.js';
import { LARGE, LARGE_BYTES, openExtension } from './extension-stage.js';
import { ask, call } from './manager-stage.js';

/** Longer than any of the jobs takes. */
const MOMENT_MS_MAX = 600;

/** Nothing takes so long; then it hangs. */
const HANG_MS = 60_000;

/** So soon something is heard again, if the machine does nothing else. */
const SILENCE_MS_MAX = 1000;

const TOKENS = 120;

const [kills = 100, seed = 1] = process.argv.slice(2).map(Number);

let state = seed;

/** @param {number} below */
function random(below) {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * below);
}

/** @param {number[]} numbers */
function grows(numbers) {
  return numbers.every((one, i) => i === 0 || one >= numbers[i - 1]);
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
    isRight: ({ models }) => models?.length > 100
      && new Set(models.map((/** @type {any} */ { id }) => id)).size
        === models.length,
  }, {
    name: 'download', args: [LARGE],
    before: (panel) => ask(panel, 'deleteModel', LARGE),
    isRight: ({ bytes }, progress) => bytes > LARGE_BYTES
      && grows(progress.map(({ loaded }) => loaded)),
  }, {
    name: 'load', args: [{ modelId: TINY_CHAT }],
    before: (panel) => ask(panel, 'reset'),
    isRight: ({ modelId }, progress) => modelId === TINY_CHAT
      && grows(progress.map((one) => one.progress)),
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

/**
 * Who is killed. How long a job is silent with nobody killed is the measure of
 * the machine.
 * @type {Record<string, (() => Promise<number>)[]>}
 */
const VICTIMS = {
  nobody: [],
  worker: [extension.killWorker],
  host: [extension.killHost],
  both: [extension.killWorker, extension.killHost],
  runtime: [extension.killRuntime],
};

const count = { kills: 0, lost: 0, doubled: 0, wrong: 0, silent: 0 };
/** How long each job that was hit, or not, said nothing. @type {number[][]} */
const silences = [[], []];
for (let i = 0; count.kills < kills; i += 1) {
  const { name, args, before, isRight } = JOBS[random(JOBS.length)];
  const whom = Object.keys(VICTIMS)[random(5)];
  const momentMs = random(MOMENT_MS_MAX);
  const id = `${name}-${i}`;
  await before?.(panel);
  await call(panel, 'begin', { id, name, args });
  await wait(momentMs);
  const { ends: isOver } = await call(panel, 'look', id);
  const killed = await Promise.all(VICTIMS[whom].map((kill) => kill()));
  const killedMs = Date.now();
  const hits = isOver ? 0 : killed.reduce((sum, one) => sum + one, 0);
  count.kills += hits;
  const { ends, end, progress, timesMs } = /** @type {any} */ (
    await Promise.race([call(panel, 'whenEnded', id), wait(HANG_MS)]))
    ?? { ends: 0, end: {}, progress: [], timesMs: [] };
  // What comes late comes now.
  await ask(panel, 'state');
  const { ends: endsLater } = await call(panel, 'look', id);
  const heardMs = timesMs.find((/** @type {number} */ one) => one >= killedMs);
  const silenceMs = !isOver && heardMs ? heardMs - killedMs : 0;
  if (!isOver) silences[hits > 0 ? 0 : 1].push(silenceMs);
  // What ran on a worker that was killed cannot go on, and says so.
  const isDead = whom === 'runtime' && hits > 0
    && end?.failure?.code === 'worker_died';
  const isSilent = hits > 0 && silenceMs > SILENCE_MS_MAX;
  if (isSilent) count.silent += 1;
  if (ends === 0) count.lost += 1;
  else if (endsLater > 1) count.doubled += 1;
  else if (!isRight(end, progress) && !isDead) count.wrong += 1;
  else if (!isSilent) continue;
  console.log(`${name}, ${whom} killed after ${momentMs} ms: ${ends} ends, `
    + `${progress.length} messages, ${silenceMs} ms of silence, `
    + `${JSON.stringify(end).slice(0, 300)}`);
}
const [hit, spared] = silences.map((all) => {
  all.sort((a, b) => a - b);
  const [half, most, last] = [0.5, 0.95, 1].map(
    (part) => all[Math.floor((all.length - 1) * part)]);
  return `half within ${half} ms, 95 of 100 within ${most} ms, the last within ${
    last} ms`;
});
console.log(`${count.kills} kills: ${count.lost} lost, ${count.doubled} `
  + `doubled, ${count.wrong} wrong, ${count.silent} silent for more than `
  + `${SILENCE_MS_MAX} ms\nwent on: ${hit}\nwithout a kill: ${spared}`);
await extension.close();
process.exit(count.kills > 0
  && count.lost + count.doubled + count.wrong === 0 ? 0 : 1);
