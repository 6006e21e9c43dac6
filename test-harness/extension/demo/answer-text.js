// SPDX-License-Identifier: Apache-2.0
// Text as it grows: paragraphs, and code between fences in a frame of its own.
// What is written stays as it is written; there is no other markup.

import { button, h } from './dom.js';

/** ``` with the name of the language, or alone. */
const FENCE = /^ {0,3}```+\s*([\w+#.-]*)[^`]*$/;

/** @typedef {{ isCode: boolean, language: string, text: string }} Block */

/**
 * Splits text at its fences.
 * @param {string} text
 * @returns {Block[]}
 */
export function blocksOf(text) {
  /** @type {Block[]} */
  const blocks = [];
  let block = { isCode: false, language: '', text: '' };
  const lines = text.split('\n');
  lines.forEach((line, i) => {
    const fence = FENCE.exec(line);
    if (fence) {
      blocks.push(block);
      block = { isCode: !block.isCode, language: fence[1], text: '' };
      return;
    }
    block.text += i < lines.length - 1 ? `${line}\n` : line;
  });
  return [...blocks, block].filter(({ isCode, text }) => isCode || text.trim());
}

/** Text that may grow at its end. */
export class AnswerText {
  element = h('div', { class: 'prose' });
  #text = '';
  /** @type {{ isCode: boolean, language: string, node: Text }[]} */
  #drawn = [];

  /** @param {string} [text] */
  constructor(text = '') {
    this.append(text);
  }

  get text() {
    return this.#text;
  }

  /** @param {string} text */
  append(text) {
    this.#text += text;
    const blocks = blocksOf(this.#text);
    blocks.forEach((block, i) => {
      const shown = block.text.replace(/^\n+|\s+$/g, '');
      const drawn = this.#drawn[i];
      if (drawn?.isCode === block.isCode && drawn.language === block.language) {
        if (drawn.node.data !== shown) drawn.node.data = shown;
        return;
      }
      this.#cut(i);
      this.#draw(block, shown);
    });
    this.#cut(blocks.length);
  }

  /** @param {number} count of blocks that stay */
  #cut(count) {
    while (this.#drawn.length > count) {
      this.#drawn.pop();
      this.element.lastElementChild?.remove();
    }
  }

  /** @param {Block} block @param {string} shown */
  #draw({ isCode, language }, shown) {
    const node = document.createTextNode(shown);
    this.#drawn.push({ isCode, language, node });
    this.element.append(isCode
      ? h('figure', { class: 'code' },
        h('figcaption', {}, h('span', {}, language || 'code'),
          copyButton('Copy code', () => node.data)),
        h('pre', { tabindex: '0', 'aria-label': `Code, ${language || 'plain'}` },
          h('code', {}, node)))
      : h('p', {}, node));
  }
}

/**
 * @param {string} label
 * @param {() => string} text what is copied
 */
export function copyButton(label, text) {
  const element = button(label, {
    icon: 'copy', symbol: true, kind: 'quiet small',
    click: async () => {
      await navigator.clipboard.writeText(text());
      element.dataset.done = '';
      element.addEventListener('blur', () => delete element.dataset.done,
        { once: true });
    },
  });
  return element;
}
