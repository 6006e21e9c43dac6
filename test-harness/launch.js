#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// What a fresh clone can run: installs the npm packages that are missing, then
// hands over to a script, which may import them.
//
//   node test-harness/launch.js [--dev] <script> [arguments of the script]
//
// --dev: also the packages that only development needs. The script is named
// from this folder on. Imports nothing but Node's own until then.
import { fileURLToPath } from 'node:url';

import { ensureNodePackages } from './setup.js';

const [node, , ...args] = process.argv;
const dev = args[0] === '--dev';
const [script, ...rest] = dev ? args.slice(1) : args;
const address = new URL(script, import.meta.url);

try {
  await ensureNodePackages({ dev });
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exit(1);
}
// As if the script had been called by itself.
process.argv = [node, fileURLToPath(address), ...rest];
await import(address.href);
