// SPDX-License-Identifier: Apache-2.0
// Serves what the pages of the chat's benchmark import: the package,
// onnxruntime-web, transformers.js in one file, and the benchmark itself.

import { build } from 'esbuild';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';

import { listen } from '../../listen.js';
import { PACKAGE_DIR } from '../../module-under-test.js';
import { ROOT } from '../../paths.js';

const CONTENT_TYPES = new Map([
  ['.js', 'text/javascript'], ['.mjs', 'text/javascript'],
  ['.wasm', 'application/wasm'], ['', 'text/html'],
]);

const FOLDERS = new Map([
  ['dist', PACKAGE_DIR],
  ['ort', join(ROOT, 'node_modules/onnxruntime-web/dist')],
  ['bench', join(ROOT, 'test-harness/bench/chat')],
]);

/**
 * transformers.js as a page imports it. The runtime is handed to it, so it
 * needs none of its own.
 */
async function bundlePeer() {
  const { outputFiles } = await build({
    stdin: {
      contents: "export * from '@huggingface/transformers';",
      resolveDir: join(ROOT, 'test-harness'),
    },
    bundle: true, write: false, format: 'esm', platform: 'browser',
    external: ['onnxruntime-web/webgpu'], logLevel: 'error',
    banner: { js: '' },
  });
  return outputFiles[0].text.replaceAll(
    '"onnxruntime-web/webgpu"', '"/ort/ort.webgpu.bundle.min.mjs"');
}

/** @returns {Promise<{ url: string, close: () => Promise<void> }>} */
export async function startSite() {
  const peer = await bundlePeer();
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://bench');
    response.setHeader('content-type',
      CONTENT_TYPES.get(extname(pathname)) ?? 'application/octet-stream');
    const [, folder, name = ''] = pathname.split('/');
    if (pathname === '/') {
      response.end('<!doctype html>');
    } else if (pathname === '/peer.js') {
      response.end(peer);
    } else {
      const bytes = await readFile(join(FOLDERS.get(folder) ?? ROOT, name))
        .catch(() => null);
      response.writeHead(bytes ? 200 : 404).end(bytes);
    }
  });
  return listen(server);
}
