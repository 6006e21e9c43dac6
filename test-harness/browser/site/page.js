// SPDX-License-Identifier: Apache-2.0
// Shows a listing while it runs; the test calls `run` and its siblings.

import { listModels } from './listing.js';

/** @param {string} id */
function element(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

/** @param {any} message */
function showProgress({ status, delta }) {
  if (status === 'listing_page') {
    element('counts').textContent = `${delta.pages} pages, ${delta.fetched} rows`;
  }
}

/** @param {any} outcome */
function showResult({ models = [], meta, error }) {
  element('counts').textContent = error ? `${error.code}: ${error.message}`
    : `${meta.pages} pages, ${meta.fetched} rows, ${models.length} models`;
  element('models').replaceChildren(...models.map((/** @type {any} */ model) => {
    const row = document.createElement('tr');
    const cells = [model.id, model.classification,
      model.variants.map((/** @type {any} */ { dtype }) => dtype).join(' '),
      model.downloads];
    row.append(...cells.map((text) => {
      const cell = document.createElement('td');
      cell.textContent = String(text);
      return cell;
    }));
    return row;
  }));
}

/** @param {import('./listing.js').Order} order */
async function run(order) {
  const outcome = await listModels(order, showProgress);
  showResult(outcome);
  return outcome;
}

/** @param {import('./listing.js').Order} order */
async function runInWorker(order) {
  const worker = new Worker('worker.js', { type: 'module' });
  const outcome = await new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(message));
    worker.postMessage(order);
  });
  worker.terminate();
  return outcome;
}

/** @param {import('./listing.js').Order} order */
async function runInServiceWorker(order) {
  await navigator.serviceWorker.register('service-worker.js', { type: 'module' });
  const { active } = await navigator.serviceWorker.ready;
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port1.onmessage = ({ data }) => resolve(data);
    active?.postMessage(order, [port2]);
  });
}

/**
 * What a page may read of a reply.
 * @param {string} url
 */
async function readableHeaders(url) {
  const response = await fetch(url);
  return [...response.headers.keys()];
}

Object.assign(globalThis, {
  run, runInWorker, runInServiceWorker, readableHeaders,
});
