// What is below asks for it as soon as it is loaded.
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';

/** A certificate and its key, as PEM. */
export interface PemPair {
  cert: string;
  key: string;
}

/** Issues certificates. */
export interface Authority extends PemPair {
  certificate: X509Certificate;
  signingKey: webcrypto.CryptoKey;
}

export interface Validity {
  notBefore: Date;
  notAfter: Date;
}

export interface CertificateRequest extends Validity {
  /** Its holder: the subject, and the first of its names. */
  name: string;
  /** Host names and addresses beside the holder's own name. */
  otherNames?: readonly string[];
  /** `server`: others may call the holder. `client`: the holder may call others. */
  use: readonly ('server' | 'client')[];
  /** Of an RSA key; without it the key is on the curve P-256. */
  rsaBits?: number;
}

const SIGNING = { name: 'ECDSA', hash: 'SHA-256' };
const KEYS = { name: 'ECDSA', namedCurve: 'P-256' };
const CAN_SIGN = KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign;
const PURPOSE = { server: ExtendedKeyUsage.serverAuth, client: ExtendedKeyUsage.clientAuth };
const IP_ADDRESS = /^[\d.]+$|:/;

/** A new authority, which signs itself. */
export async function makeAuthority(name: string, { notBefore, notAfter }: Validity): Promise<Authority> {
  const keys = await newKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: [{ CN: [name] }],
    notBefore,
    notAfter,
    keys,
    signingAlgorithm: SIGNING,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(CAN_SIGN, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate, signingKey: keys.privateKey, cert: pemOf(certificate), key: await keyPem(keys.privateKey) };
}

/** A key and a certificate for one holder. */
export async function issueCertificate(authority: Authority, request: CertificateRequest): Promise<PemPair> {
  const { name, otherNames = [], use, notBefore, notAfter, rsaBits } = request;
  const keys = await newKeys(rsaBits);
  const certificate = await X509CertificateGenerator.create({
    subject: [{ CN: [name] }],
    issuer: authority.certificate.subject,
    notBefore,
    notAfter,
    publicKey: keys.publicKey,
    signingKey: authority.signingKey,
    signingAlgorithm: SIGNING,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension(use.map((one) => PURPOSE[one])),
      new SubjectAlternativeNameExtension([name, ...otherNames].map(generalName)),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      await AuthorityKeyIdentifierExtension.create(authority.certificate.publicKey),
    ],
  });
  return { cert: pemOf(certificate), key: await keyPem(keys.privateKey) };
}

/** An authority that was kept as PEM, ready to sign. @throws Error when it is none */
export async function authorityOf({ cert, key }: PemPair): Promise<Authority> {
  const [der = new ArrayBuffer(0)] = PemConverter.decode(key);
  const signingKey = await webcrypto.subtle.importKey('pkcs8', der, KEYS, true, ['sign']);
  return { cert, key, certificate: new X509Certificate(cert), signingKey };
}

function generalName(value: string): { type: 'dns' | 'ip' | 'url'; value: string } {
  if (value.includes('://')) return { type: 'url', value };
  return { type: IP_ADDRESS.test(value) ? 'ip' : 'dns', value };
}

async function newKeys(rsaBits?: number): Promise<webcrypto.CryptoKeyPair> {
  if (rsaBits !== undefined) {
    const keys = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', publicExponent: new Uint8Array([1, 0, 1]) };
    return await webcrypto.subtle.generateKey({ ...keys, modulusLength: rsaBits }, true, ['sign', 'verify']);
  }
  return await webcrypto.subtle.generateKey(KEYS, true, ['sign', 'verify']);
}

const pemOf = (certificate: X509Certificate): string => `${certificate.toString('pem')}\n`;

async function keyPem(key: webcrypto.CryptoKey): Promise<string> {
  return `${PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), PemConverter.PrivateKeyTag)}\n`;
}
