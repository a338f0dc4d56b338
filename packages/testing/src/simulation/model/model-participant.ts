// The participants' protocol: claim, fence, act, undo, seal, ask, by the rules of packages/idempotency (claims.ts) and
// packages/participant (step-runner.ts). Two kinds: effects in the participant's own database, where claim, effect and answer
// are one transaction, and effects at a provider outside, where they are three.

import type { Invariants, StepName } from '../invariants.ts';
import type { Switches } from '../planted-bugs.ts';
import type { Host } from '../timeline.ts';
import type { IntentStanding, Provider } from './model-provider.ts';
import type { Link, Network } from './network.ts';

export interface StepCall {
  step: StepName;
  sagaId: string;
  epoch: number;
  direction: 'act' | 'undo';
}

export type StepAnswer =
  | { kind: 'completed' }
  | { kind: 'refused'; reason: string }
  | { kind: 'sealed' }
  | { kind: 'fenced'; epoch: number }
  | { kind: 'waiting' }
  | { kind: 'unknown'; detail: string };

interface Claim {
  state: 'in_progress' | 'completed' | 'refused' | 'sealed';
  reason: string;
  attempt: number;
  leaseUntil: number;
}

export interface ParticipantParts {
  step: StepName;
  host: Host;
  database: Host;
  network: Network;
  invariants: Invariants;
  switches: Switches;
  now: () => number;
  /** Null: the business agrees to an act that runs now. */
  refusal: (sagaId: string) => string | null;
}

const UNKNOWN = (detail: string): StepAnswer => ({ kind: 'unknown', detail });
const OUTSIDE_LEASE_MS = 60;
/** How far one call may raise a fence: more than adoptions raise an epoch in any schedule. */
const FENCE_STEP = 1_000;
/** What nobody's saga ever has. */
export const FORGED_EPOCH = Number.MAX_SAFE_INTEGER;

/** What both kinds have: tables of claims and fences, and the statements on them. */
class ClaimTables {
  readonly parts: ParticipantParts;
  readonly #claims = new Map<string, Claim>();
  readonly #fences = new Map<string, number>();

  constructor(parts: ParticipantParts) {
    this.parts = parts;
  }

  /** @returns what the call is answered at once, or the claim that it holds now */
  claim(call: StepCall): { met: StepAnswer } | { held: Claim; resumed: boolean } {
    const { switches } = this.parts;
    const fence = this.#fences.get(call.sagaId) ?? 0;
    if (call.epoch < fence && !switches.unfencedParticipants) return { met: { kind: 'fenced', epoch: fence } };
    const standsAt = switches.unboundedFences ? call.epoch : Math.min(call.epoch, fence + FENCE_STEP);
    if (standsAt < call.epoch) {
      this.#fences.set(call.sagaId, standsAt);
      return { met: UNKNOWN('the fence rises') };
    }
    const claim = this.#claims.get(keyOf(call));
    if (claim === undefined) {
      this.#touch(call);
      const leaseUntil = this.parts.now() + OUTSIDE_LEASE_MS;
      const held: Claim = { state: 'in_progress', reason: '', attempt: 1, leaseUntil };
      this.#claims.set(keyOf(call), held);
      return { held: { ...held }, resumed: false };
    }
    this.#fences.set(call.sagaId, Math.max(fence, call.epoch));
    if (claim.state === 'completed') return { met: { kind: 'completed' } };
    if (claim.state === 'refused') return { met: { kind: 'refused', reason: claim.reason } };
    if (claim.state === 'sealed') return { met: { kind: 'sealed' } };
    if (claim.leaseUntil > this.parts.now()) return { met: UNKNOWN('in flight') };
    this.#touch(call);
    claim.attempt += 1;
    claim.leaseUntil = this.parts.now() + OUTSIDE_LEASE_MS;
    return { held: { ...claim }, resumed: true };
  }

  /** @returns false when the claim is no longer this attempt's */
  settle(call: StepCall, held: Claim, state: 'completed' | 'refused', reason = ''): boolean {
    const { invariants, switches } = this.parts;
    if (!this.isHeld(call, held)) return false;
    if (call.direction === 'act') invariants.answers(call.sagaId, call.step, state, reason);
    if (state === 'refused' && switches.refusalsForgotten) this.#claims.delete(keyOf(call));
    else this.#claims.set(keyOf(call), { ...held, state, reason });
    return true;
  }

