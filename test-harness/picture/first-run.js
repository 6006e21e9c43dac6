// SPDX-License-Identifier: Apache-2.0
// Makes docs/images/first-run.png: runs `npm start` in a terminal, and takes a
// picture of what the terminal shows in the end.
//
//   node test-harness/picture/first-run.js

import { spawn } from 'node:child_process';
import { join } from 'node:path';

import serialize from '@xterm/addon-serialize';
import headless from '@xterm/headless';
import { chromium } from 'playwright-core';

import { ROOT } from '../paths.js';

const COLUMNS = 100;
const ROWS = 46;
const OUTPUT = join(ROOT, 'docs/images/first-run.png');

/** Runs a command in a terminal of our size. @returns {Promise<string>} */
async function screenOf(/** @type {string} */ command) {
  const terminal = new headless.Terminal({
    cols: COLUMNS, rows: ROWS, allowProposedApi: true, convertEol: true,
  });
  const addon = new serialize.SerializeAddon();
  terminal.loadAddon(/** @type {any} */ (addon));
  const size = `stty cols ${COLUMNS} rows ${ROWS}`;
  // `script` gives the command a terminal to write to.
  const child = spawn('script', ['-qec', `${size}; ${command}`, '/dev/null'], {
    cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, TERM: 'xterm-256color', CI: '' },
  });
  for await (const chunk of child.stdout) {
    await new Promise((resolve) => {
      terminal.write(chunk, () => resolve(undefined));
    });
  }
  return addon.serializeAsHTML();
}

/** @param {string} html */
async function takePicture(html) {
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium', args: ['--no-sandbox'],
  });
  const page = await browser.newPage({ deviceScaleFactor: 2 });
  await page.setContent(`<!doctype html><meta charset="utf-8"><style>
    body { margin: 0; background: #16181d; display: inline-block }
    pre { margin: 0 }
    pre div {
      font: 14px/1.35 'DejaVu Sans Mono', 'Liberation Mono', monospace;
      background: #16181d !important; color: #d8dee9; padding: 2px 8px;
    }
  </style>${html}`);
  await page.locator('body').screenshot({ path: OUTPUT });
  await browser.close();
}

await takePicture(await screenOf('node test-harness/start.js'));
process.stdout.write(`${OUTPUT}\n`);
