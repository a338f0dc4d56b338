import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Authority, PemPair } from '@holdfast/certificates';
import { createLog } from '@holdfast/service';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { certificates, ended, issue, newAuthority, pem, readableLog, type Told } from '../../test/test-tls.ts';
import { createClient } from '../client.ts';
import { services } from '../protos.ts';
import { service, startServer } from '../server.ts';
import { Certificates, certificateFault } from './certificates.ts';

let authority: Authority;
let pairs: PemPair[];
let folder: string;
let told: Told[];
let watched: Certificates;

beforeAll(async () => {
  authority = await newAuthority();
  pairs = await Promise.all([1, 2].map(() => issue(authority, 'inventory')));
});
const [first, second] = [() => pairs[0] as PemPair, () => pairs[1] as PemPair];
const put = (file: string, text: string) => writeFileSync(join(folder, file), text);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-tls-'));
  put('tls.crt', first().cert);
  put('tls.key', first().key);
  put('ca.crt', authority.cert);
  const { log, told: lines } = readableLog();
  told = lines;
  const at = (file: string, text: string) => pem(text, join(folder, file));
  const sources = {
    cert: at('tls.crt', first().cert),
    key: at('tls.key', first().key),
    ca: at('ca.crt', authority.cert),
  };
  // It looks when the test says so.
  watched = new Certificates(sources, log, 3_600_000);
});
afterEach(() => {
  watched.stop();
  rmSync(folder, { recursive: true });
});

describe('certificates in files', () => {
  it('are used as soon as both files are new, and not while only one of them is', async () => {
    const heard: string[] = [];
    watched.onChange(() => heard.push(watched.texts.cert));
    put('tls.key', second().key);
    await watched.look();
    await watched.look();
    expect(watched.texts).toMatchObject(first());
    put('tls.crt', second().cert);
    await watched.look();
    expect(watched.texts).toMatchObject(second());
    expect(heard).toEqual([second().cert]);
    expect(told.map(({ level }) => level)).toEqual(['warn', 'info']);
    expect(told[0]?.about.fault).toContain('belong together');
  });

  it.each([
    ['is gone', () => rmSync(join(folder, 'ca.crt')), 'ENOENT'],
    ['holds something else', () => put('ca.crt', 'not a certificate'), 'authorities can’t be read'],
  ])('are used as they were when a file %s, which is said once', async (_what, harm, said) => {
    harm();
    await watched.look();
    await watched.look();
    expect(watched.texts).toEqual({ ...first(), ca: authority.cert });
    expect(told).toHaveLength(1);
    expect(told[0]?.about.fault).toContain(said);
  });

  it.each([
    ['tls.crt', 'chain can’t be read'],
    ['ca.crt', 'authorities can’t be read'],
  ])('are used as they were while a second block of %s is half written', async (file, said) => {
    const [whole, next] = file === 'tls.crt' ? [first().cert, second().cert] : [authority.cert, authority.cert];
    put(file, `${whole}${next.slice(0, next.length / 2)}`);
    await watched.look();
    await watched.look();
    expect(watched.texts).toEqual({ ...first(), ca: authority.cert });
    expect(told.map(({ about }) => about.fault)).toEqual([expect.stringContaining(said)]);
  });

  it('are used as they were when OpenSSL alone refuses the new ones', async () => {
    const weak = await issue(authority, 'inventory', { rsaBits: 1_024 });
    put('tls.key', weak.key);
    put('tls.crt', weak.cert);
    await watched.look();
    expect(watched.texts).toEqual({ ...first(), ca: authority.cert });
    expect(told.map(({ about }) => about.fault)).toEqual([expect.stringContaining('OpenSSL refuses')]);
  });

  it('that end with a line feed, which a setting is read without, are no others than at the start', async () => {
    const bare = (text: string) => text.replace(/\r?\n$/, '');
    const at = (file: string, text: string) => pem(bare(text), join(folder, file));
    const { log, told: lines } = readableLog();
    for (const [file, text] of [
      ['tls.crt', first().cert],
      ['tls.key', first().key],
      ['ca.crt', authority.cert],
    ] as const)
      put(file, `${bare(text)}\n`);
    const sources = {
      cert: at('tls.crt', first().cert),
      key: at('tls.key', first().key),
      ca: at('ca.crt', authority.cert),
    };
    const started = new Certificates(sources, log, 3_600_000);
    await started.look();
    expect(lines).toEqual([]);
    started.stop();
  });

  it('never show a part of a key in what is said of them', () => {
    const text = `-----BEGIN PRIVATE KEY-----\n${'c2VjcmV0'.repeat(9)}\n-----END PRIVATE KEY-----`;
    expect(certificateFault({ ...first(), key: text, ca: undefined })).toMatch(/^the key can’t be read/);
  });

  it('that have ended are said to have, at the start and when they are read again', async () => {
    const over = await issue(authority, 'inventory', ended);
    put('tls.key', over.key);
    put('tls.crt', over.cert);
    await watched.look();
    expect(told.at(-1)).toMatchObject({ level: 'error', message: expect.stringContaining('has ended') });
  });
});

