import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { Scope } from '@holdfast/contracts';
import { storeFaultReason } from '@holdfast/idempotency';
import { KEY_HEADER } from '@holdfast/idempotency/http';
import type { SagaDefinition } from '@holdfast/saga';
import type { Health, Log, Metrics } from '@holdfast/service';
import Fastify, {
  type FastifyBaseLogger,
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify';
import type { TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import type { KnownApiKeys } from '../api-keys/known-api-keys.ts';
import { type Authenticate, type Caller, missingScope, type Verdict } from '../auth.ts';
import type { OrderDeps } from '../orders/accept-order.ts';
import type { Participants } from '../saga/participants.ts';
import { answerBrokenRequest, CONNECTION_OPTIONS } from './connection.ts';
import { parseJsonBody } from './json-body.ts';
import { keyOf, registerKeyHeaders } from './key.ts';
import { registerOpenApi } from './openapi.ts';
import { codeByReason, type Fault, Problem, sendProblem } from './problem.ts';
import { apiKeyRoutes } from './routes/api-keys.ts';
import { auditRoutes } from './routes/audit.ts';
import { catalogueRoutes } from './routes/catalogue.ts';
import { dispatchRoutes } from './routes/dispatch.ts';
import { effectRoutes } from './routes/effects.ts';
import { keyRoutes } from './routes/keys.ts';
import { orderRoutes } from './routes/orders.ts';
import { placeOrderRoute } from './routes/place-order.ts';
import { refundRoutes } from './routes/refunds.ts';
import { sagaRoutes } from './routes/sagas.ts';
import { registerScopes } from './scopes.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** From the credentials; set before any handler runs. */
    tenantId: string;
    /** As `tenantId`; null on routes that need none. */
    caller: Caller | null;
    /** See traceparentOf(). */
    traceparent: string | null;
  }
  interface FastifyContextConfig {
    /** Needs an Idempotency-Key, or takes one. */
    keyed?: true | 'optional';
    /** Any one of them opens it; none: any key of the tenant does. */
    scopes?: readonly Scope[];
    /** Needs no API key. */
    public?: boolean;
  }
}

export interface HttpEdge {
  deps: OrderDeps;
  participants: Participants;
  /** The sagas of orders: the one that places it first. */
  definitions: readonly SagaDefinition[];
  authenticate: Authenticate;
  apiKeys: Pick<KnownApiKeys, 'forget'>;
  health: Health;
  metrics: Metrics;
  log: Log;
  /** PEM; undefined: in clear text. */
  tls?: { cert: string; key: string } | undefined;
  /** Connections at once; more are closed as they come. */
  maxConnections: number;
}

const BODY_LIMIT_BYTES = 64 * 1_024;
const MAX_FAULTS = 20;
const CHALLENGE = 'Bearer realm="holdfast"';
/** 128 characters of four bytes, each percent-encoded. What is longer never reaches the schema of its path. */
const MAX_PARAMETER_LENGTH = 128 * 4 * 3;

/**
 * The HTTP API. Checks run in this order, and only then is a key claimed: API key (401), scope (403), key syntax (400), body (415,
 * 400), schema (400).
 */
