import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createLog, createMetrics } from '@holdfast/service';
import { afterEach, describe, expect, it } from 'vitest';
import { type Carrier, createCarrier } from './carrier.ts';

let server: Server | undefined;
afterEach(async () => {
  server?.closeAllConnections();
  if (server?.listening) await once(server.close(), 'close');
  server = undefined;
});

/** A carrier that answers in ways the sandbox does not. */
async function carrierThat(answers: RequestListener, timeoutMs = 5_000): Promise<Carrier> {
  server = createServer(answers).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/`;
  return createCarrier(
    { baseUrl, timeoutMs },
    { log: createLog('shipping', 'silent'), metrics: createMetrics('shipping') },
  );
}

const REFERENCE = 'shop:order-1';
const booking = {
  reference: REFERENCE,
  shipTo: { name: 'A. Buyer', line1: '1 High Street', city: 'Leeds', postalCode: 'LS1 4AP', country: 'GB' },
  parcels: [{ sku: 'mug', quantity: 2 }],
};
const json =
  (status: number, body: unknown): RequestListener =>
  (_request, response) =>
    response.writeHead(status).end(JSON.stringify(body));
const shipment = (part: object = {}) => ({ id: 'shp_1', reference: REFERENCE, status: 'booked', ...part });

describe('a call to the carrier', () => {
  it('goes to the paths below its URL and carries what was booked', async () => {
    const seen: string[] = [];
    const carrier = await carrierThat(async (request, response) => {
      let body = '';
      for await (const chunk of request.setEncoding('utf8')) body += chunk;
      seen.push(`${request.method} ${request.url} ${body}`);
      response.writeHead(503).end();
    });
    await carrier.book(booking);
    await carrier.find(REFERENCE);
    await carrier.cancel(REFERENCE);
    expect(seen).toEqual([
      `POST /api/v1/shipments ${JSON.stringify(booking)}`,
      'GET /api/v1/shipments?reference=shop%3Aorder-1 ',
      'POST /api/v1/shipments/cancel {"reference":"shop:order-1"}',
    ]);
  });

  it('S4: that is not answered in time is unknown, in bounded time', async () => {
    const carrier = await carrierThat(() => undefined, 150);
    const startedAtMs = performance.now();
    const unknown = { kind: 'unknown', detail: 'the carrier did not answer within 150 ms' };
    expect(await carrier.book(booking)).toEqual(unknown);
    expect(await carrier.find(REFERENCE)).toEqual(unknown);
    expect(await carrier.cancel(REFERENCE)).toEqual(unknown);
    expect(performance.now() - startedAtMs).toBeLessThan(2_000);
  });

  it('S4: whose answer stops half-way is unknown, in bounded time', async () => {
    const carrier = await carrierThat((_request, response) => response.writeHead(201).write('{"id":'), 150);
    expect(await carrier.book(booking)).toMatchObject({ kind: 'unknown' });
  });

  it('S4: that finds nobody listening is unknown and says so', async () => {
    const carrier = await carrierThat(() => undefined);
    await once(server?.close() as Server, 'close');
    const unknown = { kind: 'unknown', detail: 'the connection to the carrier failed (ECONNREFUSED)' };
    expect(await carrier.book(booking)).toEqual(unknown);
  });

  const oddities: [string, RequestListener][] = [
    ['500', json(500, { code: 'INTERNAL' })],
    ['400', json(400, { code: 'INVALID_REQUEST' })],
    ['401', json(401, {})],
    ['404', json(404, shipment())],
    ['409 for another reason', json(409, { code: 'BUSY' })],
    ['422 for another reason', json(422, { code: 'NO_SUCH_SKU' })],
    ['201 without an id', json(201, shipment({ id: undefined }))],
    ['201 with an empty id', json(201, shipment({ id: '' }))],
    ['201 for somebody else', json(201, shipment({ reference: 'shop:order-2' }))],
    ['201 with null', json(201, null)],
    ['200 with a page', (_request, response) => response.writeHead(200).end('<html>welcome</html>')],
    ['200 with 100 KiB', json(200, { ...shipment(), notes: 'x'.repeat(100 * 1024) })],
    [
      'a redirect to somebody who would book it',
      (request, response) => {
        if (request.url === '/elsewhere')
          return json(200, { ...shipment(), shipments: [shipment()] })(request, response);
        response.writeHead(307, { location: '/elsewhere' }).end();
      },
    ],
  ];
  it.each(oddities)('S4: answered with %s is no booking, no refusal and no cancellation', async (_name, answers) => {
    const carrier = await carrierThat(answers);
    expect(await carrier.book(booking)).toMatchObject({ kind: 'unknown' });
    expect(await carrier.find(REFERENCE)).toMatchObject({ kind: 'unknown' });
    expect(await carrier.cancel(REFERENCE)).toMatchObject({ kind: 'unknown' });
  });

  it('finds our shipment, and never takes another’s for it', async () => {
    const others = shipment({ reference: 'shop:order-2', id: 'shp_2' });
    const list = (...shipments: object[]) => carrierThat(json(200, { shipments }));
    expect(await (await list(others, shipment())).find(REFERENCE)).toEqual({
      kind: 'completed',
      result: { shipmentId: 'shp_1' },
    });
    await once(server?.close() as Server, 'close');
    expect(await (await list(others)).find(REFERENCE)).toMatchObject({ kind: 'unknown' });
    await once(server?.close() as Server, 'close');
    expect(await (await list(shipment({ status: 'cancelled' }))).find(REFERENCE)).toEqual({ kind: 'cancelled' });
    await once(server?.close() as Server, 'close');
    expect(await (await list()).find(REFERENCE)).toEqual({ kind: 'not_found' });
  });

  it('is not made while 256 others wait for their answer', async () => {
    const waiting: (() => void)[] = [];
    const all = Promise.withResolvers<void>();
    const carrier = await carrierThat((_request, response) => {
      waiting.push(() => response.writeHead(200).end(JSON.stringify({ shipments: [] })));
      if (waiting.length === 256) all.resolve();
    });
    const running = Array.from({ length: 256 }, () => carrier.find(REFERENCE));
    await all.promise;
    expect(await carrier.book(booking)).toMatchObject({ kind: 'unknown', detail: expect.stringContaining('256') });
    expect(waiting).toHaveLength(256);
    for (const answer of waiting) answer();
    for (const result of running) expect(await result).toEqual({ kind: 'not_found' });
    const next = carrier.find(REFERENCE);
    await expect.poll(() => waiting.length).toBe(257);
    waiting.at(-1)?.();
    expect(await next).toEqual({ kind: 'not_found' });
  });
});
