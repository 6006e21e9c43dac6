// SPDX-License-Identifier: Apache-2.0
// The error matrix: what is refused, with which status, code and words.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { bearer, virtualHub } from './support.js';

const { hub, get } = virtualHub();
const GATED = 'closed/gated-auto';

/** @type {[string, string, string | null, number, string | null, RegExp][]} */
const MATRIX = [
  ['missing file repo, anonymous', '/no/repo/resolve/main/config.json', null,
    401, null, /^Invalid username or password\.$/],
  ['missing api repo, anonymous', '/api/models/no/repo', null,
    401, null, /^\{"error":"Invalid username or password\."\}$/],
  ['missing repo, valid token', '/api/models/no/repo', 'hf_reader',
    404, 'RepoNotFound', /Repository not found/],
  ['private repo, anonymous', '/api/models/closed/private', null,
    401, null, /Invalid username or password\./],
  ['private repo, another\'s token', '/api/models/closed/private', 'hf_reader',
    404, 'RepoNotFound', /Repository not found/],
  ['private repo, its owner', '/api/models/closed/private', 'hf_owner',
    200, null, /closed\/private/],
  ['missing file', '/openai-community/gpt2/resolve/main/none.json', null,
    404, 'EntryNotFound', /^Entry not found$/],
  ['missing revision', '/openai-community/gpt2/resolve/none/config.json', null,
    404, 'RevisionNotFound', /^Invalid rev id: none$/],
  ['missing revision, api', '/api/models/openai-community/gpt2/tree/none', null,
    404, 'RevisionNotFound', /Invalid rev id: none/],
  ['gated file, anonymous', `/${GATED}/resolve/main/config.json`, null,
    401, 'GatedRepo', /^Access to model closed\/gated-auto is restricted\. You must have access to it and be authenticated to access it\. Please log in\.$/],
  ['gated file, no grant', `/${GATED}/resolve/main/config.json`, 'hf_reader',
    403, 'GatedRepo', /you are not in the authorized list/],
  ['gated file, granted', `/${GATED}/resolve/main/config.json`, 'hf_granted',
    200, null, /gpt2/],
  ['gated info is public', `/api/models/${GATED}`, null, 200, null, /"gated":"auto"/],
  ['gated tree is public', `/api/models/${GATED}/tree/main`, null,
    200, null, /config\.json/],
  ['invalid token', '/api/models/openai-community/gpt2', 'hf_wrong',
    401, null, /Invalid credentials in Authorization header/],
  ['token without scope', '/api/models/openai-community/gpt2', 'hf_noscope',
    403, null, /./],
  ['disabled repo', '/closed/disabled/resolve/main/config.json', null,
    403, null, /Access to this resource is disabled\./],
  ['encoded slash in the id', '/api/models/openai-community%2Fgpt2', null,
    400, null, /error/],
];

for (const [what, path, token, status, code, words] of MATRIX) {
  test(`${what}: ${status}`, async () => {
    const reply = await get(path, token ? bearer(token) : undefined);
    assert.equal(reply.status, status);
    assert.equal(reply.headers.get('x-error-code'), code);
    assert.match(reply.text, words);
  });
}

test('a missing repository asks for credentials, in 29 bytes on files', async () => {
  const reply = await get('/no/repo/resolve/main/config.json');
  assert.equal(reply.bytes.length, 'Invalid username or password.'.length);
  assert.equal(reply.headers.get('www-authenticate'),
    'Bearer realm="Authentication required", charset="UTF-8"');
});

test('a missing file still tells the commit', async () => {
  const reply = await get('/openai-community/gpt2/resolve/main/none.json');
  assert.equal(reply.headers.get('x-repo-commit'),
    hub.index.get('openai-community/gpt2')?.sha);
  assert.equal(reply.headers.get('x-error-message'), 'Entry not found');
  assert.equal(reply.bytes.length, 15);
});

test('paths-info of a gated repository stays public', async () => {
  const reply = await get(`/api/models/${GATED}/paths-info/main`, {
    method: 'POST', body: new URLSearchParams({ paths: 'config.json' }),
  });
  assert.equal(reply.status, 200);
});

test('old names and wrong case: a relative 307 to the present id', async () => {
  for (const [from, to] of [
    ['/api/models/gpt2', '/api/models/openai-community/gpt2'],
    ['/api/models/OpenAI-Community/GPT2?expand=tags',
      '/api/models/openai-community/gpt2?expand=tags'],
    ['/gpt2/resolve/main/config.json',
      '/openai-community/gpt2/resolve/main/config.json'],
  ]) {
    const hop = await get(from, { redirect: 'manual' });
    assert.equal(hop.status, 307);
    assert.equal(hop.headers.get('location'), to);
    assert.equal((await get(from)).status, 200);
  }
});

test('ids without an owner work on every route', async () => {
  for (const path of ['/api/models/ctrl-onnx', '/api/models/ctrl-onnx/tree/main',
    '/ctrl-onnx/resolve/main/config.json']) {
    assert.equal((await get(path)).status, 200, path);
  }
});

test('constant headers', async () => {
  const reply = await get('/api/models?limit=1');
  assert.equal(reply.headers.get('x-powered-by'), 'huggingface-moon');
  assert.match(reply.headers.get('x-request-id') ?? '', /^Root=1-.+;.+/);
  assert.equal(reply.headers.get('cross-origin-opener-policy'), 'same-origin');
  assert.equal(reply.headers.get('referrer-policy'), 'strict-origin-when-cross-origin');
});
