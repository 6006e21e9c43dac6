// SPDX-License-Identifier: Apache-2.0
// What the Python reference does with logits, written from its formulas as
// plainly as possible, sorting everything: the yardstick for wasm/chat.

/**
 * @typedef {Record<string, any>} Params a request's parameters, by name
 * @typedef {{ id: number, score: number }} Entry
 */

/**
 * What is true of a row, beside its parameters.
 * @typedef {object} Row
 * @property {number[]} tokens prompt and answer
 * @property {number} promptLength
 * @property {number[]} eos
 * @property {number} maxLength
 */

const { fround } = Math;

/** The largest float. */
const MAX = 3.4028234663852886e38;

/** @param {number} x */
const clamp = (x) => Math.min(MAX, Math.max(-MAX, x));

/** @param {number[]} values */
function logSumExp(values) {
  const max = values.reduce((a, b) => Math.max(a, b), -Infinity);
  if (!Number.isFinite(max)) return max;
  return max + Math.log(values.reduce((sum, x) => sum + Math.exp(x - max), 0));
}

/** @param {number[]} values */
export function logSoftmax(values) {
  const total = logSumExp(values.filter((x) => !Number.isNaN(x)));
  return values.map((x) => x - total);
}

// -----------------------------------------------------------------------------
// Processors

/** @param {number[]} s @param {Iterable<number>} ids @param {number} value */
function assign(s, ids, value) {
  for (const id of ids) if (id < s.length) s[id] = value;
}

/** @param {number[]} s @param {number[]} seen @param {number} penalty */
function penalize(s, seen, penalty) {
  for (const id of new Set(seen)) {
    if (id >= 0 && id < s.length) {
      s[id] = s[id] < 0 ? s[id] * penalty : s[id] / penalty;
    }
  }
}

/**
 * @param {number[]} s
 * @param {[number[], number][]} biases
 * @param {number[]} tokens
 */
function addBiases(s, biases, tokens) {
  for (const [sequence, bias] of biases) {
    const prefix = sequence.slice(0, -1);
    const end = tokens.slice(tokens.length - prefix.length);
    if (prefix.length === 0 || (sequence.length <= tokens.length &&
        prefix.every((id, i) => id === end[i]))) {
      s[sequence[sequence.length - 1]] += bias;
    }
  }
}

/**
 * @param {number[]} s
 * @param {number} size of the n-grams
 * @param {number[]} source whose n-grams must not be repeated
 * @param {number[]} tokens
 */
function banRepeats(s, size, source, tokens) {
  if (tokens.length + 1 < size) return;
  const end = tokens.slice(tokens.length - size + 1).join();
  for (let i = 0; i + size <= source.length; i += 1) {
    const ngram = source.slice(i, i + size);
    const last = /** @type {number} */ (ngram.pop());
    if (size === 1 || ngram.join() === end) assign(s, [last], -Infinity);
  }
}

/** @param {any} value a number, a list or nothing */
const listOf = (value) => [value ?? []].flat();

/** @param {number[]} s @param {Params} p @param {Row} row */
function applyPenalties(s, p, { tokens, promptLength }) {
  addBiases(s, p.sequence_bias ?? [], tokens);
  if (p.encoder_repetition_penalty) {
    penalize(s, tokens.slice(0, promptLength), 1 / p.encoder_repetition_penalty);
  }
  if (p.repetition_penalty) penalize(s, tokens, p.repetition_penalty);
  for (const id of tokens.slice(promptLength)) {
    if (id >= 0 && id < s.length) s[id] -= p.frequency_penalty ?? 0;
  }
  for (const id of new Set(tokens.slice(promptLength))) {
    if (id >= 0 && id < s.length) s[id] -= p.presence_penalty ?? 0;
  }
  for (const [id, bias] of Object.entries(p.logit_bias ?? {})) {
    s[Number(id)] += bias;
  }
}

/** @param {number[]} s @param {Params} p @param {Row} row */
function applyBans(s, p, { tokens, promptLength, eos }) {
  if (p.no_repeat_ngram_size > 0) {
    banRepeats(s, p.no_repeat_ngram_size, tokens, tokens);
  }
  if (p.encoder_no_repeat_ngram_size > 0) {
    banRepeats(s, p.encoder_no_repeat_ngram_size,
      tokens.slice(0, promptLength), tokens);
  }
  addBiases(s, (p.bad_words_ids ?? [])
    .filter((/** @type {number[]} */ word) =>
      word.length > 1 || !eos.includes(word[0]))
    .map((/** @type {number[]} */ word) => [word, -Infinity]), tokens);
  if (tokens.length < (p.min_length ?? 0) ||
      tokens.length - promptLength < (p.min_new_tokens ?? 0)) {
    assign(s, eos, -Infinity);
  }
}

