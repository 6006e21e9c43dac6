// SPDX-License-Identifier: Apache-2.0
// Commands, options and exit codes of the command line.

import { Command, CommanderError, InvalidArgumentError } from 'commander';

import { TabAgentError, version } from '../../dist/index.js';
import { chat } from './chat.js';
import { cacheDirectory } from './data-directory.js';
import { doctor } from './doctor.js';
import { journey } from './journey.js';
import { list } from './list.js';
import { ReportedFailure, UsageError } from './session.js';
import { download, models, remove, verify } from './store-commands.js';
import { style } from './style.js';

/** What the process ends with. */
const EXIT = { ok: 0, failure: 1, usage: 2, interrupted: 130 };

/** Reasons printed with an error; the first ones tell most. */
const REASONS_SHOWN = 3;

/** The most models that one listing keeps. */
const LIMIT_MAX = 5000;

/** Options of every command; the journey takes all there are. */
const GENERAL = ['hub', 'tokenEnv', 'data', 'seed', 'json'];

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
 * @property {string} [dtype]
 * @property {string} [revision]
 * @property {string} [commandLine] what was typed, to say how to go on
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
    await createProgram(interrupt.signal, commandLineOf(args))
      .parseAsync(args, { from: 'user' });
    return EXIT.ok;
  } catch (error) {
    if (args.includes('--json') && !(error instanceof CommanderError)
      && !(error instanceof ReportedFailure)) {
      // In one line: it may be the last of JSON lines.
      process.stdout.write(`${JSON.stringify(documentOf(error))}\n`);
    }
    return exitCodeOf(error, interrupt.signal);
  } finally {
    process.removeListener('SIGINT', onInterrupt);
  }
}

/**
 * The command as a shell takes it.
 * @param {string[]} args
 */
function commandLineOf(args) {
  return ['npm start --', ...args.map((arg) => (
    /^[\w@%+=:,./-]+$/.test(arg) ? arg : JSON.stringify(arg)))].join(' ');
}

/**
 * @param {AbortSignal} signal
 * @param {string} commandLine
 */
function createProgram(signal, commandLine) {
  /** @type {Adder} */
  const add = (usage, takes, description, run) => {
    const added = program.command(usage).description(description)
      .allowExcessArguments(false)
      .action((...given) => {
        const command = /** @type {Command} */ (given.pop());
        refuseOthers(command, optionsOf(command));
        return run({ ...command.optsWithGlobals(), commandLine },
          ...command.args);
      });
    taken.set(added, [...takes, ...GENERAL]);
  };
  /** @type {Map<Command, string[]>} names of options, by command */
  const taken = new Map();
  /** @param {Command} command */
  const optionsOf = (command) => command.parent?.options.filter((option) => (
    taken.get(command)?.includes(option.attributeName()))) ?? [];
  const program = new Command('npm start --')
    .description('Find, store and run chat models as a browser does. Without a '
      + 'command: the whole journey, on a Hub simulated on this machine.')
    .version(version)
    .configureHelp({ showGlobalOptions: true, visibleGlobalOptions: optionsOf })
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
    .option('--dtype <d>', 'download, chat, delete: q8, q4, fp16, … (default: the '
      + 'best one for browsers, or all when deleting)')
    .option('--revision <r>', 'download, chat, verify: a branch, a tag or a commit '
      + '(default: main)')
    .option('--data <dir>', 'directory of the stored models (default: '
      + `${cacheDirectory()}; build/models for a simulated Hub)`)
    .option('--json', 'print one JSON document and nothing else; download, '
      + 'chat: JSON lines')
    .action(async (options, command) => {
      if (command.args.length > 0) {
        command.error(`error: unknown command '${command.args[0]}'`);
      }
      await journey(options, signal);
    });
  addCommands(add, signal);
  return program;
}

/**
 * Options are those of the program, so that they may stand anywhere: what a
 * command has no use for would be taken, and do nothing.
 * @param {Command} command
 * @param {readonly import('commander').Option[]} options that it takes
 */
function refuseOthers(command, options) {
  const { parent } = command;
  const other = parent?.options.find((option) => !options.includes(option)
    && parent.getOptionValueSource(option.attributeName()) !== undefined);
  if (other) {
    command.error(`error: ${command.name()} takes no option '${other.long}', `
      + `only ${options.map(({ long }) => long).join(', ')}`);
  }
}

/**
 * @typedef {(usage: string, takes: string[], description: string,
 *   run: (options: Options, ...args: string[]) => Promise<void>) => void} Adder
 *   takes: options besides the general ones
 */

/**
 * @param {Adder} add
 * @param {AbortSignal} signal
 */
function addCommands(add, signal) {
  add('list', ['search', 'author', 'limit'], 'list chat models, the best first',
    (options) => list(options, signal));
  add('download <model>', ['dtype', 'revision'],
    'store a model, verified; goes on where an earlier download stopped',
    (options, model) => download(model, options, signal));
  add('chat <model> [prompt]', ['dtype', 'revision'],
    'load a model and talk with it: one question, or line by line',
    (options, model, prompt) => chat(model, prompt, options, signal));
  add('models', [], 'list what is stored', models);
  add('verify <model>', ['revision'],
    'read every stored byte, compare, and fetch again what is damaged',
    (options, model) => verify(model, options, signal));
  add('delete <model>', ['dtype'], 'delete a stored model, or one dtype of it',
    (options, model) => remove(model, options, signal));
  add('doctor', [], 'check that everything needed is there',
    (options) => doctor(options, signal));
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
