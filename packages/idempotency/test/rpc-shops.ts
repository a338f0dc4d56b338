import { once } from 'node:events';
import { createServer, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { create, createFileRegistry, type DescMethodUnary, type DescService, type Message } from '@bufbuild/protobuf';
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FileDescriptorProtoSchema,
} from '@bufbuild/protobuf/wkt';
import { Code, ConnectError } from '@connectrpc/connect';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import { Metadata, status, type UntypedServiceImplementation } from '@grpc/grpc-js';
import type { Pool, Transaction } from '@holdfast/postgres';
import { idempotency } from '../src/connect/index.ts';
import { createKeyedServer } from '../src/grpc/index.ts';
import type { KeyedCallsOptions } from '../src/rpc/keyed-calls.ts';
import { type Charge, payments, type RunningServer, serve } from './test-payments.ts';

// One shop, served by each adapter for gRPC. All speak gRPC, so one client asks all of them.

export interface RpcShopOptions extends Omit<KeyedCallsOptions, 'pool'> {
  pool: Pool;
  /** Of what the caller says. @throws Nobody */
  tenantOf?: (said: string) => string;
  /** In the handler, after its write. */
  during?: (tx: Transaction) => Promise<unknown>;
}

/** What a shop answers with that does not know its caller. */
export class Nobody extends Error {}

/** As google.rpc.Status: code 9, and one detail of the type shop.Limit. */
export const LIMIT = { type: 'shop.Limit', value: Buffer.from([0x08, 0x07]) };

interface Refusal {
  code: 'FAILED_PRECONDITION' | 'INVALID_ARGUMENT';
  message: string;
}

async function charge(
  { amount }: Pick<Charge, 'amount'>,
  { tx, key }: { tx: Transaction; key: string },
  during: RpcShopOptions['during'],
): Promise<{ id: string } | Refusal> {
  const { rows } = await tx.query('insert into charges (key, amount) values ($1, $2) returning id', [key, amount]);
  await during?.(tx);
  if (amount > 1_000) return { code: 'FAILED_PRECONDITION', message: 'too much' };
  if (amount < 0) return { code: 'INVALID_ARGUMENT', message: 'give an amount' };
  // The amount is left out: a decoded and encoded copy of this message would have more bytes.
  return { id: `charge-${rows[0].id}` };
}

const saysTenant = (said: string) => said;

async function grpcShop({ during, tenantOf = saysTenant, ...options }: RpcShopOptions): Promise<RunningServer> {
  const keyed = createKeyedServer({
    ...options,
    tenantOf(metadata) {
      try {
        return tenantOf(String(metadata.get('tenant')[0]));
      } catch {
        throw Object.assign(new Error('who are you?'), { code: status.UNAUTHENTICATED, details: 'who are you?' });
      }
    },
  });
  const handler = keyed.unary<Charge, Partial<Charge>>(async (request, inHand) => {
    const made = await charge(request, inHand, during);
    if ('id' in made) return made;
    const metadata = new Metadata();
    metadata.set('grpc-status-details-bin', statusWith(status[made.code], made.message));
    throw Object.assign(new Error(made.message), { code: status[made.code], details: made.message, metadata });
  });
  const handlers: UntypedServiceImplementation = { Charge: handler, Refund: handler };
  return await serve(keyed.service(payments, ['Charge', 'Refund']), handlers, [keyed.interceptor]);
}

/** The bytes of a google.rpc.Status; every length fits one byte. */
function statusWith(code: number, message: string): Buffer {
  const field = (number: number, bytes: Buffer) =>
    Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes]);
  const any = [field(1, Buffer.from(`type.googleapis.com/${LIMIT.type}`)), field(2, LIMIT.value)];
  return Buffer.concat([Buffer.from([0x08, code]), field(2, Buffer.from(message)), field(3, Buffer.concat(any))]);
}

async function connectShop({ during, tenantOf = saysTenant, ...options }: RpcShopOptions): Promise<RunningServer> {
  const idempotent = idempotency({
    ...options,
    tenantOf({ requestHeader }) {
      try {
        return tenantOf(String(requestHeader.get('tenant')));
      } catch {
        throw new ConnectError('who are you?', Code.Unauthenticated);
      }
    },
  });
  const keyed = (name: string) =>
    idempotent(unaryOf(name), async (request, tx, { key }) => {
      const made = await charge(request as Message & Charge, { tx, key }, during);
      if ('id' in made) return made as Record<string, unknown>;
      const code = made.code === 'INVALID_ARGUMENT' ? Code.InvalidArgument : Code.FailedPrecondition;
      const error = new ConnectError(made.message, code);
      error.details.push(LIMIT);
      throw error;
    });
  const handlers = { charge: keyed('charge'), refund: keyed('refund') };
  return await serveConnect(handlers);
}

/** Its methods, by name; those of test-payments.ts. */
export const connectPayments: DescService = paymentsService();

export function unaryOf(name: string): DescMethodUnary {
  const method = connectPayments.method[name];
  if (method?.methodKind !== 'unary') throw new Error(`${name} is no unary method`);
  return method as DescMethodUnary;
}

function paymentsService(): DescService {
  const field = (name: string, number: number, type: FieldDescriptorProto_Type) => ({
    ...{ name, number, type, jsonName: name },
    label: FieldDescriptorProto_Label.OPTIONAL,
  });
  const method = (name: string, serverStreaming = false) => ({
    ...{ name, serverStreaming, inputType: '.shop.Charge', outputType: '.shop.Charge' },
  });
  const fields = [
    field('id', 1, FieldDescriptorProto_Type.STRING),
    field('amount', 2, FieldDescriptorProto_Type.INT32),
    field('note', 3, FieldDescriptorProto_Type.STRING),
  ];
  const file = create(FileDescriptorProtoSchema, {
    ...{ name: 'shop.proto', package: 'shop', syntax: 'proto3' },
    messageType: [{ name: 'Charge', field: fields }],
    service: [
      { name: 'Payments', method: [method('Charge'), method('Refund'), method('Look'), method('Watch', true)] },
    ],
  });
  const service = createFileRegistry(file, () => undefined).getService('shop.Payments');
  if (service === undefined) throw new Error('the file has no service');
  return service;
}

export async function serveConnect(handlers: object): Promise<RunningServer> {
  const routes = connectNodeAdapter({ routes: (router) => router.service(connectPayments, handlers) });
  const server = createServer(routes);
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', (session) => sessions.add(session));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = () => {
    for (const session of sessions) session.destroy();
    server.close();
  };
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, stop };
}

export const RPC_SHOPS: [name: string, start: (options: RpcShopOptions) => Promise<RunningServer>][] = [
  ['grpc-js', grpcShop],
  ['Connect', connectShop],
];
