import { classifyPostgresError, type Pool } from '@holdfast/postgres';
import { createHealth, type Log, type Metrics } from '@holdfast/service';
import { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import { newRequestId, paymentRoutes } from './api/payment-api.ts';
import { RecentIntents } from './api/recent-intents.ts';
import { bankRoutes } from './bank/bank.ts';
import { browserRoutes, challengePath } from './bank/browser.ts';
import { disputeRoutes } from './bank/disputes.ts';
import { startDueChanges } from './bank/due-changes.ts';
import { ledgerRoutes } from './cards/ledger.ts';
import { intentRoutes } from './cards/payment-intents.ts';
import { refundRoutes } from './cards/refunds.ts';
import { carrierRoutes } from './carrier.ts';
import { type Faults, faultRoutes } from './faults.ts';
import { createStore } from './store.ts';
import { type Webhooks, webhookRoutes } from './webhooks/webhooks.ts';

export interface Sandbox {
  pool: Pool;
  faults: Faults;
  log: Log;
  metrics: Metrics;
  secretKey: string;
  webhooks: Webhooks;
}

const BODY_MAX_BYTES = 64 * 1024;
const REQUEST_TIMEOUT_MS = 10_000;

/** Everything that the sandbox serves, on one port. Only `/v1` asks for a key. */
export function createSandbox(sandbox: Sandbox): FastifyInstance {
  const { pool, faults, log, metrics, secretKey, webhooks } = sandbox;
  const store = createStore(pool);
  const app = fastify({
    logger: false,
    bodyLimit: BODY_MAX_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    genReqId: newRequestId,
    // Nothing is guessed or dropped from what a caller sends: it is right, or it is refused with the place named.
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false, useDefaults: false } },
  });
  app.setErrorHandler((error: FastifyError, request, reply) => sendError(error, request, reply, log));
  app.setNotFoundHandler((request, reply) =>
    reply.code(404).send({
      code: 'NOT_FOUND',
      message: `nothing is served at ${request.method} ${request.url.split('?')[0]}; see /v1, /carrier/v1, /browser, /bank, /webhooks, /faults, /ledger`,
    }),
  );
  measure(app, metrics);
  opsRoutes(app, pool, metrics);
  faultRoutes(app, faults);
  ledgerRoutes(app, pool);
  carrierRoutes(app, store, faults);
  webhookRoutes(app, webhooks);
  const challengeUrl = (secret: string) => `${originOf(app)}${challengePath(secret)}`;
  const api = { ...store, faults, log, secretKey, webhooks, challengeUrl, recent: new RecentIntents() };
  paymentRoutes(app, api, intentRoutes, refundRoutes, disputeRoutes);
  browserRoutes(app, api);
  bankRoutes(app, api);
  const due = startDueChanges(api);
  app.addHook('onClose', () => due.stop());
  return app;
}

/** Where this server listens, for links to its own pages. */
function originOf(app: FastifyInstance): string {
  const address = app.server.address();
  return address === null || typeof address === 'string' ? '' : `http://127.0.0.1:${address.port}`;
}

function opsRoutes(app: FastifyInstance, pool: Pool, metrics: Metrics): void {
  const health = createHealth({
    database: async () => (await pool.query('select 1')).rowCount === 1,
  });
  app.addHook('preClose', async () => health.drain());
  app.get('/livez', async (_request, reply) => reply.type('text/plain').send('alive\n'));
  app.get('/readyz', async (_request, reply) => {
    const unready = await health.unready();
    reply.type('text/plain').code(unready.length === 0 ? 200 : 503);
    return unready.length === 0 ? 'ready\n' : `not ready: ${unready.join(', ')}\n`;
  });
  app.get('/metrics', async (_request, reply) =>
    reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
  );
}

function measure(app: FastifyInstance, metrics: Metrics): void {
  const seconds = metrics.histogram('sandbox_request_seconds', 'Time to answer a request', ['route', 'status']);
  app.addHook('onResponse', async (request, reply) => {
    // The route's template, never the path: an id in a label would make a series of every object.
    const route = `${request.method} ${request.routeOptions.url ?? 'unknown'}`;
    seconds.observe({ route, status: String(reply.statusCode) }, reply.elapsedTime / 1_000);
  });
}

function sendError(error: FastifyError, request: FastifyRequest, reply: FastifyReply, log: Log): FastifyReply {
  const place = error.validation?.[0];
  if (place) {
    const extra = place.params.additionalProperty === undefined ? '' : ` ("${place.params.additionalProperty}")`;
    const at = `${error.validationContext ?? 'body'}${place.instancePath}`;
    return reply.code(400).send({ code: 'INVALID_REQUEST', message: `${at}: ${place.message}${extra}` });
  }
  if (error.statusCode !== undefined && error.statusCode < 500) {
    const code = error.statusCode === 413 ? 'BODY_TOO_LARGE' : 'INVALID_REQUEST';
    return reply.code(error.statusCode).send({ code, message: error.message });
  }
  const fault = classifyPostgresError(error);
  log.error({ route: request.routeOptions.url, fault, error: error.message, stack: error.stack }, 'a request failed');
  if (fault === 'other') {
    return reply.code(500).send({ code: 'INTERNAL', message: 'something went wrong here: the log says what' });
  }
  return reply
    .code(503)
    .header('retry-after', '1')
    .send({ code: 'STORE_UNAVAILABLE', message: 'the database cannot be reached now: send the same request again' });
}
