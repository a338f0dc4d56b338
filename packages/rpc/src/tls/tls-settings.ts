import { boolean, type Config, isLoopback, nameList, optional, type Pem, pem } from '@holdfast/service';
import { certificateFault } from './certificates.ts';

/** The settings of every service that speaks gRPC. */
export const tlsSettings = () => ({
  /** The service's own certificate, shown to its callers and to those that it calls; files are read again when they change. */
  GRPC_TLS_CERT: optional(pem('the certificate of this service'), undefined),
  GRPC_TLS_KEY: optional(pem('the key of this service’s certificate'), undefined),
  /** Those who sign the certificates of the other services. */
  GRPC_TLS_CA: optional(pem('the certificates of the authorities that are believed'), undefined),
  /** Whose calls are taken: a name in the caller's certificate must be one of these. */
  GRPC_TLS_ALLOW: optional(nameList(), undefined),
  /** `true`: may listen beyond loopback in clear text. */
  ALLOW_PLAINTEXT: optional(boolean(), false),
});

export type TlsSettings = Config<ReturnType<typeof tlsSettings>>;
type Read = Partial<TlsSettings & { HOST: string }>;

/**
 * What is wrong with the settings together.
 * @param callers `certified`: they must show a certificate of an allowed name; `keyed`: they show an API key, and a
 *   certificate only where GRPC_TLS_ALLOW is set
 */
export function tlsFaults(read: Read, callers: 'certified' | 'keyed'): string[] {
  const needed = ['GRPC_TLS_CERT', 'GRPC_TLS_KEY', 'GRPC_TLS_CA', ...(callers === 'certified' ? ALLOW : [])] as const;
  // What is wrong by itself has been said.
  if ([...needed, ...ALLOW, 'HOST' as const].some((name) => !Object.hasOwn(read, name))) return [];
  const isSet = [...needed, ...ALLOW].some((name) => read[name] !== undefined);
  if (!isSet) return clearTextFaults(read, 'gRPC', needed);
  const missing = needed.filter((name) => read[name] === undefined);
  if (missing.length > 0) return missing.map((name) => `${name}: missing; expected all of ${needed.join(', ')}`);
  return pairFaults(
    'GRPC_TLS_CERT, GRPC_TLS_KEY, GRPC_TLS_CA',
    read.GRPC_TLS_CERT,
    read.GRPC_TLS_KEY,
    read.GRPC_TLS_CA,
  );
}

const ALLOW = ['GRPC_TLS_ALLOW'] as const;

/** What is wrong when a service would listen in clear text at `HOST`. */
export function clearTextFaults(
  { HOST = '', ALLOW_PLAINTEXT }: Read,
  what: string,
  needed: readonly string[],
): string[] {
  if (isLoopback(HOST) || ALLOW_PLAINTEXT !== false) return [];
  return [
    `${needed.join(', ')}: missing; ${what} would be in clear text beyond this machine (HOST is ${HOST}). ` +
      'Set them, or ALLOW_PLAINTEXT=true where something else protects the network',
  ];
}

export function pairFaults(names: string, cert: Pem | undefined, key: Pem | undefined, ca: Pem | undefined): string[] {
  if (cert === undefined || key === undefined) return [];
  const fault = certificateFault({ cert: cert.text, key: key.text, ca: ca?.text });
  return fault === undefined ? [] : [`${names}: ${fault}`];
}
