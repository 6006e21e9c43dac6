// SPDX-License-Identifier: Apache-2.0
// GET /api/models: one page of the listing.

import { decodeCursor, encodeCursor, linkToNext } from './cursor.js';
import { badRequest } from './errors.js';
import { firstAfter } from './model-index.js';
import { listProjection } from './projection.js';
import { hexOf } from './random.js';
import { jsonText } from './replies.js';

/** Largest page; also the size of a page when no limit is given. */
export const MAX_LIMIT = 1000;

const DEFAULT_SORT = 'trendingScore';
const SORT_KEYS = [
  'trendingScore', 'downloads', 'likes', 'createdAt', 'lastModified',
];

/**
 * @typedef {object} PageFault
 * @property {number} [shiftPage] rows to skip (> 0) or to send again (< 0)
 * @property {boolean} [linkLoop] the next page is this page
 */

/**
 * @param {import('./model-index.js').ModelIndex} index
 * @param {URL} url
 * @param {PageFault} fault
 * @returns {Response}
 */
export function listModels(index, url, fault) {
  const request = parseRequest(url.searchParams);
  if ('error' in request) return badRequest(request.error);
  const { query, limit, keys, position } = request;

  const models = index.select(query);
  const first = position ? firstAfter(models, position) : 0;
  const begin = Math.max(0, first + (position ? fault.shiftPage ?? 0 : 0));
  const page = models.slice(begin, begin + limit);

  /** @type {Record<string, string>} */
  const headers = {};
  if (begin + limit < models.length) {
    const last = page[page.length - 1];
    const { sort, descending } = query;
    const cursor = encodeCursor(
      { sort, descending, value: last.sortValue(sort), id: last.objectId },
      query.search.length > 0 ? hexOf(query.search.join(), 16) : undefined,
    );
    headers.Link = fault.linkLoop && position
      ? linkToNext(url, url.searchParams.get('cursor') ?? '')
      : linkToNext(url, cursor);
  }
  const rows = page.map((model) => model.json(keys));
  return jsonText(`[${rows.join(',')}]`, { headers });
}

/** @param {URLSearchParams} params */
function parseRequest(params) {
  if (params.has('skip') || params.has('offset')) {
    return { error: 'Paging is by cursor: follow the Link header' };
  }
  const sort = params.get('sort') ?? DEFAULT_SORT;
  if (!SORT_KEYS.includes(sort)) return { error: `Invalid sort: ${sort}` };
  const descending = params.get('direction') !== '1';

  const limit = parseLimit(params.get('limit'));
  if (limit === null) return { error: `Invalid limit: ${params.get('limit')}` };

  const projection = listProjection(params, sort);
  if ('error' in projection) return projection;

  const cursor = params.get('cursor');
  const position = cursor === null ? null
    : decodeCursor(cursor, sort, descending);
  if (cursor !== null && !position) return { error: 'Invalid cursor' };

  const query = parseQuery(params, sort, descending);
  return { query, limit, keys: projection.keys, position };
}

/**
 * @param {URLSearchParams} params
 * @param {string} sort
 * @param {boolean} descending
 * @returns {import('./model-index.js').Query}
 */
function parseQuery(params, sort, descending) {
  const gated = params.get('gated');
  return {
    sort,
    descending,
    tags: params.getAll('filter').flatMap((value) => value.split(','))
      .filter((tag) => tag !== ''),
    search: params.getAll('search').map((text) => text.toLowerCase()),
    author: params.get('author'),
    pipelineTag: params.get('pipeline_tag'),
    gated: gated === null ? null : gated === 'true',
  };
}

/** @param {string | null} text */
function parseLimit(text) {
  if (text === null) return MAX_LIMIT;
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 1) return null;
  return Math.min(limit, MAX_LIMIT);
}
