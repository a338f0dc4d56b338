/*
 * Running a call once, whatever repeats it: the states that a keyed call goes through, for every kind of call.
 *
 *   in flight here ── the same request: shares what comes of it; another: refused, as soon as it is sure what the key stands for
 *   known          ── answered ahead of the database, or known to be open elsewhere
 *   neither        ── an attempt: it claims the key and runs, or finds what the key stands for
 *   in progress    ── elsewhere: waits until that may have changed, and looks again
 *
 * K2  The attempt decides, by the claim's row; everything before it only saves asking the row.
 * K6  What is known ahead may be empty, or out of reach: then the attempt decides.
 * K7  Who waits holds neither a lock nor a connection, for as long as the call may wait at most.
 */

import { isSameRequest } from './same-request.ts';
import { type FlightCall, type Flights, isSameCall, type Stands } from './single-flight.ts';

export interface OnceCall extends FlightCall {
  /** How long it may wait for the one that runs (G5). */
  waitMs: number;
  /** Aborted when the caller hangs up: it waits no longer. */
  signal?: AbortSignal;
}

/** What a kind of call does in each state. */
export interface OncePorts<Outcome extends { kind: string }> {
  /** What is known ahead of the database: an answer, or that the key is in progress. */
  recall?: () => Outcome | undefined | Promise<Outcome | undefined>;
  /**
   * Claims the key and runs, or says what the key stands for.
   * @param claimed called as soon as that is sure, when the attempt goes on after it
   */
  attempt: (claimed: (stands: Stands) => void) => Promise<Outcome>;
  /** What the same call gets of an attempt that was not its own; undefined: it makes its own. */
  share: (outcome: Outcome) => Outcome | undefined;
  /** The key stands for another request. */
  reused: (stands: Stands) => Outcome | Promise<Outcome>;
  /** The call has waited enough. */
  inProgress: (stands: Stands | undefined) => Outcome;
  /** Returns when the key may have been settled elsewhere, after `ms` at most: with the outcome, or undefined to look again. */
  waitElsewhere: (ms: number, inProgress: Outcome) => Promise<Outcome | undefined>;
  /** How long even a call that would not wait waits for what the key stands for: one statement's time, and some. */
  claimMs?: number;
}

/** @throws what the attempt throws */
export async function runOnce<Outcome extends { kind: string }>(
  flights: Flights,
  call: OnceCall,
  ports: OncePorts<Outcome>,
): Promise<Outcome> {
  const deadlineAtMs = performance.now() + call.waitMs;
  for (;;) {
    const outcome = await look(flights, call, ports, deadlineAtMs);
    if (outcome === undefined) continue;
    const leftMs = deadlineAtMs - performance.now();
    if (outcome.kind !== 'in_progress' || leftMs <= 0 || flights.areFull || call.signal?.aborted) return outcome;
    const waited = await ports.waitElsewhere(leftMs, outcome);
    if (waited !== undefined) return waited;
  }
}

/** @returns undefined when an attempt of somebody else has ended that says nothing about this call */
async function look<Outcome extends { kind: string }>(
  flights: Flights,
  call: OnceCall,
  ports: OncePorts<Outcome>,
  deadlineAtMs: number,
): Promise<Outcome | undefined> {
  if (flights.of(call) !== undefined) return await join(flights, call, ports, deadlineAtMs);
  const known = ports.recall?.();
  const recalled = known instanceof Promise ? await known : known;
  if (recalled !== undefined) return recalled;
  // While a cache outside was asked, a duplicate may have begun. No await between this check and the attempt, so that two at
  // once become one.
  if (flights.of(call) !== undefined) return undefined;
  return await flights.run(call, ports.attempt);
}

async function join<Outcome extends { kind: string }>(
  flights: Flights,
  call: OnceCall,
  ports: OncePorts<Outcome>,
  deadlineAtMs: number,
): Promise<Outcome | undefined> {
  const flight = flights.of<Outcome>(call);
  if (flight === undefined) return undefined;
  const leftMs = () => deadlineAtMs - performance.now();
  await flights.wait(flight.claimed, Math.max(leftMs(), ports.claimMs ?? 0), call.signal);
  const { stands } = flight;
  if (stands !== undefined && !isSameRequest(stands, call)) return await ports.reused(stands);
  const ended = await flights.wait(flight.ended, leftMs(), call.signal);
  if (ended === 'late') return ports.inProgress(stands);
  return ended !== undefined && isSameCall(flight.call, call) ? ports.share(ended) : undefined;
}
