import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { MatrixCase } from './cases.ts';

const SHIPPED = ['address refused', 'cancelled when shipped'];
const WAITS = ['confirmed', 'not confirmed', 'cancelled while it waits'];
const PAID = ['completes', 'confirmed', ...SHIPPED];
const CHARGED = [...PAID, 'declined', 'cancelled', 'deadline', ...WAITS];
const NOT_PAID = ['not confirmed', 'cancelled while it waits'];
const RETURNED_BACK = 'returned for too much';
const CAPTURES = ['captured', 'run out', 'run out unheard'];
/** Turned back before their end, or after it. */
const TURNED_BACK = [
  'out of stock',
  'declined',
  'cancelled',
  'deadline',
  RETURNED_BACK,
  ...NOT_PAID,
  ...SHIPPED,
  'run out',
];
const UNDONE = [...TURNED_BACK, 'released'];
/** Which paths come by a point or a method, the first that fits; whatever is not here is on every path. */
const ON_PATHS: readonly (readonly [begins: string, paths: readonly string[]])[] = [
  ['reserve-re', ['returned', RETURNED_BACK]],
  ['ReserveRe', ['returned', RETURNED_BACK]],
  ['release-re', [RETURNED_BACK]],
  ['ReleaseRe', [RETURNED_BACK]],
  ['reserve-capture', CAPTURES],
  ['ReserveCapture', CAPTURES],
  ['release-capture', ['run out']],
  ['ReleaseCapture', ['run out']],
  ['capture-payment', ['captured', 'run out unheard']],
  ['CapturePayment', ['captured', 'run out unheard']],
  ['refund-charge', ['returned']],
  ['RefundCharge', ['returned']],
  ['restock', ['returned']],
  ['Restock', ['returned']],
  ['/before-wa', WAITS],
  ['/after-wa', WAITS],
  ['release-inventory', UNDONE],
  ['ReleaseInventory', UNDONE],
  ['refund-payment', [...SHIPPED, 'deadline', 'released']],
  ['RefundPayment', [...SHIPPED, 'deadline', 'released']],
  ['cancel-shipment/before-provider', ['cancelled when shipped', 'released']],
  ['cancel-shipment/after-provider', ['cancelled when shipped', 'released']],
  ['cancel-shipment/before-record', ['cancelled when shipped', 'released']],
  ['cancel-shipment', [...SHIPPED, 'released']],
  ['CancelShipment', [...SHIPPED, 'released']],
  ['charge-payment', CHARGED],
  ['ChargePayment', CHARGED],
  ['create-shipment', PAID],
  ['CreateShipment', PAID],
  ['/before-undo', TURNED_BACK],
  ['/after-undo', TURNED_BACK],
  ['/before-turn-back', TURNED_BACK],
  ['/after-turn-back', TURNED_BACK],
];

/**
 * Cases that are likely to strike: one of each point first, in random order, then any.
 *
 * @param seed the same gives the same sample
 */
export function sample(cases: readonly MatrixCase[], size: number, seed: number): MatrixCase[] {
  const random = xoroshiro128plus(seed);
  const shuffled = cases
    .filter(strikes)
    .map((entry) => ({ entry, by: uniformInt(random, 0, 2 ** 31) }))
    .sort((a, b) => a.by - b.by)
    .map(({ entry }) => entry);
  const placeOf = ({ script }: MatrixCase) => `${script.point ?? script.rpc}`;
  const first = [...new Map(shuffled.map((entry) => [placeOf(entry), entry])).values()];
  const rest = shuffled.filter((entry) => !first.includes(entry));
  return [...first, ...rest].slice(0, size);
}

function strikes({ script, path }: MatrixCase): boolean {
  const place = script.point ?? script.rpc ?? '';
  const known = ON_PATHS.find(([begins]) => place.startsWith(begins));
  return known === undefined || known[1].includes(path.name);
}
