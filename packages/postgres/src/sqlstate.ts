import pg from 'pg';

/**
 * What a failed statement means for its caller.
 * - `unavailable`: the store cannot be reached, is starting or stopping, or did not answer in time. Whether a commit
 *   happened is unknown.
 * - `contended`: rolled back by the server because another transaction locked a row or won a conflict. Nothing happened.
 * - `other`: a fault in the statement or its data. Retrying does not help.
 */
export type PostgresFault = 'unavailable' | 'contended' | 'other';

const CONTENDED = new Set(['40001', '40P01', '55P03']);
// 57014 is a statement cancelled by its time-out; class 08 connections, 53 resources, 57P operator intervention.
const UNAVAILABLE = /^(08...|53...|57P0.|57014|58...|25P03)$/;
const SOCKET_FAULTS = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENOENT',
  'EHOSTUNREACH',
]);
// pg reports its own time-outs and lost connections without a code.
const PG_MESSAGES =
  /timeout exceeded when trying to connect|Connection terminated|Query read timeout|Client has encountered a connection error|Cannot use a pool after/i;

/** Translates an error thrown by `pg` into what its caller may do next. */
export function classifyPostgresError(error: unknown): PostgresFault {
  if (error instanceof AggregateError) return error.errors.some(isUnavailable) ? 'unavailable' : 'other';
  if (error instanceof pg.DatabaseError && error.code !== undefined && CONTENDED.has(error.code)) return 'contended';
  return isUnavailable(error) ? 'unavailable' : 'other';
}

function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = (error as NodeJS.ErrnoException).code;
  if (error instanceof pg.DatabaseError) return code !== undefined && UNAVAILABLE.test(code);
  return (code !== undefined && SOCKET_FAULTS.has(code)) || PG_MESSAGES.test(error.message);
}

/** True when a statement failed because this column would have been null. */
export function isNotNullViolation(error: unknown, table: string, column: string): boolean {
  if (!(error instanceof pg.DatabaseError) || error.code !== '23502') return false;
  return error.table === table && error.column === column;
}

/** True when `constraint` refused a row: the way a unique effect says that it exists already (K5). */
export function isUniqueViolation(error: unknown, constraint: string): boolean {
  return error instanceof pg.DatabaseError && error.code === '23505' && error.constraint === constraint;
}
