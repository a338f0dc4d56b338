import { createLog } from '@holdfast/service';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { errorOf, ledgerOf, SECRET_KEY, startTestSandbox, type TestSandbox } from '../../test/test-sandbox.ts';
import { startKeyPurge } from './provider-idempotency.ts';

let sandbox: TestSandbox;
beforeAll(async () => {
  sandbox = await startTestSandbox();
});
afterAll(() => sandbox.stop());

const INTENT = { amount: 700, currency: 'eur', payment_method: 'pm_card_visa' };
const intents = () => sandbox.stripe.paymentIntents;
let keys = 0;
const newKey = () => `key-${process.pid}-${keys++}`;

async function post(path: string, form: string, key: string) {
  const answer = await fetch(`${sandbox.url}${path}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${SECRET_KEY}`,
      'content-type': 'application/x-www-form-urlencoded',
      'idempotency-key': key,
    },
    body: form,
  });
  return {
    status: answer.status,
    body: await answer.text(),
    replayed: answer.headers.get('idempotent-replayed'),
    originalRequest: answer.headers.get('original-request'),
    requestId: answer.headers.get('request-id'),
  };
}

describe('an idempotency key', () => {
  it('K2: brings back the first answer, byte for byte, and runs nothing', async () => {
    const key = newKey();
    const first = await post('/v1/payment_intents', 'amount=700&currency=eur&metadata[order_id]=o', key);
    const second = await post('/v1/payment_intents', 'metadata[order_id]=o&currency=eur&amount=700', key);
    expect(first.replayed).toBeNull();
    expect(second).toMatchObject({ status: first.status, body: first.body, replayed: 'true' });
    expect(second.originalRequest).toBe(first.requestId);
    expect(second.requestId).not.toBe(first.requestId);
  });

  it('K2: is seen by the SDK as a replay, even after the intent has moved on', async () => {
    const key = newKey();
    const created = await intents().create(INTENT, { idempotencyKey: key });
    await intents().confirm(created.id);
    const replayed = await intents().create(INTENT, { idempotencyKey: key });
    expect(replayed.id).toBe(created.id);
    expect(replayed.status).toBe('requires_confirmation');
    expect(replayed.lastResponse.headers['idempotent-replayed']).toBe('true');
    expect(replayed.lastResponse.idempotencyKey).toBe(key);
  });

  it('K2: brings back a refusal as well: a decline, an unexpected state', async () => {
    const { id } = await intents().create({ ...INTENT, payment_method: 'pm_card_chargeDeclined' });
    const key = newKey();
    const declined = await post(`/v1/payment_intents/${id}/confirm`, '', key);
    expect(declined.status).toBe(402);
    await intents().confirm(id, { payment_method: 'pm_card_visa' });
    expect(await post(`/v1/payment_intents/${id}/confirm`, '', key)).toMatchObject({
      status: 402,
      body: declined.body,
      replayed: 'true',
    });
    const late = newKey();
    const unexpected = await post(`/v1/payment_intents/${id}/cancel`, '', late);
    expect(unexpected.status).toBe(400);
    expect(await post(`/v1/payment_intents/${id}/cancel`, '', late)).toMatchObject({
      body: unexpected.body,
      replayed: 'true',
    });
  });

  it('K2: with other parameters or another endpoint is refused, and the stored answer stays as it is', async () => {
    const key = newKey();
    const created = await intents().create(INTENT, { idempotencyKey: key });
    const otherAmount = await errorOf(intents().create({ ...INTENT, amount: 701 }, { idempotencyKey: key }));
    expect(otherAmount).toMatchObject({
      type: 'StripeIdempotencyError',
      statusCode: 400,
      rawType: 'idempotency_error',
    });
    const otherCall = await errorOf(intents().confirm(created.id, {}, { idempotencyKey: key }));
    expect(otherCall).toMatchObject({ type: 'StripeIdempotencyError', statusCode: 400 });
    expect(await ledgerOf(sandbox.db, created.id)).toEqual([]);
    expect((await intents().create(INTENT, { idempotencyKey: key })).id).toBe(created.id);
  });

  it('is not used up by a request that failed validation', async () => {
    const key = newKey();
    await errorOf(intents().create({ ...INTENT, amount: 0 }, { idempotencyKey: key }));
    await errorOf(intents().create({ ...INTENT, payment_method: 'pm_nobody' }, { idempotencyKey: key }));
    const created = await intents().create(INTENT, { idempotencyKey: key });
    expect(created.lastResponse.headers['idempotent-replayed']).toBeUndefined();
  });

  it('in use is refused at once with 409 while the first request still runs, and replays when it is done', async () => {
    const { id } = await intents().create(INTENT);
    const key = newKey();
    const holder = await sandbox.db.pool.connect();
    try {
      // Holds the intent, so that the first request has its claim and waits for the row.
      await holder.query('begin');
      await holder.query('select from payment_intents where intent_id = $1::text for update', [id]);
      const first = intents().confirm(id, {}, { idempotencyKey: key });
      await vi.waitFor(async () => {
        const { rows } = await sandbox.db.pool.query(
          `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
        );
        expect(rows).toHaveLength(1);
      });
      const second = await errorOf(intents().confirm(id, {}, { idempotencyKey: key }));
      expect(second).toMatchObject({ statusCode: 409, code: 'idempotency_key_in_use' });
      await holder.query('commit');
      expect((await first).status).toBe('succeeded');
    } finally {
      // Closed, not handed back: a failure above must not leave its transaction open in the pool.
      holder.release(true);
    }
    const third = await intents().confirm(id, {}, { idempotencyKey: key });
    expect(third.lastResponse.headers['idempotent-replayed']).toBe('true');
    expect(await ledgerOf(sandbox.db, id)).toEqual([{ kind: 'captured', amount: 700 }]);
  });

  it('K1: gives one effect to 24 requests at once; every other gets its answer or 409', async () => {
    for (let round = 0; round < 5; round += 1) {
      const key = newKey();
      const form = `amount=900&currency=eur&payment_method=pm_card_visa&confirm=true&metadata[order_id]=${key}`;
      const answers = await Promise.all(Array.from({ length: 24 }, () => post('/v1/payment_intents', form, key)));
      const done = answers.filter((answer) => answer.status === 200);
      expect(done.filter((answer) => answer.replayed === null)).toHaveLength(1);
      expect(new Set(done.map((answer) => answer.body)).size).toBe(1);
      expect(answers.every((answer) => [200, 409].includes(answer.status))).toBe(true);
      const { rows } = await sandbox.db.pool.query('select from ledger where order_id = $1::text', [key]);
      expect(rows).toHaveLength(1);
    }
  });

  it('K2: of two requests that reuse it for two intents at once, serves one and refuses the other', async () => {
    for (let round = 0; round < 10; round += 1) {
      const ids = [(await intents().create(INTENT)).id, (await intents().create(INTENT)).id];
      const key = newKey();
      const outcomes = await Promise.all(
        ids.map((id) =>
          intents()
            .confirm(id, {}, { idempotencyKey: key })
            .then(
              () => 200,
              (error: { statusCode?: number }) => error.statusCode,
            ),
        ),
      );
      expect(outcomes.filter((status) => status === 200)).toHaveLength(1);
      const captured = await Promise.all(ids.map((id) => ledgerOf(sandbox.db, id)));
      expect(captured.flat()).toHaveLength(1);
    }
  });

  it('K5: past its 24 h runs the request anew, and still captures a card only once', async () => {
    const { id } = await intents().create(INTENT);
    const key = newKey();
    await intents().confirm(id, {}, { idempotencyKey: key });
    const { rows } = await sandbox.db.pool.query<{ hours: number }>(
      `select extract(epoch from expires_at - clock_timestamp()) / 3600 as hours from idempotency_keys where key = $1`,
      [key],
    );
    expect(Number(rows[0]?.hours)).toBeCloseTo(24, 1);
    await expire(key);
    expect(await errorOf(intents().confirm(id, {}, { idempotencyKey: key }))).toMatchObject({
      code: 'payment_intent_unexpected_state',
    });
    expect(await ledgerOf(sandbox.db, id)).toHaveLength(1);
  });

  it('is purged only when it has expired', async () => {
    const [expired, kept] = [newKey(), newKey()];
    await intents().create(INTENT, { idempotencyKey: expired });
    await intents().create(INTENT, { idempotencyKey: kept });
    await expire(expired);
    const purge = startKeyPurge(sandbox.db.pool, createLog('sandbox', 'warn'), 5);
    await vi.waitFor(async () => {
      const { rows } = await sandbox.db.pool.query<{ key: string }>(
        'select key from idempotency_keys where key = any($1::text[])',
        [[expired, kept]],
      );
      expect(rows).toEqual([{ key: kept }]);
    });
    await purge.stop();
  });

  it('is refused when it is empty or longer than 255 characters', async () => {
    for (const key of ['', 'k'.repeat(256)]) {
      expect((await post('/v1/payment_intents', 'amount=1&currency=eur', key)).status).toBe(400);
    }
  });
});

describe('the ledger', () => {
  it('K5: holds one capture per intent, whatever the code above it does', async () => {
    const { id } = await intents().create({ ...INTENT, confirm: true });
    const second = `insert into ledger (intent_id, entry_id, kind, amount, currency) values ($1, 'ch_2', 'captured', 1, 'eur')`;
    await expect(sandbox.db.pool.query(second, [id])).rejects.toMatchObject({ constraint: 'ledger_one_capture' });
  });

  it('is never changed, only added to', async () => {
    for (const change of ['update ledger set amount = 1', 'delete from ledger', 'truncate ledger']) {
      await expect(sandbox.db.pool.query(change)).rejects.toThrow(/append-only/);
    }
  });
});

async function expire(key: string): Promise<void> {
  await sandbox.db.pool.query(
    `update idempotency_keys set expires_at = clock_timestamp() - interval '1 second' where key = $1::text`,
    [key],
  );
}
