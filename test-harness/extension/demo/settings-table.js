// SPDX-License-Identifier: Apache-2.0
// Every parameter of an answer: what it is called, what it does, what it may be
// and what it is when nobody says. docs/chat.md is the reference.

/**
 * @typedef {object} Setting
 * @property {string} name in a request
 * @property {string} label
 * @property {string} help
 * @property {'number' | 'integer' | 'switch' | 'text' | 'choice' | 'lines'
 *   | 'ids' | 'json'} kind lines: texts, one in each; ids: numbers and commas
 * @property {number} [min]
 * @property {number} [max]
 * @property {boolean} [above] min itself is not allowed
 * @property {boolean} [below] max itself is not allowed
 * @property {number} [step] of the slider
 * @property {[string, unknown][]} [choices] words and values
 * @property {unknown} [standard] null: there is none, or the model's own
 * @property {string} [standardText] in place of the value
 * @property {string} [example]
 *
 * @typedef {{ title: string, about: string, settings: Setting[] }} Group
 */

/** @type {Group} */
const ANSWER = {
  title: 'Answer',
  about: 'What most people change.',
  settings: [
    {
      name: 'system_prompt', label: 'System prompt', kind: 'text',
      help: 'Stands in front of every chat that has none of its own.',
      standard: null, standardText: 'none',
      example: 'You are brief and friendly.',
    },
    {
      name: 'max_new_tokens', label: 'Longest answer', kind: 'integer', min: 1,
      help: 'Tokens after which the answer ends. A token is about three quarters '
        + 'of a word.',
      standard: 20, standardText: '1,024 in this panel', example: '1024',
    },
    {
      name: 'do_sample', label: 'Draw words', kind: 'switch', standard: false,
      help: 'Draws each token by its probability. Off, the most likely is taken: '
        + 'the same question gives the same answer.',
    },
    {
      name: 'temperature', label: 'Temperature', kind: 'number', min: 0, step: 0.05,
      standard: 1, help: 'Above 1 is bolder, below 1 is calmer; 0 always takes '
        + 'the most likely token.',
    },
    {
      name: 'seed', label: 'Seed', kind: 'integer', standard: null,
      standardText: 'random', help: 'The same seed draws the same answer.',
    },
    {
      name: 'repetition_penalty', label: 'Repetition penalty', kind: 'number',
      min: 0, above: true, step: 0.05, standard: 1,
      help: 'Above 1 avoids tokens that were there before.',
    },
    {
      name: 'json_mode', label: 'JSON only', kind: 'switch', standard: false,
      help: 'The answer is one JSON document.',
    },
  ],
};

/** @type {Group} */
const SAMPLING = {
  title: 'Sampling',
  about: 'Which tokens may be drawn. All of these need “Draw words”.',
  settings: [
    {
      name: 'top_p', label: 'Top p', kind: 'number', min: 0, max: 1, step: 0.01,
      standard: 1, help: 'Keeps the most likely tokens that have this much '
        + 'probability together.',
    },
    {
      name: 'top_k', label: 'Top k', kind: 'integer', min: 0, standard: 50,
      help: 'Keeps the k most likely tokens; 0 keeps all.',
    },
    {
      name: 'min_p', label: 'Min p', kind: 'number', min: 0, max: 1, step: 0.01,
      standard: 0, help: 'Drops what is less likely than this share of the most '
        + 'likely token.',
    },
    {
      name: 'typical_p', label: 'Typical p', kind: 'number', min: 0, above: true,
      max: 1, step: 0.01, standard: 1,
      help: 'Keeps tokens whose surprise is nearest to what is expected.',
    },
    {
      name: 'top_h', label: 'Top h', kind: 'number', min: 0, above: true, max: 1,
      step: 0.01, standard: null, standardText: 'off',
      help: 'Keeps the most likely until they have this share of the entropy.',
    },
    {
      name: 'epsilon_cutoff', label: 'Epsilon cutoff', kind: 'number', min: 0,
      max: 1, below: true, step: 0.0001, standard: 0,
      help: 'Drops tokens with a probability below it.',
    },
    {
      name: 'eta_cutoff', label: 'Eta cutoff', kind: 'number', min: 0, max: 1,
      below: true, step: 0.0001, standard: 0,
      help: 'The same, and drops less the surer the model is.',
    },
  ],
};

