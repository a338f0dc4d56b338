/*
 * A desk: it books one place of a trip (a seat, a room, a car) and cancels it, over HTTP, in a database of its own.
 *
 * K1 Claim, booking and stored answer are one transaction (createStepRunner).
 * K3 A cancellation that comes first seals the booking: it can't be made any more (`undoes`).
 * K4 A call of an owner that has been replaced changes nothing (`fence`).
 */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import {
  createSingleFlight,
  type Fingerprinter,
  type IdempotentCall,
  idempotencyMigrations,
  loadFingerprinter,
  type Pool,
  type Settlement,
  type Transaction,
} from '@holdfast/idempotency';
import { createStepRunner, oneByOne, type RunStep, type StepOutcome, type StepSpec } from '@holdfast/participant/step';

/** The tables of a desk's database, for `migrate`. */
export const deskMigrations = [
  idempotencyMigrations,
  { module: 'travel', folder: new URL('../sql/', import.meta.url) },
];

export interface DeskRequest {
  key: string;
  epoch: number;
  tripId: string;
  /** What to book. A cancellation has none: the trip says enough. */
  place?: string | undefined;
}

/** What a desk answers: a step's outcome, as the engine takes it. Anything else, or nothing, tells nothing of the booking. */
export type DeskAnswer =
  | { kind: 'completed'; output: object }
  | { kind: 'refused'; reason: string; message: string }
  | { kind: 'fenced'; detail: string }
  /** Not known, or not yet: ask again. */
  | { kind: 'unknown'; detail: string };

/** How a desk cancels; `cancelOnce` unless a test wants to see what comes of another way. */
export type Cancel = (parts: DeskParts, call: IdempotentCall, tripId: string) => Promise<DeskAnswer>;

export interface DeskParts {
  pool: Pool;
  fingerprinter: Fingerprinter;
  book: RunStep<DeskRequest>;
  cancel: RunStep<string>;
}

export interface Desk {
  /** host and port */
  readonly address: { host: string; port: number };
  close(): Promise<void>;
}

const TENANT = 'travel';
/** How long a duplicate waits for the call that runs. */
const WAIT_MS = 1_000;
const CLOSE_WITHIN_MS = 2_000;

/** @param pool of a database with `deskMigrations` */
export async function startDesk(pool: Pool, cancel: Cancel = cancelOnce): Promise<Desk> {
  const singleFlight = createSingleFlight();
  const parts: DeskParts = {
    pool,
    fingerprinter: await loadFingerprinter(pool),
    book: createStepRunner(pool, singleFlight, bookStep),
    cancel: createStepRunner(pool, singleFlight, cancelStep),
  };
  const server = createServer((request, response) => {
    const send = (status: number, answer: DeskAnswer) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    };
    handle(parts, cancel, request).then(
      (answer) => send(200, answer),
      (error: Error) => send(503, { kind: 'unknown', detail: error.message }),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return { address: { host: '127.0.0.1', port }, close: () => close(server) };
}

async function handle(parts: DeskParts, cancel: Cancel, request: IncomingMessage): Promise<DeskAnswer> {
  const asked = (await json(request)) as DeskRequest;
  const operation = request.url === '/cancel' ? 'cancel' : 'book';
  const call: IdempotentCall = {
    tenantId: TENANT,
    key: asked.key,
    operation,
    fingerprint: parts.fingerprinter.of(operation, { tripId: asked.tripId, place: asked.place ?? null }),
    fence: { orderId: asked.tripId, epoch: asked.epoch },
    waitMs: WAIT_MS,
  };
  if (operation === 'cancel') return await cancel(parts, call, asked.tripId);
  return answerOf(await parts.book(call, asked));
}

const bookStep: StepSpec<DeskRequest, never, never> = {
  operation: 'book',
  prepare: oneByOne((tx, { request }) => book(tx, request)),
};

async function book(tx: Transaction, { tripId, place = '' }: DeskRequest): Promise<Settlement> {
  const taken = await tx.query('update places set free = free - 1 where place = $1::text and free > 0', [place]);
  if (taken.rowCount === 0) return { kind: 'refused', answer: Buffer.from('SOLD_OUT') };
  await tx.query('insert into bookings (trip_id, place) values ($1::text, $2::text)', [tripId, place]);
  return { kind: 'completed', answer: Buffer.from(place) };
}

/** Cancels the trip's booking, or sees to it that none is ever made. */
const cancelOnce: Cancel = async (parts, call, tripId) => answerOf(await parts.cancel(call, tripId));

const cancelStep: StepSpec<string, never, never> = {
  operation: 'cancel',
  undoes: 'book',
  prepare: oneByOne(async (tx, { request: tripId }) => {
    await giveBack(tx, tripId);
    return { kind: 'completed', answer: Buffer.alloc(0) };
  }),
};

/** Gives the place of a trip back, if it has one. */
export async function giveBack(tx: Pick<Pool, 'query'>, tripId: string): Promise<void> {
  await tx.query(
    `with cancelled as (delete from bookings where trip_id = $1::text returning place)
     update places set free = free + 1 from cancelled where places.place = cancelled.place`,
    [tripId],
  );
}

function answerOf(outcome: StepOutcome): DeskAnswer {
  switch (outcome.kind) {
    case 'completed':
      return { kind: 'completed', output: {} };
    case 'refused':
      return { kind: 'refused', reason: outcome.answer.toString(), message: 'there is none left' };
    case 'sealed':
      return { kind: 'refused', reason: 'CANCELLED', message: 'cancelled before it was booked' };
    case 'fenced':
      return { kind: 'fenced', detail: 'a newer owner of the trip has called' };
    default:
      return { kind: 'unknown', detail: outcome.kind };
  }
}

async function close(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  const timer = setTimeout(() => server.closeAllConnections(), CLOSE_WITHIN_MS);
  server.closeIdleConnections();
  await closed;
  clearTimeout(timer);
}
