// SPDX-License-Identifier: Apache-2.0
// The chat template of a model is a program that somebody else wrote. It makes
// text of a chat, and reaches nothing else.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';

import { ChatTokenizer } from '../../js-bindings/chat/tokenizer.js';

const MODEL = new URL('../models/tiny-chat/', import.meta.url);

/** @param {string} name */
function read(name) {
  return readFileSync(new URL(name, MODEL), 'utf8');
}

/**
 * What a template makes of a chat.
 * @param {string} template
 */
function render(template) {
  const tokenizer = new ChatTokenizer({
    'tokenizer.json': read('tokenizer.json'),
    'tokenizer_config.json': read('tokenizer_config.json'),
    'chat_template.jinja': template,
  });
  return tokenizer.render({
    template: 'chat_template.jinja', messages: [{ role: 'user', content: 'x' }],
  });
}

test('a template renders the chat', () => {
  assert.equal(render('{{ messages[0].content }}'), 'x');
});

describe('a template does not reach the machine under it', () => {
  for (const name of ['globalThis', 'window', 'self', 'process', 'chrome',
    'fetch', 'constructor', '__proto__', "''.constructor", '[].constructor',
    '({}).__proto__', 'messages.constructor', "messages['__proto__']",
    'messages[0].constructor', 'range.constructor', 'namespace.constructor',
    'raise_exception.constructor']) {
    test(name, () => {
      assert.equal(render(`{{ ${name} }}`), '');
      assert.throws(() => render(`{{ ${name}('1') }}`),
        { code: 'template_failed' });
      assert.throws(() => render(`{{ ${name}.constructor('return 1')() }}`),
        { code: 'template_failed' });
    });
  }
});

test('a template changes nothing outside of itself', () => {
  for (const template of [
    "{% set ns = namespace() %}{% set ns.__proto__ = {'taken': 1} %}",
    "{% set a = {'__proto__': {'taken': 1}} %}",
    "{% set ns = namespace(__proto__={'taken': 1}) %}",
  ]) {
    assert.equal(render(template), '');
    assert.equal('taken' in {}, false);
    assert.equal('taken' in [], false);
  }
});
