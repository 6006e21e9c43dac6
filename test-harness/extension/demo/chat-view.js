// SPDX-License-Identifier: Apache-2.0
// The chat: which model, what was said, and what is being said.

import { AnswerText, copyButton } from './answer-text.js';
import { ChatShelf } from './chat-shelf.js';
import { keepChat, keptChats, messagesOf, newChat } from './chats.js';
import { duration, whole } from './format.js';
import { button, fill, h, icon, oncePerFrame } from './dom.js';
import { ModelPicker } from './model-picker.js';
import { problem, wasCancelled } from './problem.js';

/**
 * @typedef {import('./app.js').App} App
 * @typedef {import('./chats.js').Chat} Chat
 * @typedef {import('./chats.js').Turn} Turn
 * @typedef {import('tabagent-wasm').GenerateResult} Result
 */

/**
 * Tokens of an answer when nobody has said how many: the default of the
 * reference, 20, ends answers in the middle of a sentence.
 */
const ANSWER_TOKENS = 1024;

/** How near to the end one must be for new text to be scrolled to. */
const NEAR_END_PX = 60;

const EXAMPLES = [
  'What can you do?', 'What is 9 plus 4?', 'What is the capital of France?',
];

/** Why an answer ended, where it is worth a word. @type {Record<string, string>} */
const ENDS = {
  length: 'cut at the limit of tokens', stopped: 'stopped', time: 'out of time',
};

/**
 * @param {HTMLElement} root
 * @param {App} app
 */
export function chatView(root, app) {
  const view = new ChatView(root, app);
  view.begin().catch((error) => app.report(error));
    document.addEventListener('visibilitychange', () => {
    if (!document.hidden) view.look();
  });
  return { show: () => view.look() };
}

