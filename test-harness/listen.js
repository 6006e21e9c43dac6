// SPDX-License-Identifier: Apache-2.0
// Servers on this machine, for tests and benchmarks.

const HOST = '127.0.0.1';

/**
 * Has a server listen.
 * @param {import('node:http').Server} server
 * @param {number} [port] 0: a free one
 * @returns {Promise<{ url: string, port: number, close: () => Promise<void> }>}
 *   close ends answers that hang, too
 * @throws when the port is taken
 */
export async function listen(server, port = 0) {
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, HOST, () => resolve(undefined));
  });
  const address = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    url: `http://${HOST}:${address.port}`,
    port: address.port,
    close: () => new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    }),
  };
}
