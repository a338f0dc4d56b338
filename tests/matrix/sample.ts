import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { MatrixCase } from './cases.ts';

/** Which paths come by a step's undo; whatever else is asked is on every path, or on too many to tell. */
const UNDO_PATHS: Record<string, readonly string[]> = {
  'release-inventory': ['declined', 'address refused', 'cancelled', 'deadline'],
  'refund-payment': ['address refused', 'deadline'],
  'cancel-shipment': ['address refused'],
  'charge-payment': ['completes', 'declined', 'address refused', 'deadline'],
  'create-shipment': ['completes', 'address refused'],
  '/before-undo': ['address refused', 'declined'],
  '/after-undo': ['address refused', 'declined'],
  '/before-turn-back': ['address refused', 'declined', 'out of stock', 'deadline'],
  '/after-turn-back': ['address refused', 'declined', 'out of stock', 'deadline'],
};

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
  const place = script.point ?? '';
  const known = Object.entries(UNDO_PATHS).find(([part]) => place.startsWith(part));
  return known === undefined || known[1].includes(path.name);
}
