// The card provider: an intent is made, confirmed, cancelled or refunded, by the rules that apps/payment/src/card.ts
// rests on. Each call may be lost, its answer too, doubled and late; null stands for an answer that did not come.

import type { Invariants, StepName } from './invariants.ts';
import type { IntentStanding } from './model-participant.ts';
import type { Network } from './network.ts';
import type { Host, Timeline } from './timeline.ts';

const TIMEOUT_MS = 25;

interface Intent {
  sagaId: string;
  state: IntentStanding;
  /** What the bank says when it is confirmed; null: it agrees. */
  decline: string | null;
}

export class Provider {
  readonly host: Host;
  readonly #step: StepName;
  readonly #intents = new Map<string, Intent>();
  readonly #timeline: Timeline;
  readonly #network: Network;
  readonly #invariants: Invariants;

  constructor(parts: { host: Host; step: StepName; timeline: Timeline; network: Network; invariants: Invariants }) {
    this.host = parts.host;
    this.#step = parts.step;
    this.#timeline = parts.timeline;
    this.#network = parts.network;
    this.#invariants = parts.invariants;
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
      if (intent.state === 'open') this.#charge(intent);
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
    if (state !== 'open' && state !== 'captured') return true;
    const after = await this.#call(from, `${state === 'open' ? 'cancel' : 'refund'} ${id}`, () => {
      const intent = this.#intent(id);
      if (state === 'open' && intent.state === 'open') intent.state = 'cancelled';
      if (state === 'captured' && intent.state === 'captured') this.#refund(intent);
      return intent.state;
    });
    return after !== null && after !== 'open' && after !== 'captured';
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
