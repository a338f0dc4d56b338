/** Orders that have failed, as they would be had their last undo never been answered: parked, stock still held. */
import type { Database } from './order-rows.ts';

/** Of place-order's undos: so often is one asked before its saga is parked. */
const ATTEMPTS = 1_800;
const STEP = 'reserve-inventory';
const DETAIL = 'UNAVAILABLE: the call was not answered';

/** Changes of the templates (order-rows.ts), by database. */
export const PARK: Readonly<Partial<Record<Database, readonly string[]>>> = {
  orchestrator: [
    `update template_sagas
        set state = 'parked', resume_state = 'compensating', position = 0, ended_at = null,
            parked = jsonb_build_object('step', '${STEP}', 'direction', 'undo', 'reason', 'ATTEMPTS_EXHAUSTED',
                                        'detail', '${DETAIL}', 'attempts', ${ATTEMPTS}, 'at', updated_at)`,
    `insert into template_saga_attempts
       (template_at, saga_id, epoch, seq, step, direction, attempt, outcome, detail, started_at, ended_at)
     select template_at, saga_id, epoch, seq + n - 1, step, direction, n, 'unknown', '${DETAIL}',
            started_at + n * interval '1 second', ended_at + n * interval '1 second'
       from template_saga_attempts, generate_series(1, ${ATTEMPTS}) n
      where step = '${STEP}' and direction = 'undo'`,
    `delete from template_saga_attempts where step = '${STEP}' and direction = 'undo' and outcome = 'done'`,
    `update template_keys set answer = replace(answer, '"status":"failed"', '"status":"compensating"')`,
  ],
  inventory: [
    `update template_reservations set state = 'held', released_at = null`,
    `delete from template_claims where name like '%:undo'`,
  ],
};
