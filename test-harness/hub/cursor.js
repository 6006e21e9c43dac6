// SPDX-License-Identifier: Apache-2.0
// Keyset cursors of the listing: base64 of a JSON condition that selects the
// rows after the last one sent, by (sort key, _id).

/**
 * @typedef {object} Position
 * @property {string} sort name of the sort key
 * @property {boolean} descending
 * @property {string | number | null} value sort value of the last row sent
 * @property {string} id `_id` of the last row sent
 */

/**
 * @param {Position} position
 * @param {string} [searchToken] present when the listing has a search text
 * @returns {string} base64
 */
export function encodeCursor(position, searchToken) {
  const { sort, descending, value, id } = position;
  const alternatives = value === null
    ? [{ [sort]: null, _id: { $gt: id } }]
    : [
      { [sort]: value, _id: { $gt: id } },
      { [sort]: { [descending ? '$lt' : '$gt']: value } },
      { [sort]: null },
    ];
  /** @type {Record<string, unknown>} */
  const condition = { $or: alternatives };
  if (searchToken !== undefined) condition.searchSequenceToken = searchToken;
  return Buffer.from(JSON.stringify(condition)).toString('base64');
}

/**
 * @param {string} text base64
 * @param {string} sort the sort key of the request
 * @param {boolean} descending
 * @returns {Position | null} null when the cursor does not fit the request
 */
export function decodeCursor(text, sort, descending) {
  try {
    const json = Buffer.from(text, 'base64').toString('utf8');
    const last = JSON.parse(json).$or[0];
    const id = last._id.$gt;
    const value = last[sort];
    if (typeof id !== 'string' || value === undefined) return null;
    return { sort, descending, value, id };
  } catch {
    return null;
  }
}

/**
 * The `Link` header of a page that has a successor: the same address with
 * the cursor set, absolute and percent-encoded.
 * @param {URL} url address of this page
 * @param {string} cursor
 */
export function linkToNext(url, cursor) {
  const query = url.search.slice(1).split('&')
    .filter((pair) => pair !== '' && !pair.startsWith('cursor='));
  query.push(`cursor=${encodeURIComponent(cursor)}`);
  return `<${url.origin}${url.pathname}?${query.join('&')}>; rel="next"`;
}
