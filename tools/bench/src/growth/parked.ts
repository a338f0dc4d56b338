/** Orders that have failed, as they would be had their last undo never been answered: parked, stock still held. */
import type { Database } from './order-rows.ts';

/** Of place-order's undos: so often is one asked before its saga is parked. */
const ATTEMPTS = 1_800;
const STEP = 'reserve-inventory';
const DETAIL = 'UNAVAILABLE: the call was not answered';

const INLINE_ATTEMPTS = `('[' || inline_attempts || ']')::jsonb`;

/** Changes of the templates (order-rows.ts), by database. */
export const PARK: Readonly<Partial<Record<Database, readonly string[]>>> = {
  orchestrator: [
    // Its last undo stands in the row, as the last of its attempts; in its place come those that were not answered.
    `insert into template_saga_attempts
       (template_at, saga_id, epoch, seq, step, direction, attempt, outcome, detail, started_at, ended_at)
     select template_at, id, epoch, (${INLINE_ATTEMPTS} #>> '{-1,1,-1,1}')::integer + n - 1, '${STEP}', 'undo', n, 'unknown',
            '${DETAIL}', driven_at + n * interval '1 second', driven_at + n * interval '1 second'
       from template_sagas, generate_series(1, ${ATTEMPTS}) n`,
    `update template_sagas set inline_attempts = substr(fewer, 2, length(fewer) - 2)
       from (select template_at as at, (${INLINE_ATTEMPTS} - -1)::text as fewer from template_sagas) f where template_at = at`,
    `update template_sagas
        set state = 'parked', resume_state = 'compensating', position = 0, ended_at = null,
            parked = jsonb_build_object('step', '${STEP}', 'direction', 'undo', 'reason', 'ATTEMPTS_EXHAUSTED',
                                        'detail', '${DETAIL}', 'attempts', ${ATTEMPTS}, 'at', driven_at)`,
    `update template_claims
        set answer = convert_to(replace(convert_from(answer, 'UTF8'), '"status":"failed"', '"status":"compensating"'), 'UTF8')`,
  ],
  inventory: [
    `update template_reservations set state = 'held', released_at = null`,
    `delete from template_claims where name like '%:undo'`,
  ],
};
