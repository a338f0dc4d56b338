/*
 * Running something once in a transaction of somebody else, whatever driver or ORM opened it.
 *
 * K1, K9  Claim, effect and stored value are in the caller's transaction: it commits all of them, or none. Code that ends it early
 *     gets TransactionEnded. Ended by COMMIT, the claim stays open, in progress without a lease, and the key never runs again by
 *     itself. Ended by ROLLBACK, the claim is made anew beside whatever came after it.
 * K7  A duplicate of a running call gets IdempotencyError REQUEST_IN_PROGRESS at once: it waits in no transaction.
 *
 * Crash window: none before the commit. After a ROLLBACK by other code, statements that commit by themselves are unmarked until once()
 * has seen it; a crash in between lets them happen again.
 */
import { randomBytes } from 'node:crypto';
import { DEFAULT_SCHEMA, type Statement, textIn } from '@holdfast/postgres';
import { createFingerprinter, type Fingerprinter } from '../../core/fingerprint.ts';
import { IdempotencyError } from '../../core/idempotency-error.ts';
import { splitKey } from '../../core/key.ts';
import { KEY_FAULT_REASONS } from '../../core/outcome-reasons.ts';
import { DEFAULT_KEEP_DAYS, isKeyExpired, TOMBSTONE_MS } from '../../core/retention-clock.ts';
import { differingMembers, isSameRequest } from '../../core/same-request.ts';
import { endedEarlier } from '../claims/ended-claims.ts';
import { lockIds } from '../key-lock.ts';
import type { KeyedOutcome } from '../keyed-runner.ts';
import { transactionEnded } from '../scope/scoped-transaction.ts';
import { encodeValue, type OnceCall, type OnceRequest, type OnceResult, onceCall, onceResult } from './once-request.ts';
import { type ClaimedOnce, claimOnce, keepSecret, markOnce, readSecret, settleOnce } from './once-statements.ts';

/** A transaction that the caller has opened and will end. */
export interface TransactionPort {
  /** Runs a statement with `$1` parameters, each of which stands in it once and in order. */
  query(text: string, values: string[]): Promise<readonly unknown[] | { readonly rows: readonly unknown[] }>;
}

/**
 * Runs `effect` at most once per key. It writes through the same transaction. What it returns, a JSON value, is stored; what it
 * throws is for the caller to roll back, and the key is free again then.
 *
 * @throws IdempotencyError when nothing was run and there is no value; TransactionEnded; what `effect` and the database throw:
 *   roll back after each of them
 */
export async function once<T>(
  port: TransactionPort,
  key: string,
  request: OnceRequest,
  effect: () => Promise<T>,
): Promise<OnceResult<T>> {
  if ('totalCount' in port)
    throw new TypeError('once() needs a client inside a transaction; for a pool there is runOnce()');
  const keys: Keys = { port, schema: request.schema ?? DEFAULT_SCHEMA };
  const call = onceCall(key, request, await readFingerprinter(keys));
  const claimed = await claim(keys, call);
  if ('outcome' in claimed) return onceResult(claimed.outcome);
  const answer = await effect()
    .then(encodeValue)
    .catch(async (error: unknown) => {
      // A transaction that has failed can tell nothing, and is rolled back.
      if (await isEnded(keys, call, claimed.xact).catch(() => false)) throw transactionEnded(error);
      throw error;
    });
  await settle(keys, call, claimed.xact, answer);
  return onceResult({ kind: 'completed', answer, replayed: false });
}

/** The keys of a schema, by way of somebody else's transaction. */
interface Keys {
  port: TransactionPort;
  schema: string;
}

const LOOKS = 5;

