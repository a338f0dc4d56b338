import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Pool, statement } from '@holdfast/postgres';
import type { Metrics } from '@holdfast/service';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { BANK_TIMES, type BankTimes } from './bank/bank-times.ts';
import {
  drawWebhookPlan,
  NO_WEBHOOK_FAULTS,
  WEBHOOK_RATES_SCHEMA,
  type WebhookPlan,
  type WebhookRates,
} from './webhooks/webhook-faults.ts';

/**
 * Faults, drawn per changing request from a seeded generator. Each side has its own stream and each request takes the
 * same count of numbers from it, so that the n-th request of a side meets the same draw whatever the other side does
 * and whatever the rates are. Setting the faults starts both streams anew.
 */

/** Rates are from 0 to 1. */
export interface FaultRates {
  /** The effect is committed, then the connection is destroyed without an answer. */
  lostAnswer: number;
  /** The answer, after the effect, comes `slowMs` late. */
  slow: number;
  slowMs: number;
  /** 500, in one half of the cases before the effect, in the other after it. */
  error500: number;
  /** The card is declined, the address refused. */
  refused: number;
}
export interface FaultSettings {
  seed: number;
  payments: FaultRates;
  carrier: FaultRates;
  /** Left out: events arrive once each, at once. */
  webhooks?: WebhookRates;
  /** Left out: BANK_TIMES. */
  bank?: Partial<BankTimes>;
}
export type FaultKind = 'lostAnswer' | 'slow' | 'error500' | 'refused';
export type FaultSide = 'payments' | 'carrier';
export type FaultCounts = Record<FaultSide, Record<FaultKind, number>>;

export interface FaultPlan {
  refused: boolean;
  error500: 'before' | 'after' | null;
  lostAnswer: boolean;
  /** 0 when not slow. */
  slowMs: number;
  /** Counts a fault that the request really met, once. */
  happened(kind: FaultKind): void;
}

export interface Faults {
  settings(): FaultSettings;
  counts(): FaultCounts;
  /** Instant from which `counts` counts: the start of the process. */
  countedSince: string;
  /** Durable first, then in force. */
  set(settings: FaultSettings): Promise<void>;
  draw(side: FaultSide): FaultPlan;
  /** What becomes of the next event. */
  drawWebhook(): WebhookPlan;
  bankTimes(): BankTimes;
  /** Sends an answer, or destroys the connection instead of it. */
  deliver(reply: FastifyReply, plan: FaultPlan, send: () => void): Promise<FastifyReply>;
  /** Ends all delays: the process is on its way out. */
  close(): void;
}

const NO_FAULTS: FaultRates = { lostAnswer: 0, slow: 0, slowMs: 0, error500: 0, refused: 0 };
const INITIAL: FaultSettings = { seed: 1, payments: NO_FAULTS, carrier: NO_FAULTS };
const KINDS: FaultKind[] = ['lostAnswer', 'slow', 'error500', 'refused'];

const READ = statement('sandbox.read-faults', 'select settings, version from fault_settings where singleton');
const SET = statement(
  'sandbox.set-faults',
  `insert into fault_settings as f (version, settings) values (1, $1::jsonb)
   on conflict (singleton) do update
      set version = f.version + 1, settings = excluded.settings, set_at = clock_timestamp()
   returning version`,
);

/** @throws Error when the settings in the database cannot be read */
export async function createFaults(pool: Pool, metrics: Metrics, now: () => Date = () => new Date()): Promise<Faults> {
  const stored = (await pool.query<{ settings: FaultSettings; version: number }>(READ)).rows[0];
  let version = stored?.version ?? 0;
  let settings = stored?.settings ?? INITIAL;
  let streams = streamsOf(settings.seed);
  const counts: FaultCounts = { payments: noCounts(), carrier: noCounts() };
  const total = metrics.counter('sandbox_faults_total', 'Faults that requests met', ['side', 'kind']);
  const closing = new AbortController();
  setMaxListeners(0, closing.signal);
  return {
    settings: () => settings,
    counts: () => structuredClone(counts),
    countedSince: now().toISOString(),
    async set(wanted) {
      const { rows } = await pool.query<{ version: number }>({ ...SET, values: [JSON.stringify(wanted)] });
      const written = rows[0]?.version ?? 0;
      // Of two that were set at once, the one that the database kept last is in force.
      if (written <= version) return;
      version = written;
      settings = wanted;
      streams = streamsOf(wanted.seed);
    },
    drawWebhook: () => drawWebhookPlan(streams.webhooks, settings.webhooks ?? NO_WEBHOOK_FAULTS),
    bankTimes: () => ({ ...BANK_TIMES, ...settings.bank }),
    draw: (side) =>
      drawPlan(streams[side], settings[side], (kind) => {
        counts[side][kind] += 1;
        total.inc({ side, kind });
      }),
    deliver: (reply, plan, send) => deliver(reply, plan, send, closing.signal),
    close: () => closing.abort(),
  };
}

