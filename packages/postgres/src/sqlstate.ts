import { isCertificateFault } from '@holdfast/resilience';
import pg from 'pg';

/**
 * What a failed statement means for its caller.
 * - `unavailable`: the store cannot do it now, whatever the data: it can't be reached, is starting, stopping, read-only or
 *   full, did not answer in time, or the connection's session is not the one that was prepared. Whether a commit happened
 *   is unknown.
 * - `contended`: rolled back by the server because another transaction locked a row or won a conflict. Nothing happened.
 * - `other`: a fault in the statement or its data. Retrying does not help.
 */
export type PostgresFault = 'unavailable' | 'contended' | 'other';

interface Meaning {
  fault: PostgresFault;
  /** The session is at fault: another connection may well do it, so this one must not be used again. */
  session?: boolean;
}

/**
 * The one table of what the server's SQLSTATEs mean; the first row that fits counts. What fits none is `other`: only such an
 * error may be taken for a verdict on the data (a refused checkpoint, a poisonous message, an HTTP 500).
 */
const MEANINGS: readonly [sqlstates: RegExp, meaning: Meaning][] = [
  // Serialization failure, deadlock, a lock that was not had in time.
  [/^(40001|40P01|55P03)$/, { fault: 'contended' }],
  // Read-only: a replica, a primary that was taken down a rank, a disk that its operator protects. Its successor is elsewhere.
  [/^25006$/, { fault: 'unavailable', session: true }],
  // A named statement that the server does not know, or knows already: a pooler has changed the session under us.
  [/^(26000|42P05)$/, { fault: 'unavailable', session: true }],
  // Ended by a time-out: idle in its transaction, the transaction as a whole, the statement (57014, below).
  [/^25P0[34]$/, { fault: 'unavailable' }],
  // Connections; the login (a password in rotation); a database that is not there yet, or takes no connections.
  [/^(08...|28...|3D000|55000|55006)$/, { fault: 'unavailable' }],
  // A right that is missing, also the server's own to its files: an operator's to give, and no fault of the data.
  [/^42501$/, { fault: 'unavailable' }],
  // The outcome of a statement is unknown.
  [/^40003$/, { fault: 'unavailable' }],
  // Resources (full, out of memory, out of connections), an operator's intervention, the system, its settings, damaged files.
  [/^(53...|57...|58...|F0...|XX00[12])$/, { fault: 'unavailable' }],
];
const OTHER: Meaning = { fault: 'other' };
// "cached plan must not change result type": a migration has changed a table under a statement that was prepared before.
const STALE_PLAN = { code: '0A000', routine: 'RevalidateCachedQuery' };
const STALE: Meaning = { fault: 'unavailable', session: true };

const SOCKET_FAULTS = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENOENT',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);
// pg reports its own time-outs and lost connections without a code.
const PG_MESSAGES =
  /timeout exceeded when trying to connect|Connection terminated|Query read timeout|Client has encountered a connection error|Client was closed|Cannot use a pool after|server does not support SSL/i;

/** Translates an error thrown by `pg` into what its caller may do next. */
export function classifyPostgresError(error: unknown): PostgresFault {
  if (error instanceof AggregateError) return error.errors.some(isUnreachable) ? 'unavailable' : 'other';
  return isUnreachable(error) ? 'unavailable' : meaningOf(error).fault;
}

/** True when the connection must be closed, since its session can't do what another one can. */
export function isSessionFault(error: unknown): boolean {
  return meaningOf(error).session === true;
}

/** The server's code for what went wrong, for logs and journals; undefined when the error is not the server's. */
export function sqlstateOf(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined;
  return typeof code === 'string' && SQLSTATE.test(code) ? code : undefined;
}

/** An error as one line of a log says it: without the server's `detail`, which quotes the row (H23). */
export function faultLine(error: unknown): string {
  const [first] = error instanceof AggregateError ? (error.errors as unknown[]) : [error];
  const sqlstate = sqlstateOf(first);
  return `${sqlstate === undefined ? '' : `${sqlstate}: `}${first instanceof Error ? first.message : String(first)}`;
}

/** Five characters as Node's own codes have them (`EPIPE`) are none: those have no digit. */
const SQLSTATE = /^(?=.*\d)[0-9A-Z]{5}$/;

function meaningOf(error: unknown): Meaning {
  const code = sqlstateOf(error);
  if (code === undefined) return OTHER;
  if (code === STALE_PLAN.code && (error as { routine?: unknown }).routine === STALE_PLAN.routine) return STALE;
  return MEANINGS.find(([sqlstates]) => sqlstates.test(code))?.[1] ?? OTHER;
}

/** No answer of the server's came. */
function isUnreachable(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof pg.DatabaseError) return false;
  const code = (error as NodeJS.ErrnoException).code;
  // A certificate that is not believed is the server's, or its operator's, and no fault of the data.
  if (isCertificateFault(error)) return true;
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
