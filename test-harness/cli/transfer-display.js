// SPDX-License-Identifier: Apache-2.0
// Shows a download while it runs: a bar in a terminal, a line now and then
// elsewhere, both on stderr; or JSON lines on stdout.

import cliProgress from 'cli-progress';

import { cut } from './report.js';
import { size, timeLeft, whole } from './style.js';

/** @typedef {import('../../dist/index.js').DownloadProgress} Progress */

/**
 * @typedef {object} Display
 * @property {(progress: Progress) => void} show
 * @property {() => void} stop
 */

/** Columns of the bar and of the name of the file before it. */
const BAR = 24;
const NAME = 22;

/** Below so many columns the name gives way, and half of the bar. */
const NARROW = 90;

/** Percent between two lines. */
const STEP = 10;

/**
 * @param {{ json?: boolean }} options
 * @returns {Display}
 */
export function createTransferDisplay({ json }) {
  if (json) return createJsonLines();
  return process.stderr.isTTY ? createBar() : createLines();
}

/** @returns {Display} nothing at all */
export function createSilence() {
  return { show() {}, stop() {} };
}

/**
 * One JSON document in a line of stdout.
 * @param {object} document
 */
export function printLine(document) {
  process.stdout.write(`${JSON.stringify(document)}\n`);
}

/**
 * Members of ours only; the message has those of the protocol as well.
 * @param {Progress} progress
 * @returns {Progress}
 */
function membersOf({ phase, file, loaded, total, bytesPerSecond, etaMs }) {
  return { phase, file, loaded, total, bytesPerSecond, etaMs };
}

/** @returns {Display} */
function createJsonLines() {
  return {
    show(progress) {
      printLine({ event: 'progress', ...membersOf(progress) });
    },
    stop() {},
  };
}

/**
 * What is known of the pace; nothing at first.
 * @param {Progress} progress
 */
function paceOf({ file, loaded, total, bytesPerSecond, etaMs }) {
  if (file === null) return '';
  // What has arrived is still being checked and written.
  if (loaded === total) return 'checking';
  if (bytesPerSecond === 0) return '';
  const left = etaMs === null ? '' : `, ${timeLeft(etaMs)}`;
  return `${size(bytesPerSecond)}/s${left}`;
}

/** @param {Progress} progress */
function percentOf({ loaded, total }) {
  return total === 0 ? 100 : Math.floor(100 * loaded / total);
}

/** @param {string | null} path */
function nameOf(path) {
  return path?.split('/').at(-1) ?? 'complete';
}

/**
 * @param {{ barCompleteString: string, barIncompleteString: string }} options
 *   of the library
 * @param {{ progress: number }} params
 * @param {{ progress: Progress, isDone: boolean }} payload
 */
function formatBar(options, params, { progress, isDone }) {
  const columns = process.stderr.columns ?? NARROW;
  const length = columns < NARROW ? BAR / 2 : BAR;
  const filled = Math.round(length * Math.min(1, params.progress));
  const bar = options.barCompleteString.slice(0, filled)
    + options.barIncompleteString.slice(0, length - filled);
  const name = columns < NARROW ? ''
    : `${cut(nameOf(progress.file), NAME).padEnd(NAME)} `;
  const bytes = `${size(progress.loaded)} of ${size(progress.total)}`;
  const percent = `${percentOf(progress)}`.padStart(3);
  const line = ` ${name}${bar} ${percent} %  ${bytes}  `
    + (isDone ? '' : paceOf(progress));
  // A line that wraps would be drawn again and again.
  return cut(line.trimEnd(), columns - 1);
}

/** @returns {Display} */
function createBar() {
  const bar = new cliProgress.SingleBar({
    format: formatBar, barsize: BAR, hideCursor: true, stream: process.stderr,
    // Whoever handles the signal stops us.
    gracefulExit: false,
  }, cliProgress.Presets.shades_classic);
  /** @type {Progress | undefined} */
  let last;
  return {
    show(progress) {
      if (last) bar.update(progress.loaded, { progress, isDone: false });
      else {
        bar.start(progress.total, progress.loaded, { progress, isDone: false });
      }
      last = progress;
    },
    stop() {
      if (!last) return;
      bar.update(last.loaded, { progress: last, isDone: true });
      bar.stop();
      last = undefined;
    },
  };
}

/** @returns {Display} */
function createLines() {
  let next = 0;
  return {
    show(progress) {
      const percent = percentOf(progress);
      if (percent < next) return;
      next = percent - percent % STEP + STEP;
      const { file, loaded, total } = progress;
      const notes = [nameOf(file), paceOf(progress)].filter(Boolean);
      process.stderr.write(`${whole(percent).padStart(3)} %  ${size(loaded)} of `
        + `${size(total)}  ${notes.join('  ')}\n`);
    },
    stop() {},
  };
}
