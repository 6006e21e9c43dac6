// SPDX-License-Identifier: Apache-2.0
// A model that the simulated Hub has besides the generated ones, which are
// scaled down: large enough to see a download, small enough to wait for it.

/** Name of the repository. */
export const EXAMPLE = 'tabagent/example-chat-ONNX';

/**
 * Seven chunks of 16 MiB. At most three of them are on their way at a time, so
 * at half at least one is stored.
 */
const WEIGHT_BYTES = 112_000_000;

/** Ahead of all generated ones. */
const DOWNLOADS = 2_500_000;

/** @returns {import('../hub/uploaded.js').Publication} */
export function example() {
  const config = {
    model_type: 'qwen2', architectures: ['Qwen2ForCausalLM'],
  };
  return {
    id: EXAMPLE,
    files: new Map(Object.entries({
      'config.json': JSON.stringify(config),
      'generation_config.json': '{"do_sample":true}',
      'onnx/model_q4.onnx': { size: 32_000_000, seed: 'q4' },
      'onnx/model_quantized.onnx': { size: WEIGHT_BYTES, seed: 'q8' },
      'tokenizer.json': { size: 2_100_000, seed: 'tokenizer' },
      'tokenizer_config.json': '{"model_max_length":4096}',
    })),
    entry: { downloads: DOWNLOADS, pipeline_tag: 'text-generation' },
  };
}

/**
 * Lets the simulated Hub send the example's bytes no faster than a good line,
 * so that there is a download to be seen.
 * @param {import('../hub/index.js').Hub} simulator
 */
export function slowDown(simulator) {
  return simulator.faults.add(
    { content: true, slow: { bytes: 262_144, everyMs: 8 } });
}
