// SPDX-License-Identifier: Apache-2.0
// Looks into the directory of a built extension for what reviewers refuse and
// what an attacker could use: code from elsewhere, code made of text, resources
// that web pages can open, more permissions than are needed.
//
//   node test-harness/extension/package-check.js DIRECTORY

import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';

/** What the extension can ask for with a reason. */
const PERMISSIONS = ['storage', 'offscreen', 'unlimitedStorage', 'sidePanel'];
const HOSTS = ['https://huggingface.co/*'];

/** Places of a manifest that let others in, or code from elsewhere. */
const FORBIDDEN_KEYS = [
  'web_accessible_resources', 'externally_connectable', 'content_scripts',
  'sandbox', 'optional_permissions', 'optional_host_permissions',
  'declarative_net_request', 'devtools_page', 'update_url',
];

/** What pages may run. */
const SCRIPT_SOURCES = ["'self'", "'wasm-unsafe-eval'"];

const CHROME_MIN = 121;

/** Addresses of code, by their ends or because nothing else is there. */
const CODE = /^(?:https?:)?\/\/[^\s"'<>]*\.(?:m?js|cjs|wasm)(?:[?#]|$)/i;
const CODE_HOST = new RegExp('^(?:https?:)?//(?:[\\w-]+\\.)*(?:jsdelivr\\.net|'
  + 'unpkg\\.com|esm\\.sh|skypack\\.dev|cdnjs\\.cloudflare\\.com|jspm\\.io)'
  + '(?:/|$)', 'i');
const REMOTE = /^\s*(?:(?:https?:)?\/\/|data:|blob:)/i;

/** The longest of the Hub's tokens begin like the short ones. */
const TOKEN = /\bhf_[A-Za-z0-9]{30,}/;

/**
 * @typedef {object} Allowances
 * @property {string[]} [permissions] besides those that are always allowed
 * @property {string[]} [hosts] likewise
 * @property {RegExp[]} [code] what may make functions of text, as it is written
 */

/**
 * What Emscripten generates for modules that call objects of JavaScript, in
 * onnxruntime-web's builds for WebGPU. The policy of the extension stops it, and
 * nothing that we use gets there.
 */
export const EMSCRIPTEN_CALLERS = /^new Function\(Object\.keys\(\w+\), ?\w+\)$/;

/**
 * @param {string} directory of a built extension
 * @param {Allowances} [allowances]
 * @returns {string[]} what is wrong, as "file: what"; empty when all is well
 */
export function checkPackage(directory, allowances = {}) {
  const files = filesIn(directory);
  if (!files.includes('manifest.json')) {
    return ['manifest.json: there is none'];
  }
  const read = (/** @type {string} */ file) => (
    readFileSync(join(directory, file), 'utf8'));
  const manifest = JSON.parse(read('manifest.json'));
  const worker = manifest.background?.service_worker?.replace(/^\//, '');
  return files.flatMap((file) => {
    const complaints = file === 'manifest.json'
      ? manifestComplaints(manifest, allowances)
      : contentComplaints(file, read, file === worker)
        .filter((complaint) => !isAllowed(complaint, allowances));
    if (TOKEN.test(read(file))) complaints.push('has an access token in it');
    return complaints.map((complaint) => `${file}: ${complaint}`);
  });
}

const MADE_OF_TEXT = 'makes a function of text: ';

/**
 * @param {string} complaint
 * @param {Allowances} allowances
 */
function isAllowed(complaint, { code = [] }) {
  return complaint.startsWith(MADE_OF_TEXT)
    && code.some((pattern) => pattern.test(
      complaint.slice(MADE_OF_TEXT.length)));
}

/**
 * @param {string} directory
 * @returns {string[]} paths from there, with slashes
 */
function filesIn(directory) {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(directory, join(entry.parentPath ?? entry.path, entry.name))
      .replaceAll('\\', '/'))
    .sort();
}

/**
 * @param {any} manifest
 * @param {Allowances} allowances
 * @returns {string[]}
 */
function manifestComplaints(manifest, { permissions = [], hosts = [] }) {
  const complaints = [];
  if (manifest.manifest_version !== 3) complaints.push('is not version 3');
  if (!(Number.parseInt(manifest.minimum_chrome_version, 10) >= CHROME_MIN)) {
    complaints.push(`minimum_chrome_version is below ${CHROME_MIN}`);
  }
  for (const key of FORBIDDEN_KEYS) {
    if (key in manifest) complaints.push(`has ${key}`);
  }
  const allowed = [...PERMISSIONS, ...permissions];
  for (const permission of manifest.permissions ?? []) {
    if (!allowed.includes(permission)) {
      complaints.push(`asks for the permission ${permission}`);
    }
  }
  for (const host of manifest.host_permissions ?? []) {
    if (![...HOSTS, ...hosts].includes(host)) {
      complaints.push(`asks for access to ${host}`);
    }
  }
  return [...complaints, ...policyComplaints(
    manifest.content_security_policy?.extension_pages ?? '')];
}

/**
 * @param {string} policy
 * @returns {string[]}
 */
function policyComplaints(policy) {
  const directives = new Map(policy.split(';').map((directive) => {
    const [name, ...sources] = directive.trim().split(/\s+/);
    return [name, sources];
  }));
  const scripts = directives.get('script-src') ?? directives.get('default-src');
  if (!scripts?.includes("'wasm-unsafe-eval'")) {
    return ['its policy does not let WebAssembly run'];
  }
  return [...directives].flatMap(([name, sources]) => (
    /^(?:default|script|worker|object|child|frame)-src/.test(name)
      ? sources.filter((source) => source !== "'none'"
        && !SCRIPT_SOURCES.includes(source))
        .map((source) => `its policy has ${source} in ${name}`) : []));
}

/**
 * @param {string} file
 * @param {(file: string) => string} read
 * @param {boolean} isWorker it is the background's script
 * @returns {string[]}
 */
function contentComplaints(file, read, isWorker) {
  if (/\.[cm]?js$/.test(file)) return scriptComplaints(read(file), isWorker);
  if (/\.html?$/.test(file)) return pageComplaints(read(file));
  if (/\.svg$/.test(file)) {
    return /<script\b/i.test(read(file)) ? ['has a script in it'] : [];
  }
  if (/\.css$/.test(file)) {
    return /@import\s+(?:url\(\s*)?["']?(?:https?:)?\/\//i.test(read(file))
      ? ['imports a style from elsewhere'] : [];
  }
  return [];
}

/**
 * @param {string} html
 * @returns {string[]}
 */
function pageComplaints(html) {
  const complaints = [];
  const text = html.replace(/<!--[^]*?-->/g, '');
  for (const [, attributes, code] of text.matchAll(
    /<script\b([^>]*)>([^]*?)<\/script/gi)) {
    const isData = /\btype\s*=\s*["']?(?:application\/json|importmap)/i
      .test(attributes);
    if (code.trim() !== '' && !isData) complaints.push('has a script in it');
  }
  for (const [, name, value] of text.matchAll(
    /<(script|link|iframe|frame|embed|object|base)\b[^>]*?\b(?:src|href|data)\s*=\s*["']?([^"'\s>]+)/gi)) {
    if (REMOTE.test(value)) complaints.push(`has a ${name} from ${value}`);
  }
  if (/<[a-z][^>]*\son[a-z]+\s*=/i.test(text)) {
    complaints.push('has a handler in an attribute');
  }
  if (/["'=\s]javascript:/i.test(text)) complaints.push('has a script address');
  return complaints;
}

/**
 * @param {string} text
 * @param {boolean} isWorker
 * @returns {string[]} each once
 */
function scriptComplaints(text, isWorker) {
  const source = ts.createSourceFile('script.js', text,
    ts.ScriptTarget.Latest, false, ts.ScriptKind.JS);
  /** @type {Set<string>} */
  const complaints = new Set();
  const visit = (/** @type {ts.Node} */ node) => {
    const complaint = nodeComplaint(node, source)
      ?? (isWorker ? workerComplaint(node) : null);
    if (complaint) complaints.add(complaint);
    ts.forEachChild(node, visit);
  };
  visit(source);
  if (isWorker && source.statements.some(waits)) {
    complaints.add('waits at its top level, so it would hear too late');
  }
  return [...complaints];
}

/**
 * Code that is made of text, or comes from elsewhere.
 * @param {ts.Node} node
 * @param {ts.SourceFile} source
 * @returns {string | null}
 */
function nodeComplaint(node, source) {
  if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node)) {
    return CODE.test(node.text) || CODE_HOST.test(node.text)
      ? `has the address of code elsewhere: ${node.text.slice(0, 100)}` : null;
  }
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
    return loadComplaint(node.moduleSpecifier);
  }
  if (!ts.isCallExpression(node) && !ts.isNewExpression(node)) return null;
  const name = nameOf(node.expression);
  const [first] = node.arguments ?? [];
  if (name === 'eval') return 'calls eval';
  if (name === 'Function') {
    return `${MADE_OF_TEXT}${node.getText(source).slice(0, 100)}`;
  }
  if (['setTimeout', 'setInterval'].includes(name) && first
    && ts.isStringLiteralLike(first)) return `hands text to ${name}`;
  const isLoad = node.expression.kind === ts.SyntaxKind.ImportKeyword
    || ['importScripts', 'Worker', 'SharedWorker'].includes(name);
  return isLoad ? loadComplaint(first) : null;
}

/**
 * @param {ts.Node | undefined} address of code
 * @returns {string | null}
 */
function loadComplaint(address) {
  return address && ts.isStringLiteralLike(address) && REMOTE.test(address.text)
    ? `loads code from ${address.text.slice(0, 100)}` : null;
}

/**
 * @param {ts.Node} node of the background's script
 * @returns {string | null}
 */
function workerComplaint(node) {
  return ts.isCallExpression(node)
    && node.expression.kind === ts.SyntaxKind.ImportKeyword
    ? 'imports at run time, which no service worker can' : null;
}

/**
 * The name of what is called: of `f`, `window.f` and `(0, f)`.
 * @param {ts.Expression} expression
 * @returns {string}
 */
function nameOf(expression) {
  if (ts.isIdentifier(expression)) return expression.text;
  if (ts.isParenthesizedExpression(expression)) {
    return nameOf(expression.expression);
  }
  if (ts.isBinaryExpression(expression)
    && expression.operatorToken.kind === ts.SyntaxKind.CommaToken) {
    return nameOf(expression.right);
  }
  const isGlobal = ts.isPropertyAccessExpression(expression)
    && ts.isIdentifier(expression.expression)
    && ['globalThis', 'window', 'self'].includes(expression.expression.text);
  return isGlobal ? expression.name.text : '';
}

/**
 * Whether a statement awaits, outside of every function.
 * @param {ts.Node} node
 * @returns {boolean}
 */
function waits(node) {
  if (ts.isFunctionLike(node) || ts.isClassStaticBlockDeclaration(node)) {
    return false;
  }
  return ts.isAwaitExpression(node)
    || (ts.isForOfStatement(node) && node.awaitModifier !== undefined)
    || Boolean(ts.forEachChild(node, (child) => waits(child) || undefined));
}

if (process.argv[1]
  && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const complaints = checkPackage(process.argv[2] ?? '.');
  for (const complaint of complaints) console.log(complaint);
  console.log(complaints.length === 0 ? 'nothing to complain about'
    : `${complaints.length} complaints`);
  process.exitCode = complaints.length === 0 ? 0 : 1;
}