export async function createHttpServer(edge: HttpEdge): Promise<FastifyInstance> {
  const app = Fastify({
    // The type of a server with TLS is another one; every route, hook and answer is the same.
    ...(connectionOptions(edge) as object),
    requestTimeout: CONNECTION_OPTIONS.requestTimeout,
    clientErrorHandler: answerBrokenRequest,
    genReqId: requestIds(),
    // pino's own type is narrower than Fastify's; what is logged is the same.
    loggerInstance: edge.log as FastifyBaseLogger,
    // A line per request is what a proxy is for; and its URL holds customers' ids.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT_BYTES,
    routerOptions: { maxParamLength: MAX_PARAMETER_LENGTH },
    // What the router refuses passes no hook and no error handler.
    frameworkErrors: (_error, _request, reply) => {
      reply.header('cache-control', 'no-store');
      sendProblem(reply as FastifyReply, new Problem('invalid-request', 'Fix the path: it is malformed or too long.'));
    },
    forceCloseConnections: 'idle',
    // While closing, requests on open connections are still answered, not refused with a bare 503: the engine stops later.
    return503OnClosing: false,
  }).withTypeProvider<TypeBoxTypeProvider>();
  // One log for all requests: a child of its own costs each request more than routing it, and few ever say a word.
  app.setChildLoggerFactory((logger) => logger);
  app.setValidatorCompiler(({ schema, httpPart }) => validatorOf(schema as TSchema, httpPart ?? 'body'));
  app.setSerializerCompiler(() => (value) => JSON.stringify(value));
  app.removeAllContentTypeParsers();
  // What every request passes calls back: a promise for each of them is a noticeable part of what a replay costs.
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request: unknown, body: Buffer, done) => {
    let value: unknown;
    try {
      value = parseJsonBody(body);
    } catch (error) {
      return done(error as Error);
    }
    done(null, value);
  });
  app.decorateRequest('tenantId', '');
  app.decorateRequest('caller', null);
  app.decorateRequest('traceparent', null);
  app.server.maxConnections = edge.maxConnections;
  // Another expectation than `100-continue` may be ignored (RFC 9110); Node would answer it by itself, without a problem.
  app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response));
  app.addHook('onRequest', (request, reply, done) => {
    // Answers name customers, and a problem says what is there and what is not: nothing on the way may keep them.
    reply.header('cache-control', 'no-store');
    // HTTP/1.0 knows no `Host`; the probe of the containers speaks it.
    if (request.headers.host === undefined && request.raw.httpVersion !== '1.0') throw new Problem('malformed-request');
    if (request.routeOptions.config.public) return done();
    const verdict = edge.authenticate(request.headers.authorization);
    if (!(verdict instanceof Promise)) {
      admit(verdict, request, reply);
      return done();
    }
    verdict.then((late) => admit(late, request, reply)).then(() => done(), done);
  });
  registerKeyHeaders(app, edge.deps.retention, edge.deps.now);
  app.setErrorHandler<FastifyError>((error, request, reply) => {
    const problem = problemOf(error);
    if (problem.code === 'internal') edge.log.error({ err: error, reqId: request.id }, 'a request failed');
    // Fastify closes the connection here, which resets a client that still writes: its answer is lost. The rest of the body is
    // read and thrown away instead, until `requestTimeout`.
    if (problem.code === 'body-too-large') reply.removeHeader('connection');
    return sendProblem(reply, problem);
  });
  app.setNotFoundHandler((request, reply) =>
    sendProblem(
      reply,
      new Problem('not-found', `There is no ${request.method} on this path. See /openapi.json, with your key.`),
    ),
  );
  observeRequests(app, edge.metrics);
  registerScopes(app);
  await registerOpenApi(app);
  await app.register(placeOrderRoute(edge.deps));
  await app.register(orderRoutes(edge.deps));
  await app.register(dispatchRoutes(edge.deps, edge.participants));
  await app.register(effectRoutes(edge.deps, edge.participants));
  await app.register(refundRoutes(edge.deps));
  await app.register(sagaRoutes(edge.deps, edge.definitions));
  await app.register(catalogueRoutes(edge.participants, edge.deps));
  await app.register(auditRoutes(edge.deps));
  await app.register(keyRoutes(edge.deps));
  await app.register(apiKeyRoutes(edge.deps, edge.apiKeys));
  registerHealth(app, edge);
  return app;
}

/** What is known of a request from its headers alone. @throws Problem */
function admit(verdict: Verdict, request: FastifyRequest, reply: FastifyReply): void {
  const caller = callerOf(verdict, request, reply);
  request.tenantId = caller.tenantId;
  request.caller = caller;
  checkEncoding(request);
  // Fastify makes new options for each caller.
  const { config } = request.routeOptions;
  const isKeyed = config.keyed === 'optional' ? request.headers[KEY_HEADER] !== undefined : config.keyed;
  if (isKeyed) {
    request.requestKey = { key: keyOf(request, config.keyed === 'optional'), replayed: false, claimedAt: undefined };
  }
}

/** T1: the credentials, and whether they open this route (RFC 6750). @throws Problem */
function callerOf(verdict: Verdict, request: FastifyRequest, reply: FastifyReply): Caller {
  if (verdict.kind === 'unavailable') throw new Problem('store-unavailable');
  if (verdict.kind === 'unknown') {
    const { authorization } = request.headers;
    reply.header('www-authenticate', authorization === undefined ? CHALLENGE : `${CHALLENGE}, error="invalid_token"`);
    throw new Problem('unauthorized');
  }
  const { caller } = verdict;
  // A path that no route has is not found, whatever the key may do.
  const { scopes = [] } = request.routeOptions.config;
  const missing = missingScope(caller, scopes);
  if (missing === undefined) return caller;
  reply.header('www-authenticate', `${CHALLENGE}, error="insufficient_scope", scope="${scopes.join(' ')}"`);
  throw new Problem('insufficient-scope', `Use an API key that has the scope \`${missing}\`.`);
}

