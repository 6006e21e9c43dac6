// SPDX-License-Identifier: Apache-2.0
// docs/api.md says what the declarations say.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { API_DOC, generate } from './generate.js';

test('docs/api.md is current', () => {
  assert.equal(readFileSync(API_DOC, 'utf8'), generate(),
    'run node test-harness/api-docs/generate.js and commit the result');
});
