/** The same shop of somebody else's on every HTTP adapter: its own authentication, validation, table and error handler. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import koaBody from '@koa/bodyparser';
import KoaRouter from '@koa/router';
import {
  BadRequestException,
  Body,
  Controller,
  HttpCode,
  HttpException,
  type INestApplication,
  Module,
  Post,
  Put,
  Req,
  UnauthorizedException,
  UseInterceptors,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import express, { type Request as ExpressRequest, type Response as ExpressResponse, type NextFunction } from 'express';
import Fastify from 'fastify';
import { Hono } from 'hono';
import Koa from 'koa';
import 'reflect-metadata';
import * as forExpress from '../src/express/index.ts';
import * as forFastify from '../src/fastify/index.ts';
import * as forFetch from '../src/fetch/index.ts';
import { done, type HandlerAnswer, type IdempotentCall, refused } from '../src/http/handler-answer.ts';
import type { EdgeOptions } from '../src/http/idempotency-handler.ts';
import type { Transaction } from '../src/index.ts';
import * as forKoa from '../src/koa/index.ts';
import * as forNest from '../src/nest/index.ts';

/** What a handler does meanwhile, for tests that need it to take its time, to nest a transaction, or to fail. */
export type During = (scoped: { tx: Transaction; headers: Record<string, unknown> }) => Promise<unknown>;

export interface RunningShop {
  url: string;
  close(): Promise<unknown>;
}

export type OpenShop = (options: EdgeOptions, during: During) => Promise<RunningShop>;

interface Payment {
  amount: number;
}

const PAYMENT = { redact: ['/cvc'], retentionMs: 60_000 };
const TIP = { required: false };
const isPayment = (body: unknown) => Number.isInteger((body as Payment | undefined)?.amount);
const now = async () => ({ as: 'it is now' });

async function pay(
  { amount }: Payment,
  headers: Record<string, unknown>,
  tx: Transaction,
  inHand: IdempotentCall | undefined,
  during: During,
): Promise<HandlerAnswer> {
  const values = [inHand?.key, amount];
  const { rows } = await tx.query('insert into payments (key, amount) values ($1, $2) returning id', values);
  await during({ tx, headers });
  if (amount > 1_000) return refused(409, { reason: 'too much' });
  const { id } = rows[0];
  return done(201, { id, amount }, { Location: `/payments/${id}`, 'Set-Cookie': 'a=b' });
}

const tip = async (inHand: IdempotentCall | undefined) =>
  done(200, { underKey: inHand?.key ?? null, child: inHand?.childKey('charge') ?? null });

async function fastifyShop(options: EdgeOptions, during: During): Promise<RunningShop> {
  const app = Fastify({ forceCloseConnections: true });
  app.addHook('onRequest', async (request, reply) => {
    if (request.headers.authorization === undefined) return await reply.code(401).send({ error: 'who are you?' });
  });
  const tenantOf = (request: { headers: Record<string, unknown> }) => String(request.headers.authorization);
  await app.register(forFastify.idempotency, { ...options, tenantOf });
  app.addHook('onSend', async (_request, reply) => void reply.header('x-fresh', String(Math.random())));
  const schema = { body: { type: 'object', required: ['amount'], properties: { amount: { type: 'integer' } } } };
  const handler = forFastify.idempotent<{ Body: Payment }>((request, tx, inHand) =>
    pay(request.body, request.headers, tx, inHand, during),
  );
  for (const path of ['/shops/:shop/payments', '/shops/:shop/refunds'])
    app.post(path, { schema, config: { idempotency: PAYMENT } }, handler);
  const tips = forFastify.idempotent(async (_request, _tx, inHand) => await tip(inHand));
  app.post('/tips', { config: { idempotency: { ...TIP, current: now } } }, tips);
  app.put('/plain', async () => ({ plain: true }));
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  return { url, close: () => app.close() };
}

async function expressShop(options: EdgeOptions, during: During): Promise<RunningShop> {
  const app = express();
  app.use((request, response, next) => {
    response.set('x-fresh', String(Math.random()));
    if (request.headers.authorization === undefined) response.status(401).json({ error: 'who are you?' });
    else next();
  });
  app.use(express.json());
  const tenantOf = (request: ExpressRequest) => String(request.headers.authorization);
  const idempotent = forExpress.idempotency({ ...options, tenantOf });
  const valid = (request: ExpressRequest, response: ExpressResponse, next: NextFunction) =>
    isPayment(request.body) ? next() : void response.status(400).json({ error: 'amount' });
  const handler = idempotent((request, tx, inHand) => pay(request.body, request.headers, tx, inHand, during), PAYMENT);
  app.post(['/shops/:shop/payments', '/shops/:shop/refunds'], valid, handler);
  app.post(
    '/tips',
    idempotent(async (_request, _tx, inHand) => await tip(inHand), { ...TIP, current: now }),
  );
  app.put('/plain', (_request, response) => void response.json({ plain: true }));
  return await listening(createServer(app));
}

