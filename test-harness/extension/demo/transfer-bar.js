// SPDX-License-Identifier: Apache-2.0
// A download as it is seen: bar, rate, time left, and what can be done.

import { bytes, bytesOf, duration } from './format.js';
import { button, fill, h } from './dom.js';
import { problem } from './problem.js';

/**
 * @typedef {import('./library.js').Transfer} Transfer
 * @typedef {import('./library.js').Library} Library
 */

/**
 * @param {string} label what is on its way
 * @returns {{ element: HTMLElement, set: (share: number | null,
 *   text: string) => void }} share: 0 to 1, null when it is not known
 */
export function progressBar(label) {
  const element = h('progress', { class: 'bar', max: 1, 'aria-label': label });
  return {
    element,
    set(share, text) {
      if (share === null) element.removeAttribute('value');
      else element.value = share;
      element.setAttribute('aria-valuetext', text);
    },
  };
}

/** @param {Transfer} transfer */
function shareOf({ loaded, total }) {
  return total > 0 ? Math.min(1, loaded / total) : null;
}

/** @param {Transfer} transfer what stands below the bar */
function describe(transfer) {
  const { state, phase, loaded, total, rate, etaMs } = transfer;
  const share = shareOf(transfer);
  const size = total > 0 ? bytesOf(loaded, total) : '';
  const percent = share === null ? '' : `${Math.floor(share * 100)} %`;
  if (state === 'paused') return ['Paused', percent, size];
  if (state === 'queued' || phase === 'waiting') return ['Waiting', size];
  if (phase === 'verify') return ['Verifying', percent];
  return [percent, size, rate > 0 && `${bytes(rate)}/s`,
    etaMs !== null && `${duration(etaMs)} left`];
}

/**
 * @param {Library} library
 * @param {Transfer} transfer
 * @param {(error: unknown) => void} report
 * @returns {{ element: HTMLElement, update: () => void }}
 */
export function transferBar(library, transfer, report) {
  const { modelId, dtype } = transfer;
  const name = `${modelId}${dtype === null ? '' : ` ${dtype}`}`;
  const bar = progressBar(`Download of ${name}`);
  const text = h('p', { class: 'transfer-text' });
  const acts = h('div', { class: 'transfer-acts' });
  const line = h('div', { class: 'transfer-line' }, text, acts);
  const element = h('div', { class: 'transfer' }, bar.element, line);
  let shown = '';

  /** @param {'pause' | 'resume' | 'cancel'} what */
  const act = (what) => {
    library[what](transfer).catch(report);
  };
  const buttons = () => {
    const isPaused = transfer.state === 'paused';
    fill(acts,
      button(isPaused ? `Resume ${name}` : `Pause ${name}`, {
        icon: isPaused ? 'play' : 'pause', symbol: true, kind: 'quiet',
        click: () => act(isPaused ? 'resume' : 'pause'),
      }),
      button(`Cancel ${name}`, {
        icon: 'close', symbol: true, kind: 'quiet', click: () => act('cancel'),
      }));
  };
  const update = () => {
    const parts = describe(transfer).filter(Boolean).join(' · ');
    bar.set(shareOf(transfer), parts);
    text.textContent = parts;
    element.dataset.state = transfer.state;
    if (transfer.state === shown) return;
    // A button that has the focus keeps it when it becomes its opposite.
    const index = [...acts.children].indexOf(
      /** @type {Element} */ (document.activeElement));
    shown = transfer.state;
    if (transfer.state === 'failed') {
      fill(element, problem(transfer.error, {
        retry: () => library.download(modelId, /** @type {string} */ (dtype))
          .catch(report),
        dismiss: () => library.dismiss(transfer),
      }));
    } else {
      fill(element, bar.element, line);
      buttons();
      if (index >= 0) {
        /** @type {HTMLElement} */ (acts.children[index])?.focus();
      }
    }
  };
  update();
  return { element, update };
}
