import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keepCertificates, LOCAL_HOLDERS } from './keep-certificates.ts';

const NOW = new Date('2026-06-01T00:00:00Z');
const inDays = (days: number) => new Date(NOW.getTime() + days * 86_400_000);
const HOLDERS = LOCAL_HOLDERS.slice(0, 2);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-certificates-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const keep = (now = NOW) => keepCertificates(folder, HOLDERS, now);
const read = (name: string, file = 'tls.crt') => readFileSync(join(folder, name, file), 'utf8');
const certificateOf = (name: string) => new X509Certificate(read(name));

describe('certificates for this machine', () => {
  it('are signed by one authority, name their holder, and let it do what it is for', async () => {
    await keep();
    const authority = certificateOf('authority');
    expect(authority.ca).toBe(true);
    for (const { name, use } of HOLDERS) {
      const certificate = certificateOf(name);
      expect(certificate.checkIssued(authority) && certificate.verify(authority.publicKey), name).toBe(true);
      expect([
        certificate.checkHost(name),
        certificate.checkHost('localhost'),
        certificate.checkIP('127.0.0.1'),
      ]).toEqual([name, 'localhost', '127.0.0.1']);
      expect(certificate.keyUsage).toHaveLength(use.length);
      expect(read(name, 'ca.crt')).toBe(read('authority'));
    }
  });

  it('can be read by their owner alone', async () => {
    const files = await keep();
    for (const path of [...Object.values(files.orchestrator ?? {}), join(folder, 'authority/tls.key')]) {
      expect(statSync(path).mode & 0o777, path).toBe(0o600);
    }
  });

  it('stay as they are until a month before their end, and are made anew then, by the same authority', async () => {
    await keep();
    const [before, authority] = [read('orchestrator'), read('authority')];
    await keep(inDays(330));
    expect(read('orchestrator')).toBe(before);
    await keep(inDays(340));
    expect(read('orchestrator')).not.toBe(before);
    expect(read('authority')).toBe(authority);
  });

  it('are made anew where one is missing, broken, or of an authority that is gone', async () => {
    await keep();
    const [orchestrator, inventory] = [read('orchestrator'), read('inventory')];
    truncateSync(join(folder, 'inventory/tls.crt'), 100);
    await keep();
    expect(certificateOf('inventory').checkHost('inventory')).toBe('inventory');
    expect([read('orchestrator') === orchestrator, read('inventory') === inventory]).toEqual([true, false]);
    rmSync(join(folder, 'authority'), { recursive: true });
    await keep();
    expect(read('orchestrator')).not.toBe(orchestrator);
    expect(certificateOf('orchestrator').verify(certificateOf('authority').publicKey)).toBe(true);
  });
});
