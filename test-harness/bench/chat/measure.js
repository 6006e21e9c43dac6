// SPDX-License-Identifier: Apache-2.0
// What is measured of the two sides of a chat, and the rows that come of it.

import { median, medianRatio } from '../measure.js';

/**
 * @typedef {import('../report.js').Row} Row
 * @typedef {import('./sides.js').Messages} Messages
 * @typedef {import('./sides.js').Answer} Answer
 * @typedef {import('./models.js').ModelName} ModelName
 * @typedef {'ours' | 'theirs'} SideName
 *
 * @typedef {object} Sides
 * @property {(side: SideName, model: ModelName) => Promise<void>} load
 * @property {(side: SideName, messages: Messages, count: number,
 *   chatId?: string) => Promise<Answer>} answer
 * @property {(side: SideName) => Promise<void>} release
 */

/** Tokens of an answer of each model. */
const SMALL_TOKENS = 200;
const LARGE_TOKENS = 40;
const TURN_TOKENS = 40;

/** Tokens of the first turn, of which each character is one. */
const HISTORY = 1000;

/** Rounds until browsers have compiled everything for good. */
const WARM_UP = 3;

/** The sides take turns, each round the other way round. */
const ORDERS = /** @type {SideName[][]} */ (
  [['ours', 'theirs'], ['theirs', 'ours']]);

/** @type {Messages} */
const QUESTION = [
  { role: 'user', content: 'Tell me something about the weather.' },
];

/** @type {Messages} */
const STORY = [{
  role: 'user',
  content: 'Once upon a time there was a story that went on. '
    .repeat(HISTORY).slice(0, HISTORY - TURN_TOKENS),
}];

/**
 * @param {Sides} sides
 * @param {ModelName} model
 * @param {number} rounds
 * @param {(side: SideName, round: number) => Promise<Answer>} ask
 * @returns {Promise<Record<SideName, Answer[]>>}
 */
async function compare(sides, model, rounds, ask) {
  /** @type {Record<SideName, Answer[]>} */
  const answers = { ours: [], theirs: [] };
  await sides.load('ours', model);
  await sides.load('theirs', model);
  for (let round = -WARM_UP; round < rounds; round += 1) {
    for (const side of ORDERS[round & 1]) {
      const answer = await ask(side, round);
      if (round >= 0) answers[side].push(answer);
    }
  }
  await sides.release('ours');
  await sides.release('theirs');
  return answers;
}

/**
 * @param {Sides} sides
 * @param {number} rounds
 * @returns {Promise<Row>}
 */
async function measureSpeed(sides, rounds) {
  const { ours, theirs } = await compare(sides, 'small', rounds,
    (side) => sides.answer(side, QUESTION, SMALL_TOKENS));
  const totals = (/** @type {Answer[]} */ answers) => (
    answers.map(({ totalMs }) => totalMs));
  const speed = (/** @type {Answer[]} */ answers) => (
    `${(SMALL_TOKENS / median(totals(answers)) * 1000).toFixed(0)} a second`);
  return {
    what: 'tokens of a small model', unit: 'x',
    ours: speed(ours), peer: speed(theirs),
    result: medianRatio(totals(theirs), totals(ours)),
    target: { floor: 1.3, aim: 2 },
  };
}

/**
 * @param {Sides} sides
 * @param {number} rounds
 * @returns {Promise<Row>}
 */
async function measureRest(sides, rounds) {
  const { ours, theirs } = await compare(sides, 'large', rounds,
    (side) => sides.answer(side, QUESTION, LARGE_TOKENS));
  const share = (/** @type {Answer[]} */ answers) => median(answers.map(
    ({ totalMs, runMs }) => (totalMs - runMs) / totalMs * 100));
  return {
    what: 'all but session.run, of a model of 100 MB', unit: '%',
    ours: `${share(ours).toFixed(1)} %`, peer: `${share(theirs).toFixed(1)} %`,
    result: share(ours), target: { floor: 5, isMost: true },
  };
}

/**
 * @param {Sides} sides
 * @param {number} rounds
 * @returns {Promise<Row>}
 */
async function measureSecondTurn(sides, rounds) {
  const { ours, theirs } = await compare(sides, 'middle', rounds,
    async (side, round) => {
      const chatId = `chat-${round}`;
      const { text } = await sides.answer(side, STORY, TURN_TOKENS, chatId);
      return sides.answer(side, [
        ...STORY, { role: 'assistant', content: text },
        { role: 'user', content: 'And then?' },
      ], 2, chatId);
    });
  const firsts = (/** @type {Answer[]} */ answers) => (
    answers.map(({ firstMs }) => firstMs));
  const text = (/** @type {Answer[]} */ answers) => (
    `${median(firsts(answers)).toFixed(0)} ms`);
  return {
    what: `first token, ${HISTORY} tokens of history`, unit: 'x',
    ours: text(ours), peer: text(theirs),
    result: medianRatio(firsts(ours), firsts(theirs)),
    target: { floor: 0.25, aim: 0.1, isMost: true },
  };
}

/**
 * @param {Sides} sides
 * @param {number} rounds
 */
export async function measureGeneration(sides, rounds) {
  return [
    await measureSpeed(sides, rounds),
    await measureRest(sides, rounds),
    await measureSecondTurn(sides, rounds),
  ];
}