/** @param {number[]} s @param {Params} p @param {Row} row */
function applyForced(s, p, { tokens, promptLength, eos, maxLength }) {
  if (p.forced_bos_token_id !== undefined && tokens.length === 1) {
    s.fill(-Infinity);
    assign(s, [p.forced_bos_token_id], 0);
  }
  if (p.forced_eos_token_id !== undefined && tokens.length === maxLength - 1) {
    s.fill(-Infinity);
    assign(s, listOf(p.forced_eos_token_id), 0);
  }
  if (p.remove_invalid_values) {
    s.forEach((x, i) => {
      s[i] = Number.isNaN(x) ? 0 : clamp(x);
    });
  }
  if (p.exponential_decay_length_penalty) {
    const [start, factor] = p.exponential_decay_length_penalty;
    const over = tokens.length - start - promptLength;
    if (over > 0) {
      for (const id of eos) s[id] += Math.abs(s[id]) * (factor ** over - 1);
    }
  }
  assign(s, p.suppress_tokens ?? [], -Infinity);
  const begin = promptLength <= 1 && p.forced_bos_token_id !== undefined
    ? promptLength + 1 : promptLength;
  if (tokens.length === begin) {
    assign(s, p.begin_suppress_tokens ?? [], -Infinity);
  }
}

/**
 * @param {Iterable<number>} logits
 * @param {Params} params
 * @param {Row} row
 * @returns {number[]} the changed logits
 */
export function process(logits, params, row) {
  const s = [...logits];
  applyPenalties(s, params, row);
  applyBans(s, params, row);
  applyForced(s, params, row);
  return s;
}

// -----------------------------------------------------------------------------
// Filters. Each says what it keeps, and which of its decisions are so close that
// a float may take them either way.

/** @typedef {{ kept: Entry[], close: Set<number> }} Filtered */

/** How close a decision must be, relatively, to be called so. */
const CLOSE = 1e-5;

/** The best first; of equal ones the lower number. @param {Entry[]} entries */
const ranked = (entries) =>
  [...entries].sort((a, b) => b.score - a.score || a.id - b.id);

/**
 * The logarithms of the probabilities: first made small, so that nothing is lost
 * beside large scores.
 * @param {Entry[]} entries
 */
function logProbabilities(entries) {
  const max = entries.reduce((a, { score }) => Math.max(a, score), -Infinity);
  const total = logSumExp(entries.map(({ score }) => score - max));
  return new Map(entries.map(({ id, score }) => [id, score - max - total]));
}

/** @param {Entry[]} entries */
const probabilities = (entries) => new Map(
  [...logProbabilities(entries)].map(([id, log]) => [id, Math.exp(log)]));

/** @param {Iterable<number>} values */
function entropyOf(values) {
  let sum = 0;
  for (const p of values) sum -= p > 0 ? p * Math.log(p) : 0;
  return sum;
}

/** @param {Map<number, number>} map @param {number} id */
const at = (map, id) => /** @type {number} */ (map.get(id));

/** @param {Entry[]} entries @param {number} k @returns {Filtered} */
function topK(entries, k) {
  const order = ranked(entries);
  const least = order[Math.min(k, order.length) - 1].score;
  return { kept: entries.filter(({ score }) => score >= least), close: new Set() };
}

/** @param {Entry[]} entries @param {number} part @returns {Filtered} */
function topH(entries, part) {
  const order = ranked(entries).slice(0, 100);
  const p = probabilities(order);
  const limit = part * entropyOf(p.values());
  const close = new Set();
  const kept = [];
  let sum = 0;
  for (const entry of order) {
    sum += entropyOf([at(p, entry.id)]);
    if (kept.length > 0 && Math.abs(sum - limit) <= CLOSE * limit) {
      close.add(entry.id);
    }
    if (kept.length > 0 && sum > limit) break;
    kept.push(entry);
  }
  return { kept, close };
}

/**
 * Keeps the first of |order| until their mass is |part|.
 * @param {Entry[]} order
 * @param {Map<number, number>} p
 * @param {number} part
 * @param {number} keep
 */
function byMass(order, p, part, keep) {
  const close = new Set();
  const kept = [];
  let before = 0;
  for (const [i, entry] of order.entries()) {
    if (i >= keep && Math.abs(before - part) < CLOSE) close.add(entry.id);
    if (i < keep || before < part) kept.push(entry);
    before += at(p, entry.id);
  }
  return { kept, close };
}

