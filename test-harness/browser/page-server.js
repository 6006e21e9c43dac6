// SPDX-License-Identifier: Apache-2.0
// Serves the package, the sources that are tested by themselves, and the pages
// of the browser tests, under the strictest policy that lets WebAssembly run.

import { createAdaptorServer } from '@hono/node-server';
import { serveStatic } from '@hono/node-server/serve-static';
import { Hono } from 'hono';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

import { listen } from '../listen.js';
import { PACKAGE_DIR } from '../module-under-test.js';
import { ROOT } from '../paths.js';

const SITE_DIR = fileURLToPath(new URL('./site', import.meta.url));

const EXTENSION = join(ROOT, 'test-harness/extension');

/** No inline code, no eval, nothing from elsewhere but data. */
const POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; "
  + "worker-src 'self'; style-src 'self'; connect-src *";

/**
 * @param {string} prefix of the address
 * @param {string} folder that it stands for
 */
function files(prefix, folder) {
  return serveStatic({
    root: relative(process.cwd(), folder),
    rewriteRequestPath: (path) => path.slice(prefix.length),
  });
}

/** The pages of the browser tests. */
export async function startPageServer() {
  const app = new Hono();
  app.use(async (context, next) => {
    await next();
    context.header('Content-Security-Policy', POLICY);
  });
  app.get('/dist/*', files('/dist', PACKAGE_DIR));
  app.get('/js-bindings/*', files('/js-bindings', join(ROOT, 'js-bindings')));
  app.get('/store/*', files('/store', join(ROOT, 'test-harness/store')));
  app.get('/ort/*', files('/ort',
    join(ROOT, 'node_modules/onnxruntime-web/dist')));
  // The panel of the demo, with a manager of the page's own.
  app.get('/panel/connection.js', files('/panel', join(EXTENSION, 'panel-page')));
  app.get('/panel/*', files('/panel', join(EXTENSION, 'demo')));
  app.get('/*', files('', SITE_DIR));
  return serve(app);
}

/**
 * Serves a folder as it is.
 * @param {string} folder
 */
export async function startFileServer(folder) {
  const app = new Hono();
  app.get('/*', files('', folder));
  return serve(app);
}

/** @param {Hono} app */
async function serve(app) {
  const server = /** @type {import('node:http').Server} */ (
    createAdaptorServer({ fetch: app.fetch, overrideGlobalObjects: false }));
  return listen(server);
}
