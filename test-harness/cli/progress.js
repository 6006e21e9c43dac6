// SPDX-License-Identifier: Apache-2.0
// Shows a listing while it runs: two bars in a terminal, a few lines
// elsewhere. Everything goes to stderr, so that results can be piped.

import cliProgress from 'cli-progress';

import { amount, duration, whole } from './style.js';

/** @typedef {import('../../dist/index.js').ListChatModelsProgress} Progress */

/**
 * @typedef {object} Display
 * @property {(message: Progress) => void} show
 * @property {() => void} stop
 */

/** Rows of a listing when nothing else is asked for. */
const ROWS = 5000;

const FORMAT = ' {name} {bar} {value}/{total} {note}';

/** @returns {Display} */
export function createDisplay() {
  return process.stderr.isTTY ? createBars() : createLines();
}

/** @returns {Display} nothing at all */
export function createSilence() {
  return { show() {}, stop() {} };
}

/** @param {Progress} message */
function judgedIn(message) {
  return message.batch?.length ?? 1;
}

/**
 * @param {{ bucket: string, resetAtMs: number }} delta
 * @param {number} nowMs
 */
function limitNote({ bucket, resetAtMs }, nowMs) {
  return `the Hub wants a pause: ${bucket} requests go on in `
    + duration(resetAtMs - nowMs);
}

/**
 * Of those who pass, the best are kept; the filter counts the rest as dropped.
 * @param {{ survivors: number, dropped: Record<string, number> }} delta
 */
function passNote({ survivors, dropped }) {
  const outranked = dropped['max-candidates'] ?? 0;
  const passed = survivors + outranked;
  const note = `${amount(passed, 'model')} ${passed === 1 ? 'passes' : 'pass'} `
    + 'the filter';
  return outranked === 0 ? note
    : `${note}; kept: the best ${whole(survivors)}`;
}

/** @returns {Display} */
function createBars() {
  const bars = new cliProgress.MultiBar({
    format: FORMAT, barsize: 30, hideCursor: true, stream: process.stderr,
    formatValue: (value, _options, type) => (
      type === 'value' || type === 'total' ? whole(value) : String(value)),
  }, cliProgress.Presets.shades_classic);
  const rows = bars.create(ROWS, 0, { name: 'models listed', note: '' });
  /** @type {typeof rows | undefined} */
  let judged;
  return {
    show(message) {
      const { status, delta, ts } = message;
      if (status === 'listing_page') {
        rows.update(delta.fetched, { note: `page ${whole(delta.pages)}` });
      } else if (status === 'listing_done') {
        rows.setTotal(delta.totalFound);
        rows.update(delta.totalFound);
      } else if (status === 'prefiltered') {
        judged = bars.create(delta.survivors, 0,
          { name: 'models judged', note: '' });
      } else if (status === 'classified') {
        judged?.increment(judgedIn(message), { note: '' });
      } else if (status === 'rate_limited') {
        (judged ?? rows).update({ note: limitNote(delta, ts) });
      }
    },
    stop: () => bars.stop(),
  };
}

/** @returns {Display} */
function createLines() {
  const say = (/** @type {string} */ text) => {
    process.stderr.write(`${text}\n`);
  };
  return {
    show(message) {
      const { status, delta, ts } = message;
      if (status === 'listing_done') {
        say(`${amount(delta.totalFound, 'model')} listed`);
      } else if (status === 'prefiltered') {
        say(passNote(delta));
      } else if (status === 'rate_limited') {
        say(limitNote(delta, ts));
      }
    },
    stop() {},
  };
}