/** @param {Entry[]} entries @param {number} part @param {number} keep */
const topP = (entries, part, keep) =>
  byMass(ranked(entries), probabilities(entries), part, keep);

/**
 * @param {Entry[]} entries
 * @param {number} part
 * @param {number} keep
 * @returns {Filtered}
 */
function typicalP(entries, part, keep) {
  const p = probabilities(entries);
  const entropy = entropyOf(p.values());
  const distance = new Map([...logProbabilities(entries)].map(([id, log]) =>
    [id, Math.abs(-log - entropy)]));
  const order = [...entries].sort((a, b) =>
    at(distance, a.id) - at(distance, b.id) || a.id - b.id);
  const first = byMass(order, p, part, keep);
  const limit = at(distance, first.kept[first.kept.length - 1].id);
  for (const { id } of order) {
    const off = Math.abs(at(distance, id) - limit);
    if (off > 0 && off < CLOSE) first.close.add(id);
  }
  return {
    kept: entries.filter(({ id }) => at(distance, id) <= limit),
    close: first.close,
  };
}

/**
 * Keeps what is as likely as |least|, and what |isExempt|.
 * @param {Entry[]} entries
 * @param {(p: Map<number, number>) => number} leastOf
 * @param {(entry: Entry) => boolean} isExempt
 */
function byProbability(entries, leastOf, isExempt) {
  const p = probabilities(entries);
  const least = leastOf(p);
  const close = new Set(entries.filter((entry) => !isExempt(entry) &&
    Math.abs(at(p, entry.id) - least) < CLOSE * least).map(({ id }) => id));
  return {
    kept: entries.filter((entry) =>
      at(p, entry.id) >= least || isExempt(entry)),
    close,
  };
}

/** @param {Entry[]} entries @param {number} part @param {number} keep */
function minP(entries, part, keep) {
  const best = new Set(ranked(entries).slice(0, keep).map(({ id }) => id));
  return byProbability(entries,
    (p) => part * [...p.values()].reduce((a, b) => Math.max(a, b), 0),
    ({ id }) => best.has(id));
}

/**
 * @param {Entry[]} entries
 * @param {number} keep
 * @param {(p: Map<number, number>) => number} leastOf
 */
function cutoff(entries, keep, leastOf) {
  const order = ranked(entries);
  const bar = order[Math.min(keep, order.length) - 1].score;
  return byProbability(entries, leastOf, ({ score }) => score >= bar);
}

/** @param {Params} params @param {number} keep */
function filtersOf(params, keep) {
  const { top_h: h, top_k: k = 50, top_p: p = 1, min_p: min = 0,
    typical_p: typical = 1, epsilon_cutoff: epsilon = 0, eta_cutoff: eta = 0,
  } = params;
  /** @type {[any, (entries: Entry[]) => Filtered][]} */
  const all = [
    [h, (entries) => topH(entries, h)],
    [k, (entries) => topK(entries, Math.max(k, keep))],
    [p < 1, (entries) => topP(entries, p, keep)],
    [min, (entries) => minP(entries, min, keep)],
    [typical < 1, (entries) => typicalP(entries, typical, keep)],
    [epsilon, (entries) => cutoff(entries, keep, () => epsilon)],
    [eta, (entries) => cutoff(entries, keep, (masses) => Math.min(eta,
      Math.sqrt(eta) * Math.exp(-entropyOf(masses.values()))))],
  ];
  return all.filter(([isOn]) => isOn).map(([, filter]) => filter);
}

/**
 * @param {Float32Array} logits
 * @param {Params} params
 * @param {number} keep tokens that must stay
 * @returns {{ kept: Set<number>, close: Set<number>, isOpen: boolean }} with
 *   the close decisions of the last filter; isOpen when an earlier one had some
 */
export function filter(logits, params, keep) {
  const temperature = fround(params.temperature ?? 1);
  /** @type {Entry[]} */
  let entries = [];
  logits.forEach((logit, id) => {
    if (logit > -Infinity) {
      entries.push({ id, score: clamp(fround(clamp(logit) / temperature)) });
    }
  });
  let close = new Set();
  let isOpen = false;
  for (const each of entries.length > 0 ? filtersOf(params, keep) : []) {
    isOpen ||= close.size > 0;
    ({ kept: entries, close } = each(entries));
  }
  return { kept: new Set(entries.map(({ id }) => id)), close, isOpen };
}

// -----------------------------------------------------------------------------
// Beams

/** Stands for minus infinity in sums that must stay finite. */
const LOW = -1e9;

