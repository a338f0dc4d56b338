/*
 * The network between an orchestrator and the participants, as bad as an order's plan says. It stands where the calls
 * leave the process, so that it is the same for whoever makes them; behind it are the real participants.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Participants } from '@holdfast/orchestrator';
import { type Query, statement } from '@holdfast/postgres';
import type { CallOptions, CallResult } from '@holdfast/rpc';
import { numberOf, type PlannedFault, plannedOrder } from './orders.ts';

/** How long a caller waits for an answer that does not come. */
const UNHEARD_MS = 250;
/** When a late call arrives after all. */
const LATE_MS = 2_000;
/** How long an outage takes: longer than an order or an activity has time. */
const OUTAGE_MS = 10_000;

/** That a fault has struck outlives the process. */
export const STRIKES_SCHEMA = `
  create table if not exists contrast.strikes (
    order_id text primary key, struck_at timestamptz not null default clock_timestamp())`;
const STRIKE = statement(
  'contrast.strike',
  `with struck as (insert into contrast.strikes (order_id) values ($1::text) on conflict do nothing returning struck_at)
   select true as first, 0::float8 as since_ms from struck
   union all
   select false, (extract(epoch from clock_timestamp() - struck_at) * 1000)::float8
     from contrast.strikes where order_id = $1::text and not exists (select from struck)`,
);

type Call = (request: { orderId: string }, options: CallOptions) => Promise<CallResult<unknown>>;
type Run = () => Promise<CallResult<unknown>>;
type Strike = { first: boolean; since_ms: number };

export class BadNetwork {
  readonly #db: Query;
  readonly #seed: number;
  /** Calls that their callers have given up, and that are still on their way. */
  readonly #underWay = new Set<Promise<unknown>>();

  constructor(db: Query, seed: number) {
    this.#db = db;
    this.#seed = seed;
  }

  /** The same participants, behind this network. */
  between(participants: Participants): Participants {
    const over = <C extends object>(client: C): C => {
      const calls = Object.entries(client).map(([name, call]) =>
        name === 'close' ? [name, call] : [name, this.#overCall(call as Call)],
      );
      return Object.fromEntries(calls) as C;
    };
    const { inventory, payment, shipping, paymentNews, close } = participants;
    return { inventory: over(inventory), payment: over(payment), shipping: over(shipping), paymentNews, close };
  }

  /** Resolves when everything that was held up has arrived. */
  async quiet(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  #overCall(call: Call): Call {
    return async (request, options) => {
      const { fault } = plannedOrder(this.#seed, numberOf(request.orderId));
      // What its caller gives up goes on none the less: a network does not hear of that.
      const { signal: _, ...rest } = options;
      const run = () => call(request, rest);
      if (fault === null || !concerns(fault, options.key ?? '')) return await run();
      const { rows } = await this.#db.query<Strike>({ ...STRIKE, values: [request.orderId] });
      return await this.#faulty(fault, rows[0] ?? { first: false, since_ms: OUTAGE_MS }, run);
    };
  }

  async #faulty({ fault }: PlannedFault, { first, since_ms: sinceMs }: Strike, run: Run): Promise<CallResult<unknown>> {
    const isOut = sinceMs < OUTAGE_MS;
    if (fault === 'replies-lost-for-a-while') return isOut ? await unheard(run()) : await run();
    if (fault === 'held-up-for-a-while') {
      return isOut ? await unheard(this.#later(OUTAGE_MS - sinceMs, run)) : await run();
    }
    if (!first) return await run();
    switch (fault) {
      case 'request-lost':
        return notHeard('UNAVAILABLE');
      case 'reply-lost':
        await run();
        return notHeard('UNAVAILABLE');
      case 'late':
        return await unheard(this.#later(LATE_MS, run));
      case 'dies-after':
        await run();
        return die();
      case 'dies-before':
        return die();
    }
  }

  #later(ms: number, run: Run): Promise<unknown> {
    const arriving = delay(ms)
      .then(run)
      .finally(() => this.#underWay.delete(arriving));
    this.#underWay.add(arriving);
    return arriving;
  }
}

/** Keys name the step; an undo's ends with `:undo`. */
function concerns({ fault, step, direction }: PlannedFault, key: string): boolean {
  // An outage is of the way to a participant, not of one direction of it.
  if (fault.endsWith('-for-a-while')) {
    return key.includes(`:${step}`) && (direction === 'act' || key.endsWith(':undo'));
  }
  return key.endsWith(direction === 'act' ? `:${step}` : `:${step}:undo`);
}

async function unheard(_answer: Promise<unknown>): Promise<CallResult<unknown>> {
  await delay(UNHEARD_MS);
  return notHeard('DEADLINE_EXCEEDED');
}

const CODES = { UNAVAILABLE: 14, DEADLINE_EXCEEDED: 4 } as const;

function notHeard(reason: keyof typeof CODES): CallResult<never> {
  const message = 'no answer, as this run wants it';
  return { kind: 'error', code: CODES[reason], reason, message, metadata: {}, pushbackMs: null, replayed: false };
}

/** The next instruction is never run. */
function die(): never {
  process.kill(process.pid, 'SIGKILL');
  throw new Error('this process has been killed');
}
