/*
 * A service as in production, with a listener at its crash points and a bad network before its handlers. Which service
 * it is, and the folder of the script, are in this program's own environment (SERVICE_UNDER_TEST, CRASH_FOLDER).
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { config as inventoryConfig, inventoryMigrations, inventoryService } from '@holdfast/inventory';
import { config as orchestratorConfig, runOrchestrator } from '@holdfast/orchestrator';
import { type Participant, runParticipant } from '@holdfast/participant';
import { config as paymentConfig, paymentMigrations, paymentService } from '@holdfast/payment';
import { type Answer, errorOf, type ServerCall, type ServiceBinding } from '@holdfast/rpc';
import { loadConfig, runService } from '@holdfast/service';
import { config as shippingConfig, shippingMigrations, shippingService } from '@holdfast/shipping';
import { type RpcFault, readEvents, readScript, tellEvent } from './crash-script.ts';

const service = process.env.SERVICE_UNDER_TEST ?? '';
const folder = process.env.CRASH_FOLDER ?? '';
/** Kept apart by replica. */
const downFile = join(folder, `down-${service}-${process.env.HTTP_PORT}`);

const UNDO_OF: Record<string, string> = {
  ReserveInventory: 'ReleaseInventory',
  ChargePayment: 'RefundPayment',
  CreateShipment: 'CancelShipment',
};
const LONGEST_HOLD_MS = 15_000;
/** Far above what any saga comes to, as whoever wants to fence all of its owners would choose it. */
const FORGED_EPOCH = 999_999_999_999_999;

async function start(): Promise<void> {
  switch (service) {
    case 'orchestrator': {
      const settings = { ...loadConfig(orchestratorConfig, process.env), ...haste() };
      return await runOrchestrator(settings, { crashPoint: (point, sagaId) => reached(`/${point}`, sagaId) });
    }
    case 'inventory':
      return await participant(loadConfig(inventoryConfig, process.env), inventoryMigrations, inventoryService);
    case 'payment': {
      const settings = loadConfig(paymentConfig, process.env);
      return await participant(settings, paymentMigrations, paymentService(settings));
    }
    case 'shipping': {
      const settings = loadConfig(shippingConfig, process.env);
      const { CARRIER_URL: baseUrl, CARRIER_TIMEOUT_MS: timeoutMs } = settings;
      const carrier = baseUrl === undefined ? undefined : { baseUrl, timeoutMs };
      return await participant(settings, shippingMigrations, shippingService(carrier));
    }
    default:
      throw new Error(`SERVICE_UNDER_TEST is ${service}: set it to the name of a service`);
  }
}

async function participant(
  settings: Parameters<typeof runParticipant>[1],
  migrations: Parameters<typeof runParticipant>[2],
  bind: (participant: Participant) => ServiceBinding,
): Promise<void> {
  await runParticipant(service, settings, migrations, (parts) =>
    badlyConnected(
      bind({ ...parts, reach: (point, operation, key) => reached(`${operation}/${point}`, orderOf(key)) }),
    ),
  );
}

/** An order has as much time as the orchestrator that accepts it gives it: one is patient, the others are hasty. */
function haste(): { ORDER_DEADLINE_MS?: number } {
  if (process.env.HTTP_PORT === process.env.PATIENT_PORT) return {};
  return { ORDER_DEADLINE_MS: Number(process.env.HASTY_DEADLINE_MS) };
}

const orderOf = (key: string): string => key.slice(0, key.indexOf(':'));

// ---- crashes

const known = new Set<string>();

function reached(what: string, orderId: string): void {
  if (!known.has(what)) {
    known.add(what);
    tellEvent(folder, { kind: 'reached', caseId: '', service, what, orderId });
  }
  const script = readScript(folder);
  if (script === undefined || script.service !== service || ![script.point, script.before].includes(what)) return;
  const deaths = readEvents(folder).filter(
    (event) => event.kind === 'died' && event.caseId === script.caseId && event.what === what,
  );
  if (deaths.length >= (what === script.before ? 1 : script.times)) return;
  tellEvent(folder, { kind: 'died', caseId: script.caseId, service, what, orderId });
  if (script.downMs > 0) writeFileSync(downFile, String(Date.now() + script.downMs));
  // The next instruction is never run.
  process.kill(process.pid, 'SIGKILL');
}

