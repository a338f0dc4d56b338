// The card provider: an intent is made, confirmed, cancelled or refunded, by the rules that apps/payment/src/card.ts
// rests on. Each call may be lost, its answer too, doubled and late; null stands for an answer that did not come.

import type { Invariants, StepName } from '../invariants.ts';
import type { Authentication } from '../plan.ts';
import type { Host, Timeline } from '../timeline.ts';
import type { Network } from './network.ts';

const TIMEOUT_MS = 25;
/** The least that a customer takes. */
const AUTHENTICATION_MS = 3;

export type IntentStanding = 'open' | 'action' | 'captured' | 'declined' | 'cancelled' | 'refunded';

interface Intent {
  sagaId: string;
  state: IntentStanding;
  /** What the bank says when it is confirmed; null: it agrees. */
  decline: string | null;
}

interface ProviderParts {
  host: Host;
  step: StepName;
  timeline: Timeline;
  network: Network;
  invariants: Invariants;
  /** What the bank wants of this saga's customer. */
  authentication: (sagaId: string) => Authentication | null;
  /** Tells of an event, by its id: as well as the network lets it. */
  tell: (sagaId: string, event: string) => void;
}

/** Whether money may still be taken, or is. */
function mayTake(state: IntentStanding): boolean {
  return state === 'open' || state === 'action' || state === 'captured';
}

export class Provider {
  readonly host: Host;
  readonly #step: StepName;
  readonly #intents = new Map<string, Intent>();
  readonly #timeline: Timeline;
  readonly #network: Network;
  readonly #invariants: Invariants;
  readonly #authentication: ProviderParts['authentication'];
  readonly #tell: ProviderParts['tell'];

  constructor(parts: ProviderParts) {
    this.host = parts.host;
    this.#step = parts.step;
    this.#timeline = parts.timeline;
    this.#network = parts.network;
    this.#invariants = parts.invariants;
    this.#authentication = parts.authentication;
    this.#tell = parts.tell;
  }

  /** Takes nothing yet. */
  create(from: Host, sagaId: string, decline: string | null): Promise<string | null> {
    return this.#call(from, `create ${sagaId}`, () => {
      const id = `pi_${this.#intents.size + 1}`;
      this.#intents.set(id, { sagaId, state: 'open', decline });
      return id;
    });
  }

  confirm(from: Host, id: string): Promise<IntentStanding | null> {
    return this.#call(from, `confirm ${id}`, () => {
      const intent = this.#intent(id);
      if (intent.state === 'open') this.#confirm(id, intent);
      return intent.state;
    });
  }

  retrieve(from: Host, id: string): Promise<IntentStanding | null> {
    return this.#call(from, `retrieve ${id}`, () => this.#intent(id).state);
  }

  /** Asks, then cancels or refunds. @returns whether nothing is taken any more, as far as it is known */
  async giveBack(from: Host, id: string): Promise<boolean> {
    const state = await this.retrieve(from, id);
    if (state === null) return false;
    if (!mayTake(state)) return true;
    const after = await this.#call(from, `${state === 'captured' ? 'refund' : 'cancel'} ${id}`, () => {
      const intent = this.#intent(id);
      if (state === 'captured' && intent.state === 'captured') this.#refund(intent);
      if (state !== 'captured' && intent.state === state) intent.state = 'cancelled';
      return intent.state;
    });
    return after !== null && !mayTake(after);
  }

  #confirm(id: string, intent: Intent): void {
    const authentication = this.#authentication(intent.sagaId);
    if (authentication === null) {
      this.#charge(intent);
      return;
    }
    intent.state = 'action';
    // Early: whoever has confirmed does not know of it yet.
    if (authentication.tells) this.#tell(intent.sagaId, `${id}-action`);
    const { at } = authentication;
    if (at === null) return;
    const inMs = Math.max(AUTHENTICATION_MS, at - this.#timeline.now);
    this.#timeline.in(inMs, null, () => this.#authenticate(id, intent, authentication));
  }

  /** The customer. */
  #authenticate(id: string, intent: Intent, { succeeds, tells }: Authentication): void {
    if (intent.state !== 'action') return;
    if (succeeds) this.#charge(intent);
    else intent.state = 'declined';
    if (tells) this.#tell(intent.sagaId, `${id}-${intent.state}`);
  }

  #charge(intent: Intent): void {
    if (intent.decline !== null) {
      intent.state = 'declined';
      return;
    }
    intent.state = 'captured';
    this.#invariants.cameToLife(intent.sagaId, this.#step);
  }

  #refund(intent: Intent): void {
    intent.state = 'refunded';
    this.#invariants.ended(intent.sagaId, this.#step);
  }

  #intent(id: string): Intent {
    const intent = this.#intents.get(id);
    if (intent === undefined) throw new Error(`the provider has no ${id}`);
    return intent;
  }

  #call<R>(from: Host, what: string, work: () => R): Promise<R | null> {
    const link = this.#network.link(from.name, this.host.name);
    return new Promise((resolve) => {
      this.#timeline.in(TIMEOUT_MS, from, () => resolve(null));
      void this.#network.call<R | null>(from, this.host, link, what, async () => work(), null).then(resolve);
    });
  }
}
