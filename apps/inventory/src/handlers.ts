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
  checkInteger,
  checkShopId,
  InvalidRequest,
  type ServiceBinding,
  service,
  services,
} from '@holdfast/rpc';
import { release, reserve } from './reservation.ts';
import type { Line, ReserveRequest } from './reserve-request.ts';
import { adjustItem, findItem, putItem } from './stock.ts';

/** How long the answer to a step is given again byte for byte; after that, what the effect's own row says. */
const KEEP_DAYS = 14;
const RESERVE = 'reserve-inventory';
const RELEASE = 'release-inventory';
const ADJUST = 'adjust-stock';
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

    GetStep: getStep(pool, {
      [RESERVE]: (answer) => ({ reserved: inventory.ReserveInventory.responseDeserialize(answer) }),
      [RELEASE]: (answer) => ({ released: inventory.ReleaseInventory.responseDeserialize(answer) }),
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
        (tx) => putItem(tx, keyed.tenantId, item, { condition, key: keyed.key }),
        (stock) => inventory.PutStock.responseSerialize({ stock }),
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
        (tx) => adjustItem(tx, keyed.tenantId, sku, delta, keyed.key),
        (stock) => inventory.AdjustStock.responseSerialize({ stock }),
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

/** @throws InvalidRequest */
function checkLines(lines: Line[]): Line[] {
  checkDistinct('lines', lines, 1, MAX_LINES, (line) => line.sku);
  return lines.map(({ sku, quantity, unitPrice }, at) => ({
    sku: checkShopId(`lines[${at}].sku`, sku),
    quantity: checkInteger(`lines[${at}].quantity`, quantity, 1, MAX_QUANTITY),
    unitPrice,
  }));
}
