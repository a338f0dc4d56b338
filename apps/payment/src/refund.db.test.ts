import { NO_FAULTS } from '@holdfast/sandbox/test';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  AMOUNT,
  GIVEN_BACK,
  NOTHING,
  newOrder,
  startTestCards,
  type TestCards,
  UNKNOWN,
  untilKnown,
} from '../test/test-provider.ts';

let cards: TestCards;
beforeAll(async () => {
  cards = await startTestCards();
});
afterAll(() => cards?.stop());
afterEach(() => cards.reset());

const PATIENT = { STRIPE_TIMEOUT_MS: 20_000 };

describe('the undo of a charge by card', () => {
  it('gives it back, and again answers the same bytes without a call', async () => {
    const order = newOrder();
    const taken = await cards.charge(order);
    cards.line.seen.length = 0;
    const undone = await cards.undo(order);
    const paymentId = taken.kind === 'completed' ? taken.message.paymentId : '';
    expect(undone).toMatchObject({ kind: 'completed', replayed: false, message: { paymentId, amount: AMOUNT } });
    expect(await cards.undo(order)).toEqual({ ...undone, replayed: true });
    expect(cards.line.seen).toEqual(['retrieve', 'list-refunds', 'refund']);
    expect(await cards.recorded(order)).toMatchObject({ state: 'refunded' });
    expect(await cards.books(order)).toEqual(GIVEN_BACK);
  });

  it('S4: whose answer is lost refunds once: it asks, in the same attempt or the next', async () => {
    const [found, later] = [newOrder(), newOrder()];
    await cards.charge(found);
    await cards.charge(later);
    cards.line.seen.length = 0;
    cards.line.lose('refund');
    expect(await cards.undo(found)).toMatchObject({ kind: 'completed', message: { amount: AMOUNT } });
    expect(cards.line.seen).toEqual(['retrieve', 'list-refunds', 'refund', 'retrieve', 'list-refunds']);
    const refunding = cards.line.hold('refund', 'answer');
    const undoing = cards.undo(later);
    await refunding.arrived;
    cards.line.cut(true);
    // The answer goes to somebody who has given up.
    expect(await undoing).toMatchObject(UNKNOWN);
    cards.line.cut(false);
    await refunding.deliver();
    cards.line.seen.length = 0;
    expect(await cards.undo(later)).toMatchObject({ kind: 'completed', message: { amount: AMOUNT } });
    expect(cards.line.seen).toEqual(['retrieve', 'list-refunds']);
    for (const order of [found, later]) expect(await cards.books(order)).toEqual(GIVEN_BACK);
  });

  it('S4: refunds once through a provider that loses most answers', async () => {
    const orders = Array.from({ length: 8 }, newOrder);
    await Promise.all(orders.map((order) => cards.charge(order)));
    await cards.sandbox.setFaults({ seed: 3, payments: { ...NO_FAULTS, lostAnswer: 0.6, error500: 0.2 } });
    const undone = await Promise.all(orders.map((order) => untilKnown(() => cards.undo(order))));
    for (const one of undone) expect(one).toMatchObject({ kind: 'completed', message: { amount: AMOUNT } });
    for (const order of orders) expect(await cards.books(order)).toEqual(GIVEN_BACK);
  });

  it('K3: without a connection seals the act at once, and is finished later', async () => {
    const order = newOrder();
    await cards.charge(order);
    cards.line.cut(true);
    expect(await cards.undo(order)).toMatchObject(UNKNOWN);
    expect(await cards.recorded(order)).toMatchObject({ state: 'undoing' });
    expect(await cards.charge(order)).toMatchObject({ reason: 'SEALED', pushbackMs: -1 });
    cards.line.cut(false);
    expect(await cards.undo(order)).toMatchObject({ kind: 'completed', message: { amount: AMOUNT } });
    expect(await cards.books(order)).toEqual(GIVEN_BACK);
  });

  it('H12: that was slow and was finished by another attempt changes nothing any more', async () => {
    const order = newOrder();
    await cards.charge(order);
    const patient = await cards.replica(PATIENT);
    const slow = cards.line.hold('refund', 'request');
    const first = cards.undo(order, patient);
    await slow.arrived;
    await cards.endLeases(order);
    const second = await cards.undo(order);
    expect(second).toMatchObject({ kind: 'completed', replayed: false, message: { amount: AMOUNT } });
    expect(await slow.deliver()).toBe(400);
    expect(await first).toMatchObject(UNKNOWN);
    expect(await cards.undo(order, patient)).toEqual({ ...second, replayed: true });
    expect(await cards.books(order)).toEqual(GIVEN_BACK);
  });

  it('A1: under two keys at once refunds once, and both hear the same', async () => {
    const order = newOrder();
    await cards.charge(order);
    const byHand = { ...order, undoKey: `${order.key}-by-hand:undo` };
    const patient = await cards.replica(PATIENT);
    const slow = cards.line.hold('refund', 'answer');
    const first = cards.undo(byHand, patient);
    await slow.arrived;
    const second = await cards.undo(order);
    expect(second).toMatchObject({ kind: 'completed', message: { amount: AMOUNT } });
    await slow.deliver();
    expect(await first).toMatchObject({ kind: 'error', reason: 'TRY_AGAIN' });
    await cards.endLeases(order);
    expect(await cards.undo(byHand)).toEqual(second);
    expect(await cards.books(order)).toEqual(GIVEN_BACK);
  });

  it('K5: when its claim is gone gives nothing back again, and the charge stays undone', async () => {
    const order = newOrder();
    await cards.charge(order);
    const undone = await cards.undo(order);
    await cards.forgetClaims(order);
    expect(await cards.charge(order)).toMatchObject({ reason: 'CONFLICT', pushbackMs: -1 });
    expect(await cards.undo(order)).toEqual(undone);
    expect(await cards.books(order)).toEqual(GIVEN_BACK);
  });
});

