// SPDX-License-Identifier: Apache-2.0
// `list`: the chat models of a Hub.

import { createDisplay, createSilence } from './progress.js';
import { chatFirst, modelTable, reasons, summary } from './report.js';
import { withSession } from './session.js';

/** Rows shown when no limit is given: one screen. */
const ROWS_SHOWN = 20;

/**
 * Lists with live progress.
 * @param {import('./session.js').Session} session
 * @param {import('./main.js').Options} options
 * @param {AbortSignal} signal
 */
export async function runListing(session, options, signal) {
  const display = options.json ? createSilence() : createDisplay();
  try {
    return await session.manager.listChatModels({
      maxCandidates: options.limit,
      query: { search: options.search, author: options.author },
    }, { onProgress: display.show, signal });
  } finally {
    display.stop();
  }
}

/**
 * @param {import('./main.js').Options} options
 * @param {AbortSignal} signal
 */
export async function list(options, signal) {
  await withSession(options, async (session) => {
    const { models, meta } = await runListing(session, options, signal);
    if (options.json) {
      const document = { hub: session.hubUrl, models, meta };
      process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
      return;
    }
    const shown = chatFirst(models).slice(0, options.limit ?? ROWS_SHOWN);
    process.stdout.write(
      `${modelTable(shown, meta)}\n\n${summary(meta)}${reasons(meta)}\n`);
  });
}
