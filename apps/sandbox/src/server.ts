import { classifyPostgresError, type Pool } from '@holdfast/postgres';
import { createHealth, type Log, type Metrics } from '@holdfast/service';
import { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import { ledgerRoutes } from './cards/ledger.ts';
import { newRequestId, paymentRoutes } from './cards/payment-api.ts';
import { intentRoutes } from './cards/payment-intents.ts';
import { RecentIntents } from './cards/recent-intents.ts';
import { refundRoutes } from './cards/refunds.ts';
import { carrierRoutes } from './carrier.ts';
import { type Faults, faultRoutes } from './faults.ts';
import { createStore } from './store.ts';

export interface Sandbox {
  pool: Pool;
  faults: Faults;
  log: Log;
  metrics: Metrics;
  secretKey: string;
}

const BODY_MAX_BYTES = 64 * 1024;
const REQUEST_TIMEOUT_MS = 10_000;

/** Everything that the sandbox serves, on one port. Only `/v1` asks for a key. */
export function createSandbox(sandbox: Sandbox): FastifyInstance {
  const { pool, faults, log, metrics, secretKey } = sandbox;
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
      message: `nothing is served at ${request.method} ${request.url.split('?')[0]}; see /v1, /carrier/v1, /faults, /ledger`,
    }),
  );
  measure(app, metrics);
  opsRoutes(app, pool, metrics);
  faultRoutes(app, faults);
  ledgerRoutes(app, pool);
  carrierRoutes(app, store, faults);
  paymentRoutes(app, { ...store, faults, log, secretKey, recent: new RecentIntents() }, intentRoutes, refundRoutes);
  return app;
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
