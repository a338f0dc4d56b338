/** For the tests: an HTTP server that answers each request as the test says, or breaks off. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Seen {
  method: string;
  path: string;
  key: string | undefined;
  prefer: string | undefined;
  ifMatch: string | undefined;
  auditReason: string | undefined;
  body: string;
  atMs: number;
}

export type Respond = (response: ServerResponse, request: IncomingMessage) => void;

export interface FaultyServer {
  url: string;
  seen: Seen[];
  close(): Promise<void>;
}

/** @param responses one per request; the last one goes on for ever */
export async function faultyServer(...responses: Respond[]): Promise<FaultyServer> {
  const seen: Seen[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const respond = responses[Math.min(seen.length, responses.length - 1)];
    seen.push({
      method: request.method ?? '',
      path: request.url ?? '',
      key: request.headers['idempotency-key'] as string | undefined,
      prefer: request.headers.prefer as string | undefined,
      ifMatch: request.headers['if-match'],
      auditReason: request.headers['audit-reason'] as string | undefined,
      body: Buffer.concat(chunks).toString(),
      atMs: performance.now(),
    });
    respond?.(response, request);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export const json =
  (status: number, body: object, headers: Record<string, string> = {}): Respond =>
  (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
  };

export const problem =
  (status: number, code: string, retryable: boolean, headers: Record<string, string> = {}): Respond =>
  (response) => {
    const body = { type: `urn:x:${code}`, title: code, status, detail: 'do this', code, retryable };
    response.writeHead(status, { 'content-type': 'application/problem+json', ...headers }).end(JSON.stringify(body));
  };

/** The connection is gone, with no answer. */
export const breakOff: Respond = (response) => response.destroy();

/** The answer begins and the connection is gone. */
export const breakOffWithin: Respond = (response) => {
  response.writeHead(201, { 'content-type': 'application/json', 'content-length': '500' });
  response.write('{"id":"half', () => response.destroy());
};

/** No answer at all. */
export const silence: Respond = () => {};
