import { type handleUnaryCall, Metadata, status, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { type TestDatabase, testDatabase } from '@holdfast/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Answered, type Caller, type Charge, caller, payments, read, serve } from '../../test/test-payments.ts';
import { idempotencyMigrations, newKey } from '../index.ts';
import { createKeyedServer, type KeyedServer, type KeyedServerOptions } from './index.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase('grpc_server', [idempotencyMigrations], { max: 8 });
  await database.pool.query(
    'create table charges (id serial primary key, key text not null unique, amount int not null)',
  );
});
afterAll(() => database.drop());

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A server of somebody else's, its handlers written with callbacks and as async functions. */
async function shop(): Promise<Caller> {
  const keyed = createKeyedServer({
    pool: database.pool,
    tenantOf: (metadata) => String(metadata.get('tenant')[0]),
  });
  const handlers: UntypedServiceImplementation = {
    Charge: keyed.unary<Charge, Partial<Charge>>(async ({ id }) => ({ id })),
    Refund: withCallback(keyed),
    Look: ((call, callback) => callback(null, call.request)) as handleUnaryCall<Charge, Charge>,
    Watch: (call: { end(): void }) => call.end(),
  };
  const server = await serve(keyed.service(payments, ['Charge', 'Refund']), handlers, [keyed.interceptor]);
  const calls = caller(server.address);
  closing.push(() => calls.close(), server.stop);
  return calls;
}

function withCallback(keyed: KeyedServer): handleUnaryCall<Charge, Charge> {
  return (call, callback) => {
    const { tx, key } = keyed.inHand(call);
    call.sendMetadata(new Metadata());
    tx.query('insert into charges (key, amount) values ($1, $2)', [key, call.request.amount]).then(
      () =>
        call.request.amount < 0
          ? callback({ code: status.INVALID_ARGUMENT, details: 'give an amount' })
          : callback(null, { id: 'refund', amount: 0, note: '' }),
      (error) => callback({ code: status.INTERNAL, details: error.message }),
    );
  };
}

const replayedOf = ({ trailers }: Answered) => trailers.get('idempotent-replayed')[0];

async function chargesUnder(key: string): Promise<number> {
  return (await database.pool.query('select from charges where key = $1', [key])).rows.length;
}

describe('a keyed method of grpc-js', () => {
  it('leaves methods that are not named alone', async () => {
    const calls = await shop();
    expect(read((await calls.call('Look', { amount: 5 })).bytes)).toMatchObject({ amount: 5 });
  });

  it('G3: serves handlers with callbacks too, which may send metadata of their own', async () => {
    const calls = await shop();
    const key = newKey();
    expect(read((await calls.call('Refund', { amount: 5 }, { key })).bytes)).toMatchObject({ id: 'refund' });
    expect(replayedOf(await calls.call('Refund', { amount: 5 }, { key }))).toBe('true');
    expect(await chargesUnder(key)).toBe(1);
  });
});

describe('a server that could not keep its promise is refused when it is built', () => {
  const build = (options: Partial<KeyedServerOptions> = {}) =>
    createKeyedServer({ pool: database.pool, tenantOf: () => 'ada', ...options });

  it('streams take no key, and a name must be a method’s', () => {
    expect(() => build().service(payments, ['Watch'])).toThrow('streams');
    expect(() => build().service(payments, ['Chrage'])).toThrow('no method Chrage');
  });

  it('a status that says nothing final is never stored', () => {
    for (const code of [status.UNAVAILABLE, status.INTERNAL, status.DEADLINE_EXCEEDED, status.UNKNOWN]) {
      expect(() => build({ storedCodes: [code] })).toThrow('never stored');
    }
  });

  it('a handler without the interceptor is told what to do', async () => {
    const keyed = build();
    const handlers = {
      Charge: ((call, callback) => {
        try {
          keyed.inHand(call);
        } catch (error) {
          callback({ code: status.INTERNAL, details: (error as Error).message });
        }
      }) as handleUnaryCall<Charge, Charge>,
    };
    const server = await serve(keyed.service(payments, ['Charge']), handlers);
    const calls = caller(server.address);
    closing.push(() => calls.close(), server.stop);
    const { details } = await calls.call('Charge', { amount: 1 }, { key: newKey() });
    expect(details).toContain('put the interceptor into the server');
  });
});
