import { get } from 'node:http';
import { connect } from 'node:net';

const TIMEOUT_MS = 1_500;

/** Whether a service takes calls now: it says that it is ready, and its gRPC port is open where it has one. */
export async function isServing({ http, grpc }: { http: string; grpc: string | null }): Promise<boolean> {
  return (await saysReady(http)) && (grpc === null || (await acceptsConnections(grpc)));
}

async function saysReady(http: string): Promise<boolean> {
  return await new Promise((resolve) => {
    const request = get(`${http}/readyz`, { timeout: TIMEOUT_MS, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.once('timeout', () => request.destroy());
    // Refused, reset or too late: not ready, whatever the reason.
    request.once('error', () => resolve(false));
  });
}

async function acceptsConnections(address: string): Promise<boolean> {
  const [host, port] = address.split(':');
  return await new Promise((resolve) => {
    const socket = connect({ host: host ?? '', port: Number(port), timeout: TIMEOUT_MS });
    const settle = (accepts: boolean) => {
      socket.destroy();
      resolve(accepts);
    };
    socket.once('connect', () => settle(true));
    socket.once('timeout', () => settle(false));
    socket.once('error', () => settle(false));
  });
}
