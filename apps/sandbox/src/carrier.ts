import { randomBytes } from 'node:crypto';
import { type Pool, statement } from '@holdfast/postgres';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { pageOf, readPage } from './api/paging.ts';
import type { FaultPlan, Faults } from './faults.ts';
import type { Store } from './store.ts';

/**
 * The carrier. A reference is one row for ever, so one statement decides everything about it:
 *
 * - K2 The same reference again is the same booking, whoever asks and however often at once.
 * - K3 A cancellation that comes first leaves a tombstone; the late booking is refused and changes nothing.
 * - S5 A refusal drawn as a fault is kept: a reference that was refused once is not booked by a request that was
 *   delayed. The caller has given up by then and would have a parcel on its way for nothing.
 */

interface Parcel {
  sku: string;
  quantity: number;
}
interface ShipTo {
  name: string;
  line1: string;
  city: string;
  postalCode: string;
  country: string;
}
interface BookingRequest {
  reference: string;
  shipTo: ShipTo;
  parcels: Parcel[];
}

interface ShipmentRow {
  reference: string;
  shipmentId: string | null;
  status: 'booked' | 'cancelled' | 'refused';
  trackingNumber: string | null;
}

type Booked =
  | { kind: 'booked'; created: boolean; shipment: ShipmentRow }
  | { kind: 'cancelled' }
  | { kind: 'address-refused' };

const COLUMNS = `reference, shipment_id as "shipmentId", status, tracking_number as "trackingNumber"`;

const BOOK = statement(
  'sandbox.book-shipment',
  `insert into shipments (reference, status, shipment_id, tracking_number, ship_to, parcels)
   values ($1::text, $2::text, $3::text, $4::text, $5::jsonb, $6::jsonb)
   on conflict (reference) do nothing
   returning ${COLUMNS}`,
);
const READ = statement('sandbox.read-shipment', `select ${COLUMNS} from shipments where reference = $1::text`);
const CANCEL = statement(
  'sandbox.cancel-shipment',
  `insert into shipments as s (reference, status, cancelled_at) values ($1::text, 'cancelled', clock_timestamp())
   on conflict (reference) do update
      set status = 'cancelled', cancelled_at = coalesce(s.cancelled_at, excluded.cancelled_at)
   returning ${COLUMNS}`,
);
const READ_BY_ID = statement(
  'sandbox.read-shipment-by-id',
  `select ${COLUMNS} from shipments where shipment_id = $1::text`,
);
const LIST = statement(
  'sandbox.list-shipments',
  `select ${COLUMNS} from shipments
    where reference > $1::text and shipment_id is not null order by reference limit $2::int`,
);

const TEXT = { type: 'string', minLength: 1, maxLength: 200, pattern: '^[^\\u0000]*$' };
// Printable ASCII: it travels in URLs and logs.
const REFERENCE_PATTERN = '^[\\x21-\\x7e]{1,200}$';
const REFERENCE = { type: 'string', pattern: REFERENCE_PATTERN };
const SHIPMENT_ID = /^shp_[0-9a-f]{24}$/;
const BOOKING_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  required: ['reference', 'shipTo', 'parcels'],
  properties: {
    reference: REFERENCE,
    shipTo: {
      type: 'object',
      additionalProperties: false,
      required: ['name', 'line1', 'city', 'country'],
      properties: {
        name: TEXT,
        line1: TEXT,
        city: TEXT,
        line2: TEXT,
        region: TEXT,
        postalCode: { ...TEXT, maxLength: 20 },
        phone: TEXT,
        company: TEXT,
        country: { type: 'string', pattern: '^[A-Z]{2}$' },
      },
    },
    parcels: {
      type: 'array',
      minItems: 1,
      maxItems: 1_000,
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['sku', 'quantity'],
        properties: { sku: TEXT, quantity: { type: 'integer', minimum: 1, maximum: 1_000_000 } },
      },
    },
  },
};
const CANCEL_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  required: ['reference'],
  properties: { reference: REFERENCE },
};

const INTERNAL = {
  code: 'INTERNAL',
  message: 'Something went wrong on our side. Send the same request with the same reference again.',
};

