import type { Engine, SagaMetrics } from '@holdfast/saga';
import type { Log, Metrics } from '@holdfast/service';
import type { OrderNewsParts } from './news/take-order-news.ts';
import type { UnendedCount } from './saga/saga-store.ts';

/** The engine's counters under `/metrics`. */
export function sagaMetrics(metrics: Metrics): SagaMetrics {
  const started = metrics.counter('holdfast_sagas_started_total', 'Sagas begun here');
  const ended = metrics.counter('holdfast_sagas_ended_total', 'Sagas ended here', ['state']);
  const seconds = metrics.histogram('holdfast_saga_seconds', 'From acceptance to the end', ['state']);
  const parked = metrics.counter('holdfast_sagas_parked_total', 'Sagas that wait for an operator');
  const waiting = metrics.counter('holdfast_sagas_waiting_total', 'Sagas whose step waits for something outside', [
    'step',
  ]);
  const woken = metrics.counter('holdfast_sagas_woken_total', 'Waiting sagas taken up again here');
  const adopted = metrics.counter('holdfast_sagas_adopted_total', 'Sagas taken over from dead processes');
  const fenced = metrics.counter('holdfast_sagas_fenced_total', 'Sagas dropped because another process owns them');
  const retried = metrics.counter('holdfast_step_retries_total', 'Attempts repeated', ['step', 'direction']);
  const flushes = metrics.counter('holdfast_checkpoint_flushes_total', 'Commits of checkpoints');
  let leftAlone = 0;
  const leftHelp = 'Sagas that live or are due, of definitions that this process does not know';
  metrics.gauge('holdfast_sagas_left_alone', leftHelp, () => leftAlone);
  const checkpoints = metrics.counter('holdfast_checkpoints_total', 'Checkpoints written');
  return {
    sagaStarted: () => started.inc(),
    sagaEnded(_definition, state, durationMs) {
      ended.inc({ state });
      seconds.observe({ state }, durationMs / 1_000);
    },
    sagaParked: () => parked.inc(),
    sagaWaiting: (_definition, step) => waiting.inc({ step }),
    sagasWoken: (count) => woken.inc(count),
    sagasAdopted: (count) => adopted.inc(count),
    sagasLeftAlone(count) {
      leftAlone = count;
    },
    sagaFenced: () => fenced.inc(),
    stepRetried: (_definition, step, direction) => retried.inc({ step, direction }),
    flushed(count) {
      flushes.inc();
      checkpoints.inc(count);
    },
  };
}

/** What payment has told of orders, each time that it is news. */
export function newsMetrics(metrics: Metrics): Pick<OrderNewsParts, 'onDispute' | 'onAuthorization'> {
  const disputes = metrics.counter('holdfast_order_disputes_total', 'Disputes of orders, new or changed', ['status']);
  const authorizations = metrics.counter(
    'holdfast_order_authorizations_total',
    'Authorisations of orders that run out soon, or have run out uncaptured',
    ['state'],
  );
  return {
    onDispute: (status) => disputes.inc({ status }),
    onAuthorization: (state) => authorizations.inc({ state }),
  };
}

/** Figures read from the engine when `/metrics` is asked for. */
export function observeEngine(metrics: Metrics, engine: Engine): void {
  metrics.gauge('holdfast_sagas_running', 'Sagas driven by this process now', () => engine.stats().running);
  metrics.gauge('holdfast_saga_oldest_running_seconds', 'Age of the oldest of them', () => {
    return engine.stats().oldestRunningMs / 1_000;
  });
}

const UNENDED_STATES = ['running', 'waiting', 'compensating', 'parked'] as const;
/** However often and by however many `/metrics` is asked for. */
const COUNT_EVERY_MS = 5_000;

/** The sagas of all processes that have not ended, counted when `/metrics` is asked for and never on an order's way. */
export function observeUnended(metrics: Metrics, log: Log, count: () => Promise<UnendedCount[]>): void {
  let counted: { atMs: number; counts: Promise<UnendedCount[]> } | undefined;
  const recent = () => {
    if (counted !== undefined && performance.now() - counted.atMs < COUNT_EVERY_MS) return counted.counts;
    const before = counted?.counts ?? Promise.resolve([]);
    const counts = count().catch((error: Error) => {
      log.warn({ err: error }, 'counting sagas failed; the figures of /metrics are old');
      return before;
    });
    counted = { atMs: performance.now(), counts };
    return counts;
  };
  const by = (figure: (row: UnendedCount) => number) => async () => {
    const rows = await recent();
    return new Map(
      UNENDED_STATES.map((state) => {
        const row = rows.find((each) => each.state === state);
        return [state, row === undefined ? 0 : figure(row)];
      }),
    );
  };
  metrics.gaugeBy(
    'holdfast_sagas_unended',
    'Sagas that have not ended, of all processes',
    'state',
    by((row) => row.sagas),
  );
  metrics.gaugeBy(
    'holdfast_saga_oldest_unended_seconds',
    'Age of the oldest of them',
    'state',
    by((row) => row.oldestSeconds),
  );
}
