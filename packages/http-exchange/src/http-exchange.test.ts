import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createExchange, ExchangeFailed } from './http-exchange.ts';

let server: Server | undefined;
afterEach(async () => {
  server?.closeAllConnections();
  if (server?.listening) await once(server.close(), 'close');
  server = undefined;
});

/** An outside service, and how to send to it. */
async function outside(answers: RequestListener, maxAnswerBytes = 1_000) {
  server = createServer(answers).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const exchange = createExchange(maxAnswerBytes);
  return (path = '/', timeoutMs = 5_000) => exchange({ origin, path, method: 'POST', body: 'hello', timeoutMs });
}

async function failureOf(call: Promise<unknown>): Promise<string> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ExchangeFailed)) throw new Error(`expected a failed exchange, got ${error}`);
  return error.reason;
}

describe('a request to an outside service', () => {
  it('carries its body, and comes back with status, headers and the whole answer', async () => {
    const send = await outside(async (request, response) => {
      let body = '';
      for await (const chunk of request.setEncoding('utf8')) body += chunk;
      response.writeHead(201, { 'X-Id': '7' }).write(`${request.method} ${request.url} `);
      response.end(`${body} ü`);
    });
    const answer = await send('/a?b=c');
    expect(answer).toMatchObject({ status: 201, body: 'POST /a?b=c hello ü', headers: { 'x-id': '7' } });
  });

  it('goes over connections that are open already', async () => {
    const send = await outside((_request, response) => response.end('ok'));
    let connections = 0;
    server?.on('connection', () => connections++);
    for (let call = 0; call < 20; call++) await send();
    // The next call leaves a moment before the connection of the one before is free again: two take turns.
    expect(connections).toBeLessThanOrEqual(2);
  });

  it('S4: is sent once, also over a kept connection that is closed under it', async () => {
    let calls = 0;
    const send = await outside((request, response) => {
      calls += 1;
      if (calls === 1) response.end('ok');
      else request.socket.destroy();
    });
    await send();
    expect(await failureOf(send())).toBe('UND_ERR_SOCKET');
    expect(calls).toBe(2);
  });

  it('S4: has one deadline for the whole call: nothing, or half of an answer, is no answer', async () => {
    const send = await outside((request, response) => {
      if (request.url === '/half') response.writeHead(200, { 'content-length': 100 }).write('half');
    });
    expect(await failureOf(send('/never', 100))).toBe('TIMEOUT');
    expect(await failureOf(send('/half', 100))).toBe('TIMEOUT');
  });

  it('S4: whose answer breaks off has none', async () => {
    const send = await outside((request, response) => {
      response.writeHead(200, { 'content-length': 100 }).write('half');
      setImmediate(() => request.socket.end());
    });
    expect(await failureOf(send())).toMatch(/UND_ERR_SOCKET|ECONNRESET/);
  });

  it('gives the status of an answer that is too long, without it', async () => {
    const send = await outside((_request, response) => response.writeHead(503).end('x'.repeat(2_000)));
    expect(await send()).toMatchObject({ status: 503, body: null });
  });

  it('does not follow a redirect', async () => {
    const send = await outside((_request, response) => response.writeHead(307, { location: '/elsewhere' }).end());
    expect(await send()).toMatchObject({ status: 307 });
  });
});
