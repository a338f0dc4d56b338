import type { PemPair } from '@holdfast/certificates';
import { loadConfig, optional, text } from '@holdfast/service';
import { beforeAll, describe, expect, it } from 'vitest';
import { issue, newAuthority } from '../../test/test-tls.ts';
import { tlsFaults, tlsSettings } from './tls-settings.ts';

const SPEC = { HOST: optional(text('an address'), '127.0.0.1'), ...tlsSettings() };
let ca: string;
let own: PemPair;
let other: PemPair;
beforeAll(async () => {
  const authority = await newAuthority();
  ca = authority.cert;
  [own, other] = await Promise.all([issue(authority, 'inventory'), issue(authority, 'payment')]);
});

function faultsOf(env: Record<string, string>, callers: 'certified' | 'keyed' = 'certified'): string[] {
  try {
    loadConfig(SPEC, env, (read) => tlsFaults(read, callers));
    return [];
  } catch (error) {
    return (error as { faults: string[] }).faults;
  }
}

const all = () => ({
  HOST: '0.0.0.0',
  GRPC_TLS_CERT: own.cert,
  GRPC_TLS_KEY: own.key,
  GRPC_TLS_CA: ca,
  GRPC_TLS_ALLOW: 'orchestrator, spiffe://shop/orchestrator',
});
const without = (...names: string[]) =>
  Object.fromEntries(Object.entries(all()).filter(([name]) => !names.includes(name)));

describe('T1: the settings of a service', () => {
  it('are right with all that mutual TLS needs, and with nothing of it on loopback', () => {
    expect(faultsOf(all())).toEqual([]);
    for (const HOST of ['127.0.0.1', 'localhost', '::1', '127.8.8.8']) expect(faultsOf({ HOST }), HOST).toEqual([]);
  });

  it.each(['0.0.0.0', '::', '10.0.0.1', 'inventory', '127.0.0.1.example.org', 'localhost.example.org'])(
    'do not let it listen at %s in clear text, unless that is asked for',
    (HOST) => {
      expect(faultsOf({ HOST })).toEqual([expect.stringMatching(/^GRPC_TLS_CERT, .*ALLOW_PLAINTEXT=true/)]);
      expect(faultsOf({ HOST, ALLOW_PLAINTEXT: 'false' })).toHaveLength(1);
      expect(faultsOf({ HOST, ALLOW_PLAINTEXT: 'true' })).toEqual([]);
    },
  );

  it('are all named that are missing, also where clear text is allowed', () => {
    const some = { ...without('GRPC_TLS_KEY', 'GRPC_TLS_ALLOW'), ALLOW_PLAINTEXT: 'true' };
    expect(faultsOf(some)).toEqual([
      expect.stringMatching(/^GRPC_TLS_KEY: missing/),
      expect.stringMatching(/^GRPC_TLS_ALLOW: missing/),
    ]);
  });

  it('are refused when certificate and key do not belong together, or are none', () => {
    expect(faultsOf({ ...all(), GRPC_TLS_KEY: other.key })).toEqual([expect.stringContaining('belong together')]);
    expect(faultsOf({ ...all(), GRPC_TLS_KEY: own.cert })).toEqual([expect.stringContaining('key can’t be read')]);
    expect(faultsOf({ ...all(), GRPC_TLS_CA: own.key })).toEqual([
      expect.stringContaining('authorities can’t be read'),
    ]);
    expect(faultsOf({ ...all(), GRPC_TLS_CERT: 'none' })).toEqual([expect.stringMatching(/^GRPC_TLS_CERT: malformed/)]);
    expect(faultsOf({ ...all(), GRPC_TLS_ALLOW: 'a b' })).toEqual([
      expect.stringMatching(/^GRPC_TLS_ALLOW: malformed/),
    ]);
  });

  it('let a service whose callers show API keys do without a list of names', () => {
    expect(faultsOf(without('GRPC_TLS_ALLOW'), 'keyed')).toEqual([]);
    expect(faultsOf(without('GRPC_TLS_CA'), 'keyed')).toEqual([expect.stringMatching(/^GRPC_TLS_CA: missing/)]);
  });
});
