import { type Client, Code, ConnectError, createClient } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-node';
import { type TestDatabase, testDatabase } from '@holdfast/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { connectPayments, serveConnect, unaryOf } from '../../test/rpc-shops.ts';
import { idempotencyMigrations, newKey } from '../index.ts';
import { type IdempotencyOptions, idempotency } from './index.ts';
import { membersOf } from './members.ts';

// What the rules of src/rpc/adapters.db.test.ts do not ask over gRPC: the protocol of Connect itself, in JSON.

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase('connect', [idempotencyMigrations]);
  await database.pool.query('create table charges (id serial primary key, amount int not null)');
});
afterAll(() => database.drop());

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

const keyed = (options: Partial<IdempotencyOptions> = {}) =>
  idempotency({ pool: database.pool, tenantOf: () => 'ada', ...options });

async function shop(): Promise<Client<typeof connectPayments>> {
  const charge = keyed()(unaryOf('charge'), async (request, tx, _inHand, context) => {
    const { amount } = request as unknown as { amount: number };
    const { rows } = await tx.query('insert into charges (amount) values ($1) returning id', [amount]);
    if (amount > 1_000) throw new ConnectError('too much', Code.FailedPrecondition);
    context.responseHeader.set('x-first', 'yes');
    return { id: `charge-${rows[0].id}` };
  });
  const server = await serveConnect({ charge });
  closing.push(server.stop);
  const transport = createConnectTransport({
    baseUrl: `http://${server.address}`,
    httpVersion: '2',
    useBinaryFormat: false,
  });
  return createClient(connectPayments, transport);
}

type Charged = { id: string };
async function chargeBy(client: Client<typeof connectPayments>, amount: number, key?: string) {
  const trailers: Headers[] = [];
  const headers: Record<string, string> = key === undefined ? {} : { 'idempotency-key': key };
  const { charge } = client as unknown as {
    charge(message: object, options: object): Promise<Charged>;
  };
  const { id } = await charge({ amount }, { headers, onTrailer: (trailer: Headers) => trailers.push(trailer) });
  return { id, replayed: trailers[0]?.get('idempotent-replayed') };
}

const chargesOf = async (amount: number) =>
  (await database.pool.query('select from charges where amount = $1', [amount])).rows.length;

describe('over Connect, in JSON', () => {
  it('K1, K2: a charge is made once, and its answer given ever after', async () => {
    const [client, key] = [await shop(), newKey()];
    const first = await chargeBy(client, 5, key);
    expect([first.id, first.replayed]).toEqual([expect.stringMatching(/^charge-/), 'false']);
    expect(await chargeBy(client, 5, key)).toEqual({ id: first.id, replayed: 'true' });
    expect(await chargesOf(5)).toBe(1);
  });

  it('S5: a refusal is the same ever after, and nothing is kept of what its handler had written', async () => {
    const [client, key] = [await shop(), newKey()];
    for (const replayed of ['false', 'true']) {
      const refused = await chargeBy(client, 1_001, key).catch((error: ConnectError) => error);
      expect(refused).toMatchObject({ code: Code.FailedPrecondition, rawMessage: 'too much' });
      expect((refused as ConnectError).metadata.get('idempotent-replayed')).toBe(replayed);
    }
    expect(await chargesOf(1_001)).toBe(0);
  });

  it('G1: a call without a key is told why, by code, detail and pushback', async () => {
    const refused = await chargeBy(await shop(), 7).catch((error: ConnectError) => error);
    const { code, metadata, details } = refused as ConnectError;
    expect([code, metadata.get('grpc-retry-pushback-ms')]).toEqual([Code.InvalidArgument, '-1']);
    expect(details).toMatchObject([{ type: 'google.rpc.ErrorInfo' }]);
    const [info] = details as { value: Uint8Array }[];
    expect(Buffer.from(info?.value ?? []).includes('IDEMPOTENCY_KEY_MISSING')).toBe(true);
    expect(await chargesOf(7)).toBe(0);
  });
});

it('a code that says nothing final is never stored', () => {
  expect(() => keyed({ storedCodes: [Code.Unavailable] })).toThrow('never stored');
});

it('K2: a message is itself by every kind of value that JSON has none for', () => {
  const of = (value: unknown) => JSON.stringify(membersOf({ value }));
  const values = [1n, 2n, 1, '1', new Uint8Array([1]), new Uint8Array([2]), Number.NaN, Number.POSITIVE_INFINITY, null];
  expect(new Set([...values, ...values].map(of)).size).toBe(values.length);
  expect(membersOf({ lines: [{ at: 5n }], more: { none: undefined } })).toEqual({ lines: [{ at: '5n' }], more: {} });
});
