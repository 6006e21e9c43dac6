// SPDX-License-Identifier: Apache-2.0
// Plays the host's part of a trace against the module, through its exports,
// and writes down what it does; replay.c in JavaScript.
import {
  ACTION, COMMAND_FLAG, ERRORS, EVENT, MESSAGE_FLAG,
} from '../../js-bindings/abi.js';
import { Core } from '../../js-bindings/core.js';
import { decodeModels } from '../../js-bindings/model-table.js';
import { bytesOf, tidy } from './trace-file.js';

/** @typedef {import('./trace-file.js').Step} Step */
/** @typedef {import('../../js-bindings/core.js').Action} Action */

const HUB_URL = 'https://hub.test';

/** As in fake_host.c; the C string ends in a zero. */
const SEED = new TextEncoder().encode('a fixed seed...\0');

/** The fields of a model in the order in which traces have them. */
const MODEL_KEYS = [
  'id', 'name', 'pipeline_tag', 'tags', 'model_type', 'architectures',
  'classification', 'confidence', 'fetchStatus', 'fetchError', 'statusCode',
  'message', 'gated', 'license', 'parameters', 'lastModified', 'downloads',
  'likes', 'variants', 'dtype', 'files', 'why',
];

/** @type {Record<string, number>} */
const EVENTS = {
  command: EVENT.COMMAND,
  rows: EVENT.LISTING_DATA,
  'rows-end': EVENT.LISTING_END,
  cancel: EVENT.CANCEL,
  head: EVENT.HTTP_HEAD,
  data: EVENT.HTTP_DATA,
  end: EVENT.HTTP_END,
  fail: EVENT.HTTP_FAIL,
};

/**
 * What stands behind the number of a command.
 * @type {Record<string, number>}
 */
const COMMAND_FLAGS = {
  with: COMMAND_FLAG.LISTING,
  quietly: COMMAND_FLAG.QUIET,
};

const decoder = new TextDecoder();

/**
 * How a body arrives: the offsets at which it is cut.
 * @typedef {(length: number) => number[]} Cut
 */

/**
 * Plays a trace.
 * @param {import('../../js-bindings/core.js').Exports} exports
 * @param {Step[]} steps
 * @param {Cut} cut
 * @returns {string[][]} the actions after each step, as text
 */
export function replay(exports, steps, cut) {
  const player = new Player(exports, cut);
  try {
    return steps.map((step) => player.play(step));
  } finally {
    player.delete();
  }
}

class Player {
  #now = 0;
  /** @type {number[]} the ids of all requests, in the order of their start */
  #requests = [];
  /** @type {string[]} */
  #log = [];
  #core;
  #cut;

  /**
   * @param {import('../../js-bindings/core.js').Exports} exports
   * @param {Cut} cut
   */
  constructor(exports, cut) {
    this.#cut = cut;
    this.#core = new Core(
      exports, { hubUrl: HUB_URL, seed: SEED, now: () => this.#now });
  }

  delete() {
    this.#core.delete();
  }

  /** @param {Step} step */
  play({ event }) {
    this.#log = [];
    const [verb, number, extra] = event.line.split(' ');
    if (verb === 'at') this.#now = Number(number);
    else if (verb === 'timer') this.#playTimer(number);
    else this.#playEvent(verb, Number(number), extra, bytesOf(event));
    return this.#log;
  }

  /** @param {string} range */
  #playTimer(range) {
    const [from, to = from] = range.split('..').map(Number);
    const deadline = this.#core.deadline();
    const due = this.#now + deadline;
    if (deadline < 0 || due < from || due > to) {
      throw new Error(`the timer is wanted in ${deadline} ms`);
    }
    this.#now = to;
    this.#feed(EVENT.TIMER, {});
  }

  /**
   * @param {string} verb
   * @param {number} number of a command, or the place of a request
   * @param {string | undefined} extra
   * @param {Buffer} body
   */
  #playEvent(verb, number, extra, body) {
    const kind = EVENTS[verb];
    const isHttp = ['head', 'data', 'end', 'fail'].includes(verb);
    const event = isHttp
      ? { request: this.#requests[number - 1], status: Number(extra ?? 0) }
      : { op: number, flags: COMMAND_FLAGS[extra ?? ''] ?? 0 };
    if (verb === 'head') {
      const block = body.toString().replace(/.+\n?/g, (line) => (
        `${line.trimEnd()}\r\n`));
      this.#feed(kind, { ...event, payload: Buffer.from(block) });
    } else if (verb === 'data' || verb === 'rows') {
      const cuts = [0, ...this.#cut(body.length), body.length];
      for (let i = 1; i < cuts.length; i += 1) {
        this.#feed(kind, {
          ...event, payload: body.subarray(cuts[i - 1], cuts[i]),
        });
      }
    } else {
      this.#feed(kind, { ...event, payload: body });
    }
  }

  /**
   * @param {number} kind
   * @param {import('../../js-bindings/core.js').CoreEvent} event
   */
  #feed(kind, event) {
    const result = this.#core.feed(kind, event);
    for (let action = this.#core.next(); action; action = this.#core.next()) {
      this.#log.push(tidy(this.#textOf(action)));
    }
    if (result !== 0) {
      const error = ERRORS.find((candidate) => candidate.number === result);
      this.#log.push(`returns ${error?.code}`);
    }
  }

  /** @param {Action} action */
  #textOf({ kind, op, request, flags, first, second }) {
    switch (kind) {
      case ACTION.FETCH:
        this.#requests.push(request);
        return `fetch ${this.#requests.length} of ${op} ` +
          `${decoder.decode(first)}\n` +
          decoder.decode(second).trimEnd().replaceAll('\r\n', '\n');
      case ACTION.ABORT:
        return `abort ${this.#requests.lastIndexOf(request) + 1}`;
      case ACTION.MODELS:
        return `models ${op} ` +
          JSON.stringify(decodeModels(first.slice()), MODEL_KEYS);
      case ACTION.REQUEST:
        return `request ${op} ${decoder.decode(first)}`;
      default: {
        const isLast = (flags & MESSAGE_FLAG.TERMINAL) !== 0;
        return `${isLast ? 'terminal' : 'message'} ${op} ` +
          decoder.decode(first);
      }
    }
  }
}