describe('T1: while calls go on', () => {
  it('both ends can change to certificates of another authority, and no call fails', async () => {
    const next = await newAuthority();
    const both = `${authority.cert}${next.cert}`;
    const log = createLog('test', 'silent');
    const nothing = () => Promise.reject(new Error('not part of this test'));
    const held = Promise.withResolvers<void>();
    const handlers = {
      ReserveInventory: nothing,
      ReleaseInventory: nothing,
      ReserveRestock: nothing,
      ReleaseRestock: nothing,
      Restock: nothing,
      GetStep: nothing,
      PutStock: nothing,
      AdjustStock: nothing,
      async GetStock({ sku }: { sku: string }) {
        if (sku === 'slow') await held.promise;
        return { kind: 'completed' as const, message: { stock: { sku } } };
      },
    };
    const caller = await mkCaller(both);
    const server = await startServer({
      host: '127.0.0.1',
      port: 0,
      services: [service(services.inventory, handlers)],
      log,
      tls: { certificates: watched, allow: ['orchestrator'] },
      translate: () => undefined,
    });
    const to = `127.0.0.1:${server.port}`;
    const open = createClient(services.inventory, to, { certificates: caller, serverName: 'inventory' });
    const ask = (sku: string, client = open) => client.GetStock({ sku }, { timeoutMs: 10_000 });
    const slow = ask('slow');
    expect(await ask('tea')).toMatchObject({ kind: 'completed' });

    const renewed = await issue(next, 'inventory');
    put('ca.crt', both);
    put('tls.key', renewed.key);
    put('tls.crt', renewed.cert);
    await watched.look();
    // The open connection goes on, and a new one meets the new certificate.
    expect(await ask('tea')).toMatchObject({ kind: 'completed' });
    const anew = createClient(services.inventory, to, {
      certificates: await certificates(next, 'orchestrator'),
      serverName: 'inventory',
    });
    expect(await ask('tea', anew)).toMatchObject({ kind: 'completed' });
    held.resolve();
    expect(await slow).toMatchObject({ kind: 'completed', message: { stock: { sku: 'slow' } } });
    const old = createClient(services.inventory, to, {
      certificates: await certificates(authority, 'orchestrator'),
      serverName: 'inventory',
    });
    expect(await ask('tea', old)).toMatchObject({ kind: 'error', reason: 'UNAVAILABLE' });
    for (const client of [open, anew, old]) client.close();
    await server.stop(1_000);
  });
});

async function mkCaller(trust: string): Promise<Certificates> {
  const { cert, key } = await issue(authority, 'orchestrator');
  return new Certificates({ cert: pem(cert), key: pem(key), ca: pem(trust) });
}