const OTHERS_REQUEST_ID = /^[\w.:-]{1,64}$/;

/** The caller's own, by which it finds its request in the log and in the audit log; else one that no other replica gives. */
function requestIds(): (request: IncomingMessage) => string {
  const start = randomUUID().slice(0, 8);
  let made = 0;
  return ({ headers: { 'x-request-id': sent } }) =>
    typeof sent === 'string' && OTHERS_REQUEST_ID.test(sent) ? sent : `${start}-${(made++).toString(36)}`;
}

function connectionOptions({ tls }: HttpEdge): object {
  return tls === undefined ? { http: CONNECTION_OPTIONS } : { https: { ...CONNECTION_OPTIONS, ...tls } };
}

/** A body is read as it comes: one that was compressed is refused as such, not as bad JSON. @throws Problem */
function checkEncoding({ method, headers }: FastifyRequest): void {
  const encoding = headers['content-encoding'];
  if (encoding === undefined || encoding === 'identity' || method === 'GET' || method === 'HEAD') return;
  throw new Problem('unsupported-media-type', 'Send the body without `Content-Encoding`.');
}

/** Every fault at once, by JSON pointer, without the values. */
function validatorOf(schema: TSchema, part: string) {
  const compiled = Compile(schema);
  return (value: unknown) => {
    if (part === 'body' && value === undefined) {
      return { error: new Problem('invalid-request', 'Send a JSON body.', [{ pointer: '', detail: 'missing' }]) };
    }
    if (compiled.Check(value)) return { value };
    const faults = compiled.Errors(value).slice(0, MAX_FAULTS).flatMap(faultsOf);
    const detail = part === 'body' ? undefined : `Fix the ${part} parameters.`;
    return { error: new Problem('invalid-request', detail, faults) };
  };
}

interface ValidationError {
  keyword: string;
  instancePath: string;
  message: string;
  params: object;
}

function faultsOf(error: ValidationError): Fault[] {
  const params = error.params as { additionalProperties?: string[]; requiredProperties?: string[] };
  const at = (member: string) => `${error.instancePath}/${member.replaceAll('~', '~0').replaceAll('/', '~1')}`;
  if (error.keyword === 'additionalProperties' && params.additionalProperties) {
    return params.additionalProperties.map((member) => ({
      pointer: at(member),
      detail: 'unknown member: leave it out',
    }));
  }
  if (error.keyword === 'required' && params.requiredProperties) {
    return params.requiredProperties.map((member) => ({ pointer: at(member), detail: 'missing' }));
  }
  // Said of each unknown member beside the fault above.
  if (error.keyword === 'boolean') return [];
  return [{ pointer: error.instancePath, detail: error.message }];
}

/** The one place where what was thrown becomes a problem. */
function problemOf(error: FastifyError | Problem): Problem {
  if (error instanceof Problem) return error;
  if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return new Problem('body-too-large', undefined, [{ pointer: '', detail: 'larger than 64 KiB' }]);
  }
  if (error.code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    return new Problem('unsupported-media-type');
  }
  const fault = storeFaultReason(error);
  if (fault !== undefined) return new Problem(codeByReason.get(fault) ?? 'internal');
  return error.statusCode === 400 ? new Problem('malformed-json', error.message) : new Problem('internal');
}

function observeRequests(app: FastifyInstance, metrics: Metrics): void {
  const seconds = metrics.histogram('holdfast_http_request_seconds', 'Time to answer', ['method', 'route', 'status']);
  app.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'unknown';
    seconds.observe({ method: request.method, route, status: String(reply.statusCode) }, reply.elapsedTime / 1_000);
    done();
  });
}

/** For what balances callers. Metrics tell of all tenants: they are on a port of their own (OPS_PORT), which no caller reaches. */
function registerHealth(app: FastifyInstance, { health }: HttpEdge): void {
  const options = { config: { public: true }, schema: { hide: true } };
  app.get('/livez', options, async (_request, reply) => reply.type('text/plain').send('alive\n'));
  app.get('/readyz', options, async (_request, reply) => {
    const unready = await health.unready();
    reply.type('text/plain');
    if (unready.length === 0) return 'ready\n';
    return reply.code(503).send(`not ready: ${unready.join(', ')}\n`);
  });
}