export function carrierRoutes(app: FastifyInstance, store: Store, faults: Faults): void {
  const { pool } = store;
  app.post<{ Body: BookingRequest }>(
    '/carrier/v1/shipments',
    { schema: { body: BOOKING_SCHEMA } },
    changing(faults, async (body: BookingRequest, plan) => bookedAnswer(await book(store, body, plan))),
  );
  app.post<{ Body: { reference: string } }>(
    '/carrier/v1/shipments/cancel',
    { schema: { body: CANCEL_SCHEMA } },
    changing(faults, async (body: { reference: string }) => {
      const { reference } = body;
      const [cancelled] = await store.commit<ShipmentRow>(reference, { ...CANCEL, values: [reference] });
      return [200, { reference, status: 'cancelled', id: cancelled?.shipmentId ?? null }];
    }),
  );
  app.get('/carrier/v1/shipments', async (request, reply) => {
    const { reference, ...paging } = request.query as Record<string, unknown>;
    const page = readPage(paging);
    const fault = page.kind === 'invalid' ? page.message : referenceFault(reference);
    if (page.kind === 'invalid' || fault) return reply.code(400).send({ code: 'INVALID_REQUEST', message: fault });
    if (typeof reference === 'string') {
      const row = await read(pool, reference);
      return { shipments: row === undefined || row.shipmentId === null ? [] : [render(row)], nextCursor: null };
    }
    const { rows } = await pool.query<ShipmentRow>({ ...LIST, values: [page.cursor, page.limit + 1] });
    const { items, nextCursor } = pageOf(rows, page.limit, (row) => row.reference);
    return { shipments: items.map(render), nextCursor };
  });
  app.get<{ Params: { id: string } }>('/carrier/v1/shipments/:id', async (request, reply) => {
    const { id } = request.params;
    const { rows } = await pool.query<ShipmentRow>({ ...READ_BY_ID, values: [SHIPMENT_ID.test(id) ? id : null] });
    if (rows[0]) return render(rows[0]);
    return reply
      .code(404)
      .send({ code: 'NOT_FOUND', message: `there is no shipment ${id}; look it up by its reference` });
  });
}

function referenceFault(reference: unknown): string | null {
  if (reference === undefined) return null;
  if (typeof reference === 'string' && new RegExp(REFERENCE_PATTERN).test(reference)) return null;
  return 'query/reference: must be one reference of 1 to 200 printable ASCII characters';
}

type Answer = [status: number, body: object];

/** Faults around an effect: a 500 before or after it, and a lost or late answer. */
function changing<B>(
  faults: Faults,
  effect: (body: B, plan: FaultPlan) => Promise<Answer>,
): (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply> {
  return async (request, reply) => {
    const plan = faults.draw('carrier');
    if (plan.error500 !== null) plan.happened('error500');
    const answer: Answer = plan.error500 === 'before' ? [500, INTERNAL] : await effect(request.body as B, plan);
    const [status, body] = plan.error500 === 'after' ? [500, INTERNAL] : answer;
    return await faults.deliver(reply, plan, () => reply.code(status).send(body));
  };
}

/** One booking per reference, ever (K2), none after its cancellation (K3). */
async function book({ pool, commit }: Store, request: BookingRequest, plan: FaultPlan): Promise<Booked> {
  const { reference, shipTo, parcels } = request;
  // Depends on the request alone, so it is the same whenever it is asked: no row is needed to remember it.
  const undeliverable = shipTo.postalCode === '00000' || shipTo.country === 'AQ';
  if (undeliverable) return existing(await read(pool, reference)) ?? { kind: 'address-refused' };

  const values = plan.refused
    ? [reference, 'refused', null, null, null, null]
    : [reference, 'booked', newId('shp_'), newId('HF').toUpperCase(), JSON.stringify(shipTo), JSON.stringify(parcels)];
  const [inserted] = await commit<ShipmentRow>(reference, { ...BOOK, values });
  // crash here: the reference is decided, nobody has been told; asking again gives the same answer.
  if (inserted?.status === 'refused') plan.happened('refused');
  if (inserted?.status === 'booked') return { kind: 'booked', created: true, shipment: inserted };
  // Refused, or there before. Rows are never deleted, so what was in the way is there to be read.
  const found = existing(inserted ?? (await read(pool, reference)));
  if (found === null) throw new Error('a reference was in the way of a booking and is not there');
  return found;
}

async function read(pool: Pool, reference: string): Promise<ShipmentRow | undefined> {
  return (await pool.query<ShipmentRow>({ ...READ, values: [reference] })).rows[0];
}

function existing(row: ShipmentRow | undefined): Booked | null {
  switch (row?.status) {
    case undefined:
      return null;
    case 'booked':
      return { kind: 'booked', created: false, shipment: row as ShipmentRow };
    case 'cancelled':
      return { kind: 'cancelled' };
    case 'refused':
      return { kind: 'address-refused' };
  }
}

function bookedAnswer(booked: Booked): Answer {
  switch (booked.kind) {
    case 'booked':
      return [booked.created ? 201 : 200, render(booked.shipment)];
    case 'cancelled':
      return [409, { code: 'REFERENCE_CANCELLED', message: 'this reference was cancelled: book with a new one' }];
    case 'address-refused':
      return [422, { code: 'ADDRESS_REFUSED', message: 'nothing can be delivered to this address: give another one' }];
  }
}

function render(row: ShipmentRow): object {
  return { id: row.shipmentId, reference: row.reference, status: row.status, trackingNumber: row.trackingNumber };
}

function newId(prefix: string): string {
  return `${prefix}${randomBytes(12).toString('hex')}`;
}
