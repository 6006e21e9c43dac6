// SPDX-License-Identifier: Apache-2.0
// Messages to token ids and back, by the files of a repository.

/** Not known to the compiler: their declarations have errors. */
const PACKAGES = ['@huggingface/jinja', '@huggingface/tokenizers'].map(String);

const [{ Template }, { Tokenizer }] = await Promise.all(
  PACKAGES.map((name) => import(name)));

/** The tokenizer and the chat template of a model. */
export class ChatText {
  #tokenizer;
  #template;

  /** @param {Map<string, string>} files texts by path */
  constructor(files) {
    const [tokenizer, config] = ['tokenizer.json', 'tokenizer_config.json']
      .map((path) => JSON.parse(files.get(path) ?? ''));
    this.#tokenizer = new Tokenizer(tokenizer, config);
    this.#template = new Template(config.chat_template);
  }

  /**
   * @param {object[]} messages
   * @param {{ tools?: object[], isPrompt?: boolean }} [options] whether an
   *   answer follows; it does unless told otherwise
   * @returns {string}
   */
  render(messages, { tools, isPrompt = true } = {}) {
    return this.#template.render(
      { messages, tools: tools ?? null, add_generation_prompt: isPrompt });
  }

  /**
   * @param {object[]} messages
   * @param {{ tools?: object[], isPrompt?: boolean }} [options]
   * @returns {number[]}
   */
  encode(messages, options) {
    return this.#tokenizer.encode(this.render(messages, options),
      { add_special_tokens: false }).ids;
  }

  /**
   * @param {number[]} ids
   * @returns {string} without special tokens
   */
  decode(ids) {
    return this.#tokenizer.decode(ids, { skip_special_tokens: true });
  }
}
