import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Health } from './health.ts';
import type { Metrics } from './metrics.ts';

export interface OpsServer {
  port: number;
  close(): Promise<void>;
}

/** `/livez`, `/readyz` and `/metrics` for a service that serves nothing else over HTTP. Needs no key. */
export async function startOpsServer(host: string, port: number, health: Health, metrics: Metrics): Promise<OpsServer> {
  const server = createServer(async (request, response) => {
    const path = (request.url ?? '/').split('?')[0];
    const answer = async (): Promise<[number, string, string]> => {
      if (path === '/livez') return [200, 'text/plain', 'alive\n'];
      if (path === '/readyz') {
        const unready = await health.unready();
        return unready.length === 0
          ? [200, 'text/plain', 'ready\n']
          : [503, 'text/plain', `not ready: ${unready.join(', ')}\n`];
      }
      if (path === '/metrics') return [200, metrics.registry.contentType, await metrics.registry.metrics()];
      return [404, 'text/plain', 'not found: try /livez, /readyz or /metrics\n'];
    };
    const [status, contentType, body] = await answer();
    response.writeHead(status, { 'content-type': contentType }).end(body);
  });
  await listen(server, host, port);
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
