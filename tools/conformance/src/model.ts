import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import type { ServiceName } from './control.ts';
import type { KeyedRequests, Variant } from './model-keys.ts';
import { RedisLine } from './redis.ts';
import type { Target } from './target.ts';

/** What a command may count on: how many keys there are, and who sleeps. */
export interface Model {
  keys: number;
  maxKeys: number;
  paused: Set<number>;
  hasExpired: boolean;
  postgresKills: number;
}

/** The system, and everything that has been sent to it. */
export interface Real {
  target: Target;
  requests: KeyedRequests;
}

type Command = fc.AsyncCommand<Model, Real>;

const named = (
  name: string,
  check: (model: Model) => boolean,
  run: (model: Model, real: Real) => Promise<void>,
): Command => ({
  check,
  run,
  toString: () => name,
});

/** A first request under a new key. Nobody waits for it: what follows happens while it is under way. */
const send = (replica: number, waitS: number) =>
  named(
    `send(${replica}, wait=${waitS})`,
    (model) => model.keys < model.maxKeys,
    async (model, { requests }) => {
      requests.send(model.keys, 'first', { replica, waitS });
      model.keys += 1;
    },
  );

/** The request of an earlier key again, several times at once, or another request under that key. */
const again = (which: number, variant: Variant, times: number, waitS: number) =>
  named(
    `${variant === 'first' ? 'duplicate' : 'mutate'}(${which}, ${times} times, wait=${waitS})`,
    (model) => model.keys > 0,
    async (model, { requests }) => {
      for (let at = 0; at < times; at++) requests.send(which % model.keys, variant, { replica: at, waitS });
    },
  );

const kill = (name: ServiceName, replica: number) =>
  named(
    `kill -9 ${name} ${replica}`,
    (model) => name !== 'orchestrator' || !model.paused.has(replica),
    async (_model, { target }) => {
      const { pid } = target.control.service(name, replica);
      // Gone already, by an earlier command: its successor is not written down yet.
      if (isAlive(pid)) process.kill(pid, 'SIGKILL');
    },
  );

const pausePastLease = (replica: number) =>
  named(
    `SIGSTOP orchestrator ${replica} past its lease`,
    (model) => model.paused.size === 0,
    async (model, { target }) => {
      const { pid } = target.control.service('orchestrator', replica);
      if (!isAlive(pid)) return;
      process.kill(pid, 'SIGSTOP');
      model.paused.add(replica);
      await delay(target.options.leaseMs + 300);
    },
  );

const resume = () =>
  named(
    'SIGCONT',
    (model) => model.paused.size > 0,
    async (model, { target }) => resumeAll(model, target),
  );

const restartPostgres = () =>
  named(
    'kill -9 Postgres',
    (model) => model.postgresKills === 0,
    async (model, { target }) => {
      model.postgresKills += 1;
      const { pid } = target.control.run().postgres;
      if (isAlive(pid)) process.kill(pid, 'SIGKILL');
    },
  );

/** Until every key that has been sent by now is past its retention. */
const expire = () =>
  named(
    'expire',
    (model) => model.keys > 0 && !model.hasExpired,
    async (model, { requests }) => {
      model.hasExpired = true;
      await requests.untilExpired();
    },
  );

const flushRedis = () =>
  named(
    'flush Redis',
    () => true,
    async (_model, { target }) => {
      const { redisUrl } = target.control.run();
      if (redisUrl !== null) await RedisLine.with(redisUrl, (redis) => redis.send('FLUSHALL'));
    },
  );

const breathe = (ms: number) =>
  named(
    `${ms} ms pass`,
    () => true,
    async () => delay(ms),
  );

export function resumeAll(model: Model, target: Target): void {
  for (const replica of model.paused) {
    const { pid } = target.control.service('orchestrator', replica);
    if (isAlive(pid)) process.kill(pid, 'SIGCONT');
  }
  model.paused.clear();
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** @param replicas of every service */
export function commandsOf(replicas: number): fc.Arbitrary<Command>[] {
  const replica = fc.integer({ min: 0, max: replicas - 1 });
  const key = fc.nat({ max: 50 });
  const wait = fc.constantFrom(0, 0, 1, 5);
  const service = fc.constantFrom<ServiceName>('orchestrator', 'orchestrator', 'inventory', 'payment', 'shipping');
  const sends = fc.tuple(replica, wait).map((args) => send(...args));
  const duplicates = fc
    .tuple(key, fc.constant<Variant>('first'), fc.integer({ min: 1, max: 8 }), wait)
    .map((args) => again(...args));
  const mutations = fc
    .tuple(key, fc.constant<Variant>('other'), fc.integer({ min: 1, max: 2 }), wait)
    .map((args) => again(...args));
  return [
    sends,
    sends,
    sends,
    duplicates,
    duplicates,
    mutations,
    fc.tuple(service, replica).map((args) => kill(...args)),
    replica.map(pausePastLease),
    fc.constant(resume()),
    fc.constant(restartPostgres()),
    fc.constant(expire()),
    fc.constant(flushRedis()),
    fc.constantFrom(20, 100, 400).map(breathe),
  ];
}