  isHeld(call: StepCall, held: Claim): boolean {
    const claim = this.#claims.get(keyOf(call));
    return claim?.state === 'in_progress' && claim.attempt === held.attempt;
  }

  release(call: StepCall, held: Claim): void {
    const claim = this.#claims.get(keyOf(call));
    if (claim !== undefined && this.isHeld(call, held)) claim.leaseUntil = this.parts.now();
  }

  /** Planted: only what has run is sealed, so that an undo that comes first leaves no trace. */
  seal(undo: StepCall): void {
    const key = keyOf({ ...undo, direction: 'act' });
    const claim = this.#claims.get(key);
    if (claim === undefined && this.parts.switches.noSeal) return;
    if (claim?.state === 'refused') return;
    this.#claims.set(key, { state: 'sealed', reason: '', attempt: claim?.attempt ?? 1, leaseUntil: 0 });
  }

  #touch(call: StepCall): void {
    this.parts.invariants.changes(call.step, call.sagaId, call.epoch);
    this.#fences.set(call.sagaId, call.epoch);
  }
}

function keyOf(call: StepCall): string {
  return `${call.sagaId}:${call.step}:${call.direction}`;
}

export interface Participant {
  readonly host: Host;
  handle(call: StepCall): Promise<StepAnswer>;
}

/** Effects in the participant's own database (K1, first half). */
export class InsideParticipant implements Participant {
  readonly host: Host;
  readonly #tables: ClaimTables;
  readonly #live = new Set<string>();
  readonly #link: Link;

  constructor(parts: ParticipantParts) {
    this.host = parts.host;
    this.#tables = new ClaimTables(parts);
    this.#link = parts.network.link(parts.host.name, parts.database.name);
  }

  async handle(call: StepCall): Promise<StepAnswer> {
    const { network, database } = this.#tables.parts;
    const transaction = () => (call.direction === 'act' ? this.#act(call) : this.#undo(call));
    try {
      return await network.statement(this.host, database, this.#link, `${call.direction} ${call.sagaId}`, transaction);
    } catch (error) {
      return storeFault(error);
    }
  }

  #act(call: StepCall): StepAnswer {
    const { invariants, refusal } = this.#tables.parts;
    const claim = this.#tables.claim(call);
    if ('met' in claim) return claim.met;
    const reason = refusal(call.sagaId);
    if (reason !== null) {
      this.#tables.settle(call, claim.held, 'refused', reason);
      return { kind: 'refused', reason };
    }
    invariants.cameToLife(call.sagaId, call.step);
    this.#live.add(call.sagaId);
    this.#tables.settle(call, claim.held, 'completed');
    return { kind: 'completed' };
  }

  #undo(call: StepCall): StepAnswer {
    const { invariants } = this.#tables.parts;
    const claim = this.#tables.claim(call);
    if ('met' in claim) return claim.met;
    this.#tables.seal(call);
    if (this.#live.delete(call.sagaId)) invariants.ended(call.sagaId, call.step);
    this.#tables.settle(call, claim.held, 'completed');
    invariants.undone(call.sagaId, call.step);
    return { kind: 'completed' };
  }
}

/** Effects at a provider (K1, second half): the intent is stored before it is confirmed, and asked about ever after. */
export class OutsideParticipant implements Participant {
  readonly host: Host;
  readonly #tables: ClaimTables;
  readonly #provider: Provider;
  readonly #intents = new Map<string, string>();
  readonly #link: Link;

  constructor(parts: ParticipantParts, provider: Provider) {
    this.host = parts.host;
    this.#tables = new ClaimTables(parts);
    this.#provider = provider;
    this.#link = parts.network.link(parts.host.name, parts.database.name);
  }

  async handle(call: StepCall): Promise<StepAnswer> {
    try {
      return call.direction === 'act' ? await this.#act(call) : await this.#undo(call);
    } catch (error) {
      return storeFault(error);
    }
  }

