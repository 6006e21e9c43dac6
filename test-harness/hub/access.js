// SPDX-License-Identifier: Apache-2.0
// Who is asking: tokens, their tiers, and what each may see.

/**
 * @typedef {object} Identity
 * @property {string} name quota is counted per name
 * @property {import('./rate-limit.js').Tier} tier
 * @property {boolean} authenticated
 * @property {boolean} reads the token may read repositories
 * @property {boolean} granted may open gated repositories
 * @property {boolean} owner may see private repositories
 * @property {string} role of the token
 */

/** @type {Identity} */
const reader = {
  name: 'reader', tier: 'free', authenticated: true, reads: true,
  granted: false, owner: false, role: 'read',
};

/** The accounts of the simulated Hub, by token. */
const TOKENS = new Map(/** @type {[string, Identity][]} */ ([
  ['hf_reader', reader],
  ['hf_granted', { ...reader, name: 'granted', granted: true }],
  ['hf_owner', {
    ...reader, name: 'owner', tier: 'pro', granted: true, owner: true,
    role: 'write',
  }],
  ['hf_noscope', { ...reader, name: 'noscope', reads: false }],
]));

/**
 * @param {Request} request
 * @param {import('./rate-limit.js').Tier} tier of requests without a token
 * @returns {Identity | null} null when the token is not valid
 */
export function identify(request, tier) {
  const header = request.headers.get('authorization');
  if (header === null) return anonymous(tier);
  const token = /^Bearer (.+)$/.exec(header)?.[1] ?? '';
  return TOKENS.get(token) ?? null;
}

/**
 * @param {import('./rate-limit.js').Tier} tier
 * @returns {Identity}
 */
export function anonymous(tier) {
  return {
    name: 'anonymous', tier, authenticated: false, reads: true,
    granted: false, owner: false, role: 'none',
  };
}
