// SPDX-License-Identifier: Apache-2.0
// Reads a catalogue from a file: one listing entry per line, plain or gzip.

import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

import { Model } from './model.js';

/**
 * @param {string} file
 * @returns {Model[]}
 */
export function readCatalogue(file) {
  const bytes = readFileSync(file);
  const text = (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  return text.split('\n').flatMap((line, i) => {
    if (line.trim() === '') return [];
    try {
      return [new Model(JSON.parse(line))];
    } catch (error) {
      throw new Error(`${file}:${i + 1}: not a listing entry`, { cause: error });
    }
  });
}
