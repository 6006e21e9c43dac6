// SPDX-License-Identifier: Apache-2.0
// The URLs of files against the platform's URL parser: what is taken for a file
// is what fetch would ask for, and of URLs as URL.href writes them none is
// missed. TAM_DOCUMENTS sets the number of URLs, TAM_SEED another seed.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Random } from '../hub/random.js';
import { hubFile } from '../reference/hub-file.js';
import { runDriver } from './driver.js';

const URLS = Number(process.env.TAM_DOCUMENTS ?? 50000);
const SEED = process.env.TAM_SEED ?? 'hub-file';
const ORIGIN = 'https://hub.test';

const COMMIT = '0123456789abcdef0123456789abcdef01234567';
const ORIGINS = [
  `${ORIGIN}/`, ORIGIN, `${ORIGIN}:443/`, 'https://HUB.test/', 'http://hub.test/',
  `${ORIGIN}@evil.test/`, `${ORIGIN}.evil.test/`, `${ORIGIN}\\`, `${ORIGIN}//`,
];
const SEGMENTS = [
  'a', 'b', 'owner', 'gpt2', 'a.b', 'a--b', 'x.git', 'api', 'datasets', 'spaces',
  'resolve', 'raw', 'main', 'refs', 'pr', '1', 'refs%2Fpr%2F1', COMMIT, '', '.',
  '..', '%2e', '.%2E', '...', 'config.json', 'a b', 'a%20b', 'é', '%C3%A9', '%c3',
  '\u{1f600}', '%F0%9F%98%80', '%ED%A0%80', 'a%2Fb', '%5C', '\\', '%00', '%',
  '%2', '%zz', '%25', '\t', '\n', '\x7f', '%C2%85', '\x85', '+', '"<>`{}|^', "!*'();:@&=+$,",
  'x'.repeat(96), 'x'.repeat(97), 'r'.repeat(256), 'é'.repeat(300), 'p'.repeat(1100),
];
const ENDS = ['', '', '', '?download=true', '?a/../b', '#x', '?x#y', ' ', '?', '#'];
const LETTERS = [...'/%.?#\\ 2fFeE5c0:@\t\n\x7f\x85é'];

/** @param {Random} random */
function drawUrl(random) {
  const segments = Array.from(
    { length: random.between(1, 4) }, () => random.pick(SEGMENTS));
  const start = random.pick(['a/b/resolve/main/', 'gpt2/resolve/', 'a/', '']);
  const first = random.chance(0.75) ? ORIGINS[0] : random.pick(ORIGINS);
  const url = first + start + segments.join('/') + random.pick(ENDS);
  if (random.chance(0.75)) return url;
  const at = random.below(url.length + 1);
  return url.slice(0, at) + random.pick(LETTERS) +
    url.slice(at + random.below(2));
}

/**
 * @param {string[]} urls
 * @param {'native' | 'wasi'} preset
 */
function ask(urls, preset) {
  const answers = runDriver('hub_file_driver', preset,
    urls.map((url) => `${url}\0`).join(''));
  assert.equal(answers.length, urls.length);
  return answers.map((answer) => {
    const [result, repo, revision, path, again] = answer.split('\n');
    return result === '1' ? { file: { repo, revision, path }, again } : null;
  });
}

function drawUrls() {
  const random = new Random(SEED);
  return Array.from({ length: URLS }, () => drawUrl(random));
}

for (const preset of /** @type {const} */ (['native', 'wasi'])) {
  test(`what is taken for a file is what would be fetched (${preset})`, () => {
    const urls = drawUrls();
    let files = 0;
    ask(urls, preset).forEach((answer, i) => {
      if (!answer) return;
      files += 1;
      assert.deepEqual(answer.file, hubFile(urls[i], ORIGIN), urls[i]);
      assert.equal(new URL(answer.again).href, answer.again, urls[i]);
      assert.deepEqual(answer.file, hubFile(answer.again, ORIGIN), urls[i]);
    });
    assert.ok(files > URLS / 50, `${files} files`);
  });

  test(`of URLs in their usual form none is missed (${preset})`, () => {
    const urls = drawUrls().filter((url) => URL.canParse(url))
      .map((url) => new URL(url).href);
    ask(urls, preset).forEach((answer, i) => {
      assert.deepEqual(answer?.file ?? null, hubFile(urls[i], ORIGIN), urls[i]);
    });
  });
}
