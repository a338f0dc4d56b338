// What is written of a saga, and how its journal is read: the words that writer, statement and reader share.

import type { StoredWait } from '../definition/definition.ts';
import type { Failure, Parked, SagaState } from './saga-row.ts';

/** One attempt at a step, as the journal keeps it. Instants are by the process's clock. */
export interface Attempt {
  sagaId: string;
  epoch: number;
  seq: number;
  step: string;
  direction: 'act' | 'undo';
  attempt: number;
  outcome: 'completed' | 'refused' | 'unknown' | 'waiting' | 'fenced';
  detail: string | null;
  startedAt: number;
  endedAt: number;
}

/** What a saga's row shall say from now on, whatever it says now. */
export interface Checkpoint {
  id: string;
  epoch: number;
  revision: number;
  state: SagaState;
  position: number;
  outputs: Record<string, unknown>;
  failure: Failure | null;
  parked: Parked | null;
  resumeState: 'running' | 'compensating' | null;
  waiting: StoredWait | null;
  /** Of a checkpoint that waits; null of all others. */
  wait: WaitTerms | null;
  /** For the work, from now on, once a step that has waited is done; null of all others. */
  leftMs: number | null;
  /** When callers are shown that it changed, by this process's clock. */
  changedAt: Date;
  /** For the commit hook. */
  payload: string | null;
  /** Written if and only if the checkpoint is. */
  attempts: Attempt[];
}

/** When a waiting saga is due. */
export interface WaitTerms {
  waitMs: number;
  /** How many signals of its step the act had seen when it was asked: one more, and it is asked again at once. */
  seen: number;
  /** Of a group: all signals that the saga had when it was taken, by step. Any other number, and it is asked again at once. */
  seenOf?: Record<string, number>;
  /** By how much the deadline moves on: with the step's first wait only. */
  extendMs: number | null;
  /** Whether a cancel that was requested meanwhile turns it back, so is no reason to wait. */
  mayTurnBack: boolean;
}

/** One line of a saga's journal. */
export interface AttemptRecord {
  step: string;
  direction: 'act' | 'undo';
  /** From 1, counted afresh by every owner. */
  attempt: number;
  epoch: number;
  outcome: 'completed' | 'refused' | 'unknown' | 'waiting' | 'fenced';
  /** Null when done. */
  detail: string | null;
  startedAt: Date;
  endedAt: Date;
}

/**
 * One more data-changing statement in every flush, so that it commits with the checkpoints. It reads
 * `written(id, state, ended, payload)`: the checkpoints really written by this flush. It must do nothing the second time,
 * since a flush may be repeated, e.g.
 *
 *     update orders set answer = w.payload from written w
 *      where orders.id = w.id and w.payload is not null and orders.answer is null
 */
export interface CommitHook {
  /** Shown to operators as part of the flush's name. */
  name: string;
  text: string;
  /**
   * It ends with `returning id`: of each saga whose payload it has stored. Snapshots of those sagas say so, and a caller
   * that waits for one has no need to read what is stored.
   */
  returnsStored?: boolean;
  /** One more such statement, beside the first. */
  beside?: string;
}
