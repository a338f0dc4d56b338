import {
  getStep,
  keyedCall,
  type OrderId,
  type Participant,
  runAlone,
  type StepSpec,
  settlementOf,
  stepMethod,
} from '@holdfast/participant';
import {
  checkCurrency,
  checkDistinct,
  checkIdentifier,
  checkInteger,
  checkShopId,
  InvalidRequest,
  type ServiceBinding,
  service,
  services,
} from '@holdfast/rpc';
import { type ReturnedLine, release, reserve } from './reservation.ts';
import type { Line, ReserveRequest } from './reserve-request.ts';
import { type RestockId, releaseRestocks, reserveRestocks, restock } from './restock.ts';
import { adjustItem, findItem, putItem } from './stock.ts';

/** How long the answer to a step is given again byte for byte; after that, what the effect's own row says. */
const KEEP_DAYS = 14;
const RESERVE = 'reserve-inventory';
const RELEASE = 'release-inventory';
const ADJUST = 'adjust-stock';
const RESERVE_RESTOCK = 'reserve-restock';
const RELEASE_RESTOCK = 'release-restock';
const RESTOCK = 'restock';
const PUT = 'put-stock';

const MAX_LINES = 100;
const MAX_QUANTITY = 10_000;
const MAX_COUNT = 1_000_000_000_000;
/** A reservation checks that the total stays exact. */
const MAX_UNIT_PRICE = Number.MAX_SAFE_INTEGER;

const inventory = services.inventory;

