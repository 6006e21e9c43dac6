// SPDX-License-Identifier: Apache-2.0
// npm test: builds everything from source and runs every test. It stops at the
// first step that fails. `npm test -- --only native,node` runs chosen steps.

import { readArguments, refuseArguments } from './arguments.js';
import { steps } from './test-steps.js';
import { ensureTestTools } from './toolchain.js';

/**
 * Returns the steps to run.
 * @param {string | undefined} only names, separated by commas
 */
function chooseSteps(only) {
  if (!only) return steps;
  return only.split(',').map((name) => {
    const step = steps.find((candidate) => candidate.name === name);
    if (!step) {
      const known = steps.map((candidate) => candidate.name).join(', ');
      refuseArguments(`no step is called "${name}"; there are ${known}`);
    }
    return step;
  });
}

/** @param {number} startMs */
function secondsSince(startMs) {
  return `${((performance.now() - startMs) / 1000).toFixed(1)} s`;
}

/**
 * Runs the steps up to the first failure.
 * @param {typeof steps} chosen
 * @returns {Promise<{ passed: number, failed: number, skipped: string[] }>}
 */
async function runSteps(chosen) {
  /** @type {string[]} */
  const skipped = [];
  const result = { passed: 0, failed: 0, skipped };
  for (const { name, title, run } of chosen) {
    console.log(`\n=== ${name}: ${title}`);
    const startMs = performance.now();
    try {
      const reason = await run();
      if (reason) {
        skipped.push(`${name}: ${reason}`);
        console.log(`!!! ${name} was NOT run: ${reason}`);
        continue;
      }
      result.passed++;
      console.log(`--- ${name} passed in ${secondsSince(startMs)}`);
    } catch (error) {
      result.failed++;
      console.log(error instanceof Error ? error.message : error);
      console.log(`--- ${name} FAILED after ${secondsSince(startMs)}`);
      break;
    }
  }
  return result;
}

async function main() {
  const startMs = performance.now();
  let result = { passed: 0, failed: 1, skipped: /** @type {string[]} */ ([]) };
  try {
    const { only } = readArguments({ only: { type: 'string' } });
    const chosen = chooseSteps(only);
    await ensureTestTools();
    result = await runSteps(chosen);
  } catch (error) {
    console.log(error instanceof Error ? error.message : error);
  }
  console.log(`\n${secondsSince(startMs)} in all`);
  for (const line of result.skipped) console.log(`NOT RUN: ${line}`);
  console.log(`${result.passed} passed, ${result.failed} failed` +
    (result.skipped.length > 0 ? `, ${result.skipped.length} skipped` : ''));
  process.exitCode = result.failed > 0 ? 1 : 0;
}

await main();
