// SPDX-License-Identifier: Apache-2.0
// Measures the classifier on real rows against independent truth: the
// pipeline tags that people gave their models, hidden from the classifier.
//
//   node test-harness/differential/evaluate.js FILE
//
// FILE holds one Hub list entry (full and config) as JSON on each line.
import { readFileSync } from 'node:fs';

import { askDriver } from './classify_driver.js';

// What a task says about the model that does it. Recognisers of speech built
// as an encoder with a linear layer are encoders too.
const GEN = new Set([
  'text-generation', 'text2text-generation', 'conversational', 'translation',
  'summarization', 'image-text-to-text',
]);
const ENCODER = new Set([
  'fill-mask', 'feature-extraction', 'sentence-similarity',
  'text-classification', 'token-classification', 'question-answering',
  'table-question-answering', 'zero-shot-classification',
  'image-classification', 'image-segmentation', 'object-detection',
  'zero-shot-image-classification', 'audio-classification', 'text-ranking',
]);
const OTHER = new Set([
  'automatic-speech-recognition', 'text-to-speech', 'audio-to-audio',
  'text-to-image', 'image-to-text', 'text-to-audio',
  'voice-activity-detection', 'speech-segmentation',
]);

/** @param {string | null | undefined} tag */
function truthOf(tag) {
  const task = tag ?? '';
  if (GEN.has(task)) return 'gen';
  if (ENCODER.has(task)) return 'encoder';
  return OTHER.has(task) ? 'other' : null;
}

/** @param {import('./classify_driver.js').Answer} answer */
function verdictOf(answer) {
  return answer.why.includes('not-text-generation') ? 'other' : answer.classification;
}

/**
 * @param {string} truth
 * @param {string} verdict
 */
function agree(truth, verdict) {
  return truth === verdict || (truth === 'other' && verdict === 'encoder');
}

/**
 * The row without anything that repeats its task.
 * @param {any} entry
 * @returns {import('./classify_driver.js').Row}
 */
function withoutTask(entry) {
  const { config } = entry;
  return {
    id: entry.id ?? entry.modelId,
    libraryName: entry.library_name ?? undefined,
    tags: entry.tags.filter((/** @type {string} */ tag) => truthOf(tag) === null),
    config: config ? {
      modelType: config.model_type,
      architectures: config.architectures ?? [],
      autoMap: config.auto_map && Object.keys(config.auto_map),
    } : undefined,
  };
}

/** @param {Map<string, number>} counts */
function printCounts(counts) {
  for (const [name, count] of [...counts].sort((a, b) => b[1] - a[1])) {
    console.log(`${String(count).padStart(6)}  ${name}`);
  }
}

/** @param {string} file */
function evaluate(file) {
  const entries = readFileSync(file, 'utf8').split('\n').filter(Boolean)
    .map((line) => JSON.parse(line))
    .filter((entry) => truthOf(entry.pipeline_tag) !== null);
  const answers = askDriver(entries.map(withoutTask));
  const differences = new Map();
  const totals = { withConfig: [0, 0], high: [0, 0], judged: [0, 0], all: [0, 0] };
  entries.forEach((entry, i) => {
    const answer = answers[i];
    const truth = /** @type {string} */ (truthOf(entry.pipeline_tag));
    const verdict = verdictOf(answer);
    const ok = Number(agree(truth, verdict));
    const groups = /** @type {(keyof typeof totals)[]} */ (['all']);
    if (verdict !== 'unknown') groups.push('judged');
    if (entry.config) groups.push('withConfig');
    if (answer.confidence === 'high') groups.push('high');
    for (const group of groups) {
      totals[group][0] += ok;
      totals[group][1] += 1;
    }
    if (!ok) {
      const key = `${truth} (${entry.pipeline_tag}) but ${verdict} ${answer.confidence}: ` +
        answer.why.join(' ');
      differences.set(key, (differences.get(key) ?? 0) + 1);
    }
  });
  printCounts(differences);
  for (const [group, [ok, count]] of Object.entries(totals)) {
    console.log(`${group}: ${ok} of ${count} agree, ${((100 * ok) / count).toFixed(2)} %`);
  }
}

if (process.argv.length !== 3) {
  console.error('usage: node test-harness/differential/evaluate.js FILE');
  process.exitCode = 2;
} else {
  evaluate(process.argv[2]);
}
