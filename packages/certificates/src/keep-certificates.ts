/*
 * An authority and certificates for a system on one machine, kept in a folder from start to start: nobody has to make
 * any by hand, and what is tried out speaks as what is deployed. In production the operator's own authority issues them.
 *
 *   <folder>/authority/tls.crt, tls.key     signs the others; no service reads its key
 *   <folder>/<holder>/tls.crt, tls.key, ca.crt
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Authority,
  authorityOf,
  type CertificateRequest,
  issueCertificate,
  makeAuthority,
  type PemPair,
} from './authority.ts';

/** Who gets a certificate, and for what. */
export type Holder = Pick<CertificateRequest, 'name' | 'otherNames' | 'use'>;

/** Paths of PEM files. */
export interface CertificateFiles {
  ca: string;
  cert: string;
  key: string;
}

const THIS_MACHINE = ['localhost', '127.0.0.1', '::1'];

/** The services of a system, and its operator, who may call them. */
export const LOCAL_HOLDERS: readonly Holder[] = [
  { name: 'orchestrator', otherNames: THIS_MACHINE, use: ['server', 'client'] },
  { name: 'inventory', otherNames: THIS_MACHINE, use: ['server'] },
  { name: 'payment', otherNames: THIS_MACHINE, use: ['server'] },
  { name: 'shipping', otherNames: THIS_MACHINE, use: ['server'] },
  { name: 'operator', use: ['client'] },
];

const DAY_MS = 86_400_000;
const AUTHORITY_MS = 3_650 * DAY_MS;
const VALID_MS = 365 * DAY_MS;
/** What ends sooner is made anew. */
const RENEWED_BEFORE_MS = 30 * DAY_MS;
/** Another machine's clock may be a little behind. */
const EARLIER_MS = 3_600_000;

/**
 * Makes what is missing, has ended or ends within a month, and leaves the rest as it is.
 * @returns where each holder's files are, by its name
 */
export async function keepCertificates(
  folder: string,
  holders: readonly Holder[],
  now: Date,
): Promise<Record<string, CertificateFiles>> {
  const authority = (await keptAuthority(join(folder, 'authority'), now)) ?? (await newAuthority(folder, now));
  const files: Record<string, CertificateFiles> = {};
  for (const holder of holders) {
    const own = join(folder, holder.name);
    if (!isKept(own, authority, holder, now)) {
      const issued = await issueCertificate(authority, { ...holder, ...validity(now, VALID_MS) });
      write(own, 'ca.crt', authority.cert);
      writePair(own, issued);
    }
    files[holder.name] = { ca: join(own, 'ca.crt'), cert: join(own, 'tls.crt'), key: join(own, 'tls.key') };
  }
  return files;
}

async function keptAuthority(folder: string, now: Date): Promise<Authority | undefined> {
  const pair = readPair(folder);
  if (pair === undefined || endsSoon(pair, now)) return undefined;
  return await authorityOf(pair);
}

async function newAuthority(folder: string, now: Date): Promise<Authority> {
  const authority = await makeAuthority('Holdfast on this machine', validity(now, AUTHORITY_MS));
  writePair(join(folder, 'authority'), authority);
  return authority;
}

function validity(now: Date, forMs: number) {
  return { notBefore: new Date(now.getTime() - EARLIER_MS), notAfter: new Date(now.getTime() + forMs) };
}

function isKept(folder: string, authority: Authority, holder: Holder, now: Date): boolean {
  const pair = readPair(folder);
  if (pair === undefined || read(folder, 'ca.crt') !== authority.cert || endsSoon(pair, now)) return false;
  const certificate = new X509Certificate(pair.cert);
  const names = [holder.name, ...(holder.otherNames ?? [])];
  return (
    certificate.verify(new X509Certificate(authority.cert).publicKey) &&
    names.every((name) => certificate.checkHost(name) !== undefined || certificate.checkIP(name) !== undefined)
  );
}

function endsSoon({ cert }: PemPair, now: Date): boolean {
  return new X509Certificate(cert).validToDate.getTime() - now.getTime() < RENEWED_BEFORE_MS;
}

/** @returns undefined where there is none, or none that can be used: a new one takes its place */
function readPair(folder: string): PemPair | undefined {
  const [cert, key] = [read(folder, 'tls.crt'), read(folder, 'tls.key')];
  if (cert === undefined || key === undefined) return undefined;
  try {
    return new X509Certificate(cert).checkPrivateKey(createPrivateKey(key)) ? { cert, key } : undefined;
  } catch {
    return undefined;
  }
}

function read(folder: string, file: string): string | undefined {
  try {
    return readFileSync(join(folder, file), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function writePair(folder: string, { cert, key }: PemPair): void {
  write(folder, 'tls.key', key);
  // crash here: the key fits no certificate, and the next start makes both anew.
  write(folder, 'tls.crt', cert);
}

/** In one step, and for its owner only: who reads it finds the old file or the new one, whole. */
function write(folder: string, file: string, text: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const partial = join(folder, `.${file}.${process.pid}`);
  writeFileSync(partial, text, { mode: 0o600 });
  renameSync(partial, join(folder, file));
}
