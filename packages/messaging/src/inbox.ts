/*
 * The receiving end of messages that come at least once: what a message brings about happens once.
 *
 * K1  A message is noted in the transaction of its effect: both are committed, or neither. Acknowledge it after that; a
 *     consumer that dies in between gets it again, and finds it noted.
 * K9  An ORM's COMMIT in the middle would commit notes whose effects are still to come. Use scopedTransaction() where the effects
 *     are not plain statements of one's own.
 * K5  Notes are forgotten after a while. Keep them for longer than a message can come again (the outbox's retention), and
 *     give an effect that must never happen twice a unique key of its own.
 */
import { type Query, statement, type Transaction } from '@holdfast/postgres';

export interface Message {
  tenantId: string;
  /** What it is about, such as an order; in a sharded database, where its effect is. */
  scope: string;
  /** The same each time that it comes; unique per tenant and scope among what this consumer gets. */
  id: string;
}

// In one order, so that two consumers of the same messages never wait for each other in a circle.
const note = statement(
  'idempotency.note-messages',
  `insert into holdfast.inbox (tenant_id, scope, consumer, message_id)
   select distinct tenant_id, scope, $1::text, message_id
     from unnest($2::text[], $3::text[], $4::text[]) as m (tenant_id, scope, message_id)
    order by tenant_id, scope, message_id
   on conflict do nothing
   returning tenant_id as "tenantId", scope, message_id as id`,
);
const forget = statement(
  'idempotency.forget-messages',
  `delete from holdfast.inbox
    using (select tenant_id, scope, consumer, message_id from holdfast.inbox
            where received_at < clock_timestamp() - $1::bigint * interval '1 millisecond'
            order by received_at limit $2::integer) as old
    where inbox.tenant_id = old.tenant_id and inbox.scope = old.scope and inbox.consumer = old.consumer and inbox.message_id = old.message_id`,
);

/**
 * Notes messages as dealt with. Call it first in the transaction that carries out what they say.
 *
 * @param tx a view of it (inSchema) where the table is not in the schema `holdfast`
 * @param consumer names who deals with them: another consumer deals with the same messages on its own. Stored data
 * @returns those that had not been noted, each once, in the order in which they were given: carry out these and no others
 * @throws pg errors, a lock time-out among them while another transaction deals with one of them: roll back, try again
 */
export async function takeNew<M extends Message>(
  tx: Transaction,
  consumer: string,
  messages: readonly M[],
): Promise<M[]> {
  if (messages.length === 0) return [];
  const { rows } = await tx.query<Message>({
    ...note,
    values: [
      consumer,
      messages.map(({ tenantId }) => tenantId),
      messages.map(({ scope }) => scope),
      messages.map(({ id }) => id),
    ],
  });
  const fresh = new Set(rows.map(nameOf));
  return messages.filter((message) => fresh.delete(nameOf(message)));
}

/** Forgets notes that are older than `keptMs`, at most `limit` of them. @returns how many: `limit` means, call again */
export async function forgetMessages(db: Query, keptMs: number, limit = 1_000): Promise<number> {
  return (await db.query({ ...forget, values: [keptMs, limit] })).rowCount ?? 0;
}

/** Longer than any outbox keeps a message. */
const MESSAGES_MS = 45 * 24 * 60 * 60 * 1_000;

/** The inbox, for the retention of @holdfast/idempotency to purge. */
export const inboxRetention = {
  table: 'inbox',
  purge: (tx: Query, limit: number) => forgetMessages(tx, MESSAGES_MS, limit),
};

const nameOf = ({ tenantId, scope, id }: Message): string => JSON.stringify([tenantId, scope, id]);
