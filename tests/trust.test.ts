import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Authority,
  authorityOf,
  type CertificateRequest,
  issueCertificate,
  LOCAL_HOLDERS,
  makeAuthority,
} from '@holdfast/certificates';
import { mainOf } from '@holdfast/cluster';
import { Certificates, createClient, operatorTls, services } from '@holdfast/rpc';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectSound, type System, setUpCatalogue, startSystem } from './system.ts';

const DAY_MS = 86_400_000;
const from = (days: number) => new Date(Date.now() + days * DAY_MS);
const GRPC_SERVICES = ['orchestrator', 'inventory', 'payment', 'shipping'] as const;
const PARTICIPANTS = ['inventory', 'payment', 'shipping'] as const;

let system: System;
beforeAll(async () => {
  system = await startSystem();
  await setUpCatalogue(system);
});
afterAll(() => system?.stop());

const tlsFile = (holder: string, file: string) => join(system.cluster.stateDir, 'tls', holder, file);
const authorityOfSystem = () =>
  authorityOf({
    cert: readFileSync(tlsFile('authority', 'tls.crt'), 'utf8'),
    key: readFileSync(tlsFile('authority', 'tls.key'), 'utf8'),
  });
const addressOf = (name: string) => system.cluster.run.services.find((service) => service.name === name)?.grpc ?? '';
const logOf = (name: string) => readFileSync(join(system.cluster.logDir, `${name}-0.log`), 'utf8');
const linesOf = (name: string, message: string) =>
  logOf(name)
    .split('\n')
    .filter((line) => line.includes(message));

/** A caller that knows whom to believe, with a certificate of its own. */
async function callerWith(
  issuer: Authority,
  name: string,
  validity: Partial<CertificateRequest> = {},
): Promise<Certificates> {
  const request = { name, use: ['client'] as const, notBefore: from(-2), notAfter: from(1), ...validity };
  const { cert, key } = await issueCertificate(issuer, request);
  const pem = (text: string) => ({ text, path: undefined });
  return new Certificates({
    cert: pem(cert),
    key: pem(key),
    ca: pem(readFileSync(tlsFile('operator', 'ca.crt'), 'utf8')),
  });
}

/** Tries to make a customer rich. @returns the reasons why not, of three tries */
async function mintMoney(certificates: Certificates | undefined): Promise<string[]> {
  const tls = certificates && { certificates, serverName: 'payment' };
  const payment = createClient(services.payment, addressOf('payment'), tls);
  const key = `minted-${'x'.repeat(16)}`;
  const options = { tenantId: system.cluster.tenantId, timeoutMs: 5_000, key };
  const reasons: string[] = [];
  for (let times = 0; times < 3; times++) {
    const result = await payment.AdjustAccount({ customerId: 'ann', delta: 100_000_000 }, options);
    reasons.push(result.kind === 'error' ? result.reason : 'DONE');
  }
  payment.close();
  return [...new Set(reasons)];
}

describe('T1: a stranger inside the network', () => {
  it.each([
    ['in clear text', async () => undefined, 'UNAVAILABLE', 'it speaks in clear text'],
    [
      'with a certificate of another authority',
      async () => callerWith(await makeAuthority('Other', { notBefore: from(-1), notAfter: from(1) }), 'orchestrator'),
      'UNAVAILABLE',
      'no authority of GRPC_TLS_CA',
    ],
    [
      'with a certificate that has ended',
      async () => callerWith(await authorityOfSystem(), 'orchestrator', { notAfter: from(-1) }),
      'UNAVAILABLE',
      'its certificate has ended',
    ],
    [
      'with a right certificate and a wrong name',
      async () => callerWith(await authorityOfSystem(), 'shipping'),
      'PEER_NOT_ALLOWED',
      'no name of GRPC_TLS_ALLOW',
    ],
  ])('%s changes nothing, and is named in the log once', async (_what, caller, reason, said) => {
    const before = await system.send('GET', '/v1/accounts/ann');
    expect(await mintMoney(await caller())).toEqual([reason]);
    expect((await system.send('GET', '/v1/accounts/ann')).body.balance).toBe(before.body.balance);
    await system.until('it is in the log', async () => (linesOf('payment', said).length > 0 ? true : undefined), 5_000);
    expect(linesOf('payment', said)).toHaveLength(1);
  });

  it('can be told from the operator, whose calls are taken', async () => {
    const shipping = createClient(
      services.shipping,
      addressOf('shipping'),
      operatorTls(system.cluster.run.tls, 'shipping'),
    );
    const options = { tenantId: system.cluster.tenantId, timeoutMs: 5_000 };
    expect(await shipping.GetStep({ key: 'a-key-that-is-not-known' }, options)).toMatchObject({ kind: 'completed' });
    shipping.close();
  });
});

/** Every service's files: certificates of `issuer`, and whom to believe. Returns when all have read them. */
async function exchange(trust: string, issuer?: Authority): Promise<void> {
  const message = 'certificates were read again';
  const before = GRPC_SERVICES.map((name) => linesOf(name, message).length);
  for (const { name, ...holder } of LOCAL_HOLDERS) {
    if (issuer !== undefined) {
      const { cert, key } = await issueCertificate(issuer, {
        name,
        ...holder,
        notBefore: from(-1),
        notAfter: from(365),
      });
      writeFileSync(tlsFile(name, 'tls.key'), key);
      writeFileSync(tlsFile(name, 'tls.crt'), cert);
    }
    writeFileSync(tlsFile(name, 'ca.crt'), trust);
  }
  await system.until('every service has read its new files', async () =>
    GRPC_SERVICES.every((name, at) => linesOf(name, message).length > (before[at] ?? 0)) ? true : undefined,
  );
}