/** Where the last life of this process was told to stay away for a while. */
async function stayDown(): Promise<void> {
  let until = 0;
  try {
    until = Number(readFileSync(downFile, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  if (until > Date.now()) await delay(until - Date.now());
}

// ---- the network

interface AnyRequest {
  orderId?: string;
  customerId?: string;
  shipTo?: { city?: string };
}
type Handler = (request: AnyRequest, call: ServerCall) => Promise<Answer<unknown>>;

const undone = new Map<string, PromiseWithResolvers<void>>();

function badlyConnected(binding: ServiceBinding): ServiceBinding {
  const handlers = Object.fromEntries(
    Object.entries(binding.handlers).map(([name, handler]) => [name, over(name, handler as Handler)]),
  );
  return { ...binding, handlers: handlers as ServiceBinding['handlers'] };
}

function over(method: string, handler: Handler): Handler {
  return async (request, call) => {
    const orderId = request.orderId ?? '';
    await slowly(method, request, call);
    // Of this address nothing is ever heard: neither that it was shipped to nor that it was not.
    const silent = method === 'CreateShipment' && request.shipTo?.city === 'Silence';
    const fault = faultOf(method, orderId) ?? (silent ? 'reply-lost' : null);
    const answer =
      fault === null
        ? handler(request, call)
        : faulty(fault, method, (as = call) => handler(request, as), call, orderId);
    if (Object.values(UNDO_OF).includes(method)) void answer.finally(() => gate(orderId, method).resolve());
    return await answer;
  };
}

/** Of two customers: one whose orders run into their deadline, one who has time to cancel. */
async function slowly(method: string, { customerId }: AnyRequest, call: ServerCall): Promise<void> {
  if (method !== 'ChargePayment') return;
  if (customerId === 'late') await delay(Math.max(0, call.remainingMs()) * 1.1);
  if (customerId === 'hesitant') await delay(600);
}

function faultOf(method: string, orderId: string): RpcFault | null {
  const script = readScript(folder);
  if (script?.fault == null || script.service !== service || script.rpc !== method) return null;
  const { caseId, fault } = script;
  if (readEvents(folder).some((event) => event.kind === 'fault' && event.caseId === caseId)) return null;
  tellEvent(folder, { kind: 'fault', caseId, service, what: method, orderId });
  return fault;
}

/** As a reset connection tells: nobody knows what became of the call. */
const unavailable = (): Answer<never> => errorOf('STORE_UNAVAILABLE', 'the connection was reset, as a test wants it');

async function faulty(
  fault: RpcFault,
  method: string,
  run: (as?: ServerCall) => Promise<Answer<unknown>>,
  call: ServerCall,
  orderId: string,
): Promise<Answer<unknown>> {
  switch (fault) {
    case 'request-lost':
      return unavailable();
    case 'reply-lost':
      await run();
      return unavailable();
    case 'duplicated': {
      const [first] = await Promise.all([run(), run()]);
      return first;
    }
    case 'past-the-deadline':
      await delay(Math.max(0, call.remainingMs()) * 1.1);
      return await run();
    case 'after-its-undo':
      await Promise.race([gate(orderId, UNDO_OF[method] ?? '').promise, delay(LONGEST_HOLD_MS)]);
      return await run();
    case 'after-a-forged-epoch':
      await run(forged(call));
      return await run();
  }
}

/** The same call, in the name of an owner that the saga has never had. */
function forged(call: ServerCall): ServerCall {
  return {
    key: () => call.key(),
    keyIfSent: () => call.keyIfSent(),
    epoch: () => FORGED_EPOCH,
    tenantId: () => call.tenantId(),
    authorization: () => call.authorization(),
    traceparent: () => call.traceparent(),
    header: (name) => call.header(name),
    remainingMs: () => call.remainingMs(),
    signal: call.signal,
  };
}

function gate(orderId: string, undo: string): PromiseWithResolvers<void> {
  const key = `${orderId} ${undo}`;
  const gates = undone.get(key) ?? Promise.withResolvers<void>();
  undone.set(key, gates);
  return gates;
}

// Last, when everything above is there.
await stayDown();
await runService(start);
