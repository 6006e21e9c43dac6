// SPDX-License-Identifier: Apache-2.0
// Names of files that belong to a process, and whether it still lives.
//
// A number of a process is soon given to another one, in a container at once.
// So its start is part of the name, where the system tells it: for every
// process on Linux, elsewhere for this one.

import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** Milliseconds by which two readings of one start may differ. */
const START_TOLERANCE_MS = 50;

/** Milliseconds per tick of the clock in /proc, on every architecture. */
const TICK_MS = 10;

/** The start of a process that has ended, but that its parent still keeps. */
const ENDED = -Infinity;

/** The fields of /proc/<pid>/stat behind the name, up to the start. */
const START_FIELD = 19;

const OWNER = /^(\d+)-(\d+)-[0-9a-f]+$/;

/** @returns {string} a name that nobody else makes */
export function newOwner() {
  const start = startOf(process.pid) ?? 0;
  return `${process.pid}-${start}-${randomBytes(6).toString('hex')}`;
}

/** @param {string} name */
export function isOwner(name) {
  return OWNER.test(name);
}

/**
 * @param {string} name
 * @returns {boolean} false when the process is gone, or `name` no owner's name
 */
export function isAlive(name) {
  const [, pid, start] = OWNER.exec(name) ?? [];
  if (pid === undefined || !isRunning(Number(pid))) return false;
  const now = startOf(Number(pid));
  return now === null || Math.abs(now - Number(start)) <= START_TOLERANCE_MS;
}

/** @param {number} pid */
function isRunning(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // Of another user, it may not be asked, but it is there.
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
}

/**
 * When a process started, in milliseconds of a clock that nobody sets.
 * @param {number} pid
 * @returns {number | null} null when that cannot be known
 */
function startOf(pid) {
  if (process.platform === 'linux') {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      // The name before may hold anything, a parenthesis too.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (fields[0] === 'Z' || fields[0] === 'X') return ENDED;
      return Number(fields[START_FIELD]) * TICK_MS;
    } catch {
      return null;
    }
  }
  if (pid !== process.pid) return null;
  return Math.round(Number(process.hrtime.bigint()) / 1e6
    - process.uptime() * 1e3);
}