describe('the undo of a charge by card that is still running', () => {
  it('K3: whose intent is created and not stored yet takes nothing, and it is never confirmed', async () => {
    const order = newOrder();
    const patient = await cards.replica(PATIENT);
    const held = cards.line.hold('create', 'answer');
    const act = cards.charge(order, patient);
    await held.arrived;
    expect(await cards.undo(order)).toMatchObject({ kind: 'completed', message: { paymentId: '', amount: 0 } });
    await held.deliver();
    expect(await act).toMatchObject(UNKNOWN);
    expect(await cards.charge(order, patient)).toMatchObject({ reason: 'SEALED' });
    expect(cards.line.seen).toEqual(['create']);
    expect(await cards.recorded(order)).toMatchObject({ state: 'cancelled', intent_id: null });
    expect(await cards.books(order)).toEqual(NOTHING);
  });

  it('K3: whose confirmation comes after it finds the intent cancelled: nothing is captured', async () => {
    const order = newOrder();
    const patient = await cards.replica(PATIENT);
    const zombie = cards.line.hold('confirm', 'request');
    const act = cards.charge(order, patient);
    await zombie.arrived;
    expect(await cards.undo(order)).toMatchObject({ kind: 'completed', message: { paymentId: '', amount: 0 } });
    expect(await zombie.deliver()).toBe(400);
    expect(await act).toMatchObject(UNKNOWN);
    expect(await cards.charge(order, patient)).toMatchObject({ reason: 'SEALED' });
    expect(await cards.recorded(order)).toMatchObject({ state: 'cancelled', payment_id: null });
    expect(await cards.stateOf(order.key)).toBe('STEP_STATE_SEALED');
    expect(await cards.books(order)).toEqual(NOTHING);
  });

  it('K3: that has captured and not said so yet gives it back; the act may not answer with it', async () => {
    const order = newOrder();
    const patient = await cards.replica(PATIENT);
    const zombie = cards.line.hold('confirm', 'answer');
    const act = cards.charge(order, patient);
    await zombie.arrived;
    expect(await cards.undo(order)).toMatchObject({ kind: 'completed', message: { amount: AMOUNT } });
    expect(await zombie.deliver()).toBe(200);
    expect(await act).toMatchObject(UNKNOWN);
    expect(await cards.charge(order, patient)).toMatchObject({ reason: 'SEALED' });
    expect(await cards.recorded(order)).toMatchObject({ state: 'refunded' });
    expect(await cards.books(order)).toEqual(GIVEN_BACK);
  });

  it('K3: whose confirmation is just faster than the cancelling is refunded', async () => {
    const order = newOrder();
    const patient = await cards.replica(PATIENT);
    const confirming = cards.line.hold('confirm', 'request');
    const act = cards.charge(order, patient);
    await confirming.arrived;
    const cancelling = cards.line.hold('cancel', 'request');
    const undoing = cards.undo(order, patient);
    await cancelling.arrived;
    expect(await confirming.deliver()).toBe(200);
    cards.line.seen.length = 0;
    expect(await cancelling.deliver()).toBe(400);
    expect(await undoing).toMatchObject({ kind: 'completed', message: { amount: AMOUNT } });
    expect(cards.line.seen).toEqual(['retrieve', 'list-refunds', 'refund']);
    expect(await act).toMatchObject(UNKNOWN);
    expect(await cards.charge(order)).toMatchObject({ reason: 'SEALED' });
    expect(await cards.books(order)).toEqual(GIVEN_BACK);
  });

  it('K3: is final for the order: an act under another key that was confirming stores nothing', async () => {
    const order = newOrder();
    const byHand = { ...order, key: `${order.key}-by-hand` };
    const patient = await cards.replica(PATIENT);
    const held = cards.line.hold('confirm', 'answer');
    const act = cards.charge(byHand, patient);
    await held.arrived;
    expect(await cards.undo(order)).toMatchObject({ kind: 'completed', message: { amount: AMOUNT } });
    await held.deliver();
    expect(await act).toMatchObject({ kind: 'error', reason: 'TRY_AGAIN' });
    await cards.endLeases(order);
    expect(await cards.charge(byHand)).toMatchObject({ reason: 'CONFLICT' });
    expect(await cards.recorded(order)).toMatchObject({ state: 'refunded' });
    expect(await cards.books(order)).toEqual(GIVEN_BACK);
  });

  it('K3, G12: at the same instant leaves nothing taken, whoever is first', async () => {
    await cards.sandbox.setFaults({ seed: 5, payments: { ...NO_FAULTS, slow: 0.5, slowMs: 60, lostAnswer: 0.2 } });
    const orders = Array.from({ length: 20 }, newOrder);
    await Promise.all(orders.flatMap((order) => [cards.charge(order), untilKnown(() => cards.undo(order))]));
    await cards.sandbox.setFaults({});
    for (const order of orders) {
      const { captured, refunded } = await cards.books(order);
      expect(captured - refunded).toBe(0);
      expect(await cards.charge(order)).toMatchObject({ reason: 'SEALED' });
    }
  });
});
