// SPDX-License-Identifier: Apache-2.0
// First step of making the tiny chat model: writes its small files, and the
// conversations that it is trained on as token ids.

import { createWriteStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { ROOT } from '../../paths.js';
import { Random } from '../../hub/random.js';
import { ChatText } from '../chat-text.js';
import { drawConversation } from './conversations.js';
import { CONTEXT, END, smallFiles } from './repository.js';

/** Where the steps leave what the next one takes. */
const OUTPUT = join(ROOT, 'build/tiny-chat');

/** Enough that few are seen twice. */
const CONVERSATIONS = 24_000;

/**
 * Token ids of a conversation, and the ranges of them that the model shall
 * learn to write: its answers with the token that ends them.
 * @param {ChatText} text
 * @param {number[]} opening what stands before an answer
 * @param {import('./conversations.js').Conversation} conversation
 */
function encodeConversation(text, opening, { messages, tools }) {
  const ids = text.encode(messages, { tools, isPrompt: false });
  /** @type {[number, number][]} */
  const said = [];
  for (let at = ids.indexOf(opening[0]); at >= 0;
    at = ids.indexOf(opening[0], at + 1)) {
    if (!opening.every((id, i) => ids[at + i] === id)) continue;
    const from = at + opening.length;
    said.push([from, ids.indexOf(END, from) + 1]);
  }
  return { ids, said };
}

/**
 * Token ids of what stands before each answer.
 * @param {ChatText} text
 */
function openingOf(text) {
  const messages = [{ role: 'user', content: 'Hello' }];
  const asked = text.encode(messages, { isPrompt: false });
  return text.encode(messages).slice(asked.length);
}

async function main() {
  const files = smallFiles();
  const text = new ChatText(files);
  await mkdir(OUTPUT, { recursive: true });
  for (const [path, content] of files) {
    await writeFile(join(OUTPUT, path), content);
  }
  const opening = openingOf(text);
  const random = new Random('tiny chat');
  const lines = createWriteStream(join(OUTPUT, 'conversations.jsonl'));
  let tokens = 0;
  let written = 0;
  while (written < CONVERSATIONS) {
    const encoded = encodeConversation(text, opening,
      drawConversation(random));
    if (encoded.ids.length > CONTEXT) continue;
    tokens += encoded.ids.length;
    written += 1;
    lines.write(`${JSON.stringify(encoded)}\n`);
  }
  await new Promise((resolve) => { lines.end(() => resolve(undefined)); });
  process.stdout.write(`${written} conversations, ${tokens} tokens\n`);
}

await main();
