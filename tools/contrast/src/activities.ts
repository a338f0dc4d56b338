/*
 * What the three patterns are given, so that nothing but their own logic is compared: durable activities. What an
 * activity came to is stored before anything is made of it, and a process that comes back runs the same code again, in
 * which activities that have ended give what they gave before. It is what the engines that these patterns come from do.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type Query, statement } from '@holdfast/postgres';
import type { RunnableStep } from '@holdfast/saga';

export const ACTIVITIES_SCHEMA = `
  create table if not exists contrast.activities (
    order_id text not null, name text not null, outcome jsonb not null, primary key (order_id, name))`;
const READ = statement(
  'contrast.activity',
  'select outcome from contrast.activities where order_id = $1::text and name = $2::text',
);
const WRITE = statement(
  'contrast.store-activity',
  'insert into contrast.activities (order_id, name, outcome) values ($1::text, $2::text, $3::jsonb)',
);

/** `gave-up`: attempts or time are used up, and nobody knows what it came to. */
export type Outcome =
  | { kind: 'completed'; output: unknown }
  | { kind: 'refused'; reason: string }
  | { kind: 'gave_up' };

/** How long an activity is tried again when nothing is heard of it. */
export interface Patience {
  attempts: number;
  /** From the first attempt. */
  withinMs: number;
  /** Before the second attempt; doubled before each further one. */
  waitMs: number;
}

const TIMEOUT_MS = 2_000;

export class Activities {
  readonly #db: Query;
  readonly #orderId: string;
  readonly #input: unknown;
  readonly outputs: Record<string, unknown> = {};

  constructor(db: Query, orderId: string, input: unknown) {
    this.#db = db;
    this.#orderId = orderId;
    this.#input = input;
  }

  async act(step: RunnableStep, patience: Patience): Promise<Outcome> {
    const outcome = await this.#once(step, 'act', patience);
    if (outcome.kind === 'completed') this.outputs[step.name] = outcome.output;
    return outcome;
  }

  async undo(step: RunnableStep, patience: Patience): Promise<Outcome> {
    return await this.#once(step, 'undo', patience);
  }

  async #once(step: RunnableStep, direction: 'act' | 'undo', patience: Patience): Promise<Outcome> {
    const name = `${step.name}:${direction}`;
    const { rows } = await this.#db.query<{ outcome: Outcome }>({ ...READ, values: [this.#orderId, name] });
    if (rows[0] !== undefined) return rows[0].outcome;
    const outcome = await this.#tried(step, direction, patience);
    await this.#db.query({ ...WRITE, values: [this.#orderId, name, JSON.stringify(outcome)] });
    return outcome;
  }

  async #tried(step: RunnableStep, direction: 'act' | 'undo', patience: Patience): Promise<Outcome> {
    const endAt = performance.now() + patience.withinMs;
    let waitMs = patience.waitMs;
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.#attempt(step, direction, attempt);
      if (outcome.kind === 'completed')
        return { kind: 'completed', output: 'output' in outcome ? outcome.output : null };
      if (outcome.kind === 'refused') return { kind: 'refused', reason: outcome.reason };
      if (attempt >= patience.attempts || performance.now() + waitMs > endAt) return { kind: 'gave_up' };
      await delay(waitMs);
      waitMs *= 2;
    }
  }

  /** The very call that Holdfast's own saga makes, under the same key at every attempt. */
  async #attempt(step: RunnableStep, direction: 'act' | 'undo', attempt: number) {
    const key = `${this.#orderId}:${step.name}${direction === 'undo' ? ':undo' : ''}`;
    const context = {
      sagaId: this.#orderId,
      input: this.#input,
      outputs: this.outputs,
      key,
      epoch: 1,
      attempt,
      waiting: null,
      signals: [],
      timeoutMs: TIMEOUT_MS,
      signal: new AbortController().signal,
    };
    if (direction === 'act') return await step.act(context);
    if (step.undo === undefined) throw new Error(`${step.name} has no undo: give it one`);
    return await step.undo(context);
  }
}
