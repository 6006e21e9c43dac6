// SPDX-License-Identifier: Apache-2.0
// Test-only routes by which another process steers the server: faults, time,
// the log, and the truth about a model.

import { Hono } from 'hono';

export const CONTROL_PREFIX = '/__control/';

/** @param {import('./hub.js').Hub} hub */
export function createControl(hub) {
  const app = new Hono().basePath(CONTROL_PREFIX);
  app.get('/faults', (context) => context.json(hub.faults.list()));
  app.post('/faults', async (context) => {
    hub.faults.add(await context.req.json());
    return context.body(null, 204);
  });
  app.delete('/faults', (context) => {
    hub.faults.clear();
    return context.body(null, 204);
  });
  app.post('/commit', async (context) => {
    const { id, files } = await context.req.json();
    return context.json({ sha: hub.commit(id, { files }) });
  });
  app.post('/clock', async (context) => {
    const { advanceMs } = await context.req.json();
    await hub.clock.advance?.(Number(advanceMs));
    return context.json({ now: hub.clock.now() });
  });
  app.get('/requests', (context) => context.json(hub.requests));
  app.get('/truth', (context) =>
    context.json(hub.truth(context.req.query('id') ?? '') ?? null));
  return app;
}
