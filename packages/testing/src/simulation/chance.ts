// Chance by place: what happens to the n-th message of a link depends on the seed, the link and n alone. So one fault
// can be taken out of a schedule without shifting the dice for all others, which is what makes a schedule shrinkable.

/** What may go wrong; together with a place and a number it names one fault of a schedule, e.g. `delay:o0>payment:3`. */
export const FAULT_KINDS = [
  'lose-request',
  'lose-reply',
  'duplicate',
  'delay',
  'statement-lost',
  'statement-reply-lost',
  'statement-late',
  'crash',
  'crash-on-send',
  'pause',
  'stop',
  'database-down',
  'forged-epoch',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

const KIND_NUMBER = Object.fromEntries(FAULT_KINDS.map((kind, at) => [kind, at + 1])) as Record<FaultKind, number>;
const TWO_POW_32 = 2 ** 32;

/** A place where chance is asked, such as one direction between two parts. */
export interface Place {
  name: string;
  number: number;
}

export class Chance {
  readonly seed: number;
  /** The faults that struck, in order. */
  readonly struck: string[] = [];
  readonly #only: ReadonlySet<string> | null;

  /** @param only the faults that may strike; null lets all strike that the seed holds */
  constructor(seed: number, only: ReadonlySet<string> | null) {
    this.seed = seed;
    this.#only = only;
  }

  /** Uniform in [0, 1). */
  fraction(purpose: number, place: Place, n: number): number {
    return hash(this.seed, purpose, place.number, n) / TWO_POW_32;
  }

  /** Uniform in `from`..`to`, both included. */
  integer(purpose: number, place: Place, n: number, from: number, to: number): number {
    return from + Math.floor(this.fraction(purpose, place, n) * (to - from + 1));
  }

  /** Does this fault strike? */
  strikes(kind: FaultKind, place: Place, n: number, rate: number): boolean {
    if (this.fraction(KIND_NUMBER[kind], place, n) >= rate) return false;
    const id = `${kind}:${place.name}:${n}`;
    if (this.#only !== null && !this.#only.has(id)) return false;
    this.struck.push(id);
    return true;
  }
}

/** The seed of the n-th schedule of a run. */
export function seedOf(runSeed: number, n: number): number {
  return hash(runSeed, 0x5eed, n, 0);
}

/** Three rounds of a 32-bit multiplicative hash and the finalizer of MurmurHash3. */
function hash(seed: number, a: number, b: number, c: number): number {
  let h = round(round(round(seed | 0, a), b), c);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

function round(h: number, value: number): number {
  const mixed = Math.imul(h ^ Math.imul(value + 1, 0x9e3779b1), 0x85ebca77);
  return mixed ^ (mixed >>> 15);
}