async function readFingerprinter(keys: Keys): Promise<Fingerprinter> {
  for (let look = 1; look <= LOOKS; look++) {
    const [found] = await ask<{ secret: string }>(keys, readSecret, []);
    if (found !== undefined) return createFingerprinter(Buffer.from(found.secret, 'hex'));
    // The first call of all on this database. Not cached: this transaction may yet be rolled back, and its secret with it.
    await ask(keys, keepSecret, [randomBytes(32).toString('hex')]);
  }
  throw new Error('the fingerprint secret could not be read: check the table fingerprint_secrets');
}

async function claim(keys: Keys, call: OnceCall): Promise<{ xact: string } | { outcome: KeyedOutcome }> {
  const mayBeNew = !isKeyExpired(call.key, TOMBSTONE_MS, Date.now());
  const { requestLock, keyLock } = lockIds(call, keys.schema);
  for (let look = 1; look <= LOOKS; look++) {
    const values = [...claimValues(call), requestLock, keyLock, mayBeNew ? 'yes' : 'no'];
    const [row] = await ask<ClaimedOnce>(keys, claimOnce, values);
    if (row === undefined) throw new Error('the port returned no row: return the rows of each statement');
    if (row.xact !== null) return { xact: row.xact };
    if (row.state !== null) return { outcome: existing({ ...row, state: row.state }, call) };
    if (row.holder === 'same') return { outcome: { kind: 'in_progress' } };
    if (row.holder === 'other') return { outcome: { kind: 'reused', differing: [] } };
    if (!mayBeNew) throw new IdempotencyError(KEY_FAULT_REASONS.key_expired);
    // Committed between this statement's snapshot and its locks: the next one finds it.
  }
  return { outcome: { kind: 'in_progress' } };
}

/** @throws TransactionEnded */
function existing(row: ClaimedOnce & { state: NonNullable<ClaimedOnce['state']> }, call: OnceCall): KeyedOutcome {
  const fingerprint = row.fingerprint === null ? null : Buffer.from(row.fingerprint, 'hex');
  if (fingerprint !== null && !isSameRequest({ operation: row.operation, fingerprint }, call)) {
    const members = row.members === null ? null : (JSON.parse(row.members) as Record<string, string>);
    const differing = row.operation === call.operation ? differingMembers(members, call.fingerprint.members) : [];
    return { kind: 'reused', differing };
  }
  if (row.state === 'sealed') return { kind: 'sealed' };
  if (row.state === 'in_progress') {
    if (row.leased === 'yes') return { kind: 'in_progress' };
    throw endedEarlier();
  }
  if (row.answer === null) return { kind: 'answer_expired' };
  return { kind: row.state, answer: Buffer.from(row.answer, 'hex'), replayed: true };
}

/** @throws TransactionEnded */
async function settle(keys: Keys, call: OnceCall, xact: string, answer: Buffer): Promise<void> {
  const keepDays = String(call.keepDays ?? DEFAULT_KEEP_DAYS);
  const values = [...keyValues(call), xact, answer.toString('hex'), keepDays];
  const [row] = await ask<{ settled: string }>(keys, settleOnce, values);
  if (row?.settled === '1') return;
  await isEnded(keys, call, xact);
  throw transactionEnded();
}

/** Whether the transaction of the claim is no longer open; the key is marked then, if a COMMIT has not done so. */
async function isEnded(keys: Keys, call: OnceCall, xact: string): Promise<boolean> {
  const [row] = await ask<{ ended: 'yes' | 'no' }>(keys, markOnce, [...claimValues(call), xact]);
  return row?.ended === 'yes';
}

async function ask<Row>({ port, schema }: Keys, { text }: Statement, values: string[]): Promise<Row[]> {
  const answered = await port.query(textIn(schema, text), values);
  return ('rows' in answered ? answered.rows : answered) as Row[];
}

function keyValues({ tenantId, key }: OnceCall): string[] {
  const { scope, name } = splitKey(key);
  return [tenantId, scope, name];
}

function claimValues(call: OnceCall): string[] {
  const { digest, version, members } = call.fingerprint;
  return [...keyValues(call), call.operation, digest.toString('hex'), String(version), JSON.stringify(members)];
}