function streamsOf(seed: number): Record<FaultSide | 'webhooks', RandomGenerator> {
  const carrier = xoroshiro128plus(seed);
  const payments = carrier.clone();
  // Far ahead in the same sequence, each: they never overlap.
  carrier.jump();
  const webhooks = carrier.clone();
  webhooks.jump();
  return { payments, carrier, webhooks };
}

/** Always takes five numbers, in this order. */
export function drawPlan(
  stream: RandomGenerator,
  rates: FaultRates,
  happened: (kind: FaultKind) => void = () => {},
): FaultPlan {
  const refused = uniformFloat64(stream) < rates.refused;
  const failed = uniformFloat64(stream) < rates.error500;
  const half = uniformFloat64(stream) < 0.5 ? 'before' : 'after';
  const lostAnswer = uniformFloat64(stream) < rates.lostAnswer;
  const slow = uniformFloat64(stream) < rates.slow;
  const met = new Set<FaultKind>();
  return {
    refused,
    error500: failed ? half : null,
    lostAnswer,
    slowMs: slow ? rates.slowMs : 0,
    happened(kind) {
      // A request that was overtaken and decided again has still met it once.
      if (!met.has(kind)) happened(kind);
      met.add(kind);
    },
  };
}

function noCounts(): Record<FaultKind, number> {
  return { lostAnswer: 0, slow: 0, error500: 0, refused: 0 };
}

async function deliver(
  reply: FastifyReply,
  plan: FaultPlan,
  send: () => void,
  closing: AbortSignal,
): Promise<FastifyReply> {
  // crash here: the effect is committed and nobody has heard of it, which is what the two faults below bring about.
  if (plan.slowMs > 0) {
    plan.happened('slow');
    await sleep(plan.slowMs, undefined, { signal: closing }).catch((error: Error) => {
      if (error.name !== 'AbortError') throw error;
    });
  }
  if (plan.lostAnswer) {
    plan.happened('lostAnswer');
    reply.hijack();
    reply.raw.destroy();
    return reply;
  }
  send();
  return reply;
}

const RATE = { type: 'number', minimum: 0, maximum: 1 };
const RATES_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  required: [...KINDS, 'slowMs'],
  properties: {
    lostAnswer: RATE,
    slow: RATE,
    slowMs: { type: 'integer', minimum: 0, maximum: 60_000 },
    error500: RATE,
    refused: RATE,
  },
};
const LONGEST_MS = 30 * 24 * 60 * 60 * 1_000;
const BANK_TIMES_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  properties: Object.fromEntries(
    Object.keys(BANK_TIMES).map((name) => [name, { type: 'integer', minimum: 0, maximum: LONGEST_MS }]),
  ),
};
const SETTINGS_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  required: ['seed', 'payments', 'carrier'],
  properties: {
    seed: { type: 'integer', minimum: -2_147_483_648, maximum: 2_147_483_647 },
    payments: RATES_SCHEMA,
    carrier: RATES_SCHEMA,
    webhooks: WEBHOOK_RATES_SCHEMA,
    bank: BANK_TIMES_SCHEMA,
  },
};

/** `GET /faults`: settings and counts by kind. `PUT /faults`: all settings at once. */
export function faultRoutes(app: FastifyInstance, faults: Faults): void {
  const shown = () => ({ ...faults.settings(), counts: faults.counts(), countedSince: faults.countedSince });
  app.get('/faults', async () => shown());
  app.put<{ Body: FaultSettings }>('/faults', { schema: { body: SETTINGS_SCHEMA } }, async (request) => {
    await faults.set(request.body);
    return shown();
  });
}