  async #act(call: StepCall): Promise<StepAnswer> {
    const claim = await this.#transaction(`claim ${call.sagaId}`, () => {
      const claimed = this.#tables.claim(call);
      return 'met' in claimed ? claimed : { ...claimed, intent: this.#intents.get(call.sagaId) ?? null };
    });
    if ('met' in claim) return claim.met;
    const { held } = claim;
    const standing = claim.intent === null ? await this.#create(call, held) : await this.#ask(claim.intent);
    if (standing.kind === 'unknown') return await this.#giveUp(call, held, standing.detail);
    const settled = standing.state === 'open' ? await this.#confirm(standing.intent) : standing;
    if (settled.kind === 'unknown') return await this.#giveUp(call, held, settled.detail);
    return await this.#transaction(`record ${call.sagaId}`, () => this.#record(call, held, settled.state));
  }

  async #create(call: StepCall, held: Claim): Promise<Standing> {
    const { switches, refusal } = this.#tables.parts;
    const intent = await this.#provider.create(this.host, call.sagaId, refusal(call.sagaId));
    if (intent === null) return { kind: 'unknown', detail: 'the provider did not answer' };
    if (switches.intentNotStored) return { kind: 'known', state: 'open', intent };
    const attached = await this.#transaction(`attach ${call.sagaId}`, () => {
      if (!this.#tables.isHeld(call, held)) return false;
      this.#intents.set(call.sagaId, intent);
      return true;
    });
    if (!attached) return { kind: 'unknown', detail: 'undone or taken over meanwhile' };
    return { kind: 'known', state: 'open', intent };
  }

  async #confirm(intent: string): Promise<Standing> {
    const state = await this.#provider.confirm(this.host, intent);
    return state === null ? await this.#ask(intent) : { kind: 'known', state, intent };
  }

  async #ask(intent: string): Promise<Standing> {
    const state = await this.#provider.retrieve(this.host, intent);
    return state === null
      ? { kind: 'unknown', detail: 'the provider does not answer' }
      : { kind: 'known', state, intent };
  }

  #record(call: StepCall, held: Claim, state: IntentStanding): StepAnswer {
    if (state === 'action') {
      this.#tables.release(call, held);
      return { kind: 'waiting' };
    }
    if (state === 'open') {
      this.#tables.release(call, held);
      return UNKNOWN('not confirmed yet');
    }
    const answer = state === 'captured' ? 'completed' : 'refused';
    const reason = state === 'captured' ? '' : 'CARD_DECLINED';
    if (!this.#tables.settle(call, held, answer, reason)) return UNKNOWN('another attempt has taken this key over');
    return answer === 'completed' ? { kind: 'completed' } : { kind: 'refused', reason };
  }

  async #undo(call: StepCall): Promise<StepAnswer> {
    const claim = await this.#transaction(`seal ${call.sagaId}`, () => {
      const claimed = this.#tables.claim(call);
      if ('met' in claimed) return claimed;
      this.#tables.seal(call);
      return { ...claimed, intent: this.#intents.get(call.sagaId) ?? null };
    });
    if ('met' in claim) return claim.met;
    const { held, intent } = claim;
    if (intent !== null && !(await this.#provider.giveBack(this.host, intent))) {
      return await this.#giveUp(call, held, 'not given back yet');
    }
    return await this.#transaction(`record undo ${call.sagaId}`, () => {
      if (!this.#tables.settle(call, held, 'completed')) return UNKNOWN('another attempt has taken this undo over');
      this.#tables.parts.invariants.undone(call.sagaId, call.step);
      return { kind: 'completed' };
    });
  }

  async #giveUp(call: StepCall, held: Claim, detail: string): Promise<StepAnswer> {
    await this.#transaction(`release ${call.sagaId}`, () => this.#tables.release(call, held));
    return UNKNOWN(detail);
  }

  #transaction<R>(what: string, work: () => R): Promise<R> {
    const { network, database } = this.#tables.parts;
    return network.statement(this.host, database, this.#link, what, work);
  }
}

type Standing = { kind: 'known'; state: IntentStanding; intent: string } | { kind: 'unknown'; detail: string };

function storeFault(error: unknown): StepAnswer {
  if (error instanceof Error && 'code' in error) return UNKNOWN('STORE_UNAVAILABLE');
  throw error;
}
