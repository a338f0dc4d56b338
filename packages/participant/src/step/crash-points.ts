// The places in a step's life between which a crash makes a difference. In production nobody listens; tests hand in a
// listener that ends the process on the spot, and hold that every point of this list is reached.

export const STEP_POINTS = [
  /** The call is here, nothing has been done. */
  'before-claim',
  /** In the transaction, before its commit: the call has the right to run. */
  'after-claim',
  'after-effect',
  'before-commit',
  /** Everything is committed, and the caller has not been told. */
  'before-reply',
  /** Of effects outside: the claim is committed, and the provider is about to be called. */
  'before-provider',
  /** The provider has answered, and nothing of it is stored. */
  'after-provider',
  /** In the transaction that stores the provider's answer, before its commit. */
  'before-record',
] as const;
export type StepPoint = (typeof STEP_POINTS)[number];

/** Called whenever a call of `operation` reaches a point: it must be quick and must not throw. */
export type ReachStepPoint = (point: StepPoint, operation: string, key: string) => void;