/** @type {Group} */
const REPETITION = {
  title: 'Repetition',
  about: 'What keeps an answer from going in circles.',
  settings: [
    {
      name: 'presence_penalty', label: 'Presence penalty', kind: 'number',
      step: 0.1, standard: 0,
      help: 'Subtracted once for every token that the answer has.',
    },
    {
      name: 'frequency_penalty', label: 'Frequency penalty', kind: 'number',
      step: 0.1, standard: 0,
      help: 'Subtracted each time that the answer has the token.',
    },
    {
      name: 'no_repeat_ngram_size', label: 'No repeated n-grams', kind: 'integer',
      min: 0, standard: 0, help: 'Bans what would repeat this many tokens in a row.',
    },
    {
      name: 'encoder_repetition_penalty', label: 'Prompt penalty', kind: 'number',
      min: 0, above: true, step: 0.05, standard: 1,
      help: 'Above 1 favours tokens of the prompt.',
    },
    {
      name: 'encoder_no_repeat_ngram_size', label: 'No n-grams of the prompt',
      kind: 'integer', min: 0, standard: 0,
      help: 'Bans what would repeat this many tokens of the prompt.',
    },
  ],
};

/** @type {Group} */
const LENGTH = {
  title: 'Length and end',
  about: 'When an answer ends.',
  settings: [
    {
      name: 'max_length', label: 'Longest chat', kind: 'integer', min: 1,
      standard: null, standardText: 'off',
      help: 'Tokens of prompt and answer; “Longest answer” wins over it.',
    },
    {
      name: 'min_new_tokens', label: 'Shortest answer', kind: 'integer', min: 0,
      standard: 0, help: 'The answer cannot end before it has as many tokens.',
    },
    {
      name: 'min_length', label: 'Shortest chat', kind: 'integer', min: 0,
      standard: 0, help: 'The same, for prompt and answer together.',
    },
    {
      name: 'max_time', label: 'Longest time', kind: 'number', min: 0, above: true,
      standard: null, standardText: 'off', help: 'Seconds after which it ends.',
    },
    {
      name: 'stop_strings', label: 'Stop at', kind: 'lines', standard: null,
      standardText: 'none', example: 'one in each line',
      help: 'The answer ends before the first of these texts.',
    },
    {
      name: 'exponential_decay_length_penalty', label: 'Growing wish to end',
      kind: 'json', standard: null, standardText: 'off', example: '[200, 1.02]',
      help: 'From so many tokens on, the end gets likelier by the factor.',
    },
    {
      name: 'forced_eos_token_id', label: 'Forced end', kind: 'ids',
      standard: null, standardText: 'off', example: '2',
      help: 'The last token when the answer reaches its limit.',
    },
  ],
};

/** @type {Group} */
const BEAMS = {
  title: 'Search',
  about: 'Several answers side by side. They do not come in parts.',
  settings: [
    {
      name: 'num_beams', label: 'Beams', kind: 'integer', min: 1, max: 64,
      standard: 1, help: 'Sequences that are searched at a time.',
    },
    {
      name: 'num_return_sequences', label: 'Answers', kind: 'integer', min: 1,
      max: 64, standard: 1, help: 'How many are returned; needs beams or drawing.',
    },
    {
      name: 'num_beam_groups', label: 'Groups of beams', kind: 'integer', min: 1,
      max: 64, standard: 1, help: 'Groups that avoid each other\'s tokens.',
    },
    {
      name: 'diversity_penalty', label: 'Diversity penalty', kind: 'number', min: 0,
      step: 0.1, standard: 0, help: 'How much the groups avoid each other.',
    },
    {
      name: 'length_penalty', label: 'Length penalty', kind: 'number', step: 0.1,
      standard: 1, help: 'Exponent of the length that divides a beam\'s score.',
    },
    {
      name: 'early_stopping', label: 'End of the search', kind: 'choice',
      choices: [['When nothing better is likely', false],
        ['As soon as there are enough', true],
        ['When nothing better is possible', 'never']],
      standard: false, standardText: 'when nothing better is likely',
      help: 'When a search with beams ends.',
    },
  ],
};

