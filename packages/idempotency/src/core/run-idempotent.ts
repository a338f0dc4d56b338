/*
 * Running a call once, whatever repeats it: the states that a keyed call goes through, for every kind of call.
 *
 *   in progress here      ── the same request shares the outcome; another one is refused as soon as the key is claimed
 *   cached                ── the answer, or that another process runs it, is known without asking the database
 *   neither               ── an attempt claims the key and runs, or finds what the key stands for
 *   in progress elsewhere ── waits until that may have changed, then looks again
 *
 * K2  The attempt decides, by the claim's row. Everything before it only saves reading that row.
 * K6  The cache may be empty or unreachable. Then the attempt decides.
 * K7  A waiting call has neither a lock nor a connection, and waits no longer than it may.
 */

import { isSameRequest } from './same-request.ts';
import { type ClaimedRequest, type FlightCall, isSameCall, type SingleFlight } from './single-flight.ts';

export interface IdempotentRun extends FlightCall {
  /** How long it may wait for the one that runs (G5). */
  waitMs: number;
  /** Aborted when the caller hangs up: it waits no longer. */
  signal?: AbortSignal;
}

/** What a kind of call does in each state. */
export interface RunPorts<Outcome extends { kind: string }> {
  /** The cache: an answer, or that the key is in progress. */
  recall?: () => Outcome | undefined | Promise<Outcome | undefined>;
  /**
   * Claims the key and runs, or says what the key stands for.
   * @param claimed called as soon as that is sure, when the attempt goes on after it
   */
  attempt: (claimed: (request: ClaimedRequest) => void) => Promise<Outcome>;
  /** The outcome that a duplicate shares; undefined: it makes an attempt of its own. */
  share: (outcome: Outcome) => Outcome | undefined;
  /** The key stands for another request. */
  reused: (claimedFor: ClaimedRequest) => Outcome | Promise<Outcome>;
  /** The call has waited as long as it may. */
  inProgress: (claimedFor: ClaimedRequest | undefined) => Outcome;
  /** Returns when the key may have been settled elsewhere, after `ms` at most: with the outcome, or undefined to look again. */
  waitUntilSettled: (ms: number, inProgress: Outcome) => Promise<Outcome | undefined>;
  /** How long even a call that would not wait waits for what the key stands for: one statement's time, and some. */
  claimMs?: number;
}

/** @throws what the attempt throws */
export async function runIdempotent<Outcome extends { kind: string }>(
  singleFlight: SingleFlight,
  call: IdempotentRun,
  ports: RunPorts<Outcome>,
): Promise<Outcome> {
  const deadlineAtMs = performance.now() + call.waitMs;
  for (;;) {
    const outcome = await tryOnce(singleFlight, call, ports, deadlineAtMs);
    if (outcome === undefined) continue;
    const leftMs = deadlineAtMs - performance.now();
    if (outcome.kind !== 'in_progress' || leftMs <= 0 || singleFlight.isFull || call.signal?.aborted) return outcome;
    const waited = await ports.waitUntilSettled(leftMs, outcome);
    if (waited !== undefined) return waited;
  }
}

/** @returns undefined when the attempt of another call has ended without an outcome for this one: look again */
async function tryOnce<Outcome extends { kind: string }>(
  singleFlight: SingleFlight,
  call: IdempotentRun,
  ports: RunPorts<Outcome>,
  deadlineAtMs: number,
): Promise<Outcome | undefined> {
  if (singleFlight.of(call) !== undefined) return await joinFlight(singleFlight, call, ports, deadlineAtMs);
  const known = ports.recall?.();
  const recalled = known instanceof Promise ? await known : known;
  if (recalled !== undefined) return recalled;
  // A duplicate may have begun while the cache was asked. No await between this check and the attempt, so two concurrent
  // calls become one attempt.
  if (singleFlight.of(call) !== undefined) return undefined;
  return await singleFlight.run(call, ports.attempt);
}

async function joinFlight<Outcome extends { kind: string }>(
  singleFlight: SingleFlight,
  call: IdempotentRun,
  ports: RunPorts<Outcome>,
  deadlineAtMs: number,
): Promise<Outcome | undefined> {
  const flight = singleFlight.of<Outcome>(call);
  if (flight === undefined) return undefined;
  const leftMs = () => deadlineAtMs - performance.now();
  await singleFlight.wait(flight.claimed, Math.max(leftMs(), ports.claimMs ?? 0), call.signal);
  const { claimedFor } = flight;
  if (claimedFor !== undefined && !isSameRequest(claimedFor, call)) return await ports.reused(claimedFor);
  const ended = await singleFlight.wait(flight.ended, leftMs(), call.signal);
  if (ended === 'late') return ports.inProgress(claimedFor);
  return ended !== undefined && isSameCall(flight.call, call) ? ports.share(ended) : undefined;
}
