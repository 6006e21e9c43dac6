// SPDX-License-Identifier: Apache-2.0
// Models as files of the user: written as a stream, so that none has to fit into
// memory, and read back.

import { bytes, bytesOf } from './format.js';
import { button, h } from './dom.js';
import { progressBar } from './transfer-bar.js';

/**
 * @typedef {import('tabagent-wasm').ModelManager} ModelManager
 * @typedef {(loaded: number, total: number) => void} OnBytes total: 0 when it is
 *   not known
 */

const TYPE = 'application/x-tar';

/** How long a file that is handed to the browser may be needed. */
const HANDED_OVER_MS = 60_000;

/** What the file chooser offers. */
export const ACCEPT = `.tar,${TYPE}`;

/**
 * Writes a model into a file that the person chooses, or into the folder of
 * downloads where there is no choice.
 * @param {ModelManager} manager
 * @param {{ modelId: string, bytes: number }} model
 * @param {AbortSignal} signal
 * @param {OnBytes} onBytes
 * @returns {Promise<string>} the name of the file
 */
export async function exportToFile(manager, model, signal, onBytes) {
  const name = `${model.modelId.replace('/', '--')}.tar`;
  const { showSaveFilePicker } = /** @type {any} */ (globalThis);
  // First of all: it is shown only while the click is fresh.
  const handle = await showSaveFilePicker?.({
    suggestedName: name,
    types: [{ description: 'Backup of a model', accept: { [TYPE]: ['.tar'] } }],
  });
  const archive = manager.exportModel(model.modelId)
    .pipeThrough(counter((loaded) => onBytes(loaded, model.bytes)), { signal });
  if (handle) {
    // What is broken off leaves the file as it was.
    await archive.pipeTo(await handle.createWritable(), { signal });
    return handle.name;
  }
  const address = URL.createObjectURL(await new Response(archive, {
    headers: { 'content-type': TYPE },
  }).blob());
  h('a', { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), HANDED_OVER_MS);
  return name;
}

/**
 * @param {ModelManager} manager
 * @param {File} file
 * @param {AbortSignal} signal
 * @param {OnBytes} onBytes
 */
export function importFromFile(manager, file, signal, onBytes) {
  return manager.importModel(file.stream(), {
    signal, onProgress: ({ loaded, total }) => onBytes(loaded, total),
  });
}

/** @param {(loaded: number) => void} tell */
function counter(tell) {
  let loaded = 0;
  return new TransformStream({
    transform(/** @type {Uint8Array} */ piece, controller) {
      loaded += piece.byteLength;
      tell(loaded);
      controller.enqueue(piece);
    },
  });
}

/**
 * Work that is seen: a bar, how far it is, and a way to end it.
 * @param {string} label
 * @returns {{ element: HTMLElement, signal: AbortSignal, onBytes: OnBytes }}
 */
export function work(label) {
  const stop = new AbortController();
  const bar = progressBar(label);
  const text = h('p', { class: 'transfer-text' }, `${label}…`);
  const element = h('div', { class: 'transfer work' }, bar.element,
    h('div', { class: 'transfer-line' }, text,
      h('div', { class: 'transfer-acts' }, button(`Stop: ${label}`, {
        icon: 'close', symbol: true, kind: 'quiet', click: () => stop.abort(),
      }))));
  return {
    element,
    signal: stop.signal,
    onBytes: (loaded, total) => {
      // The archive is a little larger than what is in it.
      const share = total > 0 ? Math.min(1, loaded / total) : null;
      const said = share === null ? bytes(loaded)
        : `${Math.floor(share * 100)} % · ${bytesOf(Math.min(loaded, total), total)}`;
      bar.set(share, said);
      text.textContent = said;
    },
  };
}