class ChatView {
  #app;
  #picker;
  #shelf;
  /** @type {Chat} */
  #chat = newChat();
  /** @type {AbortController | null} */
  #answering = null;
  #turns = h('div', { class: 'turns' });
  #scroller = h('div', { class: 'scroller chat-scroller', tabindex: '0',
    role: 'log', 'aria-label': 'Chat', 'aria-live': 'off' }, this.#turns);
  #input;
  #send;

  /** @param {HTMLElement} root @param {App} app */
  constructor(root, app) {
    this.#app = app;
    this.#picker = new ModelPicker(app);
    this.#shelf = new ChatShelf({
      open: (chat) => this.#open(chat),
      removed: (chat) => { if (chat.id === this.#chat.id) this.#open(newChat()); },
    });
    this.#input = h('textarea', {
      rows: '1', placeholder: 'Ask something', 'aria-label': 'Message',
      on: {
        input: () => this.#grow(),
        keydown: (event) => {
          if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
          event.preventDefault();
          this.#submit();
        },
      },
    });
    this.#send = h('div', { class: 'send' });
    root.append(
      h('header', { class: 'head chat-head' },
        h('h1', { class: 'unseen' }, 'Chat'),
        this.#picker.element,
        h('div', { class: 'acts' },
          button('Chats', {
            icon: 'chats', symbol: true, kind: 'quiet',
            click: () => this.#shelf.open(),
          }),
          button('New chat', {
            icon: 'plus', symbol: true, kind: 'quiet',
            click: () => this.#open(newChat()),
          }))),
      this.#picker.progress,
      this.#shelf.element, this.#scroller,
      h('form', {
        class: 'composer',
        on: {
          submit: (event) => {
            event.preventDefault();
            this.#submit();
          },
        },
      }, h('div', { class: 'composer-box' }, this.#input, this.#send)));
    app.library.addEventListener('change', () => {
      if (this.#chat.turns.length === 0) this.#draw();
    });
    this.#showSend();
  }

  async begin() {
    const [last] = await keptChats();
    // Whoever is somewhere already is left there.
    if (last) this.#open(last, document.activeElement === document.body);
    else this.#draw();
    await this.#takeUp();
  }

  look() {
    this.#picker.look().catch((error) => this.#app.report(error));
  }

  /** @param {Chat} chat @param {boolean} [withFocus] */
  #open(chat, withFocus = true) {
    this.#answering?.abort();
    this.#chat = chat;
    this.#draw();
    if (withFocus) this.#input.focus();
  }

  #draw() {
    if (this.#chat.turns.length === 0) {
      fill(this.#turns, this.#welcome());
      return;
    }
    fill(this.#turns, ...this.#chat.turns.map((turn, i) => (
      turn.role === 'user' ? said(turn.text)
        : answered(turn, i === this.#chat.turns.length - 1
          ? () => this.#again() : undefined))));
    if (this.#chat.turns.at(-1)?.role === 'user') {
      this.#turns.append(this.#unanswered('This was not answered. '));
    }
    this.#toEnd();
  }

  #welcome() {
    const { library } = this.#app;
    if (library.isKnown && library.ready().length === 0) {
      return h('div', { class: 'empty' }, icon('chat'),
        h('h2', {}, 'A chat that stays here'),
        h('p', {}, 'Models run on this computer. Choose one, store it once, and '
          + 'talk with it: also without a network.'),
        button('Choose a model', {
          icon: 'models', kind: 'primary', click: () => this.#app.go('models'),
        }));
    }
    return h('div', { class: 'empty' }, icon('chat'),
      h('h2', {}, 'Ask something'),
      h('p', {}, 'The answer is made on this computer.'),
      h('div', { class: 'examples' }, ...EXAMPLES.map((text) => h('button', {
        type: 'button', class: 'example',
        on: {
          click: () => {
            this.#input.value = text;
            this.#submit();
          },
        },
      }, text))));
  }

  #showSend() {
    const isAnswering = this.#answering !== null;
    const hadFocus = this.#send.contains(document.activeElement);
    fill(this.#send, isAnswering
      ? button('Stop', {
        icon: 'stop', symbol: true, kind: 'primary round',
        click: () => this.#stop(),
      })
      : button('Send', {
        icon: 'send', symbol: true, kind: 'primary round',
        click: () => this.#submit(),
      }));
    if (hadFocus) this.#send.querySelector('button')?.focus();
  }

  #stop() {
    this.#answering?.abort();
  }

  #grow() {
    this.#input.style.height = 'auto';
    this.#input.style.height = `${this.#input.scrollHeight}px`;
  }

  #submit() {
    const text = this.#input.value.trim();
    if (text === '' || this.#answering) return;
    if (!this.#picker.chosen()) {
      this.#app.go('models');
      return;
    }
    this.#input.value = '';
    this.#grow();
    if (this.#chat.turns.length === 0) fill(this.#turns);
    for (const old of this.#turns.querySelectorAll('.problem, .again')) {
      old.remove();
    }
    this.#chat.turns.push({ role: 'user', text });
    this.#turns.append(said(text));
    this.#answer();
  }

  /** Answers the last question anew. */
  #again() {
    if (this.#answering) return;
    if (this.#chat.turns.at(-1)?.role === 'assistant') this.#chat.turns.pop();
    this.#draw();
    this.#turns.querySelector('.again')?.remove();
    this.#answer();
  }

  /** Answers what was said last. */
  async #answer() {
    const chat = this.#chat;
    await this.#receive(chat, async (growing, signal) => {
      const { modelId } = await this.#picker.load(signal);
      growing.loaded();
      return { modelId, result: await this.#generate(chat, growing, signal) };
    });
  }

  /**
   * Shows an answer as it comes, and keeps it.
   * @param {Chat} chat
   * @param {(growing: GrowingAnswer, signal: AbortSignal)
   *   => Promise<{ modelId: string, result: Result }>} bring
   */
  async #receive(chat, bring) {
    const controller = new AbortController();
    this.#answering = controller;
    this.#showSend();
    const growing = new GrowingAnswer(() => this.#toEndIfNear());
    this.#turns.append(growing.element);
    this.#toEnd();
    await this.#keep(chat);
    try {
      const { modelId, result } = await bring(growing, controller.signal);
      const turn = turnOf(modelId, result);
      chat.turns.push(turn);
      growing.element.replaceWith(answered(turn, () => this.#again()));
      this.#app.answered(modelId, result);
      this.#app.announce(`Answer complete, ${result.newTokens} tokens`);
    } catch (error) {
      this.#failed(growing, error);
    } finally {
      growing.end();
      delete chat.jobId;
      if (this.#answering === controller) this.#answering = null;
      this.#showSend();
      this.#toEndIfNear();
      await this.#keep(chat);
    }
  }

  /** @param {Chat} chat */
  async #keep(chat) {
    await keepChat(chat).catch((error) => this.#app.report(error));
  }

  /**
   * @param {Chat} chat
   * @param {GrowingAnswer} growing
   * @param {AbortSignal} signal
   * @returns {Promise<Result>}
   */
  async #generate(chat, growing, signal) {
    const { manager } = this.#app;
    const parts = manager.generateStream({
      messages: messagesOf(chat.turns),
      chatId: chat.id,
      overflow: 'dropOldest',
      settings: await this.#ownSettings(),
    }, { signal });
    for (;;) {
      const { done, value } = await parts.next();
      if (done) return value;
      growing.add(value);
      if (!chat.jobId) {
        chat.jobId = (await manager.jobs())
          .findLast(({ kind }) => kind === 'generate')?.id ?? 'none';
        await this.#keep(chat);
      }
    }
  }

  /** Goes on with an answer that another life of the panel has begun. */
  async #takeUp() {
    const chat = this.#chat;
    const { jobId } = chat;
    if (!jobId || chat.turns.at(-1)?.role !== 'user') return;
    const { manager } = this.#app;
    const jobs = await manager.jobs({ ended: true });
    if (!jobs.some(({ id }) => id === jobId)) return;
    this.#turns.querySelector('.again')?.remove();
    const { modelId } = await manager.state();
    await this.#receive(chat, async (growing, signal) => {
      // To stop following is not to stop the answer.
      signal.addEventListener('abort', () => { manager.stop(); });
      growing.loaded();
      for await (const message of manager.subscribe(jobId)) {
        if (message.code !== undefined) throw message;
        if (message.stopReason !== undefined) {
          return { modelId: modelId ?? '', result: message };
        }
        if (message.kind !== undefined) growing.add(message);
      }
      throw new Error('the answer has no end');
    });
  }

  /** What the panel adds as long as the user has said nothing about it. */
  async #ownSettings() {
    const chosen = this.#picker.chosen();
    const scopes = [{}, { modelId: chosen?.modelId }, chosen ?? {}];
    const saved = await Promise.all(scopes.map(
      (scope) => this.#app.manager.settings(scope)));
    const isSaid = saved.some((settings) => 'max_new_tokens' in settings
      || 'max_length' in settings);
    return isSaid ? {} : { max_new_tokens: ANSWER_TOKENS };
  }

  /** @param {GrowingAnswer} growing @param {unknown} error */
  #failed(growing, error) {
    growing.element.remove();
    if (wasCancelled(error)) {
      this.#turns.append(this.#unanswered('Stopped. '));
      return;
    }
    this.#turns.append(problem(error, { retry: () => this.#again() }));
  }

  /** @param {string} text */
  #unanswered(text) {
    return h('p', { class: 'hint again' }, text,
      button('Try again', { kind: 'small', click: () => this.#again() }));
  }

  #toEnd() {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }

  #toEndIfNear() {
    const { scrollTop, clientHeight, scrollHeight } = this.#scroller;
    if (scrollHeight - scrollTop - clientHeight < NEAR_END_PX + this.#lastGrowth) {
      this.#toEnd();
    }
    this.#lastHeight = scrollHeight;
  }

  #lastHeight = 0;

  get #lastGrowth() {
    return Math.max(0, this.#scroller.scrollHeight - this.#lastHeight);
  }
}

