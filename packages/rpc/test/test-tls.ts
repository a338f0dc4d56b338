import { type Authority, type CertificateRequest, issueCertificate, makeAuthority } from '@holdfast/certificates';
import type { Log, Pem } from '@holdfast/service';
import { Certificates } from '../src/index.ts';

const DAY_MS = 86_400_000;
const from = (days: number) => new Date(Date.now() + days * DAY_MS);

export const pem = (text: string, path?: string): Pem => ({ text, path });
export const newAuthority = () => makeAuthority('Test', { notBefore: from(-30), notAfter: from(30) });

/** A certificate of `authority` for `name`; `trust`: whom its holder believes, by default the same. */
export async function certificates(
  authority: Authority,
  name: string,
  { trust = authority, ...request }: Partial<CertificateRequest> & { trust?: Authority } = {},
): Promise<Certificates> {
  const { cert, key } = await issue(authority, name, request);
  return new Certificates({ cert: pem(cert), key: pem(key), ca: pem(trust.cert) });
}

export function issue(authority: Authority, name: string, request: Partial<CertificateRequest> = {}) {
  return issueCertificate(authority, {
    name,
    use: ['server', 'client'],
    notBefore: from(-2),
    notAfter: from(1),
    ...request,
  });
}

export const ended = { notBefore: from(-2), notAfter: from(-1) };

export interface Told {
  level: 'info' | 'warn' | 'error';
  about: Record<string, unknown>;
  message: string;
}

/** A log whose lines can be read. */
export function readableLog(): { log: Log; told: Told[] } {
  const told: Told[] = [];
  const at = (level: Told['level']) => (about: Told['about'], message: string) => told.push({ level, about, message });
  return { log: { info: at('info'), warn: at('warn'), error: at('error') } as unknown as Log, told };
}