async function koaShop(options: EdgeOptions, during: During): Promise<RunningShop> {
  const [app, router] = [new Koa(), new KoaRouter()];
  app.silent = true;
  app.use(async (context, next) => {
    context.set('x-fresh', String(Math.random()));
    if (context.get('authorization') === '') context.throw(401, 'who are you?');
    await next();
  });
  app.use(koaBody());
  const idempotent = forKoa.idempotency({ ...options, tenantOf: (context) => context.get('authorization') });
  const handler = idempotent(
    (context, tx, inHand) => pay(context.request.body as Payment, context.headers, tx, inHand, during),
    PAYMENT,
  );
  for (const path of ['/shops/:shop/payments', '/shops/:shop/refunds']) {
    router.post(path, async (context, next) => {
      if (!isPayment(context.request.body)) context.throw(400, 'amount');
      await next();
    });
    router.post(path, handler as never);
  }
  router.post(
    '/tips',
    idempotent(async (_context, _tx, inHand) => await tip(inHand), { ...TIP, current: now }) as never,
  );
  router.put('/plain', (context) => {
    context.body = { plain: true };
  });
  app.use(router.routes());
  return await listening(createServer(app.callback()));
}

async function nestShop(options: EdgeOptions, during: During): Promise<RunningShop> {
  const tenantOf = ({ headers }: forNest.NestRequest) => String(headers.authorization);
  const idempotent = forNest.idempotency({ ...options, tenantOf });
  class Shop {
    async pay(body: Payment, scoped: forNest.Idempotent, request: forNest.NestRequest) {
      const call = scoped.key === undefined ? undefined : scoped;
      return await pay(body, request.headers, scoped.tx, call, during).catch((error: Error & { status?: number }) => {
        throw error.status === undefined ? error : new HttpException(error.message, error.status);
      });
    }
    async tip(scoped: forNest.Idempotent) {
      return (await tip(scoped.key === undefined ? undefined : scoped)).body;
    }
    plain() {
      return { plain: true };
    }
  }
  // Node.js runs no decorators, which are functions otherwise.
  const validated = Body({ transform: (body: Payment) => validPayment(body) });
  decorate(
    Shop,
    'pay',
    [Post(['shops/:shop/payments', 'shops/:shop/refunds']), UseInterceptors(idempotent(PAYMENT))],
    [validated, forNest.Idempotent(), Req()],
  );
  decorate(
    Shop,
    'tip',
    [Post('tips'), HttpCode(200), UseInterceptors(idempotent({ ...TIP, current: now }))],
    [forNest.Idempotent()],
  );
  decorate(Shop, 'plain', [Put('plain')], []);
  Controller()(Shop);
  class App {}
  Module({ controllers: [Shop] })(App);
  const app: INestApplication = await NestFactory.create(App, { logger: false });
  app.use((request: ExpressRequest, response: ExpressResponse, next: NextFunction) => {
    response.set('x-fresh', String(Math.random()));
    next(request.headers.authorization === undefined ? new UnauthorizedException() : undefined);
  });
  await app.listen(0, '127.0.0.1');
  return { url: await app.getUrl(), close: () => closed(app.getHttpServer(), () => app.close()) };
}

function validPayment(body: Payment): Payment {
  if (!isPayment(body)) throw new BadRequestException('amount');
  return body;
}

function decorate(of: new () => object, name: string, method: MethodDecorator[], parameters: ParameterDecorator[]) {
  for (const [at, decorator] of parameters.entries()) decorator(of.prototype, name, at);
  const descriptor = Object.getOwnPropertyDescriptor(of.prototype, name) as PropertyDescriptor;
  for (const decorator of method) decorator(of.prototype, name, descriptor);
}

async function honoShop(options: EdgeOptions, during: During): Promise<RunningShop> {
  const app = new Hono();
  const idempotent = forFetch.idempotency({
    ...options,
    tenantOf: ({ headers }) => String(headers.get('authorization')),
  });
  app.use(async (c, next) => {
    if (c.req.header('authorization') === undefined) return c.json({ error: 'who are you?' }, 401);
    await next();
    c.res.headers.set('x-fresh', String(Math.random()));
    return undefined;
  });
  app.onError((error, c) => c.json({ message: error.message }, (error as { status?: 503 }).status ?? 500));
  const handler = idempotent(async (request, tx, inHand) => {
    const body = (await request.json()) as Payment;
    if (!isPayment(body)) return Response.json({ error: 'amount' }, { status: 400 });
    const { kind, ...made } = await pay(body, Object.fromEntries(request.headers), tx, inHand, during);
    const response = Response.json(made.body, made);
    return kind === 'completed' ? response : forFetch.refused(response);
  }, PAYMENT);
  for (const path of ['/shops/:shop/payments', '/shops/:shop/refunds']) app.post(path, (c) => handler(c.req.raw));
  const tips = idempotent(async (_request, _tx, inHand) => Response.json((await tip(inHand)).body), {
    ...TIP,
    current: async () => Response.json(await now()),
  });
  app.post('/tips', (c) => tips(c.req.raw));
  app.put('/plain', (c) => c.json({ plain: true }));
  return await new Promise((resolve) => {
    const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, ({ port }) =>
      resolve({ url: `http://127.0.0.1:${port}`, close: () => closed(server as Server) }),
    );
  });
}

async function listening(server: Server): Promise<RunningShop> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => closed(server) };
}

async function closed(server: Server, close?: () => Promise<unknown>): Promise<void> {
  server.closeAllConnections();
  await (close?.() ?? new Promise((resolve) => server.close(resolve)));
}

export const ADAPTERS: [name: string, OpenShop][] = [
  ['Fastify', fastifyShop],
  ['Express', expressShop],
  ['Koa', koaShop],
  ['NestJS', nestShop],
  ['Fetch (Hono)', honoShop],
];
