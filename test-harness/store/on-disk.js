// SPDX-License-Identifier: Apache-2.0
// A Hub over HTTP, a directory, and processes that download into it.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { startHub } from '../hub/index.js';
import { createModelManager, wasm } from '../module-under-test.js';
import { hubOptions, MODEL, readFile } from './world.js';

const CHILD = fileURLToPath(new URL('./manager-child.js', import.meta.url));

/** @param {import('./world.js').Files} files */
export async function startDisk(files) {
  const dataDir = await mkdtemp(join(tmpdir(), 'tabagent-models-'));
  const server = await startHub(hubOptions(files));
  const open = () => createModelManager({
    wasm, dataDir, hubUrl: server.url, seed: 1,
  });
  return {
    dataDir, server, hub: server.hub, open,

    /** Starts a process that downloads; `lines` are what it says. */
    start({ isQuiet = false, flags = /** @type {string[]} */ ([]) } = {}) {
      const child = spawn(process.execPath, [...flags, CHILD, JSON.stringify(
        { dataDir, hubUrl: server.url, modelId: MODEL, isQuiet })],
      { stdio: ['ignore', 'pipe', 'inherit'] });
      const lines = createInterface({ input: child.stdout });
      return { child, lines, exited: once(child, 'exit') };
    },

    /**
     * Runs one to its end: all that it says.
     * @param {string[]} [flags] of Node
     */
    async run(flags) {
      const { lines, exited } = this.start({ isQuiet: true, flags });
      /** @type {any} */
      let end = {};
      for await (const line of lines) end = { ...end, ...JSON.parse(line) };
      await exited;
      return end;
    },

    /** What every file is: 'right' or an error. Wrong bytes throw. */
    async look() {
      const manager = await open();
      const ends = [];
      for (const [path, file] of Object.entries(files)) {
        ends.push(await readFile(manager, path, file,
          `${server.url}/${MODEL}/resolve/main/${path}`));
      }
      await manager.dispose();
      return ends;
    },

    /** Contents that lie in the directory. */
    contents: () => readdir(join(dataDir, 'content')),

    /** Forgets everything. */
    async clear() {
      await rm(dataDir, { recursive: true, force: true });
    },

    async close() {
      await server.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
