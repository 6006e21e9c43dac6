// SPDX-License-Identifier: Apache-2.0
// The numbers of a run, one by one, for a metrics system.

/** @typedef {import('./types/index.d.ts').TelemetryEntry} TelemetryEntry */

/**
 * @param {Record<string, any>} message the last one of an operation
 * @returns {TelemetryEntry[]} nothing when the message tells no numbers
 */
export function telemetryOf(message) {
  const meta = message.result?.meta ?? message.meta;
  if (!meta?.telemetry) return [];
  const { counters, configFetchMs } = meta.telemetry;
  return [
    ...entries('', counters, 'count'),
    ...entries('configFetchMs.', configFetchMs, 'ms')
      .filter(({ name }) => name !== 'configFetchMs.count'),
    ...entries('listChatModels.', { durationMs: meta.durationMs }, 'ms'),
  ];
}

/**
 * @param {string} prefix
 * @param {Record<string, number>} numbers
 * @param {string} unit
 */
function entries(prefix, numbers, unit) {
  return Object.entries(numbers)
    .map(([name, value]) => ({ name: prefix + name, value, unit }));
}
