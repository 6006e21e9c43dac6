// SPDX-License-Identifier: Apache-2.0
// How much memory the renderers of Chromium take while something is done.

import { readFileSync } from 'node:fs';

/** How often memory is looked at. */
const SAMPLE_MS = 10;

/**
 * Resident bytes of processes.
 * @param {number[]} pids
 */
function residentBytes(pids) {
  let sum = 0;
  for (const pid of pids) {
    try {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      sum += Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024;
    } catch {
      // It has ended.
    }
  }
  return sum;
}

/**
 * Does something, and watches the renderers that there are when it begins.
 * @template T
 * @param {import('./browser-process.js').Chromium} chromium
 * @param {() => Promise<T>} work
 * @returns {Promise<{ result: T, peak: number }>} the bytes above the beginning
 */
export async function watchMemory(chromium, work) {
  const pids = await chromium.renderers();
  const idle = residentBytes(pids);
  let peak = idle;
  const sampler = setInterval(() => {
    peak = Math.max(peak, residentBytes(pids));
  }, SAMPLE_MS);
  try {
    return { result: await work(), peak: peak - idle };
  } finally {
    clearInterval(sampler);
  }
}
