// SPDX-License-Identifier: Apache-2.0
// What the panel knows by heart: the parameters, by what the core takes; its
// words for numbers; and text between fences.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { findFiles, ROOT } from '../paths.js';
import { blocksOf } from './demo/answer-text.js';
import { ago, bytes, bytesOf, duration, short } from './demo/format.js';
import { describe as describeError } from './demo/problem.js';
import { parse, rangeOf, SETTINGS, textOf } from './demo/settings-table.js';

/** Settings of the prompt, which the table of the core does not have. */
const OF_THE_PROMPT = ['system_prompt', 'json_mode'];

/** A line of the table of parameters. */
const PARAMETER = /^TAM_PARAM\(\w+, "(\w+)", (\w+), (\S+), (\S+), (\S+), \w+\)$/gm;

const ROWS_MAX = 64;

const parameters = [...readFileSync(
  join(ROOT, 'wasm/chat/generation_param.def'), 'utf8').matchAll(PARAMETER)]
  .map(([, name, kind, min, max, standard]) => ({
    name, kind, min, max, standard: Number(standard),
  }));

/** @param {string} name */
function settingOf(name) {
  const setting = SETTINGS.find((one) => one.name === name);
  assert.ok(setting, name);
  return setting;
}

describe('the settings', () => {
  test('are those of the core, each once', () => {
    assert.ok(parameters.length > 40);
    assert.deepEqual(SETTINGS.map(({ name }) => name).sort(),
      [...parameters.map(({ name }) => name), ...OF_THE_PROMPT].sort());
  });

  test('have its ranges', () => {
    /** @type {Record<string, number | undefined>} */
    const limits = { ANY: undefined, '-ANY': undefined, MANY: undefined,
      ROWS: ROWS_MAX };
    const limitOf = (/** @type {string} */ text) => (
      text in limits ? limits[text] : Number(text));
    const counted = parameters.filter(({ kind }) => (
      ['NUMBER', 'ABOVE', 'BELOW', 'COUNT'].includes(kind)));
    assert.ok(counted.length > 20);
    for (const { name, kind, min, max } of counted) {
      const setting = settingOf(name);
      assert.equal(setting.min, limitOf(min), name);
      assert.equal(setting.max, limitOf(max), name);
      assert.equal(Boolean(setting.above), kind === 'ABOVE', name);
      assert.equal(Boolean(setting.below), kind === 'BELOW', name);
      assert.equal(setting.kind, kind === 'COUNT' ? 'integer' : 'number', name);
    }
  });

  test('have its defaults', () => {
    for (const { name, kind, min, standard } of parameters) {
      const setting = settingOf(name);
      if (setting.standard === null || setting.kind === 'choice'
          || name === 'max_new_tokens') continue;
      assert.equal(Number(setting.standard), standard, name);
      if (kind === 'BOOL') assert.equal(setting.kind, 'switch', name);
      else assert.ok(standard >= Number(min) || min === '-ANY', name);
    }
  });

  test('take what is in the range and refuse what is not', () => {
    const topP = settingOf('top_p');
    assert.deepEqual(parse(topP, '1'), { value: 1 });
    assert.deepEqual(parse(topP, '1.1'), { problem: 'It must be 0 to 1.' });
    assert.deepEqual(parse(topP, 'much'), { problem: 'It must be 0 to 1.' });
    const penalty = settingOf('repetition_penalty');
    assert.equal(rangeOf(penalty), 'above 0');
    assert.ok(parse(penalty, '0').problem);
    assert.ok(parse(settingOf('epsilon_cutoff'), '1').problem);
    assert.ok(parse(settingOf('top_k'), '1.5').problem);
    assert.deepEqual(parse(settingOf('stop_strings'), 'a\nb c\n'),
      { value: ['a', 'b c'] });
    assert.deepEqual(parse(settingOf('eos_token_id'), '2, 7'), { value: [2, 7] });
    assert.ok(parse(settingOf('eos_token_id'), '2, x').problem);
    assert.deepEqual(parse(settingOf('logit_bias'), '{"4": -1}'),
      { value: { 4: -1 } });
    assert.ok(parse(settingOf('logit_bias'), '{4}').problem);
  });

  test('are shown as they are typed', () => {
    for (const [name, text] of [['stop_strings', 'a\nb'], ['eos_token_id', '2, 7'],
      ['logit_bias', '{"4":-1}'], ['top_p', '0.5'], ['system_prompt', 'Hi.']]) {
      const setting = settingOf(name);
      assert.equal(textOf(setting, parse(setting, text).value), text);
    }
    assert.equal(textOf(settingOf('use_cache'), true), 'on');
  });
});

