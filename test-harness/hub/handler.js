// SPDX-License-Identifier: Apache-2.0
// Request in, Response out: the routes of the Hub, without any network.

import { Hono } from 'hono';

import * as access from './access.js';
import * as cors from './cors.js';
import * as errors from './errors.js';
import { delayHead, disturb, encode, misread, replacement } from './faults.js';
import { listModels } from './listing.js';
import { bucketOf } from './rate-limit.js';
import * as replies from './replies.js';
import * as api from './repository-api.js';
import { rawFile, resolveCache, resolveFile } from './resolve.js';

/** @typedef {import('./hub.js').Hub} Hub */
/** @typedef {import('./faults.js').Rule} Rule */
/** @typedef {import('./access.js').Identity} Identity */

/**
 * @typedef {object} Context what routes get besides the request
 * @property {Identity} identity
 * @property {Rule} fault
 * @property {URL} url
 */

/** @typedef {import('hono').Context<{ Bindings: Context }>} RouteContext */

/**
 * @typedef {object} Target a repository path taken apart
 * @property {string} id
 * @property {string} verb tree, refs, resolve, …; '' for the model itself
 * @property {string[]} rest segments after the verb
 */

const API_VERBS = ['tree', 'paths-info', 'refs', 'revision'];
const FILE_VERBS = ['resolve', 'raw'];

/** An id has one segment without an owner, and two with one. */
const ID_SEGMENTS = [1, 2];

/**
 * @param {Hub} hub
 * @returns {(request: Request, signal?: AbortSignal) => Promise<Response>} the
 *   signal tells that nobody waits for the reply any more
 */
export function createHandler(hub) {
  const app = createRoutes(hub);
  return async (request, signal = request.signal) => {
    const url = new URL(request.url);
    const entry = hub.log(request);
    const fault = hub.faults.match(request, url);
    await delayHead(fault, hub.clock, signal);
    const taken = misread(fault, request);
    const response = url.origin === hub.cdn.origin
      ? secondOriginReply(hub, taken, fault)
      : await hubReply(hub, app, taken, url, fault);
    entry.status = response.status;
    const encoded = await encode(fault, response, request);
    return counted(disturb(fault, encoded, hub.clock), entry);
  };
}

/**
 * Notes how much of the body is taken.
 * @param {Response} response
 * @param {import('./hub.js').LogEntry} entry
 */
