#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// Command line of the simulator: `npm run hub -- [options]`.

import { Command, CommanderError, InvalidArgumentError, Option }
  from 'commander';

import { tinyChat } from '../models/tiny-chat.js';
import { DEFAULT_MODELS } from './catalogue.js';
import { readCatalogue } from './ndjson.js';
import { QUOTAS } from './rate-limit.js';
import { startHub } from './server.js';

/** What the process ends with. */
const EXIT = { failure: 1, usage: 2 };

const PORT_MAX = 65535;

const program = new Command('hub')
  .description('Serve a simulated model Hub on this machine.')
  .exitOverride()
  .allowExcessArguments(false)
  .option('--port <number>', 'port to listen on, 0 for a free one', port, 0)
  .option('--catalogue <file>', 'listing entries to serve, one JSON object a '
    + 'line, plain or .gz; generated when not given')
  .option('--models <number>', 'how many models to generate', integer,
    DEFAULT_MODELS)
  .option('--seed <number>', 'seed of everything random', integer, 1)
  .addOption(new Option('--personality <who>', 'page hides the headers that '
    + 'page JavaScript cannot read').choices(['extension', 'page'])
    .default('extension'))
  .addOption(new Option('--tier <name>', 'quota of requests without a token')
    .choices(Object.keys(QUOTAS)).default('anonymous'))
  .option('--quota-api <number>', 'requests per window in the api bucket', integer)
  .option('--quota-resolvers <number>', 'the same for file requests', integer)
  .option('--quota-pages <number>', 'the same for pages', integer)
  .option('--no-rate-limit', 'no quotas at all');

program.action(async (options) => {
  const { url, cdnUrl, hub } = await startHub({
    port: options.port,
    seed: options.seed,
    models: options.models,
    catalogue: options.catalogue && readCatalogue(options.catalogue),
    // Rows that are given are all there is.
    repositories: options.catalogue ? [] : [tinyChat()],
    personality: options.personality,
    tier: options.tier,
    rateLimits: options.rateLimit && { quotas: quotasOf(options) },
  });
  console.log(`Hub          ${url}`);
  console.log(`large files  ${cdnUrl}`);
  console.log(`models       ${hub.models}`);
  console.log('Stop with Ctrl-C.');
});

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error);
}

/** @param {unknown} error */
function exitCodeOf(error) {
  // Commander has printed its own message, or the help.
  if (error instanceof CommanderError) return error.exitCode && EXIT.usage;
  process.stderr.write(
    `error: ${error instanceof Error ? error.message : error}\n`);
  return EXIT.failure;
}

/** @param {Record<string, number | undefined>} options */
function quotasOf({ quotaApi, quotaResolvers, quotaPages }) {
  const quotas = { api: quotaApi, resolvers: quotaResolvers, pages: quotaPages };
  return Object.fromEntries(
    Object.entries(quotas).filter(([, quota]) => quota !== undefined));
}

/** @param {string} text */
function port(text) {
  const number = integer(text);
  if (number > PORT_MAX) {
    throw new InvalidArgumentError(`expected ${PORT_MAX} or less.`);
  }
  return number;
}

/** @param {string} text */
function integer(text) {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 0) {
    throw new InvalidArgumentError('expected a whole number, 0 or more.');
  }
  return number;
}