/** @typedef {{ tokens: number[], score: number, isFinished: boolean }} Beam */

/** Returns whether LOW is part of the score. @param {Beam} beam */
const isLow = ({ score }) => score < LOW / 2;

/** What is not a number is never chosen. @param {number[]} s */
const withoutNaN = (s) => s.map((x) => (Number.isNaN(x) ? -Infinity : x));

/** The best |count|, equal ones in their order. @param {Beam[]} beams */
const bestOf = (/** @type {Beam[]} */ beams, /** @type {number} */ count) =>
  beams.map((beam, i) => ({ beam, i }))
    .sort((a, b) => b.beam.score - a.beam.score || a.i - b.i)
    .slice(0, count).map(({ beam }) => beam);

/**
 * @param {(tokens: number[]) => number[]} model logits of the next token
 * @param {Params} params
 * @param {number[]} prompt
 * @param {number[]} eos
 * @returns {{ tokens: number[], score: number }[] | null} the best first, without
 *   the prompt; null when there are too few candidates (the Python reference
 *   then takes beams that have ended, or have not begun)
 */
export function beamSearch(model, params, prompt, eos) {
  const { num_beams: count, length_penalty: penalty = 1,
    early_stopping: early = false, num_return_sequences: wanted = 1 } = params;
  const maxLength = prompt.length + params.max_new_tokens;
  const width = Math.max(2, 1 + eos.length) * count;
  /** @type {Beam[]} */
  let running = Array.from({ length: count }, (_, i) => (
    { tokens: prompt, score: i === 0 ? 0 : LOW, isFinished: false }));
  /** @type {Beam[]} */
  let finished = Array.from({ length: count }, () => (
    { tokens: prompt, score: LOW, isFinished: false }));
  let canImprove = true;
  for (;;) {
    const length = running[0].tokens.length + 1 - prompt.length;
    /** @type {Beam[]} */
    const all = running.flatMap(({ tokens, score }) => {
      const row = { tokens, promptLength: prompt.length, eos, maxLength };
      const logs = process(logSoftmax(model(tokens)), params, row);
      return withoutNaN(logs).map((log, id) => (
        { tokens: [...tokens, id], score: log + score, isFinished: false }));
    });
    const top = bestOf(all, width).map((beam) => ({
      ...beam,
      isFinished: eos.includes(beam.tokens[beam.tokens.length - 1]) ||
        beam.tokens.length >= maxLength,
    }));
    running = bestOf(top.map((beam) => (
      { ...beam, score: beam.score + (beam.isFinished ? LOW : 0) })), count);
    const isLast = top.every((beam) => beam.isFinished);
    if (top.slice(0, count).some(isLow) || (!isLast && running.some(isLow))) {
      return null;
    }
    const isFull = finished.every((beam) => beam.isFinished) && early === true;
    const fresh = top.map((beam, i) => {
      const isNew = beam.isFinished && i < count && !isFull && canImprove;
      return {
        tokens: beam.tokens,
        score: beam.score / length ** penalty + (isNew ? 0 : LOW),
        isFinished: isNew,
      };
    });
    finished = bestOf([...finished, ...fresh], count);
    const hope = running[0].score / (early === 'never' && penalty > 0
      ? maxLength - prompt.length : length) ** penalty;
    canImprove &&= finished.some((beam) => hope > (beam.isFinished
      ? Math.min(...finished.map(({ score }) => score)) : LOW));
    if (!canImprove || isLast ||
        (early === true && finished.every((beam) => beam.isFinished))) {
      return finished.filter((beam) => beam.isFinished).slice(0, wanted)
        .map(({ tokens, score }) => (
          { tokens: tokens.slice(prompt.length), score }));
    }
  }
}

/**
 * Takes the most likely token at every step.
 * @param {(tokens: number[]) => number[]} model
 * @param {Params} params
 * @param {number[]} prompt
 * @param {number[]} eos
 * @returns {number[] | null} without the prompt; null when nothing can be taken
 */
export function greedySearch(model, params, prompt, eos) {
  const maxLength = prompt.length + params.max_new_tokens;
  let tokens = prompt;
  while (tokens.length < maxLength) {
    const row = { tokens, promptLength: prompt.length, eos, maxLength };
    const s = withoutNaN(process(model(tokens), params, row));
    if (s.every((x) => x === -Infinity)) return null;
    const next = s.indexOf(s.reduce((a, b) => Math.max(a, b), -Infinity));
    tokens = [...tokens, next];
    if (eos.includes(next)) break;
  }
  return tokens.slice(prompt.length);
}
