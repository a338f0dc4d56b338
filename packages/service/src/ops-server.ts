import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Health } from './health.ts';
import type { Metrics } from './metrics.ts';

export interface OpsServer {
  port: number;
  close(): Promise<void>;
}

/** By method and path (`POST /webhooks/stripe`): answers a request, and never rejects. */
export type HttpRoutes = Readonly<
  Record<string, (request: IncomingMessage, response: ServerResponse) => Promise<void>>
>;

/** `/livez`, `/readyz`, `/metrics` and what else a service serves over HTTP. None of the three needs a key. */
export async function startOpsServer(
  host: string,
  port: number,
  health: Health,
  metrics: Metrics,
  routes: HttpRoutes = {},
): Promise<OpsServer> {
  const server = createServer(async (request, response) => {
    const path = (request.url ?? '/').split('?')[0];
    const route = routes[`${request.method} ${path}`];
    if (route !== undefined) return await route(request, response);
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
