// SPDX-License-Identifier: Apache-2.0
// A model's tokenizer and chat templates, by the libraries of the Hub.

import { Template } from '@huggingface/jinja';
import { Tokenizer } from '@huggingface/tokenizers';

import { TabAgentError } from '../errors.js';

/** A template in a file of its own goes by the name of that. */
const TEMPLATE_FILE = 'chat_template.jinja';

/** Tokens that templates and the core know by their role. */
const ROLES = ['bos', 'eos', 'pad', 'unk'];

/** What no template says of its own. */
const PROBE = '5a1f-probe-of-a-template';

/** Tokenizer and templates of one model. */
export class ChatTokenizer {
  #tokenizer;
  /** @type {Record<string, string>} */
  #roles = {};
  /** @type {Map<string, string>} sources, by their names */
  #templates = new Map();
  #config;

  /**
   * @param {Record<string, string>} files contents by their names:
   *   tokenizer.json, tokenizer_config.json, chat_template.jinja
   */
  constructor(files) {
    this.#config = JSON.parse(files['tokenizer_config.json'] ?? '{}');
    this.#tokenizer = new Tokenizer(
      JSON.parse(files['tokenizer.json']), this.#config);
    for (const role of ROLES) {
      const token = this.#config[`${role}_token`];
      const text = typeof token === 'string' ? token : token?.content;
      if (typeof text === 'string') this.#roles[`${role}_token`] = text;
    }
    const { chat_template: template } = this.#config;
    const named = Array.isArray(template) ? template
      : [{ name: 'default', template }];
    for (const { name, template: source } of named) {
      if (typeof source === 'string') this.#templates.set(name, source);
    }
    const ownFile = files[TEMPLATE_FILE];
    if (ownFile !== undefined) this.#templates.set(TEMPLATE_FILE, ownFile);
  }

  /** What the core has to know of it. */
  get facts() {
    /** @type {Record<string, unknown>} */
    const facts = {
      tokenizerClass: this.#config.tokenizer_class,
      maxLength: this.#config.model_max_length,
      cleansUp: this.#config.clean_up_tokenization_spaces,
      templates: [...this.#templates.keys()],
      partTemplates: [...this.#templates.keys()]
        .filter((name) => this.#showsPartsOnly(name)),
    };
    for (const role of ROLES) {
      const text = this.#roles[`${role}_token`];
      facts[`${role}Id`] = text === undefined ? null
        : this.#tokenizer.token_to_id(text) ?? null;
    }
    return facts;
  }

  /**
   * Whether a template shows what a user says only when it is a list of parts,
   * as those of some models with images do.
   * @param {string} template
   */
  #showsPartsOnly(template) {
    const shows = (/** @type {unknown} */ content) => {
      try {
        return this.render({ template, messages: [{ role: 'user', content }] })
          .includes(PROBE);
      } catch {
        return false;
      }
    };
    return !shows(PROBE) && shows([{ type: 'text', text: PROBE }]);
  }

  /** A line for each token that is no text, by ascending ids. */
  get specialTokens() {
    return [...this.#tokenizer.get_added_tokens_decoder()]
      .filter(([, token]) => token.special)
      .sort(([a], [b]) => a - b)
      .map(([id, { content }]) => `${id} ${content.replaceAll('\n', ' ')}\n`)
      .join('');
  }

  /**
   * The text that a template makes of a chat.
   * @param {{ template: string, messages: unknown[], tools?: unknown[] | null,
   *   options?: Record<string, unknown> }} chat
   */
  render({ template, messages, tools, options }) {
    try {
      return new Template(this.#templates.get(template) ?? '').render({
        ...this.#roles, ...options,
        messages, tools: tools ?? null, add_generation_prompt: true,
      });
    } catch (error) {
      throw new TabAgentError('template_failed',
        `the chat template of the model failed: ${
          /** @type {Error} */ (error).message}`,
        { stage: 'template', cause: error });
    }
  }

  /**
   * @param {string} text
   * @param {boolean} addSpecialTokens
   * @returns {number[]}
   */
  encode(text, addSpecialTokens) {
    return this.#tokenizer.encode(
      text, { add_special_tokens: addSpecialTokens }).ids;
  }

  /**
   * Blanks are not cleaned up: the core does that, for it puts texts together.
   * Ids without a token, which fill up some vocabularies, have no text.
   * @param {number[]} ids
   * @param {boolean} [withSpecial] tokens that are no text are shown, too
   * @returns {string}
   */
  decode(ids, withSpecial = false) {
    const known = ids.filter(
      (id) => this.#tokenizer.id_to_token(id) !== undefined);
    return known.length === 0 ? '' : this.#tokenizer.decode(known, {
      skip_special_tokens: !withSpecial, clean_up_tokenization_spaces: false,
    });
  }
}
