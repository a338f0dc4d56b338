import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { type ChannelCredentials, type ChannelOptions, credentials, experimental } from '@grpc/grpc-js';
import { isLoopback } from '@holdfast/service';
import { Certificates } from './certificates.ts';

/** How a channel proves who we are, and whom it expects at the other end. */
export interface ChannelTls {
  certificates: Certificates;
  /** A name that the server's certificate must carry. */
  serverName: string;
}

/**
 * @param address host:port, dns:///name:port or ipv4:a.b.c.d:port,…
 * @param service its name, which the certificate must carry where the address has no host name
 */
export function channelTls(certificates: Certificates, address: string, service: string): ChannelTls {
  const host = address.replace(/^(dns:\/\/\/|ipv4:)/, '').replace(/:\d+(,.*)?$/, '');
  return { certificates, serverName: isIP(host) !== 0 || isLoopback(host) ? service : host };
}

/** Files that `.holdfast/run.json` names: with them an operator's tool may call the services. */
export interface OperatorFiles {
  ca: string;
  cert: string;
  key: string;
}

/** For a tool of the operator. @param files null where the system speaks in clear text */
export function operatorCertificates(files: OperatorFiles | null): Certificates | undefined {
  if (files === null) return undefined;
  const pem = (path: string) => ({ text: readFileSync(path, 'utf8'), path });
  return new Certificates({ cert: pem(files.cert), key: pem(files.key), ca: pem(files.ca) });
}

/** The same, for calls of one service. */
export function operatorTls(files: OperatorFiles | null, service: string): ChannelTls | undefined {
  const certificates = operatorCertificates(files);
  return certificates && { certificates, serverName: service };
}

/** What a channel is made with. */
export function channelIdentity(tls: ChannelTls | undefined): {
  credentials: ChannelCredentials;
  options: ChannelOptions;
} {
  if (tls === undefined) return { credentials: credentials.createInsecure(), options: {} };
  const { certificates, serverName } = tls;
  return {
    credentials: experimental.createCertificateProviderChannelCredentials(certificates, certificates),
    options: { 'grpc.ssl_target_name_override': serverName },
  };
}
