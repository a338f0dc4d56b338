// What a schedule consists of, all of it by its seed: sagas, their outcomes, and the faults of processes.

import type { Chance, FaultKind, Place } from './chance.ts';
import type { Rates } from './model/network.ts';

export interface PlannedSaga {
  id: string;
  startAt: number;
  deadlineMs: number;
  /** Where the client asks first. */
  engine: number;
  cancelAt: number | null;
  /** How long the client waits for the end. */
  waitMs: number;
  /** The same request once more, at another engine. */
  duplicate: { at: number; waitMs: number } | null;
  declined: boolean;
  /** When the step that ships is told something; null: never. */
  shipToldAt: number | null;
  /** What the card's bank wants of the customer before it pays; null: nothing. */
  authentication: Authentication | null;
  addressRefused: boolean;
  /** Whether it reserves and charges side by side: the second version of its definition. */
  isParallel: boolean;
}

export interface Authentication {
  /** When the customer does it, at the earliest; null: never. */
  at: number | null;
  succeeds: boolean;
  /** Whether the provider tells of it. Else it has to be asked. */
  tells: boolean;
  /** How long the saga waits before it asks. */
  waitMs: number;
}

export interface PlannedFault {
  kind: FaultKind;
  place: Place;
  /** Which of its kind at this place; of a forged epoch, whose saga: the n-th. */
  n: number;
  target: string;
  at: number;
  forMs: number;
}

export interface Plan {
  engines: number;
  leaseMs: number;
  /** By engine: what its wall clock is off by, and how fast its monotonic one goes. */
  clocks: { skewMs: number; speed: number }[];
  sagas: PlannedSaga[];
  /** In stock for all sagas together, and when more comes. */
  stock: number;
  restockAt: number;
  faults: PlannedFault[];
  rates: Rates;
  /** After this nothing goes wrong any more. */
  calmAt: number;
  /** And by then everything has to have ended. */
  endBy: number;
}

const LEASE_MS = 240;
const CALM_AT_MS = 1_400;
const SETTLE_MS = 6_000;
const CALM: Rates = { loseRequest: 0, loseReply: 0, duplicate: 0, delay: 0, database: 0 };
const ROUGH: Rates = { loseRequest: 0.05, loseReply: 0.06, duplicate: 0.05, delay: 0.05, database: 0.02 };
const STORM: Rates = { loseRequest: 0.15, loseReply: 0.2, duplicate: 0.2, delay: 0.2, database: 0.08 };

export const engineName = (at: number): string => `o${at}`;
export const PARTICIPANT_HOSTS = { reserve: 'inventory', charge: 'payment', ship: 'shipping', notify: 'mail' } as const;

export function planOf(chance: Chance): Plan {
  const place = { name: 'plan', number: 0 };
  let asked = 0;
  const fraction = () => chance.fraction(1, place, asked++);
  const integer = (from: number, to: number) => from + Math.floor(fraction() * (to - from + 1));
  const oneIn = (n: number) => fraction() < 1 / n;

  const engines = oneIn(4) ? 1 : 2;
  const weather = fraction();
  const rates = weather < 0.3 ? CALM : weather < 0.75 ? ROUGH : STORM;
  const sagas = Array.from(
    { length: integer(1, 3) },
    (_, at): PlannedSaga => ({
      id: `s${at + 1}`,
      startAt: integer(5, 120),
      deadlineMs: integer(120, 900),
      engine: integer(0, engines - 1),
      cancelAt: oneIn(5) ? integer(10, 500) : null,
      declined: oneIn(6),
      addressRefused: oneIn(6),
      ...planAnswers(chance, at),
      authentication: planAuthentication(chance, at),
      shipToldAt: planTelling(chance, at),
      isParallel: chance.integer(7, { name: 'versions', number: 990 + at }, 0, 1, 3) === 1,
    }),
  );
  return {
    engines,
    leaseMs: LEASE_MS,
    clocks: Array.from({ length: engines }, () => ({
      skewMs: oneIn(2) ? integer(-3_000_000, 3_000_000) : 0,
      speed: 0.98 + 0.04 * fraction(),
    })),
    sagas,
    stock: integer(0, 3),
    restockAt: integer(100, 900),
    faults: planFaults(chance, { fraction, integer, oneIn }, engines, sagas.length),
    rates,
    calmAt: CALM_AT_MS,
    endBy: CALM_AT_MS + SETTLE_MS,
  };
}

/** With dice of their own. */
function planAnswers(chance: Chance, saga: number): Pick<PlannedSaga, 'waitMs' | 'duplicate'> {
  const place = { name: 'answers', number: 900 + saga };
  const integer = (n: number, from: number, to: number) => chance.integer(4, place, n, from, to);
  const duplicate = { at: integer(0, 10, 400), waitMs: integer(1, 0, 100) };
  return { waitMs: integer(2, 0, 1_500), duplicate: integer(3, 1, 3) === 1 ? duplicate : null };
}

/** Likewise. */
function planAuthentication(chance: Chance, saga: number): Authentication | null {
  const place = { name: 'authentication', number: 950 + saga };
  const integer = (n: number, from: number, to: number) => chance.integer(5, place, n, from, to);
  if (integer(0, 1, 5) > 2) return null;
  return {
    at: integer(1, 1, 4) === 1 ? null : integer(2, 10, 900),
    succeeds: integer(3, 1, 4) > 1,
    tells: integer(4, 1, 4) > 1,
    waitMs: integer(5, 20, 500),
  };
}

/** Likewise. */
function planTelling(chance: Chance, saga: number): number | null {
  const place = { name: 'telling', number: 970 + saga };
  return chance.integer(6, place, 0, 1, 3) === 1 ? chance.integer(6, place, 1, 20, 400) : null;
}

interface Dice {
  fraction: () => number;
  integer: (from: number, to: number) => number;
  oneIn: (n: number) => boolean;
}

function planFaults(chance: Chance, dice: Dice, engines: number, sagas: number): PlannedFault[] {
  const faults: PlannedFault[] = [];
  const plan = (kind: FaultKind, target: string, n: number, rate: number, forMs: [number, number], latest = 900) => {
    const place = { name: target, number: 1_000 + [...target].reduce((sum, c) => sum * 31 + c.charCodeAt(0), 7) };
    const [at, lasting] = [dice.integer(5, latest), dice.integer(...forMs)];
    if (chance.strikes(kind, place, n, rate)) faults.push({ kind, place, n, target, at, forMs: lasting });
  };
  for (let at = 0; at < engines; at++) {
    const engine = engineName(at);
    for (let n = 0; n < 2; n++) {
      plan('crash', engine, n, 0.2, [5, 800], 500);
      // `at` counts messages here: it dies right after it has sent that one.
      plan('crash-on-send', engine, n, 0.25, [5, 800], 60);
    }
    plan('pause', engine, 0, 0.3, [20, 900], 500);
    plan('stop', engine, 0, 0.1, [5, 200], 500);
  }
  for (const host of Object.values(PARTICIPANT_HOSTS)) {
    plan('crash', host, 0, 0.12, [5, 300], 400);
    plan('pause', host, 0, 0.1, [10, 500], 400);
  }
  plan('database-down', 'orders-db', 0, 0.1, [5, 500], 500);
  plan('database-down', 'participants-db', 0, 0.1, [5, 300], 500);
  for (const host of Object.values(PARTICIPANT_HOSTS)) {
    for (let n = 0; n < sagas; n++) plan('forged-epoch', host, n, 0.02, [0, 0], 500);
  }
  return faults;
}
