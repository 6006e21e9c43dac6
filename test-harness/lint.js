// SPDX-License-Identifier: Apache-2.0
// Rules of the project that no compiler checks.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { findFiles, ROOT } from './paths.js';

/**
 * The folders of wasm/ in layers, the lowest first. A file may include from its
 * own folder and from those of the layers below, not from a neighbour.
 */
const LAYERS = [
  ['core'], ['net'], ['hub', 'store', 'chat', 'account'], ['journal'],
  ['protocol'], ['abi'],
];

/** The longest source file; beyond it a file has more than one job. */
const LINES_MAX = 700;

/** The longest C function. */
const FUNCTION_LINES_MAX = 80;

/**
 * A line of a file in |files| (but not in |except|) must not match |pattern|,
 * with its comment if |comments|.
 * @typedef {{ files: RegExp, except?: RegExp, pattern: RegExp, says: string,
 *   comments?: boolean }} Rule
 */

/** @type {Rule[]} */
const RULES = [
  {
    files: /^wasm\/.*\.[ch]$/,
    except: /^wasm\/core\/mem\.c$/,
    pattern: /(?<![\w>.])(malloc|calloc|realloc|free)\s*\(/,
    says: 'memory comes from tam_mem',
  },
  {
    files: /^wasm\/.*\.[ch]$/,
    except: /^wasm\/abi\/schema\.c$/,
    pattern:
      /\b(s?n?printf|puts|sscanf|strto[dflu]+|assert|rand|time|clock)\(/,
    says: 'the core has no I/O, clock, randomness or locale',
  },
  {
    files: /^wasm\/.*\.[ch]$/,
    except: /^wasm\/core\/json_tree\.c$/,
    pattern: /cJSON\.h/,
    says: 'cJSON has one door, core/json_tree.c',
  },
  {
    files: /^wasm\/(?!abi\/).*\.[ch]$/,
    pattern: /__EMSCRIPTEN__|emscripten/,
    says: 'only wasm/abi knows that it runs in WebAssembly',
  },
  {
    files: /^js-bindings\/.*\.js$/,
    pattern:
      /\bconsole\.(log|info|warn|debug)\b|\bMath\.random\(|export default/,
    says: 'bindings are silent, seeded and export names',
  },
  {
    files: /^(js-bindings|test-harness\/extension\/demo)\/.*\.js$/,
    pattern: /\beval\(|\bFunction\(|\.innerHTML|\bon(Message|Connect)External\b|(globalThis|self|window)\.fetch\s*=[^=]/,
    says: 'code is not made of text, strangers are not heard, fetch is not replaced',
  },
  {
    files: /\.test\.js$/,
    pattern: /(?<![.\w])setTimeout\(\s*(resolve|r|done)\b|timers\/promises/,
    says: 'tests do not sleep',
  },
  {
    files: /\.(c|h|def|js|ts|json|cmake|txt|md|yml)$/,
    except: /^test-harness\/(lint\.js|fixtures\/)/,
    pattern: /\b(TODO|FIXME|XXX)\b|https?:\/\/(registry|deb)\./,
    comments: true,
    says: 'nothing unfinished, and no names of package hosts',
  },
];

/** @param {string} folder of wasm/; returns -1 for an unknown one */
function layerOf(folder) {
  return LAYERS.findIndex((folders) => folders.includes(folder));
}

/**
 * Returns a complaint for each include that points to a layer above or to a
 * neighbour, and one for a file in a folder without a layer.
 * @param {string} file
 * @param {string[]} lines
 */
function checkLayers(file, lines) {
  const own = /^wasm\/(\w+)\/.*\.[ch]$/.exec(file)?.[1];
  if (!own || own === 'include') return [];
  const layer = layerOf(own);
  if (layer < 0) return [`${file}: wasm/${own} has no place in LAYERS`];
  return lines.flatMap((line, i) => {
    const folder = /^#include "(\w+)\//.exec(line)?.[1];
    return folder && folder !== own && layerOf(folder) >= layer
      ? [`${file}:${i + 1}: ${own} must not depend on ${folder}`]
      : [];
  });
}

/**
 * Returns complaints about long functions: in C that clang-format has laid out
 * they begin with a word and end with a "}" at the edge.
 * @param {string} file
 * @param {string[]} lines
 */
function checkFunctions(file, lines) {
  if (!/^wasm\/.*\.c$/.test(file)) return [];
  let start = 0;
  return lines.flatMap((line, i) => {
    if (/^\w/.test(line)) start = i;
    return line === '}' && i - start >= FUNCTION_LINES_MAX
      ? [`${file}:${start + 1}: longer than ${FUNCTION_LINES_MAX} lines`]
      : [];
  });
}

/**
 * Returns complaints about the shape of a file.
 * @param {string} file
 * @param {string[]} lines
 */
function checkShape(file, lines) {
  /** @type {string[]} */
  const complaints = [];
  if (!/\.(c|h|def|js)$/.test(file)) return complaints;
  if (!lines[0].includes('SPDX-License-Identifier: Apache-2.0') &&
      !lines[1]?.includes('SPDX-License-Identifier: Apache-2.0')) {
    complaints.push(`${file}: the first line is not the license`);
  }
  if (lines.length > LINES_MAX) {
    complaints.push(`${file}: longer than ${LINES_MAX} lines`);
  }
  return complaints;
}

/**
 * Returns complaints about links of a document that lead nowhere.
 * @param {string} file
 * @param {string[]} lines
 */
function checkLinks(file, lines) {
  if (!file.endsWith('.md')) return [];
  return lines.flatMap((line, i) => {
    const targets = [...line.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)];
    return targets.map(([, target]) => target)
      .filter((target) => !existsSync(join(ROOT, dirname(file), target)))
      .map((target) => `${file}:${i + 1}: there is no ${target}`);
  });
}

/** The document that says what each file is for. */
const FILE_MAP = 'docs/files.md';

/**
 * The files that the document names, without their endings: each stands between
 * backticks in the first column of a table, relative to the folder that the
 * heading above begins with.
 */
function mappedFiles() {
  let folder = '';
  return readFileSync(join(ROOT, FILE_MAP), 'utf8').split('\n')
    .flatMap((line) => {
      const heading = /^## (js-bindings|wasm\/\w+)(,)?/.exec(line);
      // Several folders share a table, which then names them itself.
      if (heading) folder = heading[2] ? 'wasm' : heading[1];
      const [, first = ''] = line.startsWith('|') ? line.split('|') : [];
      return [...first.matchAll(/`([^`]+)`/g)]
        .map(([, name]) => `${folder}/${name}`);
    });
}

/**
 * Returns complaints about files that the map does not know, and about names in
 * it of which there is no file.
 * @param {string[]} files
 */
function checkFileMap(files) {
  const present = new Set(files
    .filter((file) => /^(wasm|js-bindings)\/.*\.(c|h|def|js)$/.test(file))
    .map((file) => file.replace(/\.\w+$/, '')));
  const mapped = mappedFiles();
  return [
    ...[...present].filter((name) => !mapped.includes(name))
      .map((name) => `${FILE_MAP}: does not say what ${name} is for`),
    ...mapped.filter((name) => !present.has(name))
      .map((name) => `${FILE_MAP}: there is no ${name}`),
  ];
}

/**
 * Returns everything that breaks a rule, as "file:line: what".
 * @returns {string[]}
 */
export function lint() {
  const files = findFiles('.', /./);
  return checkFileMap(files).concat(files.flatMap((file) => {
    const rules = RULES.filter(({ files, except }) =>
      files.test(file) && !except?.test(file));
    if (rules.length === 0 && !/\.(c|h|def|js|md)$/.test(file)) return [];
    const lines = readFileSync(join(ROOT, file), 'utf8').split('\n');
    const broken = lines.flatMap((line, i) => rules
      .filter(({ pattern, comments }) =>
        pattern.test(comments ? line : line.replace(/\/\/.*/, '')))
      .map(({ says }) => `${file}:${i + 1}: ${says}`));
    return [...checkShape(file, lines), ...checkFunctions(file, lines),
      ...checkLayers(file, lines), ...checkLinks(file, lines), ...broken];
  }));
}
