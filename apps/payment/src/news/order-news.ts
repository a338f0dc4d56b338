/*
 * What the orchestrator is to be told of orders: disputes, and authorisations that run out. It takes in a few at a time, and
 * says so when it has stored them.
 *
 * E2  A change stays in the list of what is untold until it has been taken in: it is told at least once. The number of the
 *     change says which one is later, so that twice or late does no harm.
 */
import type { OrderId } from '@holdfast/participant';
import { type Query, statement } from '@holdfast/postgres';
import { checkInteger, type Handlers, InvalidRequest, type services } from '@holdfast/rpc';

const NEWS_MAX = 500;

interface DisputeChange extends OrderId {
  disputeId: string;
  amount: number;
  currency: string;
  reason: string;
  status: string;
  openedAt: Date;
  revision: number;
}

interface AuthorizationChange extends OrderId {
  state: 'expiring' | 'expired';
  expiresAt: Date;
  revision: number;
}

const untoldDisputes = statement(
  'payment.untold-disputes',
  `select tenant_id as "tenantId", order_id as "orderId", dispute_id as "disputeId", amount, currency, reason, status,
          opened_at as "openedAt", revision
     from disputes where told < revision order by changed_at limit $1::int`,
);
const untoldAuthorizations = statement(
  'payment.untold-authorizations',
  `select tenant_id as "tenantId", order_id as "orderId", state, expires_at as "expiresAt", revision
     from authorizations where told < revision and state in ('expiring', 'expired') order by changed_at limit $1::int`,
);

const markDisputesTold = statement(
  'payment.mark-disputes-told',
  `update disputes d set told = r.revision
     from unnest($1::text[], $2::text[], $3::text[], $4::int[]) as r (tenant_id, order_id, dispute_id, revision)
    where d.tenant_id = r.tenant_id and d.order_id = r.order_id and d.dispute_id = r.dispute_id and d.told < r.revision`,
);
const markAuthorizationsTold = statement(
  'payment.mark-authorizations-told',
  `update authorizations a set told = r.revision
     from (select r.* from unnest($1::text[], $2::text[], $3::int[]) as r (tenant_id, order_id, revision)
             join authorizations o on o.tenant_id = r.tenant_id and o.order_id = r.order_id
            -- What somebody writes at this time is told again.
            for update of o skip locked) r
    where a.tenant_id = r.tenant_id and a.order_id = r.order_id and a.told < r.revision`,
);

type NewsMethods = Pick<Handlers<typeof services.payment>, 'ListOrderNews' | 'ForgetOrderNews'>;

export function newsMethods(db: Query): NewsMethods {
  return {
    async ListOrderNews({ limit }) {
      const values = [checkInteger('limit', limit, 1, NEWS_MAX)];
      const disputes = await db.query<DisputeChange>({ ...untoldDisputes, values });
      const authorizations = await db.query<AuthorizationChange>({ ...untoldAuthorizations, values });
      const news = [
        ...disputes.rows.map(({ tenantId, orderId, revision, openedAt, ...dispute }) => ({
          ...{ tenantId, orderId, revision },
          dispute: { ...dispute, openedAt: openedAt.toISOString() },
        })),
        ...authorizations.rows.map(({ tenantId, orderId, revision, state, expiresAt }) => ({
          ...{ tenantId, orderId, revision },
          authorization: { state, expiresAt: expiresAt.toISOString() },
        })),
      ];
      return { kind: 'completed', message: { news } };
    },

    async ForgetOrderNews({ news }) {
      if (news.length > 2 * NEWS_MAX) throw new InvalidRequest('news', `send at most ${2 * NEWS_MAX}`);
      const disputes = news.filter(({ disputeId }) => disputeId !== '');
      const authorizations = news.filter(({ disputeId }) => disputeId === '');
      if (disputes.length > 0) {
        const ids = disputes.map(({ disputeId }) => disputeId);
        await db.query({ ...markDisputesTold, values: [...orderOf(disputes), ids, disputes.map(revisionOf)] });
      }
      if (authorizations.length > 0) {
        const values = [...orderOf(authorizations), authorizations.map(revisionOf)];
        await db.query({ ...markAuthorizationsTold, values });
      }
      return { kind: 'completed', message: {} };
    },
  };
}

function orderOf(news: OrderId[]): [string[], string[]] {
  return [news.map(({ tenantId }) => tenantId), news.map(({ orderId }) => orderId)];
}

function revisionOf({ revision }: { revision: number }): number {
  return revision;
}