describe('T1: while orders run', () => {
  it('every certificate and the authority itself can be exchanged, and no order is lost or fails', async () => {
    const old = await authorityOfSystem();
    const next = await makeAuthority('The next one', { notBefore: from(-1), notAfter: from(3_650) });
    const placed: string[] = [];
    const refused: string[] = [];
    let ended = false;
    const customer = async () => {
      while (!ended) {
        const key = randomUUID();
        // 503: nothing was done (H9). On a busy machine an orchestrator may be without its lease for an instant.
        const answered = async () => {
          const reply = await system.place({}, { key, prefer: 'wait=20' });
          if (reply.status !== 503) return reply;
          console.error(`asked again: ${reply.text}`);
          return undefined;
        };
        const reply = await system.until('the order has an answer other than 503', answered, 60_000);
        // A 202 is an order that was taken and is still under way when the wait ended: it has to complete as well.
        if (reply.status === 201 || reply.status === 202) placed.push(reply.body.id);
        else refused.push(`${reply.status} ${reply.text}`);
      }
    };
    const customers = Array.from({ length: 8 }, customer);
    const until = (count: number) =>
      system.until(`${count} orders are placed`, async () => (placed.length >= count ? true : undefined), 60_000);
    await until(50);
    const ordersGoOn = () => until(placed.length + 25);
    // The order of an exchange: believe both, show the new ones, believe the new one alone.
    await exchange(old.cert + next.cert);
    await ordersGoOn();
    await exchange(old.cert + next.cert, next);
    await ordersGoOn();
    await exchange(next.cert);
    await ordersGoOn();
    // Connections that were open are still of the old certificates: new ones have to be made.
    for (const name of PARTICIPANTS) {
      await system.cluster.kill(name);
      await system.cluster.untilServing(name);
    }
    await ordersGoOn();
    ended = true;
    await Promise.all(customers);
    expect(refused.join('\n')).toBe('');
    const states = await Promise.all(placed.map((id) => system.untilEnded(id, 60_000)));
    expect(new Set(states.map(({ status }) => status))).toEqual(new Set(['completed']));
    await expectSound(system);
    expect(await mintMoney(await callerWith(old, 'orchestrator'))).toEqual(['UNAVAILABLE']);
  });
});

describe('A1: with a certificate that counts, and without the API,', () => {
  const caller = (name: 'inventory' | 'payment' | 'shipping') => operatorTls(system.cluster.run.tls, name);
  const newKey = () => `minted-${randomUUID()}`;
  const done = (result: { kind: string }) => expect(result).toMatchObject({ kind: 'completed' });

  it('whoever raises a balance, sets a price, refunds, releases or dispatches is named by the auditor', async () => {
    const [refunded, released, sent] = await Promise.all(
      [1, 2, 3].map(async () => (await system.place({}, { prefer: 'wait=20' })).body.id as string),
    );
    await expectSound(system);
    const payment = createClient(services.payment, addressOf('payment'), caller('payment'));
    const inventory = createClient(services.inventory, addressOf('inventory'), caller('inventory'));
    const shipping = createClient(services.shipping, addressOf('shipping'), caller('shipping'));
    const options = (key = newKey()) => ({ tenantId: system.cluster.tenantId, timeoutMs: 5_000, key, epoch: 1 });
    done(await payment.AdjustAccount({ customerId: 'ann', delta: 100_000_000 }, options()));
    done(await inventory.PutStock({ sku: 'pear', unitPrice: 1 } as never, options()));
    const refund = { orderId: refunded, refundId: 'forged' };
    done(
      await payment.ReserveRefund({ ...refund, amount: 1, currency: 'EUR' } as never, options('forged:reserve-refund')),
    );
    done(await payment.RefundCharge(refund as never, options('forged:refund-payment')));
    done(
      await inventory.ReleaseInventory({ orderId: released } as never, options(`${released}:reserve-inventory:undo`)),
    );
    done(await shipping.DispatchShipment({ orderId: sent, returning: false } as never, options()));
    const { checks } = await system.audit();
    const named = (check: string) =>
      checks.find(({ name }) => name === check)?.examples.map(({ subject }) => subject.replace(/^.*:/, ''));
    expect(named('adjustments')).toEqual(expect.arrayContaining(['ann', 'pear']));
    expect(named('decisions')?.sort()).toEqual([refunded, sent].sort());
    expect(named('reservations')).toEqual([released]);
    for (const client of [payment, inventory, shipping]) client.close();
  });
});

describe('T1: a service in clear text beyond this machine', () => {
  it.each(GRPC_SERVICES)('%s ends with 78 before it listens, and says all that is to be set', (name) => {
    const env = {
      DATABASE_URL: 'postgres://u:p@127.0.0.1:1/x',
      HOST: '0.0.0.0',
      INVENTORY_ADDR: 'i:1',
      PAYMENT_ADDR: 'p:1',
      SHIPPING_ADDR: 's:1',
      API_KEYS: 'shop:a-key-of-the-shop',
    };
    const { status, stderr } = spawnSync(process.execPath, [mainOf(name)], { env, encoding: 'utf8', timeout: 60_000 });
    expect([status, stderr]).toEqual([78, expect.stringContaining('ALLOW_PLAINTEXT=true')]);
    expect(stderr).toContain('GRPC_TLS_CERT, GRPC_TLS_KEY, GRPC_TLS_CA');
    expect(stderr.includes('HTTP_TLS_CERT, HTTP_TLS_KEY')).toBe(name === 'orchestrator');
  });
});
