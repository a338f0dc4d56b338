// What a statement is answered with, and how one is handed to the model.

export interface Result {
  rows: unknown[];
  rowCount: number;
}

/** A statement as the engine hands it to the pool. */
export interface Sent {
  name: string;
  values: readonly unknown[];
  /** The sender's wall clock; no statement of the engine looks at it. */
  senderNow: number;
}

export const none = (): Result => ({ rows: [], rowCount: 0 });
export const one = (row: unknown): Result => ({ rows: [row], rowCount: 1 });
export const many = (rows: unknown[]): Result => ({ rows, rowCount: rows.length });
