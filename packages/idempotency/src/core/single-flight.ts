/*
 * The calls that run in this process now, by key. Duplicates wait for them here, in memory.
 *
 * K7  A waiting duplicate has neither a lock nor a connection. Beyond `maxWaiting`, a duplicate returns at once.
 * K2  Only a shortcut: across processes, and after a restart, the claim's row decides. An outcome is shared with the same request
 *     only, and with the same epoch (K4). Another request is compared with what the key was claimed for, never with an earlier
 *     request that may yet lose the key.
 */
import { withDeadline } from '@holdfast/resilience';
import { callId } from './answer-cache.ts';
import { isSameRequest, type SentRequest, type StoredRequest } from './same-request.ts';

export interface FlightCall extends SentRequest {
  tenantId: string;
  key: string;
  fence?: { epoch: number };
}

/** The request that a key was claimed for, as its claim's row says or will say. */
export interface ClaimedRequest extends StoredRequest {
  readonly members: Record<string, string> | null;
  createdAt?: Date;
}

export interface Flight<Outcome> {
  readonly call: FlightCall;
  /** The request that the key was claimed for, as soon as that is sure. */
  readonly claimedFor: ClaimedRequest | undefined;
  /** Resolves when `claimedFor` is known, and when the flight has ended. */
  readonly claimed: Promise<void>;
  /** How it ended; undefined when it threw. Never rejects. */
  readonly ended: Promise<Outcome | undefined>;
}

export interface SingleFlight {
  /** What runs under the call's key. */
  of<Outcome>(call: FlightCall): Flight<Outcome> | undefined;
  /**
   * Runs `work`; others find it meanwhile. Nothing may run under the key yet.
   * @param work calls `claimed` as soon as it is sure what the key stands for
   */
  run<Outcome>(
    call: FlightCall,
    work: (claimed: (request: ClaimedRequest) => void) => Promise<Outcome>,
  ): Promise<Outcome>;
  /** Waits for `promise`, no longer than `ms`, and not beyond `signal`. */
  wait<T>(promise: Promise<T>, ms: number, signal?: AbortSignal): Promise<T | 'late'>;
  /** Whether one more would not wait at all. */
  readonly isFull: boolean;
}

const MAX_WAITING = 10_000;

export function createSingleFlight({
  maxWaiting = MAX_WAITING,
}: {
  maxWaiting?: number | undefined;
} = {}): SingleFlight {
  const flights = new Map<string, Flight<unknown>>();
  let waiting = 0;
  return {
    of: <Outcome>(call: FlightCall) => flights.get(callId(call)) as Flight<Outcome> | undefined,
    get isFull() {
      return waiting >= maxWaiting;
    },
    async run<Outcome>(call: FlightCall, work: (claimed: (request: ClaimedRequest) => void) => Promise<Outcome>) {
      const id = callId(call);
      const [claimed, ended] = [Promise.withResolvers<void>(), Promise.withResolvers<Outcome | undefined>()];
      const flight = {
        call,
        claimedFor: undefined as ClaimedRequest | undefined,
        claimed: claimed.promise,
        ended: ended.promise,
      };
      flights.set(id, flight);
      let outcome: Outcome | undefined;
      try {
        outcome = await work((request) => {
          flight.claimedFor = request;
          claimed.resolve();
        });
        return outcome;
      } finally {
        flights.delete(id);
        ended.resolve(outcome);
        claimed.resolve();
      }
    },
    async wait(promise, ms, signal) {
      if (ms <= 0 || waiting >= maxWaiting || signal?.aborted) return await Promise.race([promise, LATE]);
      waiting += 1;
      try {
        const waited = await withDeadline(ms, promise, signal);
        return waited.kind === 'late' ? 'late' : waited.value;
      } finally {
        waiting -= 1;
      }
    },
  };
}

/** Whether both calls must have the same outcome. */
export function isSameCall(call: FlightCall, other: FlightCall): boolean {
  const { operation, fingerprint } = call;
  return (
    isSameRequest({ operation, fingerprint: fingerprint.digest }, other) && call.fence?.epoch === other.fence?.epoch
  );
}

const LATE = Promise.resolve('late' as const);
