// SPDX-License-Identifier: Apache-2.0
// Turns the declarations that ship into docs/api.md. By hand, after a change to
// one of them: node test-harness/api-docs/generate.js
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import ts from 'typescript';

import { ROOT } from '../paths.js';

const TYPES_DIR = 'js-bindings/types';

export const API_DOC = join(ROOT, 'docs/api.md');

/** What is declared where, in the order of reading. */
const CHAPTERS = [
  { file: 'index.d.ts', title: 'Package' },
  { file: 'listing-types.d.ts', title: 'Finding models' },
  { file: 'store-types.d.ts', title: 'Storing models' },
  { file: 'chat-types.d.ts', title: 'Running models' },
  { file: 'background.d.ts', title: 'Background of an extension' },
  { file: 'client.d.ts', title: 'Panels of an extension' },
  { file: 'host.d.ts', title: 'Host page of an extension' },
];

/**
 * The comment of a declaration, with its @throws as a sentence.
 * @param {ts.Node} node
 */
function commentOf(node) {
  const [comment] = /** @type {any} */ (node).jsDoc ?? [];
  if (!comment) return '';
  const text = ts.getTextOfJSDocComment(comment.comment) ?? '';
  const throws = (comment.tags ?? [])
    .filter((/** @type {ts.JSDocTag} */ tag) =>
      ts.isJSDocThrowsTag(tag))
    .map((/** @type {ts.JSDocThrowsTag} */ tag) =>
      `Throws ${throwsOf(tag)}.`);
  return [text, ...throws].join(' ').replace(/\s+/g, ' ').trim();
}

/** @param {ts.JSDocThrowsTag} tag */
function throwsOf(tag) {
  const type = tag.typeExpression?.type.getText() ?? '';
  return `\`${type}\` ${ts.getTextOfJSDocComment(tag.comment) ?? ''}`.trim();
}

/** @param {string} text */
function oneLine(text) {
  return text.replace(/\/\*\*[\s\S]*?\*\//g, '').replace(/\s+/g, ' ').trim();
}

/** @param {string} text */
function cell(text) {
  return text.replace(/\|/g, '\\|');
}

/** @param {ts.TypeElement | ts.ClassElement} member */
function signatureOf(member) {
  return oneLine(member.getText().replace(/^readonly /, '')).replace(/;$/, '');
}

/** @param {ts.NodeArray<ts.TypeElement | ts.ClassElement>} members */
function tableOf(members) {
  const rows = [...members].map((member) =>
    `| \`${cell(signatureOf(member))}\` | ${cell(commentOf(member))} |`);
  return ['| member | what |', '| --- | --- |', ...rows].join('\n');
}

/**
 * @param {ts.Statement} node
 * @returns {string | undefined}
 */
function sectionOf(node) {
  const isExported = ts.canHaveModifiers(node)
    && ts.getModifiers(node)?.some(
      ({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
  if (!isExported) return undefined;
  const comment = commentOf(node);
  if (ts.isInterfaceDeclaration(node) || ts.isClassDeclaration(node)) {
    const parents = (node.heritageClauses ?? [])
      .map((clause) => ` ${clause.getText()}`).join('');
    return [`### ${node.name?.text}`, parents && `_${parents.trim()}_`,
      comment, tableOf(node.members)].filter(Boolean).join('\n\n');
  }
  const name = nameOf(node);
  const code = node.getText().replace(/^export /, '');
  return [`### ${name}`, comment, `\`\`\`ts\n${code}\n\`\`\``]
    .filter(Boolean).join('\n\n');
}

/** @param {ts.Statement} node */
function nameOf(node) {
  if (ts.isVariableStatement(node)) {
    return node.declarationList.declarations[0].name.getText();
  }
  return /** @type {any} */ (node).name?.getText() ?? '';
}

/** @param {{ file: string, title: string }} chapter */
function chapterOf({ file, title }) {
  const source = ts.createSourceFile(file,
    readFileSync(join(ROOT, TYPES_DIR, file), 'utf8'),
    ts.ScriptTarget.Latest, true);
  return [`## ${title}`, ...source.statements.map(sectionOf).filter(Boolean)]
    .join('\n\n');
}

function errors() {
  const source = readFileSync(join(ROOT, 'wasm/include/tam_error.def'), 'utf8');
  const rows = [...source.matchAll(
    /TAM_ERROR\(\s*\w+,\s*(-?\d+),\s*"(\w+)",\s*((?:"[^"]*"\s*)+)\)/g)]
    .map(([, number, code, words]) => {
      const cause = words.replace(/"\s*"/g, '').trim().slice(1, -1);
      return `| \`${code}\` | ${cell(cause)} | ${number} |`;
    });
  if (rows.length === 0) throw new Error('no error was found');
  return ['## Errors', 'The field `code` of a `TabAgentError`; the number is '
    + 'that of the C interface.',
  ['| code | cause | number |', '| --- | --- | --- |', ...rows].join('\n')]
    .join('\n\n');
}

/** The text of docs/api.md. */
export function generate() {
  const present = readdirSync(join(ROOT, TYPES_DIR));
  const forgotten = present.filter((file) =>
    !CHAPTERS.some((chapter) => chapter.file === file));
  if (forgotten.length > 0) throw new Error(`no chapter has ${forgotten}`);
  return `${[
    '# API',
    '<!-- Generated from js-bindings/types by test-harness/api-docs/generate.js;'
    + ' do not edit. -->',
    'Everything the package exports. How it behaves is written in '
    + '[listing.md](listing.md), [store.md](store.md) and [chat.md](chat.md).',
    ...CHAPTERS.filter(({ file }) => present.includes(file)).map(chapterOf),
    errors(),
  ].join('\n\n')}\n`;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  writeFileSync(API_DOC, generate());
}