/** An answer that is on its way. */
class GrowingAnswer {
  element;
  #text = new AnswerText();
  #reasoning = new AnswerText();
  #waiting = h('p', { class: 'waiting' }, 'Loading the model');
  #thought = h('details', { class: 'thought', hidden: true },
    h('summary', {}, 'Thinking…'), this.#reasoning.element);
  #numbers = h('p', { class: 'numbers' });
  #content = '';
  #thoughts = '';
  #show;

  /** @param {() => void} grown */
  constructor(grown) {
    this.element = h('article', { class: 'turn answer', 'aria-busy': 'true' },
      h('h2', { class: 'unseen' }, 'Answer'),
      this.#waiting, this.#thought, this.#text.element, this.#numbers);
    // Text comes faster than frames: it is drawn once for each.
    this.#show = oncePerFrame(() => {
      this.#reasoning.append(this.#thoughts);
      this.#text.append(this.#content);
      this.#thoughts = '';
      this.#content = '';
      grown();
    });
  }

  loaded() {
    this.#waiting.textContent = 'Reading';
  }

  /** @param {import('tabagent-wasm').AnswerPart} part */
  add({ kind, text, numTokens, tokensPerSecond }) {
    this.#waiting.hidden = true;
    if (kind === 'reasoning') {
      this.#thought.hidden = false;
      this.#thoughts += text;
    } else {
      this.#content += text;
    }
    this.#numbers.textContent = `${whole(numTokens)} tokens · ${
      rate(tokensPerSecond)}`;
    this.#show();
  }

  end() {
    this.element.setAttribute('aria-busy', 'false');
  }
}

/** @param {string} text */
function said(text) {
  return h('article', { class: 'turn said' },
    h('h2', { class: 'unseen' }, 'You'),
    h('p', {}, text));
}

/**
 * @param {Turn} turn
 * @param {(() => void) | undefined} again
 */
function answered({ text, reasoning, modelId, numbers }, again) {
  return h('article', { class: 'turn answer' },
    h('h2', { class: 'unseen' }, `Answer of ${modelId ?? 'the model'}`),
    reasoning && h('details', { class: 'thought' },
      h('summary', {}, 'Thoughts'), new AnswerText(reasoning).element),
    text.trim() ? new AnswerText(text).element
      : h('p', { class: 'hint' }, 'The model said nothing.'),
    h('footer', { class: 'answer-foot' },
      numbers && h('p', { class: 'numbers', title: modelId }, describe(numbers)),
      h('div', { class: 'acts' },
        copyButton('Copy answer', () => text),
        again && h('span', { class: 'again' }, button('Answer again', {
          icon: 'refresh', symbol: true, kind: 'quiet small', click: again,
        })))));
}

/** @param {number} tokensPerSecond */
function rate(tokensPerSecond) {
  return `${tokensPerSecond >= 100 ? whole(tokensPerSecond)
    : tokensPerSecond.toFixed(1)} tokens/s`;
}

/**
 * @param {NonNullable<Turn['numbers']>} numbers
 */
function describe(numbers) {
  const {
    newTokens, tokensPerSecond, timeToFirstTokenMs, stopReason, droppedMessages,
  } = numbers;
  return [
    `${whole(newTokens)} tokens`,
    tokensPerSecond > 0 && rate(tokensPerSecond),
    `first after ${duration(timeToFirstTokenMs)}`,
    ENDS[stopReason],
    droppedMessages > 0 && `${droppedMessages} old messages left out`,
  ].filter(Boolean).join(' · ');
}

/**
 * @param {string} modelId
 * @param {Result} result
 * @returns {Turn}
 */
function turnOf(modelId, result) {
  const {
    text, reasoning, stopReason, newTokens, tokensPerSecond, timeToFirstTokenMs,
    droppedMessages,
  } = result;
  return {
    role: 'assistant', text, reasoning, modelId,
    numbers: {
      stopReason, newTokens, tokensPerSecond, timeToFirstTokenMs, droppedMessages,
    },
  };
}
