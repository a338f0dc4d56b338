import { createServer } from 'node:net';
import { newTraceparent } from '@holdfast/service';
import { expect, it } from 'vitest';
import { connectParticipants } from '../saga/participants.ts';
import { readEffects } from './order-effects.ts';

/** An address at which nothing listens any more. */
async function closedAddress(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((listening) => server.once('listening', listening));
  const { port } = server.address() as { port: number };
  await new Promise((closed) => server.close(closed));
  return `127.0.0.1:${port}`;
}

it('S4: a participant that cannot be asked is unreachable, not one that was never called', async () => {
  const address = await closedAddress();
  const participants = connectParticipants({ INVENTORY_ADDR: address, PAYMENT_ADDR: address, SHIPPING_ADDR: address });
  try {
    const options = { tenantId: 'acme', timeoutMs: 500, traceparent: newTraceparent(undefined) };
    const { effects } = await readEffects(participants, { id: 'order-1', refunds: [] }, options);
    expect(effects.map(({ step, state, effect }) => [step, state, effect])).toEqual([
      ['reserve-inventory', 'unreachable', null],
      ['charge-payment', 'unreachable', null],
      ['create-shipment', 'unreachable', null],
    ]);
    for (const { detail } of effects) expect(detail).toMatch(/UNAVAILABLE|DEADLINE_EXCEEDED/);
  } finally {
    participants.close();
  }
});
