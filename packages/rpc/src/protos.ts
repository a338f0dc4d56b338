import { fileURLToPath } from 'node:url';
import { type GrpcObject, loadPackageDefinition, type ServiceDefinition } from '@grpc/grpc-js';
import { loadSync, type Options, type PackageDefinition } from '@grpc/proto-loader';
import type {
  InventoryServiceDefinition,
  OrderServiceDefinition,
  PaymentServiceDefinition,
  ShippingServiceDefinition,
  StepServiceDefinition,
} from '@holdfast/contracts';

// The types in gen/ are generated with the same choices (scripts/gen.mjs); they must not differ.
const OPTIONS: Options = {
  longs: Number,
  enums: String,
  defaults: true,
  oneofs: true,
  includeDirs: [fileURLToPath(new URL('../../../protos/', import.meta.url))],
};

/** Every message and service of `protos/`, as loaded; what server reflection shows. */
export const packageDefinition: PackageDefinition = loadSync(
  [
    ...['inventory', 'payment', 'shipping', 'orders'].map((name) => `holdfast/${name}/v1/${name}.proto`),
    'holdfast/step/v1/steps.proto',
  ],
  OPTIONS,
);

const loaded = loadPackageDefinition(packageDefinition);

function definition<D>(path: string): D {
  const found = path.split('.').reduce<unknown>((at, name) => (at as GrpcObject)[name], loaded);
  return (found as { service: ServiceDefinition }).service as D;
}

/** The four services, with the (de)serialisers that the stored answers use. */
export const services = {
  inventory: definition<InventoryServiceDefinition>('holdfast.inventory.v1.InventoryService'),
  payment: definition<PaymentServiceDefinition>('holdfast.payment.v1.PaymentService'),
  shipping: definition<ShippingServiceDefinition>('holdfast.shipping.v1.ShippingService'),
  orders: definition<OrderServiceDefinition>('holdfast.orders.v1.OrderService'),
};

/** Steps of any participant, many in one message. */
export const stepService = definition<StepServiceDefinition>('holdfast.step.v1.StepService');

export type ServiceName = keyof typeof services;
