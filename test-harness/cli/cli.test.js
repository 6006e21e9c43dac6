// SPDX-License-Identifier: Apache-2.0
// The command line as its users meet it: a process with arguments, variables,
// output and an exit code.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, test } from 'node:test';

import { startHub } from '../hub/index.js';
import { ROOT } from '../paths.js';
import {
  environment, PROGRAM, promiseWithResolvers, run, serve, start, unusedAddress,
} from './command-process.js';

describe('results', () => {
  test('the journey shows models, counts and what comes next', async () => {
    const { code, stdout } = await run(['--seed', '1']);
    assert.equal(code, 0);
    for (const part of [
      /simulated Hub with [\d,]+ models/, /The best models/, /\bchat\b/,
      /no-tokenizer/, /requests for pages/, /npm start -- doctor/,
    ]) assert.match(stdout, part);
    assert.doesNotMatch(stdout, /\x1b/, 'no colours in a pipe');
  });

  test('list --json prints one document', async () => {
    const { code, stdout, stderr } = await run(
      ['list', '--json', '--limit', '5', '--seed', '1']);
    assert.equal(code, 0);
    assert.equal(stderr, '');
    const { hub, models, meta } = JSON.parse(stdout);
    assert.match(hub, /^http:\/\/127\.0\.0\.1:/);
    assert.equal(models.length, 5);
    assert.equal(meta.filtered, 5);
  });

  test('npm adds nothing to it', async () => {
    const { npm_config_loglevel: _, ...env } = environment();
    const windows = process.platform === 'win32';
    const child = spawn(windows ? 'npm.cmd' : 'npm', ['start', '--', '--version'],
      { cwd: ROOT, env, shell: windows });
    const [stdout] = await Promise.all([
      text(child.stdout), once(child, 'close')]);
    assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
  });

  test('options may stand before the command', async () => {
    const { stdout } = await run(['--json', '--limit', '2', 'list']);
    assert.equal(JSON.parse(stdout).models.length, 2);
  });

  test('list prints a table of as many models as asked for', async () => {
    const { code, stdout } = await run(['list', '--limit', '3']);
    assert.equal(code, 0);
    const [table] = stdout.split('\n\n');
    assert.equal(table.split('\n').length, 4);
    assert.match(stdout, /3 kept/);
  });

  test('what passes the filter is told from what is kept', async () => {
    const { stdout } = await run(
      ['list', '--json', '--limit', '3', '--search', 'gpt2']);
    const { dropped } = JSON.parse(stdout).meta;
    const { stderr } = await run(['list', '--limit', '3', '--search', 'gpt2']);
    assert.equal(dropped['max-candidates'] > 0, true);
    assert.equal(stderr.split('\n')[1], `${3 + dropped['max-candidates']} `
      + 'models pass the filter; kept: the best 3');
    const all = await run(['list', '--limit', '500', '--search', 'gpt2']);
    assert.equal(all.stderr.split('\n')[1],
      `${3 + dropped['max-candidates']} models pass the filter`);
  });

  test('one model is no models', async (context) => {
    const row = {
      id: 'owner/model', pipeline_tag: 'text-generation', tags: ['onnx'],
      siblings: [{ rfilename: 'tokenizer.json' }, { rfilename: 'model.onnx' }],
      config: { architectures: ['LlamaForCausalLM'] },
    };
    const { url } = await serve(context, (_request, response) => {
      response.setHeader('Content-Type', 'application/json')
        .end(JSON.stringify([row]));
    });
    const { stdout, stderr } = await run(['list', '--hub', url]);
    assert.equal(stderr, '1 model listed\n1 model passes the filter\n');
    assert.match(stdout, /^1 model listed, 1 kept/m);
  });

  for (const command of [[], ['list']]) {
    test(`${command}: a search that finds nothing says so`, async () => {
      const { code, stdout } = await run(
        [...command, '--search', 'no-such-model']);
      assert.equal(code, 0);
      assert.match(stdout, /^The Hub has no such models\.$/m);
      assert.match(stdout, /^0 models listed/m);
      assert.doesNotMatch(stdout, /downloads|Dropped|What the rest is|Why/);
    });
  }

  test('a filter that passes nothing says so', async (context) => {
    const { url } = await serve(context, (_request, response) => {
      response.setHeader('Content-Type', 'application/json')
        .end('[{"id":"owner/model","tags":["onnx"],"siblings":[]}]');
    });
    const { stdout } = await run(['list', '--hub', url]);
    assert.match(stdout, /^No model of these passes the filter\.$/m);
  });

  test('doctor finds everything in order', async () => {
    // A directory that is not there, in one that is.
    const { code, stdout } = await run(
      ['doctor', '--json', '--data', join(tmpdir(), 'tabagent-no-such')]);
    assert.equal(code, 0);
    const findings = JSON.parse(stdout);
    assert.deepEqual(findings.map((/** @type {any} */ { check }) => check),
      ['node', 'wasm', 'hub', 'rate limit', 'proxy', 'token', 'data',
        'free space']);
    for (const finding of findings) assert.equal(finding.ok, true);
    assert.match(findings[3].message, /^\d+ requests left/);
  });
});

