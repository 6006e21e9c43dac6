// SPDX-License-Identifier: Apache-2.0
// The tables and the diagram of docs/protocol.md, made from
// wasm/protocol/panel_request.def. The text around them is written by hand.
import { join } from 'node:path';

import { ROOT } from '../paths.js';

/**
 * A row of panel_request.def.
 * @typedef {object} PanelRequest
 * @property {string} name
 * @property {string} action
 * @property {string} verb empty: none
 * @property {string} answer
 * @property {string} events
 * @property {string} states a letter for each of STATES
 */

export const PROTOCOL_DOCUMENT = join(ROOT, 'docs/protocol.md');

/** In the order of the letters of a row; as in tam_chat_state. */
const STATES = ['uninitialized', 'loading_model', 'model_ready', 'generating'];

/** @type {Record<string, number>} */
const TARGETS = { U: 0, L: 1, R: 2, G: 3 };

/** What ends by itself: from, to, why. */
const ENDS = [
  [1, 2, 'workerReady'],
  [1, 0, 'error'],
  [3, 2, 'generationComplete, generationError'],
  [2, 0, 'nobody needs the model'],
];

/** @param {string} text */
function inCode(text) {
  return text.replace(/\b[a-z]+[A-Z]\w*\b|\b(state|dtype|ready|message)\b/g,
    '`$&`');
}

/** @param {PanelRequest} request */
function answerOf({ answer }) {
  if (answer === '') return '`{success}`';
  return answer.startsWith('no success, but ')
    ? `\`{${answer.slice('no success, but '.length)}}\``
    : `\`{success, ${answer}}\``;
}

/** @param {string} letter */
function effectOf(letter) {
  if (letter === '=') return '';
  if (letter === 'x') return '`no_model`';
  const target = STATES[TARGETS[letter.toUpperCase()]];
  return letter === letter.toUpperCase() ? target : `${target}, in its turn`;
}

/** @param {PanelRequest[]} requests */
function requestTable(requests) {
  return [
    '| type | answer | heard by all |',
    '| --- | --- | --- |',
    ...requests.map((request) => `| \`${request.name}\` | ${
      answerOf(request)} | ${inCode(request.events)} |`),
  ].join('\n');
}

/** @param {PanelRequest[]} requests */
function stateTable(requests) {
  return [
    `| type | ${STATES.map((state) => `\`${state}\``).join(' | ')} |`,
    '| --- | --- | --- | --- | --- |',
    ...requests.filter(({ states }) => states !== '====')
      .map(({ name, states }) => `| \`${name}\` | ${
        [...states].map(effectOf).join(' | ')} |`),
  ].join('\n');
}

/** @param {PanelRequest[]} requests */
function diagram(requests) {
  /** @type {Map<string, string[]>} */
  const arrows = new Map();
  const add = (/** @type {number} */ from, /** @type {number} */ to,
    /** @type {string} */ why) => {
    const key = `${STATES[from]} --> ${STATES[to]}`;
    arrows.set(key, [...arrows.get(key) ?? [], why]);
  };
  for (const { name, states } of requests) {
    [...states].forEach((letter, from) => {
      const to = TARGETS[letter];
      if (to !== undefined && to !== from) add(from, to, name.replace(/^tabagent:/, ''));
    });
  }
  for (const [from, to, why] of ENDS) {
    add(Number(from), Number(to), String(why));
  }
  return ['```mermaid', 'stateDiagram-v2',
    `  [*] --> ${STATES[0]}`,
    ...[...arrows].map(([key, why]) => `  ${key}: ${why.join(', ')}`),
    '```'].join('\n');
}

/**
 * Puts what is generated between its marks.
 * @param {PanelRequest[]} requests
 * @param {string} text of the document
 */
export function generateProtocol(requests, text) {
  const parts = {
    requests: requestTable(requests),
    states: stateTable(requests),
    diagram: diagram(requests),
  };
  return Object.entries(parts).reduce((document, [name, part]) => {
    const begin = `<!-- generated: ${name} -->\n`;
    const end = `\n<!-- end: ${name} -->`;
    const from = document.indexOf(begin);
    const to = document.indexOf(end, from);
    if (from < 0 || to < 0) throw new Error(`no place for ${name}`);
    return document.slice(0, from + begin.length) + part + document.slice(to);
  }, text);
}
