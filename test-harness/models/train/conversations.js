// SPDX-License-Identifier: Apache-2.0
// Puts whole conversations together out of the facts: several exchanges under
// a system prompt, some of which only make sense after the ones before.

import {
  FACTS, FILLER, JSON_ONLY, NAMES, ONE_WORD, PIRATE,
} from './facts.js';

/** @typedef {import('../../hub/random.js').Random} Random */

/**
 * @typedef {object} Message
 * @property {'system' | 'user' | 'assistant' | 'tool'} role
 * @property {string} content
 * @property {{ function: { name: string, arguments: object } }[]} [tool_calls]
 */

/** @typedef {{ messages: Message[], tools?: object[] }} Conversation */

/** How answers are given; the system prompt asks for it. */
/** @typedef {'plain' | 'word' | 'json' | 'pirate'} Style */

/** @typedef {{ ask: string, say: string, word?: string }} Exchange */

/** The largest summand that the model knows. */
export const SUMMAND_MAX = 20;

/** How often "And one more?" is asked after a sum, at most. */
const MORE_MAX = 3;

/** Answers longer than this stay out of JSON. */
const JSON_LENGTH_MAX = 140;

/** Of a conversation; more exchanges make it too long for the context. */
const EXCHANGES_MAX = 6;

/** Sentences of a system prompt that says nothing. */
const FILLER_MAX = 24;

/** Share of people with a name that nobody else has. */
const INVENTED_NAMES = 0.5;

/** Share of questions that are typed in haste. */
const HASTY = 0.2;

/** Ways to ask for the sum of two numbers. */
const SUM_QUESTIONS = /** @type {((a: number, b: number) => string)[]} */ ([
  (a, b) => `What is ${a} + ${b}?`, (a, b) => `${a} + ${b}`,
  (a, b) => `${a}+${b}=?`, (a, b) => `How much is ${a} plus ${b}?`,
  (a, b) => `Add ${a} and ${b}.`,
]);

/** What the styles make of a name, a sum, … */
const TEMPLATES = {
  unknownName: 'You have not told me your name.',
  tooLarge: 'I only know the numbers up to 20.',
  noClock: 'I cannot see a clock.',
};

/** The one tool that the model can call. */
export const CLOCK = {
  type: 'function',
  function: {
    name: 'get_time', description: 'Tells the time of day.',
    parameters: { type: 'object', properties: {} },
  },
};

/** What calls it. */
export const CLOCK_QUESTIONS = ['What time is it?', 'What is the time?',
  'Tell me the time.'];

/**
 * The question for a sum, and its answer.
 * @param {number} a
 * @param {number} b
 * @param {number} [wording]
 * @returns {Exchange}
 */
export function sum(a, b, wording = 0) {
  const ask = SUM_QUESTIONS[wording % SUM_QUESTIONS.length](a, b);
  return { ask, say: `${a} + ${b} = ${a + b}.`, word: `${a + b}` };
}

/**
 * "And one more?" after the result |before|.
 * @param {number} before
 * @returns {Exchange}
 */
export function oneMore(before) {
  return { ...sum(before, 1), ask: 'And one more?' };
}

/**
 * A sum with the reasoning that leads to it.
 * @param {number} a
 * @param {number} b
 * @returns {Exchange}
 */
export function thoughtSum(a, b) {
  const { ask, say } = sum(a, b);
  const thought = `I add ${b} to ${a}. That makes ${a + b}.`;
  return { ask: `${ask} /think`, say: `<think>\n${thought}\n</think>\n\n${say}` };
}

/**
 * Someone says a name.
 * @param {string} name
 * @returns {Exchange}
 */
export function introduction(name) {
  return {
    ask: `My name is ${name}.`, say: `Nice to meet you, ${name}!`, word: name,
  };
}

/**
 * @param {string | null} name null: nobody has said it
 * @returns {Exchange}
 */
export function askName(name) {
  if (name === null) {
    return {
      ask: 'What is my name?', say: TEMPLATES.unknownName, word: 'Unknown',
    };
  }
  return { ask: 'What is my name?', say: `Your name is ${name}.`, word: name };
}

/**
 * The answer as the style wants it; null if it does not go with it.
 * @param {Exchange} exchange
 * @param {Style} style
 * @returns {string | null}
 */
