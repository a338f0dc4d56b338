/** Carries an outcome out of a transaction that must be rolled back. */
export class RolledBack<T> extends Error {
  readonly outcome: T;
  constructor(outcome: T) {
    super('rolled back on purpose');
    this.outcome = outcome;
  }
}

/** The result of a transaction, or the outcome that it was rolled back with. */
export async function rolledBackOr<T>(ended: Promise<T>): Promise<T> {
  try {
    return await ended;
  } catch (error) {
    if (error instanceof RolledBack) return error.outcome as T;
    throw error;
  }
}