describe('numbers', () => {
  test('of bytes', () => {
    assert.deepEqual([0, 999, 1000, 1_500_000, 99_960_000, 3e9, 5e15].map(bytes),
      ['0 bytes', '999 bytes', '1.0 KB', '1.5 MB', '100 MB', '3.0 GB', '5000 TB']);
  });

  test('of parts', () => {
    assert.equal(bytesOf(1_000_000, 3_600_000), '1.0 of 3.6 MB');
    assert.equal(bytesOf(0, 3_600_000), '0 bytes of 3.6 MB');
    assert.equal(bytesOf(999_000, 3_600_000), '999 KB of 3.6 MB');
  });

  test('of downloads', () => {
    assert.deepEqual([0, 999, 1000, 49_900, 2_400_000, 1e9].map(short),
      ['0', '999', '1K', '49.9K', '2.4M', '1B']);
  });

  test('of time', () => {
    assert.deepEqual([80, 4500, 42_000, 125_000, 7_500_000].map(duration),
      ['80 ms', '4.5 s', '42 s', '2 min 5 s', '2 h 5 min']);
    const now = Date.UTC(2026, 0, 1);
    assert.deepEqual([0, 60_000, 7_200_000, 86_400_000 * 3].map(
      (ms) => ago(now - ms, now)),
    ['just now', '1 minute ago', '2 hours ago', '3 days ago']);
    assert.equal(ago(now + 5000, now), 'just now');
  });
});

describe('fences', () => {
  /** @param {string} text */
  const shape = (text) => blocksOf(text)
    .map(({ isCode, language, text: inner }) => [isCode, language, inner.trim()]);

  test('make code of what is between them', () => {
    assert.deepEqual(shape('Look:\n```js\nlet a;\n```\nDone.'), [
      [false, '', 'Look:'], [true, 'js', 'let a;'], [false, '', 'Done.'],
    ]);
  });

  test('that are still open are code', () => {
    assert.deepEqual(shape('```c++\nint'), [[true, 'c++', 'int']]);
    assert.deepEqual(shape('a\n``'), [[false, '', 'a\n``']]);
  });

  test('inside a line are none', () => {
    assert.deepEqual(shape('use ```x``` here'), [[false, '', 'use ```x``` here']]);
  });
});

describe('errors', () => {
  test('say what happened and what to do', () => {
    const { title, message, action, code } = describeError({
      code: 'quota_exceeded', message: 'it does not fit', neededBytes: 2e9,
      freeBytes: 5e8,
    });
    assert.equal(code, 'quota_exceeded');
    assert.equal(title, 'There is not enough room');
    assert.equal(message,
      'It does not fit. It needs 2.0 GB; 500 MB are free.');
    assert.match(action, /Storage/);
    assert.equal(describeError(new Error('odd')).code, 'unexpected');
    assert.equal(describeError({ code: 'x', message: 'y', userAction: 'do z' })
      .action, 'Do z.');
  });
});

describe('the files of the panel', () => {
  test('have no code and no style inside the markup', () => {
    const pages = findFiles('test-harness/extension/demo', /\.html$/);
    assert.ok(pages.length > 0);
    for (const page of pages) {
      const text = readFileSync(join(ROOT, page), 'utf8');
      assert.doesNotMatch(text, /<script(?![^>]*\bsrc=)|<style|\s(on\w+|style)=/);
      assert.doesNotMatch(text, /https?:/);
    }
  });
});
