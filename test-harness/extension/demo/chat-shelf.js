// SPDX-License-Identifier: Apache-2.0
// The chats that are kept, to go back to or to delete.

import { ago } from './format.js';
import { button, fill, h } from './dom.js';
import { forgetChat, keptChats, titleOf } from './chats.js';

/** @typedef {import('./chats.js').Chat} Chat */

export class ChatShelf {
  element;
  #list = h('ul', { class: 'shelf', 'aria-label': 'Kept chats' });
  #face;

  /**
   * @param {{ open: (chat: Chat) => void, removed: (chat: Chat) => void }} face
   */
  constructor(face) {
    this.#face = face;
    this.element = h('dialog', {
      class: 'dialog', 'aria-label': 'Chats',
      on: {
        // A click beside it is one on the dialog itself.
        click: (event) => {
          if (event.target === this.element) this.element.close();
        },
      },
    }, h('div', { class: 'dialog-box' },
      h('header', { class: 'dialog-head' }, h('h2', {}, 'Chats'),
        button('Close', {
          icon: 'close', symbol: true, kind: 'quiet',
          click: () => this.element.close(),
        })),
      this.#list));
  }

  async open() {
    await this.#draw();
    this.element.showModal();
  }

  async #draw() {
    const chats = await keptChats();
    fill(this.#list, ...chats.map((chat) => this.#line(chat)));
    if (chats.length === 0) {
      fill(this.#list, h('li', { class: 'hint' }, 'No chat yet.'));
    }
  }

  /** @param {Chat} chat */
  #line(chat) {
    const title = titleOf(chat);
    return h('li', {},
      h('button', {
        type: 'button', class: 'shelf-chat',
        on: {
          click: () => {
            this.element.close();
            this.#face.open(chat);
          },
        },
      }, h('span', { class: 'shelf-title' }, title),
      h('span', { class: 'shelf-age' }, ago(chat.at))),
      button(`Delete ${title}`, {
        icon: 'trash', symbol: true, kind: 'quiet',
        click: async () => {
          await forgetChat(chat);
          this.#face.removed(chat);
          await this.#draw();
          this.element.querySelector('button')?.focus();
        },
      }));
  }
}
