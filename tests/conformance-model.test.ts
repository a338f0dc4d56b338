/**
 * Any sequence of requests and disasters, held to one oracle (model-keys.ts).
 *
 * A failure prints its seed, path and commands. To replay: HOLDFAST_MODEL_SEED, HOLDFAST_MODEL_PATH and
 * HOLDFAST_MODEL_REPLAY (fast-check's replayPath). HOLDFAST_MODEL_SECONDS: how long to begin new sequences (12).
 */
import { auditSystem, booksAt } from '@holdfast/auditor';
import {
  commandsOf,
  KeyedRequests,
  type Model,
  resumeAll,
  shapeOf,
  startTarget,
  type Target,
} from '@holdfast/conformance';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const SHAPE = shapeOf(process.env);
const SECONDS = Number(process.env.HOLDFAST_MODEL_SECONDS ?? 12);
const SEED = Number(process.env.HOLDFAST_MODEL_SEED ?? Date.now() % 2_147_483_647);
const PATH = process.env.HOLDFAST_MODEL_PATH;
const MAX_KEYS = 8;
const MAX_SEQUENCES = 1_000;
const KEY_LIFETIME_MS = 4_000;
const START_WITHIN_MS = 90_000;

let target: Target;
let starting: Promise<Target> | undefined;
beforeAll(async () => {
  const signal = AbortSignal.timeout(START_WITHIN_MS);
  starting = startTarget({ ...SHAPE, keyLifetimeMs: KEY_LIFETIME_MS, signal });
  target = await starting;
  const faults = { slow: 0.3, slowMs: 250, lostAnswer: 0.1, error500: 0.1 };
  await target.setFaults({ payments: faults, carrier: faults });
});
afterAll(async () => {
  // Also when the hook above was given up: what it had started would go on without anybody who stops it.
  await starting?.then(
    (started) => started.stop(),
    () => undefined,
  );
});

async function runOnce(commands: Iterable<fc.AsyncCommand<Model, { target: Target; requests: KeyedRequests }>>) {
  const requests = await KeyedRequests.prepare(target, MAX_KEYS);
  const model: Model = { keys: 0, maxKeys: MAX_KEYS, paused: new Set(), hasExpired: false, postgresKills: 0 };
  await fc.asyncModelRun(() => ({ model, real: { target, requests } }), commands);
  resumeAll(model, target);
  await target.control.untilAllReady();
  await requests.judge(model.keys);
}

describe('whatever is sent, duplicated, killed, paused and restarted', () => {
  it('K1, K2, K5: a key has one effect at most, and one answer', { timeout: (SECONDS + 120) * 1_000 }, async () => {
    console.log(`model: seed ${SEED}, ${SECONDS} s, ${SHAPE.replicas} replicas, Redis: ${SHAPE.redis}`);
    let runs = 0;
    const endAtMs = performance.now() + SECONDS * 1_000;
    const replayPath = process.env.HOLDFAST_MODEL_REPLAY;
    const commands = fc.commands(commandsOf(SHAPE.replicas), {
      maxCommands: 14,
      size: 'max',
      ...(replayPath && { replayPath }),
    });
    const property = fc.asyncProperty(commands, async (sequence) => {
      // Not fast-check's own time limit: that would leave a sequence running, with its kills, behind the test's end.
      if (performance.now() > endAtMs) return;
      await runOnce(sequence);
      runs += 1;
    });
    await fc.assert(property, {
      seed: SEED,
      ...(PATH !== undefined && { path: PATH }),
      numRuns: MAX_SEQUENCES,
      // A run on real processes takes seconds and never meets the same instants twice: the sequence is shown as it is.
      endOnFailure: true,
    });
    console.log(`model: ${runs} sequences held`);
    expect(runs).toBeGreaterThan(0);
  });

  it('A1: the books are sound at the end', async () => {
    await target.setFaults({});
    const report = await auditSystem(booksAt((name) => target.control.service(name).databaseUrl, target.sandbox));
    expect(report.violations, JSON.stringify(report.checks, null, 2)).toBe(0);
  });
});
