import { Metadata, type Responder, type ServerInterceptingCallInterface, status } from '@grpc/grpc-js';
import { REPLAYED } from '../rpc/key-errors.ts';

/** A status as a handler sends it. */
export type AnsweredStatus = Parameters<ServerInterceptingCallInterface['sendStatus']>[0];

/** A handler's answer before it is sent. */
export type HandlerResponse = { kind: 'message'; message: unknown } | { kind: 'status'; status: AnsweredStatus };

export interface BufferedResponse {
  /** For the intercepting call: buffers what the handler sends. */
  responder: Pick<Responder, 'sendMetadata' | 'sendMessage' | 'sendStatus'>;
  response: Promise<HandlerResponse>;
  /** Sends the handler's own response, its message as the bytes that were stored. */
  release(bytes: Buffer): void;
  /** Sends a stored message to a duplicate, whose handler never started. */
  replay(call: ServerInterceptingCallInterface, bytes: Buffer): void;
}

/** Buffers a unary handler's metadata, message and status until its transaction has committed (K1). */
export function bufferedResponse(): BufferedResponse {
  const { promise, resolve } = Promise.withResolvers<HandlerResponse>();
  let passMetadata: (() => void) | undefined;
  let passMessage: ((bytes: Buffer) => void) | undefined;
  let released = false;
  return {
    response: promise,
    responder: {
      sendMetadata(metadata, pass) {
        passMetadata = () => pass(metadata);
      },
      sendMessage(message, pass) {
        passMessage = pass;
        resolve({ kind: 'message', message });
      },
      sendStatus(answered, pass) {
        // After a released message this is its OK; otherwise an error, which the transaction decides on.
        if (released) pass({ ...answered, metadata: marked(answered.metadata ?? undefined, false) });
        else resolve({ kind: 'status', status: answered });
      },
    },
    release(bytes) {
      released = true;
      passMetadata?.();
      passMessage?.(bytes);
    },
    replay(call, bytes) {
      call.sendMessage(bytes, () =>
        call.sendStatus({ code: status.OK, details: 'OK', metadata: marked(undefined, true) }),
      );
    },
  };
}

function marked(metadata: Metadata | undefined, replayed: boolean): Metadata {
  const trailers = metadata?.clone() ?? new Metadata();
  trailers.set(REPLAYED, String(replayed));
  return trailers;
}
