// SPDX-License-Identifier: Apache-2.0
// The tiny chat model as a repository of the simulated Hub. It is made by the
// scripts in train/ and by export.js.

import { fileURLToPath } from 'node:url';

/** Where its files lie. */
export const DIRECTORY = fileURLToPath(new URL('tiny-chat', import.meta.url));

/** Name of the repository. */
export const TINY_CHAT = 'tabagent/tiny-chat';

/** Among the first of a listing, which goes by downloads. */
const DOWNLOADS = 2_400_000;

/** @returns {import('../hub/uploaded.js').Publication} */
export function tinyChat() {
  return {
    id: TINY_CHAT,
    files: DIRECTORY,
    entry: {
      downloads: DOWNLOADS,
      library_name: 'transformers.js',
      pipeline_tag: 'text-generation',
      tags: ['transformers.js', 'onnx', 'llama', 'text-generation',
        'conversational', 'en', 'license:apache-2.0', 'region:us'],
    },
  };
}
