/*
 * T1  Nobody inside the network is believed without a certificate. Who shows none, or one that no authority of ours has
 *     signed or that has ended, gets no connection. Whose certificate carries no name that is allowed gets
 *     PERMISSION_DENIED for every call and every stream, health checks and reflection too, before a handler hears of it.
 */
import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import {
  experimental,
  ResponderBuilder,
  type Server,
  ServerCredentials,
  ServerInterceptingCall,
  type ServerInterceptor,
  ServerListenerBuilder,
} from '@grpc/grpc-js';
import type { Log } from '@holdfast/service';
import { errorOf, toServiceError } from '../status.ts';
import type { Certificates } from './certificates.ts';
import { namesIn } from './peer-names.ts';
import { Refusals } from './refusals.ts';

export interface ServerTls {
  certificates: Certificates;
  /** Names of which a caller's certificate must carry one; undefined: callers show no certificate. */
  allow: readonly string[] | undefined;
  /** Called for every refused connection and call. */
  onRefused?: (() => void) | undefined;
}

export interface ServerIdentity {
  credentials: ServerCredentials;
  interceptors: ServerInterceptor[];
  /** To be called once the server listens. */
  watch(server: Server): void;
}

/** What a server needs so that only allowed peers are heard; without `tls` it speaks in clear text. */
export function serverIdentity(tls: ServerTls | undefined, log: Log): ServerIdentity {
  if (tls === undefined) return { credentials: ServerCredentials.createInsecure(), interceptors: [], watch() {} };
  const { certificates, allow } = tls;
  const refusals = new Refusals(log, tls.onRefused);
  const trust = allow === undefined ? null : certificates;
  return {
    credentials: experimental.createCertificateProviderServerCredentials(certificates, trust, trust !== null),
    interceptors: allow === undefined ? [] : [onlyAllowed(new Set(allow), refusals)],
    watch: (server) => watchHandshakes(server, refusals),
  };
}

function onlyAllowed(allow: ReadonlySet<string>, refusals: Refusals): ServerInterceptor {
  return (_method, call) => {
    const certificate = call.getAuthContext().sslPeerCertificate;
    const names = certificate === undefined ? [] : namesIn(certificate);
    if (names.some((name) => allow.has(name))) return new ServerInterceptingCall(call);
    refusals.refuse(names.join(', ') || call.getPeer(), 'its certificate carries no name of GRPC_TLS_ALLOW');
    const listener = new ServerListenerBuilder()
      .withOnReceiveMetadata(() => call.sendStatus(toServiceError(errorOf('PEER_NOT_ALLOWED'))))
      .build();
    return new ServerInterceptingCall(call, new ResponderBuilder().withStart((next) => next(listener)).build());
  };
}

/** By the code that OpenSSL or Node gives; another's is said as it is. */
const FAULTS: Record<string, string> = {
  UNSPECIFIED: 'it shows no certificate',
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: 'it shows no certificate',
  CERT_HAS_EXPIRED: 'its certificate has ended',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'no authority of GRPC_TLS_CA has signed its certificate',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'no authority of GRPC_TLS_CA has signed its certificate',
  SELF_SIGNED_CERT_IN_CHAIN: 'no authority of GRPC_TLS_CA has signed its certificate',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'no authority of GRPC_TLS_CA has signed its certificate',
  CERT_SIGNATURE_FAILURE: 'no authority of GRPC_TLS_CA has signed its certificate',
  INVALID_PURPOSE: 'its certificate is not for calling others',
  ERR_SSL_HTTP_REQUEST: 'it speaks in clear text',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it speaks in clear text',
};

type Listening = { http2Servers?: Map<EventEmitter, unknown> };

/** grpc-js tells nobody of a handshake that failed: the servers that it listens with are asked. */
function watchHandshakes(server: Server, refusals: Refusals): void {
  const { http2Servers } = server as unknown as Listening;
  if (http2Servers === undefined || http2Servers.size === 0)
    throw new Error('grpc-js keeps its listening servers elsewhere now: find them, or refused peers are not told');
  const addresses = new WeakMap<Socket, string>();
  for (const listening of http2Servers.keys()) {
    // Noted now: when its handshake has failed, a socket does not know any more whom it was connected to.
    listening.on('connection', (raw: Socket) => addresses.set(raw, raw.remoteAddress ?? ''));
    listening.on('tlsClientError', (error: Error & { code?: string }, socket: TLSSocket & { _parent?: Socket }) => {
      // The code of the certificate's fault; its type says that it is an error, which it is not.
      const fault = (socket.authorizationError as unknown as string | null) ?? error.code;
      // Whoever only looks whether the port is open ends the connection himself.
      if (fault === undefined || fault === 'ECONNRESET') return;
      const address = (socket._parent && addresses.get(socket._parent)) || 'an unknown address';
      refusals.refuse(address.replace(/^::ffff:/, ''), FAULTS[fault] ?? `the handshake failed: ${fault}`);
    });
  }
}
