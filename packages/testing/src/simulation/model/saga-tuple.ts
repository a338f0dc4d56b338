// A row of `sagas`, as the model has it: texts stand for jsonb, numbers for instants.

import type { SagaState } from '@holdfast/saga';

export interface SagaTuple {
  id: string;
  definition: string;
  input: unknown;
  state: SagaState;
  position: number;
  outputs: string;
  failure: string | null;
  parked: string | null;
  resumeState: 'running' | 'compensating' | null;
  cancelRequestedAt: number | null;
  waiting: string | null;
  wakeAt: number | null;
  /** By step; null before the first. */
  signals: Readonly<Record<string, number>> | null;
  ownerId: number;
  epoch: number;
  revision: number;
  deadlineAt: number;
  startedAt: number;
  /** By the clock of the process that wrote it, in milliseconds. */
  changedAt: number;
  drivenAt: number;
  endedAt: number | null;
  /** `epoch seq` of each attempt that stands in the row. */
  inlineAttempts: string[];
}

/** What stands in a checkpoint's column of that name. */
export interface Setback {
  failure?: object;
  parked?: object;
  resumeState?: 'running' | 'compensating';
  waiting?: { step: string };
  leftMs?: number;
  wait?: { waitMs: number; seen: number; seenOf?: Record<string, number>; extendMs?: number; mayTurnBack: boolean };
}

export function isLive(saga: SagaTuple): boolean {
  return saga.endedAt === null && saga.state !== 'parked' && saga.state !== 'waiting';
}

export function isDue({ wakeAt }: SagaTuple, now: number): boolean {
  return wakeAt !== null && wakeAt <= now;
}

/** On with a step's first wait, and back when that step is done. */
export function deadlineAfter({ deadlineAt }: SagaTuple, { wait, leftMs }: Setback, now: number): number {
  if (wait?.extendMs !== undefined) return Math.max(deadlineAt, now) + wait.extendMs;
  return leftMs === undefined ? deadlineAt : Math.min(deadlineAt, now + leftMs);
}

export interface ModelWait {
  step?: string;
  isDelay?: boolean;
  mayTurnBack?: boolean;
  beside?: Record<string, unknown>;
}

export function waitOf(waiting: string | null): ModelWait {
  return waiting === null ? {} : JSON.parse(waiting);
}

/** As jsonb compares them. */
export function isSameCount(a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}

export function appended(saga: SagaTuple, attempts: string | null): string[] {
  const added: unknown[][] = JSON.parse(attempts ?? '[]');
  return [...saga.inlineAttempts, ...added.map(([epoch, seq]) => `${epoch} ${seq}`)];
}

export function parsed(json: string | null): unknown {
  return json === null ? null : JSON.parse(json);
}
