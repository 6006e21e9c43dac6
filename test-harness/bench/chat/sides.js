// SPDX-License-Identifier: Apache-2.0
// A chat with this package and with transformers.js, in Node and in pages, on
// one onnxruntime-web. Each says when its first token came and when it was done.

/**
 * @typedef {{ role: string, content: string }[]} Messages
 * @typedef {{ text: string, firstMs: number, totalMs: number, runMs: number }}
 *   Answer
 * @typedef {{ load: (modelId: string) => Promise<void>,
 *   answer: (messages: Messages, count: number, chatId?: string)
 *     => Promise<Answer>,
 *   release: () => Promise<void> }} Side
 */

/** What many applications use. */
const SETTINGS = Object.freeze({
  do_sample: true, temperature: 0.7, top_k: 50, repetition_penalty: 1.1,
  no_repeat_ngram_size: 3,
});

/** Milliseconds in sessions so far. */
let runMs = 0;

/**
 * onnxruntime-web whose sessions add up how long they run.
 * @param {any} ort
 */
export function timedOrt(ort) {
  const create = async (/** @type {any[]} */ ...args) => {
    const session = await ort.InferenceSession.create(...args);
    const run = session.run.bind(session);
    session.run = async (/** @type {any[]} */ ...args) => {
      const start = performance.now();
      const outputs = await run(...args);
      runMs += performance.now() - start;
      return outputs;
    };
    return session;
  };
  return { ...ort, InferenceSession: { create } };
}

/**
 * @param {(say: () => void) => Promise<string>} work calls `say` for each token
 * @returns {Promise<Answer>}
 */
async function timed(work) {
  let firstMs = 0;
  const runBefore = runMs;
  const start = performance.now();
  const text = await work(() => {
    firstMs ||= performance.now() - start;
  });
  return {
    text, firstMs, totalMs: performance.now() - start, runMs: runMs - runBefore,
  };
}

/**
 * @param {any} manager
 * @returns {Side}
 */
export function ourSide(manager) {
  return {
    async load(modelId) {
      await manager.load({ modelId, device: 'wasm' });
    },
    answer: (messages, count, chatId) => timed(async (say) => {
      const { text, newTokens } = await manager.generate({
        messages, chatId, settings: { ...SETTINGS, max_new_tokens: count },
      }, { onToken: say });
      if (newTokens !== count) throw new Error(`${newTokens} tokens came`);
      return text;
    }),
    release: () => manager.reset(),
  };
}

/**
 * @param {any} library transformers.js
 * @returns {Side}
 */
export function theirSide({ AutoModelForCausalLM, AutoTokenizer, TextStreamer }) {
  /** @type {any} */
  let tokenizer;
  /** @type {any} */
  let model;
  return {
    async load(modelId) {
      [tokenizer, model] = await Promise.all([
        AutoTokenizer.from_pretrained(modelId),
        AutoModelForCausalLM.from_pretrained(
          modelId, { device: 'auto', dtype: 'fp32' }),
      ]);
    },
    answer: (messages, count) => timed(async (say) => {
      let text = '';
      const inputs = tokenizer.apply_chat_template(
        messages, { add_generation_prompt: true, return_dict: true });
      const streamer = new TextStreamer(tokenizer, {
        skip_prompt: true, token_callback_function: say,
        callback_function(/** @type {string} */ piece) { text += piece; },
      });
      await model.generate(
        { ...inputs, ...SETTINGS, max_new_tokens: count, streamer });
      return text;
    }),
    release: () => model.dispose(),
  };
}
