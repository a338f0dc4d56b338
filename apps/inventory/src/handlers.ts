import { randomUUID } from 'node:crypto';
import type { Settlement } from '@holdfast/idempotency';
import {
  askStep,
  createStepRunner,
  keyedCall,
  type Participant,
  type StepSpec,
  stepAnswer,
} from '@holdfast/participant';
import { type Transaction, transaction } from '@holdfast/postgres';
import {
  checkCurrency,
  checkDistinct,
  checkIdentifier,
  checkInteger,
  type Handlers,
  InvalidRequest,
  services,
  statusBytes,
} from '@holdfast/rpc';
import { type ReleaseRequest, release, reserve } from './reservation.ts';
import type { ReserveRequest } from './reserve-request.ts';
import { adjustItem, findItem, putItem } from './stock.ts';

/** How long the answer to a step is given again byte for byte; after that, what the effect's own row says. */
const KEEP_DAYS = 14;
const RESERVE = 'reserve-inventory';
const RELEASE = 'release-inventory';
const ADJUST = 'adjust-stock';

const MAX_LINES = 100;
const MAX_QUANTITY = 10_000;
const MAX_COUNT = 1_000_000_000_000;
const MAX_UNIT_PRICE = 99_999_999;

const inventory = services.inventory;

/** What each method checks, under which key it runs, and what it stores. */
export function inventoryHandlers({
  pool,
  singleFlight,
  keyedRunner,
  fingerprinter,
  reach,
}: Participant): Handlers<typeof inventory> {
  const runReserve = createStepRunner(pool, singleFlight, reserveStep, reach);
  const runRelease = createStepRunner(pool, singleFlight, releaseStep, reach);
  return {
    async ReserveInventory(request, call) {
      const orderId = checkIdentifier('order_id', request.orderId);
      const currency = checkCurrency('currency', request.currency);
      const lines = checkDistinct('lines', request.lines, 1, MAX_LINES, (line) => line.sku);
      lines.forEach((line, at) => {
        checkIdentifier(`lines[${at}].sku`, line.sku);
        checkInteger(`lines[${at}].quantity`, line.quantity, 1, MAX_QUANTITY);
      });
      const keyed = keyedCall(call, { name: RESERVE, orderId }, request, fingerprinter);
      return stepAnswer(await runReserve(keyed, { tenantId: keyed.tenantId, orderId, currency, lines }));
    },

    async ReleaseInventory(request, call) {
      const orderId = checkIdentifier('order_id', request.orderId);
      const keyed = keyedCall(call, { name: RELEASE, undo: true, orderId }, request, fingerprinter);
      return stepAnswer(await runRelease(keyed, { tenantId: keyed.tenantId, orderId }));
    },

    async GetStep(request, call) {
      const { state, refusal, executed } = await askStep(pool, call, request.key);
      const answer =
        executed === undefined
          ? {}
          : executed.operation === RESERVE
            ? { reserved: inventory.ReserveInventory.responseDeserialize(executed.answer) }
            : executed.operation === RELEASE
              ? { released: inventory.ReleaseInventory.responseDeserialize(executed.answer) }
              : { adjusted: inventory.AdjustStock.responseDeserialize(executed.answer) };
      return { kind: 'completed', message: { state, ...(refusal && { refusal }), ...answer } };
    },

    async GetStock(request, call) {
      const stock = await findItem(pool, call.tenantId(), checkIdentifier('sku', request.sku));
      return { kind: 'completed', message: { stock } };
    },

    async PutStock(request, call) {
      const item = {
        sku: checkIdentifier('sku', request.sku),
        onHand: checkInteger('on_hand', request.onHand, 0, MAX_COUNT),
        unitPrice: checkInteger('unit_price', request.unitPrice, 0, MAX_UNIT_PRICE),
        currency: checkCurrency('currency', request.currency),
      };
      const tenantId = call.tenantId();
      const stock = await transaction(pool, (tx) => putItem(tx, tenantId, item, randomUUID()));
      return { kind: 'completed', message: { stock } };
    },

    async AdjustStock(request, call) {
      const sku = checkIdentifier('sku', request.sku);
      const delta = checkInteger('delta', request.delta, -MAX_COUNT, MAX_COUNT);
      if (delta === 0) throw new InvalidRequest('delta', 'send how much to add, or (below 0) to take');
      const keyed = keyedCall(call, { name: ADJUST }, request, fingerprinter);
      const adjust = async (tx: Transaction): Promise<Settlement> => {
        const adjusted = await adjustItem(tx, keyed.tenantId, sku, delta, keyed.key);
        if (adjusted.kind === 'refused') return refusedFor(adjusted);
        return { kind: 'completed', answer: inventory.AdjustStock.responseSerialize({ stock: adjusted.stock }) };
      };
      const outcome = await keyedRunner.run(keyed, adjust);
      if (outcome.kind !== 'answer_expired') return stepAnswer(outcome);
      // Its entry is unique (K5): asked again, it finds that it has counted.
      const { kind, answer } = await transaction(pool, adjust);
      return stepAnswer({ kind, answer, replayed: true });
    },
  };
}

const reserveStep: StepSpec<ReserveRequest, never, never> = {
  operation: RESERVE,
  keepDays: KEEP_DAYS,
  async prepare(tx, calls) {
    const outcomes = await reserve(
      tx,
      calls.map(({ request }) => request),
    );
    return outcomes.map((outcome) =>
      outcome.kind === 'refused'
        ? refusedFor(outcome)
        : { kind: 'completed', answer: inventory.ReserveInventory.responseSerialize(outcome.reservation) },
    );
  },
};

const releaseStep: StepSpec<ReleaseRequest, never, never> = {
  operation: RELEASE,
  keepDays: KEEP_DAYS,
  undoes: RESERVE,
  async prepare(tx, calls) {
    const released = await release(
      tx,
      calls.map(({ request }) => request),
    );
    return released.map((reservationId) => ({
      kind: 'completed',
      answer: inventory.ReleaseInventory.responseSerialize({ reservationId }),
    }));
  },
};

function refusedFor(refusal: { reason: string; message: string }): Settlement {
  return { kind: 'refused', answer: statusBytes(refusal.reason, refusal.message) };
}
