// SPDX-License-Identifier: Apache-2.0
// A clock that only moves when told: timers fire in order at exact times and
// hours of rate-limit windows pass in milliseconds.

/**
 * Rounds of the event loop granted after each timer. Streams and promises
 * settle in microtasks, which one round drains; the second is for code that
 * itself yields through `setImmediate`.
 */
const SETTLE_ROUNDS = 2;

/**
 * @typedef {object} Clock
 * @property {() => number} now milliseconds since the epoch
 * @property {(callback: (...args: any[]) => void, ms?: number, ...args: any[])
 *   => any} setTimeout
 * @property {(timer: any) => void} clearTimeout
 * @property {(ms: number) => void | Promise<void>} [advance]
 */

/** @typedef {{ id: number, due: number, call: () => void }} Timer */

/** Timers ordered by due time, then by creation; removal is lazy. */
class TimerQueue {
  /** @type {Timer[]} */
  #heap = [];
  /** @type {Map<number, Timer>} */
  #live = new Map();

  get size() {
    return this.#live.size;
  }

  /** @param {Timer} timer */
  push(timer) {
    this.#live.set(timer.id, timer);
    const heap = this.#heap;
    let child = heap.push(timer) - 1;
    while (child > 0) {
      const parent = (child - 1) >> 1;
      if (!isBefore(heap[child], heap[parent])) break;
      [heap[child], heap[parent]] = [heap[parent], heap[child]];
      child = parent;
    }
  }

  /** @param {number} id */
  remove(id) {
    this.#live.delete(id);
  }

  /** @returns {Timer | undefined} */
  peek() {
    while (this.#heap.length > 0 && !this.#live.has(this.#heap[0].id)) {
      this.#dropTop();
    }
    return this.#heap[0];
  }

  pop() {
    const timer = this.peek();
    if (timer) {
      this.#live.delete(timer.id);
      this.#dropTop();
    }
    return timer;
  }

  #dropTop() {
    const heap = this.#heap;
    const last = /** @type {Timer} */ (heap.pop());
    if (heap.length === 0) return;
    heap[0] = last;
    let parent = 0;
    for (;;) {
      let child = 2 * parent + 1;
      if (child >= heap.length) return;
      if (child + 1 < heap.length && isBefore(heap[child + 1], heap[child])) {
        child += 1;
      }
      if (!isBefore(heap[child], heap[parent])) return;
      [heap[child], heap[parent]] = [heap[parent], heap[child]];
      parent = child;
    }
  }
}

/**
 * @param {Timer} a
 * @param {Timer} b
 */
function isBefore(a, b) {
  return a.due < b.due || (a.due === b.due && a.id < b.id);
}

/** A deterministic replacement for `Date.now` and the timer functions. */
export class VirtualClock {
  #now;
  #nextId = 1;
  #timers = new TimerQueue();

  /** @param {number} startMs milliseconds since the epoch */
  constructor(startMs) {
    this.#now = startMs;
    // Callers hand these out as plain functions, so they must not need `this`.
    this.now = this.now.bind(this);
    this.setTimeout = this.setTimeout.bind(this);
    this.clearTimeout = this.clearTimeout.bind(this);
  }

  now() {
    return this.#now;
  }

  /** Timers that still wait: 0 after a job that cleaned up after itself. */
  get pendingTimers() {
    return this.#timers.size;
  }

  /**
   * @param {(...args: any[]) => void} callback
   * @param {number} [ms]
   * @param {...any} args
   * @returns {number} handle for `clearTimeout`
   */
  setTimeout(callback, ms = 0, ...args) {
    const id = this.#nextId;
    this.#nextId += 1;
    const due = this.#now + Math.max(0, Number(ms) || 0);
    this.#timers.push({ id, due, call: () => callback(...args) });
    return id;
  }

  /** @param {number | undefined | null} id */
  clearTimeout(id) {
    if (typeof id === 'number') this.#timers.remove(id);
  }

  /**
   * Fires every timer due within the next `ms`, then stands `ms` later.
   * @param {number} ms
   */
  async advance(ms) {
    const end = this.#now + ms;
    for (;;) {
      await settle();
      const next = this.#timers.peek();
      if (!next || next.due > end) break;
      this.#fireNext();
    }
    this.#now = end;
  }

  /**
   * Jumps from timer to timer until the promise settles, or the predicate
   * holds, or (with neither) no timer is left.
   * @template [T=void]
   * @param {Promise<T> | (() => boolean)} [until]
   * @param {{ maxMs?: number }} [options] virtual time after which to give up
   * @returns {Promise<T>} what the promise resolved to
   */
  async run(until, { maxMs = Infinity } = {}) {
    const end = this.#now + maxMs;
    const goal = watch(until);
    for (;;) {
      await settle();
      if (goal.reached()) return goal.value();
      const next = this.#timers.peek();
      if (!next) {
        if (until === undefined) return goal.value();
        throw new Error('virtual clock: waiting, but no timer is pending');
      }
      if (next.due > end) {
        throw new Error(`virtual clock: not done after ${maxMs} ms`);
      }
      this.#fireNext();
    }
  }

  #fireNext() {
    const timer = /** @type {Timer} */ (this.#timers.pop());
    this.#now = Math.max(this.#now, timer.due);
    timer.call();
  }
}

/** @param {number} [startMs] */
export function createVirtualClock(startMs = 0) {
  return new VirtualClock(startMs);
}

/** Lets microtasks and immediates run until the event loop is idle. */
async function settle() {
  for (let round = 0; round < SETTLE_ROUNDS; round += 1) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** @param {Promise<any> | (() => boolean) | undefined} until */
function watch(until) {
  if (typeof until !== 'object') {
    return { reached: () => until?.() ?? false, value: () => undefined };
  }
  /** @type {{ value?: any, error?: any } | undefined} */
  let outcome;
  until.then(
    (value) => { outcome = { value }; },
    (error) => { outcome = { error }; },
  );
  return {
    reached: () => outcome !== undefined,
    value: () => {
      if (outcome && 'error' in outcome) throw outcome.error;
      return outcome?.value;
    },
  };
}
