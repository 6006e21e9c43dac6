#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// `npm start`: installs what is missing, then hands over to the command line.
// Imports nothing but Node's own until then.
import { ensureNodePackages } from './setup.js';

// Whoever reads, such as `head`, may have enough: then nobody misses the rest.
// Notes that nobody reads are no reason to stop.
process.stdout.on('error', (error) => {
  if (/** @type {NodeJS.ErrnoException} */ (error).code === 'EPIPE') {
    process.exit(0);
  }
  throw error;
});
process.stderr.on('error', () => {});

try {
  await ensureNodePackages({ dev: false });
  const { main } = await import('./cli/main.js');
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}
