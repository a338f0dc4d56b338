import { Metadata, type Responder, type ServerInterceptingCallInterface, status } from '@grpc/grpc-js';

/** A status as a handler sends it. */
export type AnsweredStatus = Parameters<ServerInterceptingCallInterface['sendStatus']>[0];

/** What a handler has answered with, before anybody hears it. */
export type HandlerResponse = { kind: 'message'; message: unknown } | { kind: 'status'; status: AnsweredStatus };

export interface HeldResponse {
  /** For the intercepting call: keeps back what the handler sends. */
  responder: Pick<Responder, 'sendMetadata' | 'sendMessage' | 'sendStatus'>;
  response: Promise<HandlerResponse>;
  /** Lets the handler's own response go, its message as the bytes that were stored. */
  release(bytes: Buffer): void;
  /** Sends a stored message to a duplicate, whose handler never started. */
  replay(call: ServerInterceptingCallInterface, bytes: Buffer): void;
}

const REPLAYED = 'idempotent-replayed';

/** Holds a unary handler's metadata, message and status back until its transaction has committed (K1). */
export function heldResponse(): HeldResponse {
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
        // After a message that was let go, this is its OK; otherwise an error, which is for the transaction to decide on.
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
