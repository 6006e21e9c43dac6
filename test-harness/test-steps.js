// SPDX-License-Identifier: Apache-2.0
// The steps of npm test, cheap ones first. A step throws when it fails and
// returns a reason when it could not be run.
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

import { lint } from './lint.js';
import { findFiles, ROOT } from './paths.js';
import { buildPreset, capture, run } from './run.js';
import {
  clangFormatVersion, differenceFromPinned, PINNED_CLANG_FORMAT,
} from './toolchain.js';

/** Seconds per fuzz target; longer runs are made by hand. */
const FUZZ_SECONDS = 60;

/**
 * Always the same inputs, as many as there is time for: a gate says the same
 * thing twice. Runs by hand take another seed each.
 */
const FUZZ_SEED = 1;

/** Bytes of the longest input a fuzzer makes up. */
const FUZZ_LEN_MAX = 4096;

/**
 * Returns the files that match, and fails when there are none: a step without
 * tests has not passed.
 * @param {RegExp} pattern
 */
function findTests(pattern) {
  const files = findFiles('test-harness', pattern);
  if (files.length === 0) throw new Error(`no test matches ${pattern}`);
  return files;
}

/** @param {string[]} files */
function runNodeTests(files) {
  return run(process.execPath, [
    '--test', '--test-force-exit', '--test-reporter=spec',
    `--test-concurrency=${availableParallelism()}`, ...files,
  ]);
}

async function checkFormat() {
  if (clangFormatVersion() !== PINNED_CLANG_FORMAT) {
    return `clang-format ${PINNED_CLANG_FORMAT} is not installed`;
  }
  const files = [...findFiles('wasm', /\.[ch]$/),
    ...findFiles('test-harness', /\.[ch]$/)];
  await run('clang-format', ['--dry-run', '-Werror', ...files]);
}

async function checkRules() {
  const complaints = lint();
  if (complaints.length > 0) throw new Error(complaints.join('\n'));
}

/** Not every system has a package of it; everywhere it is said. */
async function runFirefoxTests() {
  // What it needs is there only after setup.
  const { FIREFOX_MISSING } = await import('./browser/firefox-process.js');
  if (FIREFOX_MISSING) return FIREFOX_MISSING;
  await runNodeTests(
    findTests(/^test-harness\/browser\/.*firefox.*\.test\.js$/));
}

/** @param {string} preset */
async function runUnitTests(preset) {
  findTests(/^test-harness\/unit\/\w+_test\.c$/);
  buildPreset(preset);
  await run('ctest', ['--preset', preset, '--no-tests=error',
    '--parallel', `${availableParallelism()}`]);
}

async function checkDist() {
  // esbuild is there only after setup.
  const { BUILT, buildDist, checkLimits } = await import('./build.js');
  checkLimits(await buildDist());
  const difference = differenceFromPinned();
  if (difference) return `dist/ was not compared: ${difference}`;
  const dist = join(ROOT, 'dist');
  const names = new Set([...await readdir(BUILT), ...await readdir(dist)]);
  for (const name of names) {
    const [built, committed] = await Promise.all([BUILT, dist].map((folder) =>
      readFile(join(folder, name)).catch(() => Buffer.from('missing'))));
    if (!built.equals(committed)) {
      throw new Error(`dist/${name} is not what the sources give: ` +
        'commit the result of npm run build');
    }
  }
}

async function checkTypes() {
  const projects = findTests(/\/tsconfig[\w.]*\.json$/);
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  for (const project of projects) {
    console.log(project);
    await run(process.execPath, [tsc, '--noEmit', '--project', project]);
  }
}

/**
 * @param {string} file source of the target
 * @param {string} limit option that says when it is enough
 */
async function runFuzzer(file, limit) {
  const name = /(\w+)\.c$/.exec(file)?.[1] ?? '';
  const found = join(ROOT, 'build/fuzz/found', name);
  const corpus = join(ROOT, 'test-harness/fuzz/corpus', name);
  await mkdir(found, { recursive: true });
  const report = await capture(
    join(ROOT, 'build/fuzz/test-harness/fuzz', name), [
      limit, `-seed=${FUZZ_SEED}`, `-max_len=${FUZZ_LEN_MAX}`,
      '-timeout=10', '-print_final_stats=1', '-verbosity=0',
      `-artifact_prefix=${found}/`, found, corpus,
    ]);
  const runs = /number_of_executed_units: (\d+)/.exec(report)?.[1];
  console.log(`${name}: ${runs} inputs`);
}

async function runFuzzers() {
  const waiting = findTests(/^test-harness\/fuzz\/\w+_fuzz\.c$/);
  buildPreset('fuzz');
  // Without a single run there is still the corpus.
  for (const file of findTests(/^test-harness\/fuzz\/by-hand\/\w+_fuzz\.c$/)) {
    await runFuzzer(file, '-runs=0');
  }
  const work = async () => {
    for (let file = waiting.shift(); file; file = waiting.shift()) {
      await runFuzzer(file, `-max_total_time=${FUZZ_SECONDS}`);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
}

/**
 * @type {{ name: string, title: string, run: () => Promise<string | void> }[]}
 */
export const steps = [
  {
    name: 'format',
    title: 'C code as clang-format wants it',
    run: checkFormat,
  },
  { name: 'lint', title: 'rules of the project', run: checkRules },
  {
    name: 'native',
    title: 'unit tests under sanitizers',
    run: () => runUnitTests('native'),
  },
  {
    name: 'wasi',
    title: 'the same tests inside WebAssembly',
    run: () => runUnitTests('wasi'),
  },
  { name: 'dist', title: 'dist/ equals a fresh build', run: checkDist },
  { name: 'types', title: 'type declarations and types', run: checkTypes },
  {
    name: 'node',
    title: 'tests in Node',
    run: () => runNodeTests(
      findTests(/^test-harness\/(?!browser\/).*\.test\.js$/)),
  },
  {
    name: 'browser',
    title: 'tests in Chromium',
    run: () => runNodeTests(
      findTests(/^test-harness\/browser\/(?!.*firefox).*\.test\.js$/)),
  },
  { name: 'firefox', title: 'tests in Firefox', run: runFirefoxTests },
  {
    name: 'fuzz',
    title: `each fuzz target for ${FUZZ_SECONDS} s`,
    run: runFuzzers,
  },
];