describe('a reader that has enough', () => {
  test('of the results ends the command quietly', {
    skip: process.platform === 'win32' && 'needs a POSIX shell',
  }, async () => {
    const child = spawn('sh', ['-c', '{ "$0" "$1" list --json; '
      + 'echo "status $?" >&2; } | head -n 1', process.execPath, PROGRAM],
    { cwd: ROOT, env: environment() });
    let stderr = '';
    child.stderr.on('data', (text) => { stderr += text; });
    child.stdout.resume();
    await once(child, 'close');
    assert.equal(stderr, 'status 0\n');
  });

  test('of the notes still gets the results', async () => {
    const { child, end } = start(['list', '--limit', '1']);
    child.stderr.destroy();
    const { code, stdout } = await end;
    assert.equal(code, 0);
    assert.match(stdout, /1 kept/);
  });
});

describe('the surroundings', () => {
  test('HF_ENDPOINT names the Hub, --hub goes before it', async (context) => {
    const hub = await startHub({ models: 50 });
    context.after(() => hub.close());
    const asked = await run(['list', '--json'], { HF_ENDPOINT: hub.url });
    assert.equal(JSON.parse(asked.stdout).hub, hub.url);
    const told = await run(['list', '--json', '--hub', hub.url],
      { HF_ENDPOINT: 'http://127.0.0.1:1' });
    assert.equal(JSON.parse(told.stdout).hub, hub.url);
  });

  for (const [title, args, variables] of /** @type {const} */ ([
    ['HF_TOKEN is sent to the Hub', [], { HF_TOKEN: 'hf_one' }],
    ['--token-env names another variable', ['--token-env', 'MINE'],
      { HF_TOKEN: 'hf_two', MINE: 'hf_one' }],
  ])) {
    test(title, async (context) => {
      /** @type {(string | undefined)[]} */
      const tokens = [];
      const { url } = await serve(context, (request, response) => {
        tokens.push(request.headers.authorization);
        response.setHeader('Content-Type', 'application/json').end('[]');
      });
      await run(['list', '--json', '--hub', url, ...args], variables);
      assert.deepEqual(tokens, ['Bearer hf_one']);
    });
  }

  test('doctor says whose the token is', async (context) => {
    const hub = await startHub({ models: 5 });
    context.after(() => hub.close());
    const args = ['doctor', '--json', '--hub', hub.url];
    const rowOf = (/** @type {{ stdout: string }} */ { stdout }) => (
      JSON.parse(stdout).find(
        (/** @type {{ check: string }} */ { check }) => check === 'token'));
    assert.deepEqual(rowOf(await run(args, { HF_TOKEN: 'hf_owner' })), {
      check: 'token', ok: true,
      message: 'that of owner, write; sent to the Hub only', fix: null,
    });
    const { ok, fix } = rowOf(await run(args, { HF_TOKEN: 'hf_unknown' }));
    assert.equal(ok, false);
    assert.match(fix, /new token/);
  });

  test('what cannot be a token is wrong usage, and not shown', async () => {
    const { code, stderr, stdout } = await run(
      ['list', '--token-env', 'MINE'], { MINE: 'password1' });
    assert.equal(code, 2);
    assert.match(stderr, /MINE holds no access token/);
    assert.doesNotMatch(stderr + stdout, /password1/);
  });

  test('HF_TOKEN stays away from the simulated Hub', async () => {
    const { code } = await run(['list', '--limit', '1'],
      { HF_TOKEN: 'hf_unknown' });
    assert.equal(code, 0);
  });

  test('the proxy variables are honoured', async (context) => {
    const hub = await startHub({ models: 50 });
    context.after(() => hub.close());
    /** @type {(string | undefined)[]} */
    const tunnels = [];
    const proxy = await serve(context, (_request, response) => {
      response.writeHead(501).end();
    });
    proxy.server.on('connect', (request, socket) => {
      tunnels.push(request.url);
      const upstream = connect(Number(new URL(hub.url).port), '127.0.0.1',
        () => {
          socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
          upstream.pipe(socket).pipe(upstream);
        });
      context.after(() => upstream.destroy());
    });
    const { code, stdout } = await run(
      ['list', '--json', '--hub', 'http://hub.invalid'],
      { HTTP_PROXY: proxy.url });
    assert.equal(code, 0);
    assert.equal(JSON.parse(stdout).models.length > 0, true);
    assert.equal(tunnels.every((host) => host === 'hub.invalid:80'), true);
    assert.equal(tunnels.length > 0, true);
  });
});

