/* One round of each: orders are under way, something happens to the orchestrator that drives them, and it is timed. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Cluster } from '@holdfast/cluster';
import { sendLateCalls } from './late-calls.ts';
import { HOLD_MS, holdCards, keepBusy, placeAt } from './load.ts';
import type { SagaWatch } from './sagas.ts';

export interface Scene {
  cluster: Cluster;
  watch: SagaWatch;
  inFlight: number;
  leaseMs: number;
}

export type Figures = Record<string, number>;
export interface Round {
  figures: Figures;
  /** What must not be, in words. */
  faults: string[];
}

const VICTIM = 0;
const CLIENTS = 16;
const RECOVERS_WITHIN_MS = 60_000;

/** kill -9 of one of two, under load: when has the last of its sagas another owner, and when have all ended? */
export async function killOneOfTwo(scene: Scene): Promise<Round> {
  const { cluster, watch } = scene;
  const load = keepBusy(cluster, CLIENTS, 2);
  const { ids, ownerId } = await holdInFlight(scene);
  await cluster.kill('orchestrator', VICTIM);
  const killedAt = performance.now();
  const { owned } = await watch.left(ownerId, ids);
  const adoptedMs = await watch.until(ownerId, ids, (left) => left.owned === 0, killedAt);
  const endedMs = await watch.until(ownerId, ids, (left) => left.unended === 0, killedAt);
  await load.stop();
  await cluster.untilServing('orchestrator', VICTIM, RECOVERS_WITHIN_MS);
  return {
    figures: { 'sagas of the killed': owned, 'ms until adopted': adoptedMs, 'ms until ended': endedMs },
    faults: await notCompleted(watch, ids),
  };
}

/** kill -9 of the only one; its supervisor starts it again. */
export async function killTheOnlyOne(scene: Scene): Promise<Round> {
  const { cluster, watch } = scene;
  const { ids, ownerId } = await holdInFlight(scene);
  await cluster.kill('orchestrator', VICTIM);
  const killedAt = performance.now();
  const { unended } = await watch.left(ownerId, ids);
  const serving = cluster.untilServing('orchestrator', VICTIM, RECOVERS_WITHIN_MS);
  const servingMs = serving.then(() => performance.now() - killedAt);
  const endedMs = await watch.until(ownerId, ids, (left) => left.unended === 0, killedAt);
  return {
    figures: { 'in flight': unended, 'ms until it serves again': await servingMs, 'ms until ended': endedMs },
    faults: await notCompleted(watch, ids),
  };
}

/** SIGSTOP for three leases, SIGCONT: what the one that slept still wants to do changes nothing. */
export async function standStill(scene: Scene): Promise<Round> {
  const { cluster, watch, leaseMs } = scene;
  const { ids, ownerId } = await holdInFlight(scene);
  const log = join(cluster.logDir, `orchestrator-${VICTIM}.log`);
  const said = new LogTail(log);
  cluster.pause('orchestrator', VICTIM);
  const pausedAt = performance.now();
  const { owned } = await watch.left(ownerId, ids);
  const adoptedMs = await watch.until(ownerId, ids, (left) => left.owned === 0, pausedAt);
  await delay(Math.max(0, 3 * leaseMs - (performance.now() - pausedAt)));
  cluster.resume('orchestrator', VICTIM);
  const resumedAt = performance.now();
  await watch.until(ownerId, ids, (left) => left.unended === 0, resumedAt);
  const adopted = await watch.adopted(ids);
  const dropped = await said.until('saga dropped', adopted.length, RECOVERS_WITHIN_MS);
  const late = await sendLateCalls(cluster, adopted, 1);
  return {
    figures: {
      'sagas of the one that slept': owned,
      'ms until adopted': adoptedMs,
      'sagas it dropped by itself': dropped.filter((line) => line.includes('lease-lost')).length,
      'sagas it dropped because it was refused': dropped.filter((line) => line.includes('fenced')).length,
      'late calls refused': late.refused,
      'late calls that got the stored answer': late.replayed,
    },
    faults: [...(await notCompleted(watch, ids)), ...late.other.map((what) => `a late call: ${what}`)],
  };
}

export const ROUNDS = {
  'kill-one-of-two': killOneOfTwo,
  'kill-the-only-one': killTheOnlyOne,
  'stand-still': standStill,
};
export type RoundName = keyof typeof ROUNDS;
export const ROUND_NAMES = Object.keys(ROUNDS) as RoundName[];

/** Orders that the victim drives and that stay under way for a moment; from then on cards are quick again. */
async function holdInFlight({ cluster, watch, inFlight }: Scene): Promise<{ ids: string[]; ownerId: string }> {
  const ownerId = await watch.ownerOf(`orchestrator-${VICTIM}`);
  await holdCards(cluster, true);
  const startedAt = performance.now();
  const ids = await placeAt(cluster, VICTIM, inFlight);
  await holdCards(cluster, false);
  const tookMs = performance.now() - startedAt;
  if (tookMs > HOLD_MS)
    console.log(`  accepting took ${Math.round(tookMs)} ms: the first may have ended before the last`);
  return { ids, ownerId };
}

async function notCompleted(watch: SagaWatch, ids: string[]): Promise<string[]> {
  const states = await watch.states(ids);
  const completed = states.get('completed') ?? 0;
  if (completed === ids.length) return [];
  return [`${ids.length - completed} of ${ids.length} not completed: ${JSON.stringify([...states])}`];
}

/** What a log says from now on. */
class LogTail {
  readonly #path: string;
  readonly #from: number;

  constructor(path: string) {
    this.#path = path;
    this.#from = this.#read(0).length;
  }

  /** @returns the lines that hold `what`, as soon as there are so many, or after `withinMs` those that there are */
  async until(what: string, amount: number, withinMs: number): Promise<string[]> {
    const deadlineAt = performance.now() + withinMs;
    for (;;) {
      const lines = this.#read(this.#from).toString().split('\n');
      const found = lines.filter((line) => line.includes(what));
      if (found.length >= amount || performance.now() > deadlineAt) return found;
      await delay(100);
    }
  }

  #read(from: number): Buffer {
    const file = openSync(this.#path, 'r');
    try {
      const rest = Buffer.alloc(Math.max(0, fstatSync(file).size - from));
      readSync(file, rest, 0, rest.length, from);
      return rest;
    } finally {
      closeSync(file);
    }
  }
}
