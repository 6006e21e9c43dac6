// SPDX-License-Identifier: Apache-2.0
// Runs whole listings through the module that ships, as js-bindings/loop.js
// does: bytes are copied in piece by piece, every action is taken out and
// unpacked, messages and the table of models become objects. Only the network
// is missing: answers are at hand at once.

import { ACTION, COMMAND_FLAG, EVENT, MESSAGE_FLAG } from '../../js-bindings/abi.js';
import { Core, loadCore } from '../../js-bindings/core.js';
import { decodeModels } from '../../js-bindings/model-table.js';
import { platformClock } from '../../js-bindings/timer.js';

/**
 * @typedef {import('../../js-bindings/types/index.d.ts').ModelEntry} ModelEntry
 * @typedef {import('../../js-bindings/types/index.d.ts').WasmSource} WasmSource
 *
 * @typedef {object} Listing what one listing gave
 * @property {ModelEntry[]} models
 * @property {any} meta
 */

const HUB_URL = 'https://hub.example';

/** What Chromium's network hands over at most, and what the core takes. */
const LARGE_PIECE = 65536;

/** A small piece, as slow connections give them. */
export const SMALL_PIECE = 16384;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * The header block of a page's answer.
 * @param {boolean} isLast
 */
function headOf(isLast) {
  const link = isLast ? ''
    : `link: <${HUB_URL}/api/models?cursor=next>; rel="next"\r\n`;
  return encoder.encode(`content-type: application/json\r\n${link}`);
}

/** A manager of the core whose Hub consists of given pages. */
export class ListingProduct {
  #core;
  #lastOp = 0;
  /** @type {number[]} */
  #requests = [];
  /** @type {Partial<Listing>} */
  #listing = {};

  /** @param {Core} core */
  constructor(core) {
    this.#core = core;
  }

  /** @param {WasmSource} wasm */
  static async load(wasm) {
    return new ListingProduct(new Core(await loadCore(wasm), {
      hubUrl: HUB_URL, seed: new Uint8Array(16), now: platformClock.now,
    }));
  }

  /** Size of the linear memory. */
  get memoryBytes() {
    return this.#core.memoryBytes;
  }

  /**
   * Lists `pages`; configurations are not fetched.
   * @param {Uint8Array[]} pages
   * @param {{ maxCandidates?: number, pieceSize?: number, isHeard?: boolean }}
   *   [options] `isHeard`: somebody listens to progress
   * @returns {Listing}
   */
  list(pages, {
    maxCandidates, pieceSize = LARGE_PIECE, isHeard = false,
  } = {}) {
    this.#lastOp += 1;
    this.#listing = {};
    const message = {
      action: 'listChatModels', id: 'bench',
      params: { maxCandidates, fetchConfigs: 'never' },
    };
    this.#feed(EVENT.COMMAND, {
      op: this.#lastOp,
      flags: isHeard ? 0 : COMMAND_FLAG.QUIET,
      payload: encoder.encode(JSON.stringify(message)),
    });
    pages.forEach((page, i) => {
      this.#answer(page, pieceSize, i === pages.length - 1);
    });
    const { models, meta } = this.#listing;
    if (!models || !meta) throw new Error('the listing did not end well');
    return { models, meta };
  }

  /** Lets the last listing go. */
  forget() {
    this.#listing = {};
  }

  /**
   * @param {Uint8Array} page
   * @param {number} pieceSize
   * @param {boolean} isLast
   */
  #answer(page, pieceSize, isLast) {
    const request = this.#requests.pop();
    if (request === undefined) throw new Error('no page was asked for');
    this.#feed(EVENT.HTTP_HEAD, {
      request, status: 200, payload: headOf(isLast),
    });
    for (let at = 0; at < page.length; at += pieceSize) {
      const payload = page.subarray(at, at + pieceSize);
      this.#feed(EVENT.HTTP_DATA, { request, payload });
    }
    this.#feed(EVENT.HTTP_END, { request });
  }

  /**
   * @param {number} kind
   * @param {import('../../js-bindings/core.js').CoreEvent} event
   */
  #feed(kind, event) {
    const error = this.#core.feed(kind, event);
    if (error < 0) throw new Error(`the core returned ${error}`);
    let action = this.#core.next();
    while (action) {
      this.#perform(action);
      action = this.#core.next();
    }
  }

  /** @param {import('../../js-bindings/core.js').Action} action */
  #perform({ kind, request, flags, first, second }) {
    if (kind === ACTION.FETCH) {
      decoder.decode(first);
      decoder.decode(second);
      this.#requests.push(request);
    } else if (kind === ACTION.MODELS) {
      this.#listing.models = decodeModels(first);
    } else if (kind === ACTION.MESSAGE) {
      const message = JSON.parse(decoder.decode(first));
      const isTerminal = (flags & MESSAGE_FLAG.TERMINAL) !== 0;
      if (isTerminal) this.#listing.meta = message.meta;
    }
  }
}
