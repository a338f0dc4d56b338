import { Agent, type IncomingMessage, request as sendRequest } from 'node:http';
import { connect } from 'node:net';
import fc from 'fast-check';
import { type FuzzRun, feed } from './batches.ts';
import type { Findings, Tally } from './findings.ts';
import { answerFault, type HttpAnswer, operationFault } from './http-judge.ts';
import { cursors, type HttpRequest, type OpenApi, operationsIn, requestsOf } from './http-requests.ts';
import type { Known } from './schema-values.ts';
import { type WireRequest, wireRequests } from './wire-requests.ts';

export interface HttpTarget {
  http: string;
  apiKey: string;
  known: Known;
}

/** Longer than anything that a request waits for. */
const HANG_MS = 40_000;
/** Of a stream of events: it has no end of its own. */
const STREAM_MS = 300;
const CURSORS = 40;
const MAX_SHOWN = 400;

/** Requests of every operation that the OpenAPI document describes. */
export async function fuzzHttp(target: HttpTarget, run: FuzzRun, findings: Findings, tally: Tally): Promise<void> {
  const response = await fetch(`${target.http}/openapi.json`, {
    headers: { authorization: `Bearer ${target.apiKey}` },
  });
  const operations = operationsIn((await response.json()) as OpenApi);
  const agent = new Agent({ keepAlive: true, maxSockets: run.concurrency });
  const known = { ...target.known, cursor: fc.sample(cursors, { seed: run.seed, numRuns: CURSORS }) };
  await feed(requestsOf(operations, known, target.apiKey), run, async (request) => {
    const answer = await exchange(target.http, request, agent);
    const fault = typeof answer === 'string' ? answer : operationFault(request, answer);
    tally.add(typeof answer === 'string' ? 'no answer' : String(answer.status));
    if (fault === undefined) return;
    const status = typeof answer === 'string' ? 'no answer' : answer.status;
    findings.add({ kind: `HTTP ${request.operation.name}: ${status}`, fault, request: shown(request) });
  });
  agent.destroy();
}

function shown({ method, url, headers, body }: Omit<HttpRequest, 'operation'>): string {
  const { authorization: _, ...rest } = headers;
  return `${method} ${url} ${JSON.stringify(rest)} ${JSON.stringify(body?.toString('latin1') ?? '')}`;
}

/** What was sent last over a connection: an answer that ends a connection and does not say so is to blame for what is lost next. */
const lastOn = new WeakMap<object, string>();

/** @returns what went wrong where no answer came */
function exchange(
  origin: string,
  { method, url, headers, body }: HttpRequest,
  agent: Agent,
): Promise<HttpAnswer | string> {
  return new Promise((resolve) => {
    const outgoing = sendRequest(origin + url, { method, headers, agent, timeout: HANG_MS });
    outgoing.once('timeout', () => {
      resolve(`no answer within ${HANG_MS} ms`);
      outgoing.destroy();
    });
    outgoing.once('response', (incoming) => resolve(read(incoming)));
    // An answer that came before the whole body was sent is an answer all the same.
    let before: string | undefined;
    outgoing.once('socket', (socket) => {
      before = lastOn.get(socket);
      lastOn.set(socket, shown({ method, url, headers, body }).slice(0, MAX_SHOWN));
    });
    outgoing.on('error', (error: NodeJS.ErrnoException) =>
      setImmediate(() => resolve(`no answer: ${error.code}, on a connection after ${before}`)),
    );
    outgoing.end(body);
  });
}

async function read(incoming: IncomingMessage): Promise<HttpAnswer> {
  const isStream = String(incoming.headers['content-type']).startsWith('text/event-stream');
  const end = isStream ? setTimeout(() => incoming.destroy(), STREAM_MS) : undefined;
  let body = '';
  try {
    for await (const chunk of incoming) body += String(chunk);
  } catch {
    // Cut off: the judge sees a body that is no JSON.
  }
  clearTimeout(end);
  return { status: incoming.statusCode ?? 0, headers: incoming.headers, body };
}

/** Bytes that no client sends. Each gets an answer that is a problem, or a connection that ends; never silence. */
export async function fuzzWire(target: HttpTarget, run: FuzzRun, findings: Findings, tally: Tally): Promise<void> {
  const { hostname, port } = new URL(target.http);
  await feed(wireRequests(target.apiKey), run, async (request) => {
    const reply = await exchangeBytes(hostname, Number(port), request);
    const fault = wireFault(reply, isHead(request.bytes));
    tally.add(/^HTTP\/1\.1 (\d{3})/.exec(reply.text)?.[1] ?? 'closed');
    if (fault === undefined) return;
    const bytes = JSON.stringify(request.bytes.toString('latin1').slice(0, 800));
    findings.add({ kind: `wire: ${fault.slice(0, 60)}`, fault, request: bytes });
  });
}

interface WireReply {
  text: string;
  hangs: boolean;
}

/** Reads until the connection ends, or for a whole request until there is an answer. */
function exchangeBytes(host: string, port: number, { bytes, isWhole }: WireRequest): Promise<WireReply> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: HANG_MS });
    let text = '';
    const end = (hangs: boolean) => {
      socket.destroy();
      resolve({ text, hangs });
    };
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      // One that is open ends with the server's own deadline, which the test of the edge waits for.
      if (isHead(bytes) ? text.includes('\r\n\r\n') : isComplete(text)) end(false);
    });
    socket.once('timeout', () => end(true));
    socket.once('error', () => end(false));
    socket.once('close', () => end(false));
    socket.write(bytes);
    if (!isWhole) socket.end();
  });
}

/** The answer to `HEAD` has the length of a body, and no body. */
const isHead = (bytes: Buffer) => bytes.subarray(0, 5).toString('latin1') === 'HEAD ';

function isComplete(text: string): boolean {
  const [head = '', body] = text.replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, '').split(/\r\n\r\n(.*)/s);
  const length = /^content-length: (\d+)/im.exec(head)?.[1];
  return body !== undefined && length !== undefined && body.length >= Number(length);
}

function wireFault({ text, hangs }: WireReply, isToHead: boolean): string | undefined {
  if (hangs) return 'neither an answer nor an end of the connection';
  const answer = text.replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, '');
  if (answer === '') return undefined;
  const [head = '', body = ''] = answer.split(/\r\n\r\n(.*)/s);
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]);
  const headers = Object.fromEntries(
    head
      .split('\r\n')
      .slice(1)
      .map((line) => {
        const [name = '', value = ''] = line.split(/: (.*)/s);
        return [name.toLowerCase(), value];
      }),
  );
  const length = Number(headers['content-length'] ?? body.length);
  // Another answer may follow, to what stands behind the first request in the same bytes.
  return answerFault({ status, headers, body: body.slice(0, length) }, isToHead || body === '');
}
