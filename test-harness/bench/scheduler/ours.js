// SPDX-License-Identifier: Apache-2.0
// This project's request pool, in WebAssembly as in the product.
import { CONCURRENCY, TIMEOUT_MS } from './scenarios.js';

// Numbers of tam_event_kind and tam_action_kind.
const EVENT_HTTP_HEAD = 4;
const EVENT_HTTP_END = 6;
const ACTION_FETCH = 1;
const ATTEMPTS_MAX = 6;

/**
 * @param {import('./world.js').World} world
 * @param {Record<string, any>} driver exports of net_driver.c
 */
export function runOurs({ clock, server, size, seed }, driver) {
  const encoder = new TextEncoder();
  const decoder = new TextDecoder();
  /** @type {Map<number, () => void>} */
  const underWay = new Map();
  /** @type {number | undefined} */
  let timer;

  const put = (/** @type {string} */ text) => encoder.encodeInto(text,
    new Uint8Array(driver.memory.buffer, driver.driver_in_buf())).written;
  const readAction = (/** @type {number} */ address) => {
    const memory = driver.memory.buffer;
    const [kind, , request, , url, length] = new Uint32Array(memory, address, 6);
    return { kind, request, url: decoder.decode(new Uint8Array(memory, url, length)) };
  };

  return new Promise((resolve) => {
    const perform = (/** @type {ReturnType<typeof readAction>} */ action) => {
      const { kind, request, url } = action;
      if (kind !== ACTION_FETCH) {
        underWay.get(request)?.();
        underWay.delete(request);
        return;
      }
      underWay.set(request, server.send(Number(url), ({ status, headers }) => {
        driver.driver_feed(EVENT_HTTP_HEAD, request, status, put(headers), clock.now());
        driver.driver_feed(EVENT_HTTP_END, request, 0, 0, clock.now());
        turn();
      }));
    };
    const turn = () => {
      const now = clock.now();
      driver.driver_advance(now);
      for (let at = driver.driver_next(); at !== 0; at = driver.driver_next()) {
        perform(readAction(at));
      }
      clock.clearTimeout(timer);
      const deadline = driver.driver_deadline();
      if (deadline >= 0) timer = clock.setTimeout(turn, deadline - now);
      if (driver.driver_done() + driver.driver_failed() === size) {
        resolve(driver.driver_failed());
      }
    };
    driver.driver_reset(seed, CONCURRENCY);
    for (let item = 0; item < size; item += 1) {
      driver.driver_submit(item, put(String(item)), ATTEMPTS_MAX, TIMEOUT_MS);
    }
    turn();
  });
}