function counted(response, entry) {
  if (!response.body) return response;
  const reader = response.body.getReader();
  const body = new ReadableStream({
    async pull(controller) {
      const { done, value } = await reader.read();
      if (done) return controller.close();
      entry.bytesSent += value.length;
      controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
  return new Response(body, { status: response.status, headers: response.headers });
}

/**
 * @param {Hub} hub
 * @param {Request} request
 * @param {Rule} fault
 */
function secondOriginReply(hub, request, fault) {
  const reply = replacement(fault) ?? (cors.isPreflight(request)
    ? cors.secondOriginPreflight(request, hub.cdnAllowsIfRange)
    : hub.cdn.handle(request, fault));
  return withHeaders(reply, cors.addSecondOriginHeaders);
}

/**
 * @param {Hub} hub
 * @param {ReturnType<typeof createRoutes>} app
 * @param {Request} request
 * @param {URL} url
 * @param {Rule} fault
 */
async function hubReply(hub, app, request, url, fault) {
  const isPreflight = cors.isPreflight(request);
  const identity = access.identify(request, hub.tier);
  const quota = hub.rateLimiter?.charge(
    identity ?? access.anonymous(hub.tier), url.pathname,
    isPreflight ? null : bucketOf(url.pathname));

  const answer = () => {
    if (isPreflight) return cors.preflightReply(request);
    if (quota && !quota.allowed) return errors.tooManyRequests();
    if (!identity) return errors.invalidCredentials(formOf(url));
    return app.fetch(request, { identity, fault, url });
  };
  const reply = replacement(fault) ?? await answer();
  return withHeaders(reply, (headers) => {
    for (const [name, value] of Object.entries(quota?.headers ?? {})) {
      headers.set(name, value);
    }
    cors.addHubHeaders(headers, request);
    hub.addConstantHeaders(headers);
  });
}

/** @param {Hub} hub */
function createRoutes(hub) {
  /** @type {Hono<{ Bindings: Context }>} */
  const app = new Hono();
  app.get('/api/models', ({ env }) => listModels(hub.index, env.url, env.fault));
  app.get('/api/whoami-v2', ({ env }) => env.identity.authenticated
    ? api.whoAmI(env.identity) : errors.repoNotFound(false, 'json'));
  app.get('/api/resolve-cache/models/*', (context) => fileRoute(hub, context,
    splitCachePath(segmentsOf(context).slice(3)), resolveCache));
  app.on(['GET', 'POST'], '/api/models/*', (context) => apiRoute(hub, context));
  app.get('*', (context) => {
    const target = splitPath(segmentsOf(context), FILE_VERBS);
    if (target?.verb === 'raw') return fileRoute(hub, context, target, rawFile);
    if (target?.verb === 'resolve') {
      return fileRoute(hub, context, target, (file) => resolveFile(file, hub.cdn));
    }
    return pageRoute(hub, context, target);
  });
  app.onError((error) => { throw error; });
  return app;
}

/**
 * Routes below /api/models/{id}.
 * @param {Hub} hub
 * @param {RouteContext} context
 */
async function apiRoute(hub, context) {
  const { req, env } = context;
  const target = splitPath(segmentsOf(context).slice(2), API_VERBS);
  if (!target) return errors.badRequest('Invalid repo name');
  const found = findModel(hub, target, env, 'json');
  if (found instanceof Response) return found;
  const { model, repository } = found;
  const { verb, rest } = target;
  if (verb === 'refs') return api.refs(repository);

  const revision = rest[0] ?? 'main';
  const commit = repository.commit(revision);
  if (!commit) return errors.revisionNotFound(revision, 'json');
  if (verb === 'tree') {
    return api.tree(repository, commit, rest.slice(1).join('/'), env.url);
  }
  if (verb === 'paths-info') {
    return req.method === 'POST' ? api.pathsInfo(repository, commit, req.raw)
      : replies.json({ error: 'Method not allowed' }, { status: 405 });
  }
  return api.modelInfo(model, repository, commit, env.url);
}

/**
 * Routes that lead to file content, which gated repositories keep closed.
 * @param {Hub} hub
 * @param {RouteContext} context
 * @param {Target | null} target
 * @param {(file: import('./resolve.js').FileRequest) => Response} serve
 */
function fileRoute(hub, { req, env }, target, serve) {
  if (!target) return errors.badRequest('Invalid repo name');
  const found = findModel(hub, target, env, 'text');
  if (found instanceof Response) return found;
  const { model, repository } = found;
  if (model.entry.gated && !env.identity.granted) {
    return errors.gatedRepo(model.id, env.identity.authenticated);
  }
  const [revision, ...path] = target.rest;
  const commit = repository.commit(revision);
  if (!commit) return errors.revisionNotFound(revision, 'text');
  return serve({
    request: req.raw, url: env.url, repository, commit, path: path.join('/'),
    fault: env.fault,
  });
}

/**
 * The page of a model, which API clients get when they forget the API.
 * @param {Hub} hub
 * @param {RouteContext} context
 * @param {Target | null} target
 */
function pageRoute(hub, { env }, target) {
  if (!target) return replies.plainText('Not Found', { status: 404 });
  const found = findModel(hub, target, env, 'text');
  return found instanceof Response ? found
    : replies.html(`<!doctype html><title>${found.model.id}</title>`);
}

/**
 * The repository of a target, or the refusal or redirect in its place.
 * @param {Hub} hub
 * @param {Target} target
 * @param {Context} context
 * @param {errors.Form} form
 */
function findModel(hub, target, { identity, url }, form) {
  const model = hub.index.get(target.id);
  if (!model) {
    const present = hub.index.canonicalId(target.id);
    return present ? movedTo(url, target.id, present)
      : errors.repoNotFound(identity.authenticated, form);
  }
  if (model.entry.private && !identity.owner) {
    return errors.repoNotFound(identity.authenticated, form);
  }
  if (!identity.reads) return errors.missingScope(form);
  if (model.entry.disabled) return errors.disabledRepo(form);
  return { model, repository: hub.repository(model) };
}

/**
 * @param {URL} url
 * @param {string} former
 * @param {string} present
 */
function movedTo(url, former, present) {
  const location = url.pathname.replace(encodeId(former), encodeId(present))
    + url.search;
  return replies.plainText(`Temporary Redirect. Redirecting to ${location}`, {
    status: 307, headers: { Location: location },
  });
}

/**
 * Splits a path into repository id, verb and the rest.
 * @param {string[]} segments
 * @param {string[]} verbs
 * @returns {Target | null} null when the id cannot be one
 */
function splitPath(segments, verbs) {
  const size = ID_SEGMENTS.find((n) => verbs.includes(segments[n]))
    ?? segments.length;
  const id = segments.slice(0, size);
  if (id.length === 0 || id.length > 2 || id.some(isBadName)) return null;
  return {
    id: id.join('/'), verb: segments[size] ?? '', rest: segments.slice(size + 1),
  };
}

/**
 * A cache path has no verb: the commit hash marks where the id ends.
 * @param {string[]} segments
 * @returns {Target | null}
 */
function splitCachePath(segments) {
  const size = ID_SEGMENTS.find((n) => /^[0-9a-f]{40}$/.test(segments[n] ?? ''));
  if (!size) return null;
  const id = segments.slice(0, size).join('/');
  return { id, verb: 'resolve-cache', rest: segments.slice(size) };
}

/**
 * Segments are decoded one by one: an encoded slash in an id is an error, one
 * in a revision is part of it.
 * @param {RouteContext} context
 */
function segmentsOf({ env }) {
  try {
    return env.url.pathname.split('/').slice(1).map(decodeURIComponent);
  } catch {
    return [];
  }
}

/** @param {string} name */
function isBadName(name) {
  return name === '' || name.includes('/');
}

/** @param {string} id */
function encodeId(id) {
  return id.split('/').map(encodeURIComponent).join('/');
}

/** @param {URL} url */
function formOf(url) {
  return url.pathname.startsWith('/api/') ? 'json' : 'text';
}

/**
 * @param {Response} response
 * @param {(headers: Headers) => void} change
 */
function withHeaders(response, change) {
  const headers = new Headers(response.headers);
  change(headers);
  return new Response(response.body, { status: response.status, headers });
}
