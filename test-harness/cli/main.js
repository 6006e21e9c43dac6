// SPDX-License-Identifier: Apache-2.0
// Commands, options and exit codes of the command line.

import { Command, CommanderError, InvalidArgumentError } from 'commander';

import { TabAgentError, version } from '../../dist/index.js';
import { doctor } from './doctor.js';
import { journey } from './journey.js';
import { list } from './list.js';
import { UsageError } from './session.js';
import { style } from './style.js';

/** What the process ends with. */
const EXIT = { ok: 0, failure: 1, usage: 2, interrupted: 130 };

/** Reasons printed with an error; the first ones tell most. */
const REASONS_SHOWN = 3;

/** The most models that one listing keeps. */
const LIMIT_MAX = 5000;

/**
 * @typedef {object} Options of every command
 * @property {string} [hub]
 * @property {string} [tokenEnv]
 * @property {string} [data]
 * @property {number} [seed]
 * @property {boolean} [json]
 * @property {string} [search]
 * @property {string} [author]
 * @property {number} [limit]
 */

/**
 * Runs one command.
 * @param {string[]} args
 * @returns {Promise<number>} exit code
 */
export async function main(args) {
  const interrupt = new AbortController();
  const onInterrupt = () => interrupt.abort();
  // Once: a second Ctrl-C ends the process the hard way.
  process.once('SIGINT', onInterrupt);
  try {
    await createProgram(interrupt.signal).parseAsync(args, { from: 'user' });
    return EXIT.ok;
  } catch (error) {
    if (args.includes('--json') && !(error instanceof CommanderError)) {
      process.stdout.write(`${JSON.stringify(documentOf(error), null, 2)}\n`);
    }
    return exitCodeOf(error, interrupt.signal);
  } finally {
    process.removeListener('SIGINT', onInterrupt);
  }
}

/** @param {AbortSignal} signal */
function createProgram(signal) {
  const program = new Command('npm start --')
    .description('Find chat models that run in a browser. Without a command: '
      + 'the whole journey, on a Hub that is simulated on this machine.')
    .version(version)
    .configureHelp({ showGlobalOptions: true })
    .exitOverride()
    .allowExcessArguments()
    .option('--hub <url>', 'the Hub to ask, for example '
      + 'https://huggingface.co (default: $HF_ENDPOINT, else a simulated one)')
    .option('--token-env <name>', 'environment variable with the access token '
      + '(default: HF_TOKEN)')
    .option('--search <text>', 'only models whose name contains this')
    .option('--author <name>', 'only models of this owner')
    .option('--limit <n>', 'how many models to keep and to show', limit)
    .option('--seed <n>', 'makes random choices repeatable', integer)
    .option('--data <dir>', 'directory of the model store; without effect: '
      + 'there is no store yet')
    .option('--json', 'print one JSON document and nothing else')
    .action(async (options, command) => {
      if (command.args.length > 0) {
        command.error(`error: unknown command '${command.args[0]}'`);
      }
      await journey(options, signal);
    });
  addCommand(program, 'list', 'list chat models, the best first',
    (options) => list(options, signal));
  addCommand(program, 'doctor', 'check that everything needed is there',
    (options) => doctor(options, signal));
  return program;
}

/**
 * @param {Command} program
 * @param {string} name
 * @param {string} description
 * @param {(options: Options) => Promise<void>} run
 */
function addCommand(program, name, description, run) {
  program.command(name).description(description)
    .allowExcessArguments(false)
    .action((_options, command) => run(command.optsWithGlobals()));
}

/** @param {string} text */
function integer(text) {
  const number = Number(text);
  if (text.trim() === '' || !Number.isSafeInteger(number)) {
    throw new InvalidArgumentError('expected a whole number.');
  }
  return number;
}

/** @param {string} text */
function limit(text) {
  const number = integer(text);
  if (number < 1 || number > LIMIT_MAX) {
    throw new InvalidArgumentError(`expected 1 to ${LIMIT_MAX}.`);
  }
  return number;
}

/**
 * @param {unknown} error
 * @param {AbortSignal} signal
 */
function exitCodeOf(error, signal) {
  // Commander has printed its own message.
  if (error instanceof CommanderError) {
    return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  }
  if (signal.aborted) {
    process.stderr.write('cancelled\n');
    return EXIT.interrupted;
  }
  process.stderr.write(`${style.bad('error:')} ${describe(error)}\n`);
  return isWrongUsage(error) ? EXIT.usage : EXIT.failure;
}

/**
 * An error for programs.
 * @param {unknown} error
 */
function documentOf(error) {
  if (!(error instanceof TabAgentError)) {
    const code = error instanceof UsageError ? 'invalid_argument' : 'internal';
    return { error: { code, message: describe(error) } };
  }
  const { code, message, stage, retryable, userAction, status, meta } = error;
  return {
    error: { code, message, stage, retryable, userAction, status, meta },
  };
}

/** @param {unknown} error */
function isWrongUsage(error) {
  return error instanceof UsageError || (error instanceof TabAgentError
    && ['invalid_argument', 'invalid_params'].includes(error.code));
}

/** @param {unknown} error */
function describe(error) {
  if (!(error instanceof TabAgentError)) {
    return error instanceof Error ? error.message : String(error);
  }
  const reasons = error.meta?.errors?.slice(0, REASONS_SHOWN)
    .map(({ message }) => `\n  ${message}`) ?? [];
  const advice = error.userAction ? `\n${error.userAction}` : '';
  return `${error.message} (${error.code})${reasons.join('')}${advice}`;
}
