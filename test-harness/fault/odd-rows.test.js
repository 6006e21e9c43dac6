// SPDX-License-Identifier: Apache-2.0
// The outliers of a real catalogue, and the truth about all of it: what the
// simulator knows of a model is what the listing must say.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { generateCatalogue } from '../hub/catalogue.js';
import { CATALOGUE, list } from './listing.js';

const all = await list({
  params: { maxCandidates: 5000, query: { filter: [] }, requireOnnx: false },
});
const byId = new Map(all.models.map((model) => [model.id, model]));

/** Rows that a listing may not contain, by the rule that drops them. */
const DENIED_TASKS = ['feature-extraction', 'fill-mask', 'sentence-similarity'];

describe('outliers', () => {
  test('the repository with 23,763 files is listed with its own few', () => {
    const row = CATALOGUE.find(({ id }) => id === 'mass-uploads/every-checkpoint');
    assert.equal(row?.entry.siblings.length, 23_763);
    assert.equal(all.meta.errorCount > 0, true);
    assert.equal(byId.has('mass-uploads/every-checkpoint'), false,
      'without a tokenizer it cannot run');
  });

  test('ids without an owner', () => {
    for (const id of ['ctrl-onnx', 'gpt2-xl-onnx', 'albert-xl-onnx']) {
      assert.equal(byId.get(id)?.name, id);
    }
  });

  test('files and tags that are not ASCII', () => {
    const words = ['模型', 'модель', 'modèle', 'μοντέλο', '모델', '🤗 emoji'];
    words.forEach((word, i) => {
      const model = byId.get(`odd-names/non-ascii-${i}`);
      assert.ok(model.tags.includes(`dataset:${word}`), word);
      const files = model.variants.flatMap((/** @type {any} */ v) => v.files);
      assert.ok(files.includes(`onnx/${word}/model.onnx`), word);
    });
  });

  test('an id too long for the Hub is dropped', () => {
    assert.equal(all.models.some(({ id }) => id.startsWith('o/long-name')), false);
    assert.ok(all.meta.dropped['invalid-id'] >= 1);
  });

  test('127 tags', () => {
    assert.ok(byId.get('many-tags/polyglot').tags.length <= 127);
  });

  for (const key of ['pipeline_tag', 'library_name', 'downloads', 'likes',
    'author', 'lastModified', 'cardData', 'config']) {
    test(`${key} is null`, () => {
      const model = byId.get(`odd-fields/null-${key}`);
      assert.equal(model.classification, 'gen');
      assert.equal(typeof model.downloads, 'number');
      assert.equal(typeof model.likes, 'number');
      if (key === 'pipeline_tag') assert.equal(model.pipeline_tag, null);
    });
  }

  test('architectures missing, null and empty', () => {
    for (const kind of ['missing', 'null', 'empty']) {
      const model = byId.get(`odd-fields/architectures-${kind}`);
      assert.equal(model.architectures, null);
      assert.equal(model.model_type, 'gpt2');
      assert.equal(model.classification, 'gen');
    }
    assert.equal(byId.get('odd-fields/type-null').model_type, null);
    assert.equal(byId.get('odd-fields/type-null').classification, 'gen');
  });

  /** @type {[string, string, RegExp | null][]} */
  const CONFIGS = [
    ['invalid-json', 'json_syntax', /byte 82/],
    ['nan', 'json_syntax', /byte 92/],
    ['lfs-pointer', 'json_syntax', /byte 0/],
    ['empty-file', 'json_truncated', /byte 0/],
    ['array', 'unexpected_shape', /not a JSON object/],
  ];
  for (const [name, code, message] of CONFIGS) {
    test(`config.json is ${name}`, () => {
      const id = `odd-configs/${name}`;
      const error = all.meta.errors.find((/** @type {any} */ e) => e.modelId === id);
      assert.equal(error.code, code);
      assert.match(error.message, message ?? /./);
      assert.equal(byId.get(id).classification, 'unknown');
      assert.equal(byId.get(id).fetchStatus, 'error');
    });
  }

  test('config.json begins with a byte order mark', () => {
    const model = byId.get('odd-configs/bom');
    assert.equal(model.fetchStatus, 'ok');
    assert.equal(model.classification, 'gen');
  });

  test('config.json speaks of the text part only', () => {
    assert.equal(byId.get('odd-configs/text-config-only').classification, 'gen');
  });

  test('private rows are not listed, disabled ones dropped', () => {
    assert.equal(byId.has('closed/private'), false);
    assert.equal(byId.has('closed/disabled'), false);
    assert.equal(all.meta.dropped.unavailable, 1);
    assert.equal(byId.get('closed/gated-auto').gated, 'auto');
    assert.equal(byId.get('closed/gated-manual').gated, 'manual');
  });
});

test('the verdicts are the truth', () => {
  const wrong = all.models.filter((model) => {
    const truth = /** @type {any} */ (all.hub.truth(model.id));
    return !truth.ambiguous && truth.classification !== model.classification;
  }).map(({ id, classification, why }) => (
    `${id}: ${classification} ${why}, is ${JSON.stringify(all.hub.truth(id))}`));
  assert.deepEqual(wrong, []);
  assert.ok(all.models.length > 500);
});

test('the tasks that are denied are', () => {
  for (const model of all.models) {
    assert.equal(DENIED_TASKS.includes(model.pipeline_tag), false, model.id);
  }
});

test('5,000 rows with a config cost their pages and nothing more', async () => {
  const catalogue = generateCatalogue({ models: 8000 }).models
    .filter(({ entry }) => entry.config && entry.tags?.includes('onnx')
      && !entry.private);
  assert.ok(catalogue.length >= 5000, `${catalogue.length}`);
  const { meta, hub } = await list({
    hub: { catalogue }, params: { maxCandidates: 5000 },
  });
  assert.equal(meta.fetched, 5000);
  assert.equal(hub.requests.length, 10);
  assert.equal(meta.pages, 10);
  assert.equal(meta.telemetry.counters['configFetch.total'], 0);
});