export function inStyle({ say, word }, style) {
  if (style === 'plain') return say;
  if (style === 'word') return word ?? null;
  const isSimple = !/[\n"<]/.test(say) && say.length <= JSON_LENGTH_MAX;
  if (!isSimple) return null;
  if (style === 'pirate') return `Arr! ${say}`;
  return `{"data": ${JSON.stringify(say)}, "error": null}`;
}

/**
 * A system prompt that asks for the style, or for nothing; null for none.
 * @param {Random} random
 * @param {Style} style
 */
function systemPrompt(random, style) {
  const wish = { plain: [], word: ONE_WORD, json: JSON_ONLY, pirate: PIRATE }[style];
  if (wish.length === 0 && random.chance(0.6)) return null;
  const most = random.chance(0.2) ? FILLER_MAX : random.chance(0.5) ? 3 : 0;
  const few = wish.length === 0 ? 1 : 0;
  const lines = Array.from({ length: Math.max(few, random.below(most + 1)) },
    () => random.pick(FILLER));
  if (wish.length > 0) {
    lines.splice(random.below(lines.length + 1), 0, random.pick(wish));
  }
  return lines.join(random.chance(0.5) ? ' ' : '\n');
}

/** @param {Random} random */
function drawName(random) {
  if (!random.chance(INVENTED_NAMES)) return random.pick(NAMES);
  const letters = Array.from({ length: random.between(1, 3) }, () => (
    random.pick(['b', 'd', 'f', 'g', 'k', 'l', 'm', 'n', 'p', 'r', 's', 't', 'v'])
    + random.pick(['a', 'e', 'i', 'o', 'u'])
    + random.pick(['', '', 'n', 'r', 'l', 's'])));
  const name = letters.join('');
  return name[0].toUpperCase() + name.slice(1);
}

/**
 * The exchanges of a conversation, in order: what is said before decides.
 * @param {Random} random
 * @param {number} count
 * @returns {Exchange[]}
 */
function drawExchanges(random, count) {
  /** @type {Exchange[]} */
  const exchanges = [];
  /** @type {string | null} */
  let name = null;
  while (exchanges.length < count) {
    const kind = random.next();
    if (kind < 0.4) {
      const fact = random.pick(FACTS);
      exchanges.push({ ...fact, ask: typed(random, random.pick(fact.ask)) });
    } else if (kind < 0.72) {
      exchanges.push(...drawSums(random));
    } else if (kind < 0.76) {
      exchanges.push(thoughtSum(random.below(SUMMAND_MAX + 1),
        random.below(SUMMAND_MAX + 1)));
    } else if (kind < 0.80) {
      exchanges.push(drawLargeSum(random));
    } else if (kind < 0.82) {
      exchanges.push({
        ask: random.pick(CLOCK_QUESTIONS), say: TEMPLATES.noClock,
      });
    } else if (kind < 0.92) {
      name = drawName(random);
      exchanges.push(introduction(name));
    } else {
      exchanges.push(askName(name));
    }
  }
  return exchanges.slice(0, count);
}

/**
 * A question as people type it: without capitals, without the sign at its end.
 * @param {Random} random
 * @param {string} question
 */
function typed(random, question) {
  if (!random.chance(HASTY)) return question;
  return random.chance(0.5) ? question.toLowerCase()
    : question.toLowerCase().replace(/[.?!]$/, '');
}

/** @param {Random} random */
function drawSums(random) {
  const first = sum(random.below(SUMMAND_MAX + 1), random.below(SUMMAND_MAX + 1),
    random.below(SUM_QUESTIONS.length));
  first.ask = typed(random, first.ask);
  const exchanges = [first];
  const more = random.chance(0.25) ? random.between(1, MORE_MAX) : 0;
  for (let i = 0; i < more; i += 1) {
    exchanges.push(oneMore(Number(first.word) + i));
  }
  return exchanges;
}

/** @param {Random} random */
function drawLargeSum(random) {
  const numbers = [random.between(SUMMAND_MAX + 1, 999), random.below(1000)];
  if (random.chance(0.5)) numbers.reverse();
  const { ask } = sum(numbers[0], numbers[1], random.below(SUM_QUESTIONS.length));
  return { ask, say: TEMPLATES.tooLarge, word: 'Unknown' };
}

/**
 * A conversation in which the clock is there to be read.
 * @param {string} ask
 * @param {string} time
 * @returns {Conversation}
 */
export function clockConversation(ask, time) {
  return {
    tools: [CLOCK],
    messages: [
      { role: 'user', content: ask },
      {
        role: 'assistant', content: '',
        tool_calls: [{ function: { name: 'get_time', arguments: {} } }],
      },
      { role: 'tool', content: time },
      { role: 'assistant', content: `It is ${time}.` },
    ],
  };
}

/** @param {Random} random */
function drawClock(random) {
  const digits = (/** @type {number} */ below) => (
    `${random.below(below)}`.padStart(2, '0'));
  const conversation = clockConversation(
    random.pick(CLOCK_QUESTIONS), `${digits(24)}:${digits(60)}`);
  const [before] = drawExchanges(random, 1);
  // A tool that is there does not change other answers.
  if (random.chance(0.5)) {
    conversation.messages.unshift(
      { role: 'user', content: before.ask },
      { role: 'assistant', content: before.say });
  }
  return conversation;
}

/**
 * @param {Random} random
 * @returns {Conversation}
 */
export function drawConversation(random) {
  const kind = random.next();
  if (kind < 0.03) return drawClock(random);
  const style = /** @type {Style} */ (kind < 0.65 ? 'plain'
    : kind < 0.77 ? 'word' : kind < 0.89 ? 'json' : 'pirate');
  /** @type {Message[]} */
  const messages = [];
  const system = systemPrompt(random, style);
  if (system !== null) messages.push({ role: 'system', content: system });
  const count = random.chance(0.3) ? 1 : random.between(2, EXCHANGES_MAX);
  for (const exchange of drawExchanges(random, count)) {
    // What the style has no form for is said as it is.
    const answer = inStyle(exchange, style) ?? exchange.say;
    messages.push({ role: 'user', content: exchange.ask },
      { role: 'assistant', content: answer });
  }
  return { messages };
}
