// The points between which a crash makes a difference. In production there is no listener. Tests hand in a listener that ends
// the process on the spot, and hold that every point of this list is reached: one that is added here is covered there.

import { hasEnded, type SagaState } from '../journal/saga-row.ts';

export const ENGINE_POINTS = [
  /** The call is about to go out. */
  'before-act',
  /** Its answer is here, and only in memory. */
  'after-act',
  'before-undo',
  'after-undo',
  /** A step is done; its checkpoint is about to be written. */
  'before-checkpoint',
  'after-checkpoint',
  /** The decision to turn back, as a checkpoint. */
  'before-turn-back',
  'after-turn-back',
  /** The step waits; the checkpoint that lets go of the saga is about to be written. */
  'before-wait',
  'after-wait',
  /** A waiting saga is due; the update that takes it is about to be sent. */
  'before-wake',
  'after-wake',
  /** A signal is about to be stored. */
  'before-signal',
  'after-signal',
  /** The last checkpoint. */
  'before-end',
  'after-end',
  /** A dead owner's saga has been found; the update that adopts it is about to be sent. */
  'before-adoption',
  'after-adoption',
] as const;
export type EnginePoint = (typeof ENGINE_POINTS)[number];

/** Called whenever a saga reaches a point, in the middle of the engine's work: it must be quick and must not throw. */
export type CrashPointListener = (point: EnginePoint, sagaId: string) => void;

/** What the checkpoint that takes a saga from one state to another is called above. */
export function pointOf(from: SagaState, to: SagaState): 'checkpoint' | 'turn-back' | 'wait' | 'end' {
  if (hasEnded(to)) return 'end';
  if (to === 'waiting') return 'wait';
  return from === 'running' && to === 'compensating' ? 'turn-back' : 'checkpoint';
}