describe('exit codes', () => {
  for (const [args, message] of /** @type {[string[], RegExp][]} */ ([
    [['fly'], /unknown command 'fly'/],
    [['list', 'more'], /too many arguments/],
    [['list', '--fast'], /unknown option '--fast'/],
    [['list', '--limit', '0'], /expected 1 to 5000/],
    [['list', '--dtype', 'q8'], new RegExp("^error: list takes no option "
      + "'--dtype', only --hub, --token-env, --search, --author, --limit, "
      + '--seed, --data, --json\n$')],
    [['--limit', '3', 'models'], /models takes no option '--limit', only --hub/],
    [['delete', 'a/b', '--revision', 'main'],
      /delete takes no option '--revision', only/],
    [['list', '--limit', 'all'], /expected a whole number/],
    [['list', '--limit', '5001'], /expected 1 to 5000/],
    [['list', '--hub', 'huggingface.co'],
      /option --hub: expected an http or https address/],
    [['list', '--token-env', 'NO_SUCH'], /variable NO_SUCH is not set/],
  ])) {
    test(`2 for ${args.join(' ')}`, async () => {
      const { code, stdout, stderr } = await run(args);
      assert.equal(code, 2);
      assert.match(stderr, message);
      assert.equal(stdout, '');
    });
  }

  test('2 for a wrong HF_ENDPOINT, by its name', async () => {
    const variables = { HF_ENDPOINT: 'garbage' };
    const { code, stderr } = await run(['list'], variables);
    assert.equal(code, 2);
    assert.equal(stderr, 'error: the variable HF_ENDPOINT: expected an http '
      + 'or https address, got "garbage"\n');
    const told = await run(['doctor'], variables);
    assert.equal(told.code, 1);
    assert.match(told.stdout, /FAIL options +the variable HF_ENDPOINT: /);
  });

  test('1 for a Hub that is not there', async () => {
    const { code, stdout, stderr } = await run(
      ['list', '--json', '--hub', await unusedAddress()]);
    assert.equal(code, 1);
    const { error } = JSON.parse(stdout);
    assert.equal(error.code, 'listing_failed');
    assert.match(error.message, /the connection failed: .*ECONNREFUSED/);
    assert.equal(error.retryable, true);
    assert.equal(error.meta.partial, true);
    assert.match(stderr, /listing_failed/);
  });

  test('2 for wrong usage, as JSON when that is wanted', async () => {
    const { code, stdout } = await run(
      ['list', '--json', '--token-env', 'NO_SUCH']);
    assert.equal(code, 2);
    assert.equal(JSON.parse(stdout).error.code, 'invalid_argument');
  });

  test('1 for a doctor who found something, with advice', async () => {
    const { code, stdout } = await run(
      ['doctor', '--hub', await unusedAddress()]);
    assert.equal(code, 1);
    assert.match(stdout, /FAIL hub .*ECONNREFUSED/);
    assert.match(stdout, /check the network/);
  });

  test('0 for help and version', async () => {
    const help = await run(['list', '--help']);
    assert.equal(help.code, 0);
    assert.match(help.stdout, /--token-env <name>/);
    assert.doesNotMatch(help.stdout, /--dtype/);
    assert.match(help.stdout.replace(/\s+/g, ' '),
      /--data <dir> directory of the stored models/);
    assert.equal((await run(['--version'])).code, 0);
  });

  test('130 after Ctrl-C, with nothing left running', async (context) => {
    const { promise: asked, resolve } = promiseWithResolvers();
    const { url } = await serve(context, () => resolve(undefined));
    const { child, end } = start(['list', '--hub', url]);
    await asked;
    child.kill('SIGINT');
    const { code, stderr } = await end;
    assert.equal(code, 130);
    assert.match(stderr, /cancelled/);
  });
});