/** @type {Group} */
const TOKENS = {
  title: 'Tokens',
  about: 'By number, as the model\'s tokenizer has them.',
  settings: [
    {
      name: 'logit_bias', label: 'Bias of tokens', kind: 'json', standard: null,
      standardText: 'none', example: '{ "42": -5 }',
      help: 'Added to the logits of these tokens.',
    },
    {
      name: 'sequence_bias', label: 'Bias of sequences', kind: 'json',
      standard: null, standardText: 'none', example: '[[[5, 6], 2]]',
      help: 'Added to the last token of these sequences.',
    },
    {
      name: 'bad_words_ids', label: 'Banned sequences', kind: 'json',
      standard: null, standardText: 'none', example: '[[5, 6], [7]]',
      help: 'Never written.',
    },
    {
      name: 'suppress_tokens', label: 'Banned tokens', kind: 'ids', standard: null,
      standardText: 'none', example: '5, 6', help: 'Never written.',
    },
    {
      name: 'begin_suppress_tokens', label: 'Banned at first', kind: 'ids',
      standard: null, standardText: 'none', example: '5, 6',
      help: 'Not the first token of an answer.',
    },
    {
      name: 'forced_bos_token_id', label: 'Forced first token', kind: 'integer',
      min: 0, standard: null, standardText: 'off', help: 'What an answer begins with.',
    },
    {
      name: 'eos_token_id', label: 'End tokens', kind: 'ids', standard: null,
      standardText: 'the model\'s', example: '2',
      help: 'Tokens that end an answer.',
    },
    {
      name: 'pad_token_id', label: 'Padding token', kind: 'integer', min: 0,
      standard: null, standardText: 'the model\'s', help: 'Fills shorter sequences.',
    },
    {
      name: 'bos_token_id', label: 'First token', kind: 'integer', min: 0,
      standard: null, standardText: 'the model\'s', help: 'What a prompt begins with.',
    },
    {
      name: 'decoder_start_token_id', label: 'Decoder start', kind: 'integer',
      min: 0, standard: null, standardText: 'the model\'s',
      help: 'First token of models with an encoder.',
    },
  ],
};

/** @type {Group} */
const EXPERT = {
  title: 'Numbers',
  about: 'How logits are treated, and what a result carries.',
  settings: [
    {
      name: 'guidance_scale', label: 'Guidance', kind: 'number', step: 0.1,
      standard: 1, help: 'Away from what the model would say without the prompt; '
        + 'takes twice as long.',
    },
    {
      name: 'renormalize_logits', label: 'Renormalize', kind: 'switch',
      standard: false, help: 'Makes logits log-probabilities at the end.',
    },
    {
      name: 'remove_invalid_values', label: 'Repair numbers', kind: 'switch',
      standard: false, help: 'NaN and infinity become numbers.',
    },
    {
      name: 'use_cache', label: 'Use the cache', kind: 'switch', standard: true,
      help: 'Off, the whole chat is read again for every token.',
    },
    {
      name: 'output_scores', label: 'Scores', kind: 'switch', standard: false,
      help: 'Adds scores to several answers.',
    },
    {
      name: 'return_dict_in_generate', label: 'Result as an object', kind: 'switch',
      standard: false, help: 'It always is one: known for the sake of old requests.',
    },
  ],
};

/** All of them, as they are shown. */
export const GROUPS = [
  ANSWER, SAMPLING, REPETITION, LENGTH, BEAMS, TOKENS, EXPERT,
];

export const SETTINGS = GROUPS.flatMap(({ settings }) => settings);

/** @param {Setting} setting its range in words */
export function rangeOf({ kind, min, max, above, below }) {
  if (kind !== 'number' && kind !== 'integer') return '';
  if (min === undefined && max === undefined) {
    return kind === 'integer' ? 'any whole number' : 'any number';
  }
  if (max === undefined) {
    return above ? `above ${min}` : `${min} or more`;
  }
  return `${above ? `above ${min}` : min} to ${below ? `below ${max}` : max}`;
}

/**
 * What the words of a field mean.
 * @param {Setting} setting
 * @param {string} text not empty
 * @returns {{ value?: unknown, problem?: string }}
 */
export function parse(setting, text) {
  const { kind, min, max, above, below } = setting;
  switch (kind) {
    case 'number':
    case 'integer': {
      const value = Number(text);
      const fits = Number.isFinite(value)
        && (kind === 'number' || Number.isSafeInteger(value))
        && (min === undefined || (above ? value > min : value >= min))
        && (max === undefined || (below ? value < max : value <= max));
      return fits ? { value } : { problem: `It must be ${rangeOf(setting)}.` };
    }
    case 'lines':
      return { value: text.split('\n').filter((line) => line !== '') };
    case 'ids': {
      const ids = text.split(/[\s,]+/).filter(Boolean).map(Number);
      return ids.every((id) => Number.isSafeInteger(id) && id >= 0)
        ? { value: ids } : { problem: 'They must be whole numbers and commas.' };
    }
    case 'json':
      try {
        return { value: JSON.parse(text) };
      } catch {
        return { problem: `It must be JSON, such as ${setting.example}.` };
      }
    default:
      return { value: text };
  }
}

/** @param {Setting} setting @param {unknown} value as its field shows it */
export function textOf({ kind }, value) {
  if (value === undefined || value === null) return '';
  if (kind === 'lines' && Array.isArray(value)) return value.join('\n');
  if (kind === 'ids' && Array.isArray(value)) return value.join(', ');
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
