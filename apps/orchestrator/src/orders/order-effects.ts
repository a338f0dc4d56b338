/*
 * S4  A participant that does not answer in time says nothing about its step: it is shown as `unreachable`, never as not run.
 */
import type { CallOptions, CallResult } from '@holdfast/rpc';
import type { RefundOutputs } from '../refunds/refund.ts';
import type { Participants } from '../saga/participants.ts';
import type { OrderOutputs } from './order.ts';

type Participant = 'inventory' | 'payment' | 'shipping';

/** The steps of an order, in the order in which they run, and who is asked about them. The compiler finds one that is missing. */
const ORDER_STEPS: Readonly<Record<keyof OrderOutputs, Participant>> = {
  'reserve-inventory': 'inventory',
  'charge-payment': 'payment',
  'create-shipment': 'shipping',
};
/** Likewise of each of its refunds. */
const REFUND_STEPS: Readonly<Record<keyof RefundOutputs, Participant>> = {
  'reserve-restock': 'inventory',
  'reserve-refund': 'payment',
  'refund-payment': 'payment',
  restock: 'inventory',
};

/** What a participant knows of a step's key. `sealed`: undone, or its undo came first; it can't run any more. */
export type EffectState = 'completed' | 'refused' | 'sealed' | 'in_progress' | 'not_called' | 'unreachable';

export interface Effect {
  step: string;
  participant: Participant;
  /** The idempotency key under which the participant knows the step. */
  key: string;
  state: EffectState;
  /** What the step has done, in the participant's words; null when it has done nothing, or its answer has expired. */
  effect: object | null;
  /** Why it was refused, or why the participant could not be asked. */
  detail: string | null;
}

const STATES: Readonly<Record<string, EffectState>> = {
  STEP_STATE_EXECUTED: 'completed',
  STEP_STATE_REFUSED: 'refused',
  STEP_STATE_SEALED: 'sealed',
  STEP_STATE_IN_FLIGHT: 'in_progress',
  STEP_STATE_UNKNOWN_KEY: 'not_called',
};

/**
 * Asks every participant what stands under the keys of an order's steps, and of its refunds' steps: all at once, each with
 * its own deadline. Changes nothing.
 */
export async function readEffects(
  participants: Participants,
  order: { id: string; refunds: readonly { id: string }[] },
  options: CallOptions,
): Promise<{ effects: Effect[]; refunds: { id: string; effects: Effect[] }[] }> {
  const ask = (id: string, steps: Readonly<Record<string, Participant>>) =>
    Promise.all(
      Object.entries(steps).map(([step, participant]) =>
        readEffect(participants[participant], { step, participant, key: `${id}:${step}` }, options),
      ),
    );
  const [effects, ...refunds] = await Promise.all([
    ask(order.id, ORDER_STEPS),
    ...order.refunds.map(async ({ id }) => ({ id, effects: await ask(id, REFUND_STEPS) })),
  ]);
  return { effects, refunds };
}

async function readEffect(
  client: Participants[Participant],
  about: Pick<Effect, 'step' | 'participant' | 'key'>,
  options: CallOptions,
): Promise<Effect> {
  const asked: CallResult<StepShown> = await client.GetStep({ key: about.key }, options);
  if (asked.kind === 'error') {
    return { ...about, state: 'unreachable', effect: null, detail: `${asked.reason}: ${asked.message}`.slice(0, 500) };
  }
  const { state, refusal, ...shown } = asked.message;
  return {
    ...about,
    state: STATES[state] ?? 'unreachable',
    effect: Object.values(shown).find((value) => typeof value === 'object' && value !== null) ?? null,
    detail: refusal ? `${refusal.reason}: ${refusal.message}` : null,
  };
}

/** What all participants' answers to GetStep share; what is shown beside it is under a name of the participant's. */
interface StepShown {
  state: string;
  refusal?: { reason: string; message: string } | null;
}
