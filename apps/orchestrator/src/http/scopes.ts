import { SCOPES, type Scope } from '@holdfast/contracts';
import type { FastifyInstance, FastifySchema } from 'fastify';

/** What of the API is opened by which scopes, by operationId: any one of them is enough. None: any key of the tenant. */
export const SCOPES_OF: Readonly<Record<string, readonly Scope[]>> = {
  placeOrder: ['orders:write'],
  getOrder: ['orders:read'],
  listOrders: ['orders:read'],
  watchOrder: ['orders:read'],
  cancelOrder: ['orders:write'],
  // A shop front places orders; that a parcel has left is said by others.
  dispatchOrder: ['operate'],
  getOrderEffects: ['operate'],
  refundOrder: ['refunds:write'],
  listRefunds: ['orders:read', 'refunds:write'],
  getRefund: ['orders:read', 'refunds:write'],
  getSaga: ['operate'],
  listSagas: ['operate'],
  resumeSaga: ['operate'],
  retrySaga: ['operate'],
  compensateSaga: ['operate'],
  getStock: ['orders:read', 'orders:write', 'catalogue:write'],
  putStock: ['catalogue:write'],
  adjustStock: ['catalogue:write'],
  getAccount: ['accounts:write'],
  putAccount: ['accounts:write'],
  adjustAccount: ['accounts:write'],
  makeApiKey: ['admin'],
  listApiKeys: ['admin'],
  getApiKey: ['admin'],
  revokeApiKey: ['admin'],
  listAudit: ['operate'],
  getIdempotencyKey: [],
  getConfig: [],
};

/** Of the API's own description, which describes all but itself. */
export const DESCRIPTION = 'getDescription';

/** Of a route that the table forgets: as little as possible can open it. A test finds it. */
const FORGOTTEN: readonly Scope[] = ['admin'];

export function scopesOf(operationId: string | undefined): readonly Scope[] {
  if (operationId === DESCRIPTION) return [];
  return (operationId !== undefined && Object.hasOwn(SCOPES_OF, operationId) && SCOPES_OF[operationId]) || FORGOTTEN;
}

/** Gives every route registered after it its scopes, and says them in `/openapi.json`. */
export function registerScopes(app: FastifyInstance): void {
  app.addHook('onRoute', (route) => {
    if (route.config?.public) return;
    const { operationId } = (route.schema ?? {}) as { operationId?: string };
    const scopes = scopesOf(operationId);
    route.config = { ...route.config, scopes };
    // One alternative for each scope: any of them is enough.
    const security = scopes.length === 0 ? [{ apiKey: [] }] : scopes.map((scope) => ({ apiKey: [scope] }));
    route.schema = { ...route.schema, security } as FastifySchema;
  });
}

export const SCHEME_DESCRIPTION = `An API key. Its scopes are of ${SCOPES.map((scope) => `\`${scope}\``).join(', ')}.`;
