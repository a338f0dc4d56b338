import type { Statement } from '@holdfast/postgres';
import { BEGIN } from './engine/begin.ts';
import { flushStatements } from './journal/flush-sql.ts';
import { RESUME, RETRY, TURN_BACK } from './operator/operate.ts';
import { ADOPT } from './recovery/recovery.ts';
import { WAKE } from './recovery/wake.ts';

/** The engine's statements that are put together from parts, for those who want to read or explain them whole. */
export const sagaStatements: readonly Statement[] = [
  BEGIN,
  ADOPT,
  WAKE,
  ...flushStatements(undefined),
  RESUME,
  RETRY,
  TURN_BACK,
];
