import type { SagaDefinition } from '../definition/definition.ts';
import type { Clock, SagaLog, SagaMetrics } from '../engine/ports.ts';
import type { EndState } from '../journal/saga-row.ts';

/** Why a saga no longer runs here though it has not ended: its row says where the next owner goes on. */
export type DropReason = 'fenced' | 'lease-lost' | 'leaving' | 'unwritable';
export type SagaRunEnd =
  | { kind: 'ended'; state: EndState }
  /** Nobody owns it until it is due; `isDue`: it is already. */
  | { kind: 'waiting'; step: string; isDue: boolean }
  | { kind: 'parked' }
  | { kind: 'dropped'; why: DropReason };

export interface ReportContext {
  definition: SagaDefinition;
  clock: Clock;
  log: SagaLog;
  metrics?: SagaMetrics | undefined;
}

export function reportEnd(
  { id: sagaId, epoch, startedAt }: { id: string; epoch: number; startedAt: number },
  context: ReportContext,
  end: SagaRunEnd,
): void {
  const { definition, log, metrics, clock } = context;
  if (end.kind === 'ended') metrics?.sagaEnded(definition.name, end.state, clock.now() - startedAt);
  if (end.kind === 'waiting') metrics?.sagaWaiting(definition.name, end.step);
  if (end.kind === 'parked') {
    metrics?.sagaParked(definition.name);
    log.error({ sagaId, epoch }, 'saga parked: an operator has to fix the cause and resume it');
  }
  if (end.kind === 'dropped') {
    if (end.why === 'fenced') metrics?.sagaFenced(definition.name);
    log.info({ sagaId, epoch, why: end.why }, 'saga dropped; its next owner continues it');
  }
}