/** `holdfast.inventory.v1.InventoryService`: what each method checks, under which key it runs, and what it stores. */
export function inventoryService(participant: Participant): ServiceBinding {
  const { pool, fingerprinter } = participant;
  return service(inventory, {
    ReserveInventory: stepMethod(participant, reserveStep, ({ currency, lines, beside, expectedTotal }) => ({
      currency: checkCurrency('currency', currency),
      lines: checkLines(lines),
      beside: checkInteger('beside', beside, -Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
      expectedTotal,
    })),

    ReleaseInventory: stepMethod(participant, releaseStep, () => ({})),

    // A refund has a saga of its own: its keys begin with its id, and its fence is its own.
    ReserveRestock: stepMethod(
      participant,
      reserveRestockStep,
      ({ refundId, lines }) => ({ refundId, lines: checkReturned(lines) }),
      refundIdOf,
    ),
    ReleaseRestock: stepMethod(participant, releaseRestockStep, ({ refundId }) => ({ refundId }), refundIdOf),
    Restock: stepMethod(participant, restockStep, ({ refundId, giveUp }) => ({ refundId, giveUp }), refundIdOf),

    GetStep: getStep(pool, {
      [RESERVE]: (answer) => ({ reserved: inventory.ReserveInventory.responseDeserialize(answer) }),
      [RELEASE]: (answer) => ({ released: inventory.ReleaseInventory.responseDeserialize(answer) }),
      [RESERVE_RESTOCK]: (answer) => ({ restockReserved: inventory.ReserveRestock.responseDeserialize(answer) }),
      [RELEASE_RESTOCK]: (answer) => ({ restockReleased: inventory.ReleaseRestock.responseDeserialize(answer) }),
      [RESTOCK]: (answer) => ({ restocked: inventory.Restock.responseDeserialize(answer) }),
      [ADJUST]: (answer) => ({ adjusted: inventory.AdjustStock.responseDeserialize(answer) }),
      [PUT]: (answer) => ({ put: inventory.PutStock.responseDeserialize(answer) }),
    }),

    async GetStock(request, call) {
      const stock = await findItem(pool, call.tenantId(), checkShopId('sku', request.sku));
      return { kind: 'completed', message: { stock } };
    },

    async PutStock(request, call) {
      const { onHand, unitPrice, currency } = request;
      const item = {
        sku: checkShopId('sku', request.sku),
        onHand: onHand === undefined ? onHand : checkInteger('on_hand', onHand, 0, MAX_COUNT),
        unitPrice: unitPrice === undefined ? unitPrice : checkInteger('unit_price', unitPrice, 0, MAX_UNIT_PRICE),
        currency: currency === undefined ? currency : checkCurrency('currency', currency),
      };
      const condition = { versions: request.ifVersions, listed: request.ifListed };
      const keyed = keyedCall(call, { name: PUT }, request, fingerprinter);
      return await runAlone(
        participant,
        keyed,
        (tx) => putItem(tx, keyed.tenantId, item, { condition, key: keyed.key, proof: request.proof }),
        (changed) => inventory.PutStock.responseSerialize(changed),
      );
    },

    async AdjustStock(request, call) {
      const sku = checkShopId('sku', request.sku);
      const delta = checkInteger('delta', request.delta, -MAX_COUNT, MAX_COUNT);
      if (delta === 0) throw new InvalidRequest('delta', 'send how much to add, or (below 0) to take');
      const keyed = keyedCall(call, { name: ADJUST }, request, fingerprinter);
      return await runAlone(
        participant,
        keyed,
        (tx) => adjustItem(tx, keyed.tenantId, sku, delta, { key: keyed.key, proof: request.proof }),
        (changed) => inventory.AdjustStock.responseSerialize(changed),
      );
    },
  });
}

const reserveStep: StepSpec<ReserveRequest, never, never> = {
  operation: RESERVE,
  keepDays: KEEP_DAYS,
  async prepare(tx, calls) {
    const outcomes = await reserve(
      tx,
      calls.map(({ request }) => request),
    );
    return outcomes.map((outcome) => settlementOf(outcome, inventory.ReserveInventory.responseSerialize));
  },
};

const releaseStep: StepSpec<OrderId, never, never> = {
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

const refundIdOf = ({ refundId }: { refundId: string }): string => checkIdentifier('refund_id', refundId);

const reserveRestockStep: StepSpec<RestockId & { lines: ReturnedLine[] }, never, never> = {
  operation: RESERVE_RESTOCK,
  keepDays: KEEP_DAYS,
  async prepare(tx, calls) {
    const outcomes = await reserveRestocks(
      tx,
      calls.map(({ request }) => request),
    );
    return outcomes.map((outcome) => settlementOf(outcome, inventory.ReserveRestock.responseSerialize));
  },
};

const releaseRestockStep: StepSpec<RestockId, never, never> = {
  operation: RELEASE_RESTOCK,
  keepDays: KEEP_DAYS,
  undoes: RESERVE_RESTOCK,
  async prepare(tx, calls) {
    await releaseRestocks(
      tx,
      calls.map(({ request }) => request),
    );
    return calls.map(() => ({ kind: 'completed', answer: inventory.ReleaseRestock.responseSerialize({}) }));
  },
};

const restockStep: StepSpec<RestockId & { giveUp: boolean }, never, never> = {
  operation: RESTOCK,
  keepDays: KEEP_DAYS,
  async prepare(tx, calls) {
    const counted = await restock(
      tx,
      calls.map(({ request }) => request),
    );
    return counted.map((lines) => ({ kind: 'completed', answer: inventory.Restock.responseSerialize({ lines }) }));
  },
};

/** @throws InvalidRequest */
function checkReturned(lines: ReturnedLine[]): ReturnedLine[] {
  return checkLines(lines).map(({ sku, quantity }) => ({ sku, quantity }));
}

/** @throws InvalidRequest */
function checkLines(lines: Line[]): Line[] {
  checkDistinct('lines', lines, 1, MAX_LINES, (line) => line.sku);
  return lines.map(({ sku, quantity, unitPrice }, at) => ({
    sku: checkShopId(`lines[${at}].sku`, sku),
    quantity: checkInteger(`lines[${at}].quantity`, quantity, 1, MAX_QUANTITY),
    unitPrice,
  }));
}
