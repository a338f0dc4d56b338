/*
 * Orders about whose payment something was decided while the books were read: what is seen of them belongs to no one instant, and
 * the next audit judges them. Orders that nobody has decided about are judged by what they show: a capture without a decision is
 * found.
 */
import { type Query, statement } from '@holdfast/postgres';
import type { Book } from '../audit-book.ts';
import type { Sums } from '../audit-sums.ts';

const DECISIONS = statement(
  'audit.decisions-since',
  `select tenant_id as "tenantId", order_id as "orderId", max(number) as decisions
     from order_settlements where order_id = any($1::text[]) group by tenant_id, order_id`,
);
const LOOK_UP_SIZE = 1_000;

/** @param db the orchestrator's, in a snapshot that was begun after everything else had been read */
export async function leaveDecidedSince(db: Query, book: Book, sums: Sums): Promise<void> {
  const open = [...book.values()].filter(({ expects, capture }) => {
    return expects === 'one' && (capture === 'undecided' || capture === 'not_captured');
  });
  for (let from = 0; from < open.length; from += LOOK_UP_SIZE) {
    const batch = new Map(open.slice(from, from + LOOK_UP_SIZE).map((order) => [order.id, order]));
    const { rows } = await db.query<{ orderId: string; decisions: number }>({
      ...DECISIONS,
      values: [[...batch.keys()]],
    });
    for (const { orderId, decisions } of rows) {
      const order = batch.get(orderId);
      if (order === undefined || decisions <= order.decisions) continue;
      order.expects = 'unjudged';
      // Counted when it was read: half of what was decided since.
      sums.add(order.currency, 'provider', -order.cardNet);
    }
  }
}
