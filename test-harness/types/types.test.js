// SPDX-License-Identifier: Apache-2.0
// The package as TypeScript users see it: installed into a project of theirs,
// under each way of finding modules.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, rmSync, symlinkSync, writeFileSync }
  from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { ROOT } from '../paths.js';

const TSC = createRequire(import.meta.url).resolve('typescript/bin/tsc');
const PROJECT = join(ROOT, 'build', 'types-project');

before(() => {
  rmSync(PROJECT, { recursive: true, force: true });
  mkdirSync(join(PROJECT, 'node_modules'), { recursive: true });
  symlinkSync(ROOT, join(PROJECT, 'node_modules', 'tabagent-wasm'), 'junction');
  writeFileSync(join(PROJECT, 'package.json'), '{ "type": "module" }\n');
  copyFileSync(join(ROOT, 'test-harness', 'types', 'usage.ts'),
    join(PROJECT, 'usage.ts'));
});

after(() => {
  rmSync(PROJECT, { recursive: true, force: true });
});

for (const [resolution, module] of [
  ['node16', 'node16'], ['nodenext', 'nodenext'], ['bundler', 'esnext'],
]) {
  test(`compiles under ${resolution} resolution`, () => {
    writeFileSync(join(PROJECT, 'tsconfig.json'), JSON.stringify({
      compilerOptions: {
        module, moduleResolution: resolution, strict: true, noEmit: true,
        target: 'es2022', lib: ['es2023', 'dom'], types: [],
      },
      files: ['usage.ts'],
    }));
    const { status, stdout } = spawnSync(process.execPath, [TSC],
      { cwd: PROJECT, encoding: 'utf8' });
    assert.equal(status, 0, stdout);
  });
}
