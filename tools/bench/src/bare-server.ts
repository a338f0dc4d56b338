/** A process of its own that reads each body, parses it, and answers as an order is answered. Ends with its parent. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const ID = '018f2b1c-6d6e-8c3a-9f57-6a1f0c2d3e4f';
const ANSWER = JSON.stringify({
  id: ID,
  status: 'completed',
  customerId: 'bench-rich-1',
  currency: 'EUR',
  items: [{ sku: 'bench-item-1', quantity: 1, unitPrice: 100 }],
  total: 100,
  reservationId: ID,
  paymentId: ID,
  shipmentId: ID,
  failure: null,
  createdAt: new Date(0).toISOString(),
  updatedAt: new Date(0).toISOString(),
});
const HEADERS = {
  'content-type': 'application/json; charset=utf-8',
  'content-length': Buffer.byteLength(ANSWER),
  location: `/v1/orders/${ID}`,
};

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    JSON.parse(Buffer.concat(chunks).toString());
    response.writeHead(201, HEADERS).end(ANSWER);
  });
});
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
process.on('disconnect', () => process.exit());
