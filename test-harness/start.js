#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// `npm start`: installs what is missing, then hands over to the command line.
// Imports nothing but Node's own until then.
import { ensureNodePackages } from './setup.js';

try {
  await ensureNodePackages({ dev: false });
  const { main } = await import('./cli/main.js');
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}
