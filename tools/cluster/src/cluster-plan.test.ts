import { describe, expect, it } from 'vitest';
import { type ClusterShape, connectionsNeeded, type PlannedService, planCluster, portsNeeded } from './cluster-plan.ts';

function plan(shape: Partial<ClusterShape> = {}): PlannedService[] {
  const size = { orchestrators: 1, participants: 1, ...shape };
  return planCluster({
    ...size,
    httpPort: 8_080,
    ports: Array.from({ length: portsNeeded(size) }, (_, index) => 20_000 + index),
    apiKey: 'a-key-of-the-shop',
    eventKey: 'a-key-of-events',
    databaseUrl: (name) => `postgres://127.0.0.1:19999/${name}`,
    compileCache: '/cache',
    ...shape,
  });
}

const named = (services: PlannedService[], name: string) => services.filter((service) => service.name === name);

describe('the plan of a cluster', () => {
  it('gives every process ports of its own, and the API the one that was chosen', () => {
    const services = plan({ orchestrators: 2, participants: 3 });
    const ports = services.flatMap(({ env: { HTTP_PORT, GRPC_PORT, OPS_PORT } }) =>
      [HTTP_PORT, GRPC_PORT, OPS_PORT].filter((port) => port !== undefined),
    );
    expect(services).toHaveLength(2 + 3 * 3 + 1);
    expect(new Set(ports).size).toBe(2 * services.length - 1 + 2);
    expect(ports).toHaveLength(portsNeeded({ orchestrators: 2, participants: 3 }) + 1);
    expect(named(services, 'orchestrator')[0]?.http).toBe('http://127.0.0.1:8080');
    for (const { env, http, ops } of services)
      expect(ops).toBe(env.OPS_PORT === undefined ? http : `http://127.0.0.1:${env.OPS_PORT}`);
  });

  it('names one participant by host and port, several as a list that gRPC balances over', () => {
    const single = plan();
    expect(named(single, 'orchestrator')[0]?.env.INVENTORY_ADDR).toBe(named(single, 'inventory')[0]?.grpc);
    const several = plan({ participants: 2 });
    const [first, second] = named(several, 'payment');
    expect(named(several, 'orchestrator')[0]?.env.PAYMENT_ADDR).toBe(`ipv4:${first?.grpc},${second?.grpc}`);
  });

  it('lets replicas share the database of their service, and no other', () => {
    const services = plan({ participants: 2 });
    for (const { name, databaseUrl, env } of services) {
      expect(databaseUrl).toBe(`postgres://127.0.0.1:19999/${name}`);
      expect(env.DATABASE_URL).toBe(databaseUrl);
    }
  });

  it('sends card payments and parcels to the sandbox', () => {
    const services = plan();
    const sandbox = named(services, 'sandbox')[0];
    const payment = named(services, 'payment')[0]?.env;
    expect(payment?.STRIPE_API_BASE).toBe(sandbox?.http);
    expect(payment?.STRIPE_SECRET_KEY).toBe(sandbox?.env.SANDBOX_SECRET_KEY);
    expect(named(services, 'shipping')[0]?.env.CARRIER_URL).toBe(`${sandbox?.http}/carrier`);
  });

  it('names the place of each orchestrator, so that what one leaves behind is taken over by the next at its start', () => {
    const places = named(plan({ orchestrators: 2 }), 'orchestrator').map(({ env }) => env.INSTANCE);
    expect(places).toEqual(['orchestrator-0', 'orchestrator-1']);
  });

  it('T1: gives every service its own certificate, and lets participants be called by orchestrators and the operator', () => {
    const files = (name: string) => ({ ca: `/tls/${name}/ca`, cert: `/tls/${name}/cert`, key: `/tls/${name}/key` });
    const names = ['orchestrator', 'inventory', 'payment', 'shipping'];
    const services = plan({ tls: Object.fromEntries(names.map((name) => [name, files(name)])) });
    for (const { name, env } of services.filter((service) => service.grpc !== null)) {
      expect([env.GRPC_TLS_CA_FILE, env.GRPC_TLS_CERT_FILE, env.GRPC_TLS_KEY_FILE]).toEqual(Object.values(files(name)));
      expect(env.GRPC_TLS_ALLOW).toBe(name === 'orchestrator' ? undefined : 'orchestrator,operator');
    }
    expect(named(plan(), 'payment')[0]?.env).not.toHaveProperty('GRPC_TLS_CERT_FILE');
  });

  it('hands on nothing of our environment but PATH', () => {
    const [inventory] = named(plan(), 'inventory');
    expect(Object.keys(inventory?.env ?? {}).sort()).toEqual(
      ['PATH', 'NODE_COMPILE_CACHE', 'DATABASE_URL', 'HOST', 'HTTP_PORT', 'GRPC_PORT', 'ORDER_EVENTS_KEYS'].sort(),
    );
  });

  it('lets settings be changed, added and taken away', () => {
    const services = plan({
      leaseMs: 700,
      env: { shipping: { CARRIER_URL: undefined }, orchestrator: { ORDER_DEADLINE_MS: '5000', HOST: '0.0.0.0' } },
    });
    expect(named(services, 'shipping')[0]?.env).not.toHaveProperty('CARRIER_URL');
    expect(named(services, 'orchestrator')[0]?.env).toMatchObject({
      LEASE_MS: '700',
      ORDER_DEADLINE_MS: '5000',
      HOST: '0.0.0.0',
      API_KEYS: 'shop:a-key-of-the-shop',
    });
  });

  it('asks for more connections with every replica', () => {
    const [small, large] = [1, 4].map((count) => connectionsNeeded({ orchestrators: count, participants: count }));
    expect(large).toBe((small ?? 0) + 3 * (24 + 3 * 16));
  });
});
