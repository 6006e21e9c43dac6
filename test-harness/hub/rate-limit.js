// SPDX-License-Identifier: Apache-2.0
// Quotas: three buckets per identity in fixed windows, an optional burst
// limit, routes with a stricter limit of their own, and the two headers that
// tell a client where it stands.

/** Length of a window on the real Hub. */
const WINDOW_MS = 300_000;

/** @typedef {'api' | 'resolvers' | 'pages'} Bucket */

/** Requests per window, by tier. */
export const QUOTAS = {
  anonymous: { api: 500, resolvers: 3_000, pages: 100 },
  free: { api: 1_000, resolvers: 5_000, pages: 200 },
  pro: { api: 2_500, resolvers: 12_000, pages: 400 },
  team: { api: 3_000, resolvers: 20_000, pages: 400 },
  enterprise: { api: 6_000, resolvers: 50_000, pages: 600 },
  'enterprise-plus': { api: 10_000, resolvers: 100_000, pages: 1_000 },
  'enterprise-plus-raised': {
    api: 100_000, resolvers: 500_000, pages: 10_000,
  },
};

/** @typedef {keyof typeof QUOTAS} Tier */

/**
 * @typedef {object} RateLimitOptions
 * @property {Partial<Record<Bucket, number>>} [quotas] instead of the tier's
 * @property {number} [windowMs]
 * @property {number} [anchorMs] a moment at which a window begins
 * @property {boolean} [headers] send RateLimit and RateLimit-Policy
 * @property {boolean} [retryAfter] send Retry-After with a 429
 * @property {{ size: number, perSecond: number }} [burst] token bucket over
 *   all routes; a refusal by it comes while `r` is still above 0
 * @property {{ path: string, quota: number }[]} [strict] routes with their
 *   own, smaller quota, refused while `r` is still above 0
 */

/**
 * Polling `whoami-v2` is refused long before the bucket is empty; the real
 * number is not published.
 */
const STRICT_ROUTES = [{ path: '/api/whoami-v2', quota: 30 }];

/** Counts requests and decides which are one too many. */
export class RateLimiter {
  /** @type {Map<string, { index: number, used: number }>} */
  #windows = new Map();
  /** @type {Map<string, { tokens: number, at: number }>} */
  #bursts = new Map();
  #options;
  #now;

  /**
   * @param {RateLimitOptions} options
   * @param {() => number} now
   */
  constructor(options, now) {
    this.#options = {
      windowMs: WINDOW_MS, anchorMs: 0, headers: true, strict: STRICT_ROUTES,
      ...options,
    };
    this.#now = now;
  }

  /**
   * Charges one request.
   * @param {{ name: string, tier: Tier }} identity
   * @param {string} pathname
   * @param {Bucket | null} bucket null for what is not the Hub's
   * @returns {{ allowed: boolean, headers: Record<string, string> }}
   */
  charge(identity, pathname, bucket) {
    if (!bucket) return { allowed: true, headers: {} };
    const quota = this.#quota(identity.tier, bucket);
    const window = this.#window(`${identity.name} ${bucket}`);
    if (isRedirectTarget(pathname)) {
      return { allowed: true, headers: this.#headers(bucket, quota, window.used, true) };
    }
    const allowed = window.used < quota && this.#isCalm(identity.name)
      && this.#isUnderStrictQuota(identity.name, pathname);
    if (allowed) window.used += 1;
    return { allowed, headers: this.#headers(bucket, quota, window.used, allowed) };
  }

  /**
   * Uses up quota as another client behind the same identity would.
   * @param {Bucket} bucket
   * @param {number} requests
   * @param {string} [identity]
   */
  spend(bucket, requests, identity = 'anonymous') {
    this.#window(`${identity} ${bucket}`).used += requests;
  }

  /** Milliseconds until the present window ends. */
  get msToReset() {
    const { windowMs, anchorMs } = this.#options;
    const elapsed = (this.#now() - anchorMs) % windowMs;
    return windowMs - (elapsed < 0 ? elapsed + windowMs : elapsed);
  }

  /**
   * @param {Tier} tier
   * @param {Bucket} bucket
   */
  #quota(tier, bucket) {
    return this.#options.quotas?.[bucket] ?? QUOTAS[tier][bucket];
  }

  /** @param {string} name */
  #window(name) {
    const { windowMs, anchorMs } = this.#options;
    const index = Math.floor((this.#now() - anchorMs) / windowMs);
    let window = this.#windows.get(name);
    if (!window || window.index !== index) {
      window = { index, used: 0 };
      this.#windows.set(name, window);
    }
    return window;
  }

  /**
   * Takes a token from the burst bucket.
   * @param {string} name
   */
  #isCalm(name) {
    const { burst } = this.#options;
    if (!burst) return true;
    const now = this.#now();
    const state = this.#bursts.get(name) ?? { tokens: burst.size, at: now };
    const refill = ((now - state.at) / 1000) * burst.perSecond;
    const tokens = Math.min(burst.size, state.tokens + refill);
    const calm = tokens >= 1;
    this.#bursts.set(name, { tokens: calm ? tokens - 1 : tokens, at: now });
    return calm;
  }

  /**
   * @param {string} name
   * @param {string} pathname
   */
  #isUnderStrictQuota(name, pathname) {
    const rule = this.#options.strict.find(({ path }) => pathname === path);
    if (!rule) return true;
    const window = this.#window(`${name} ${rule.path}`);
    window.used += 1;
    return window.used <= rule.quota;
  }

  /**
   * @param {Bucket} bucket
   * @param {number} quota
   * @param {number} used
   * @param {boolean} allowed
   */
  #headers(bucket, quota, used, allowed) {
    const seconds = Math.ceil(this.msToReset / 1000);
    /** @type {Record<string, string>} */
    const headers = {};
    if (this.#options.headers) {
      const remaining = Math.max(0, quota - used);
      const windowSeconds = this.#options.windowMs / 1000;
      headers.RateLimit = `"${bucket}";r=${remaining};t=${seconds}`;
      headers['RateLimit-Policy'] =
        `"fixed window";"${bucket}";q=${quota};w=${windowSeconds}`;
    }
    if (!allowed && this.#options.retryAfter) {
      headers['Retry-After'] = String(seconds);
    }
    return headers;
  }
}

/**
 * The request that was redirected here has been counted already. The reply
 * tells what is left all the same: behind a redirect it is the only one that a
 * client gets to see.
 * @param {string} pathname
 */
export function isRedirectTarget(pathname) {
  return pathname.startsWith('/api/resolve-cache/');
}

/**
 * The bucket a path belongs to.
 * @param {string} pathname
 * @returns {Bucket}
 */
export function bucketOf(pathname) {
  if (isRedirectTarget(pathname)) return 'resolvers';
  if (pathname.startsWith('/api/')) return 'api';
  return /\/(resolve|raw)\//.test(pathname) ? 'resolvers' : 'pages';
}
