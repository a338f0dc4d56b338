/* Runs cases of the matrix one after the other on one system of real processes, and audits it after each. */
import { randomUUID } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { auditSystem, booksAt } from '@holdfast/auditor';
import { type Cluster, startCluster } from '@holdfast/cluster';
import { freePort } from '@holdfast/testing';
import { type Cancel, type MatrixCase, mayEnd } from './cases.ts';
import { clearScript, readEvents, writeScript } from './crash-script.ts';

export const LEASE_MS = 600;
/** Of orders that shall run out of time. */
const HASTY_DEADLINE_MS = 3_000;
/** Of all others: more than any case takes, unless the machine is very slow. */
const PATIENT_DEADLINE_MS = 60_000;
const ENDS_WITHIN_MS = 60_000;
const REQUEST_TIMEOUT_MS = 5_000;
const POLL_MS = 40;
/** A machine with much to do starts nine processes slowly. */
const START_TIMEOUT_MS = 180_000;
const MAIN = fileURLToPath(new URL('./service-under-test.ts', import.meta.url));
const UNDER_TEST = ['orchestrator', 'inventory', 'payment', 'shipping'] as const;

export interface CaseResult {
  /** `not-reached`: this path does not come by this point, so nothing was tried. */
  kind: 'passed' | 'not_reached' | 'violated';
  title: string;
  outcome: string;
  deaths: number;
  tookMs: number;
}

export interface Matrix {
  run(entry: MatrixCase): Promise<CaseResult>;
  /** Points that some process has come by, as in POINTS. */
  reached(): Set<string>;
  stop(): Promise<void>;
}

/** @throws Error when the system does not start */
export async function startMatrix(say: (line: string) => void = () => {}): Promise<Matrix> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-matrix-'));
  // Postgres, which root has to run as another user, keeps its data in here too.
  chmodSync(folder, 0o755);
  const httpPort = await freePort();
  const settings = (name: string) => ({
    SERVICE_UNDER_TEST: name,
    CRASH_FOLDER: folder,
    PATIENT_PORT: String(httpPort),
    ...(name === 'orchestrator' && { ORDER_DEADLINE_MS: String(PATIENT_DEADLINE_MS) }),
    HASTY_DEADLINE_MS: String(HASTY_DEADLINE_MS),
  });
  const cluster = await startCluster({
    stateDir: join(folder, 'state'),
    orchestrators: 2,
    httpPort,
    leaseMs: LEASE_MS,
    restartAtOnce: true,
    startTimeoutMs: START_TIMEOUT_MS,
    mains: Object.fromEntries(UNDER_TEST.map((name) => [name, MAIN])),
    env: Object.fromEntries(UNDER_TEST.map((name) => [name, settings(name)])),
    // Processes die here, never the machine.
    databaseSettings: { fsync: 'off', full_page_writes: 'off' },
    say,
  });
  const system = new SystemUnderTest(cluster, folder);
  await system.stockUp();
  return system;
}

class SystemUnderTest implements Matrix {
  readonly #cluster: Cluster;
  readonly #folder: string;

  constructor(cluster: Cluster, folder: string) {
    this.#cluster = cluster;
    this.#folder = folder;
  }

  async stockUp(): Promise<void> {
    const item = (onHand: number) => ({ onHand, unitPrice: 250, currency: 'EUR' });
    for (const [sku, onHand] of [
      ['apple', 1_000_000],
      ['sold-out', 0],
    ] as const) {
      const request = { body: item(onHand), key: `stock-up-${randomUUID()}` };
      const { status } = await this.#until(() => this.#send('PUT', `/v1/stock/${sku}`, request));
      if (status !== 200) throw new Error(`stock of ${sku} could not be set: ${status}`);
    }
  }

  async run(entry: MatrixCase): Promise<CaseResult> {
    const { script, path, title, hasty } = entry;
    const startedAt = performance.now();
    // What goes wrong with a refund or a capture is no matter of its order.
    const isLater = path.refund !== undefined || path.settles !== undefined;
    if (!isLater) writeScript(this.#folder, script);
    let outcome: string;
    let cancel: number | null = null;
    try {
      if (path.expired === 'heard') await this.#authorizeFor(SHORT_MS);
      const id = await this.#place(path.order, hasty ? HASTY : PATIENT);
      if (path.bank !== undefined) await this.#answerBank(id, path.bank);
      cancel = await this.#cancel(id, path.cancels);
      outcome = await this.#end(id);
      if (path.refund !== undefined && outcome === 'completed') {
        writeScript(this.#folder, script);
        outcome = await this.#refund(id, path.refund);
      }
      if (path.settles !== undefined && outcome === 'completed') {
        if (path.expired === 'heard') await this.#untilExpired(id);
        if (path.expired === 'unheard') await this.#expire(id);
        writeScript(this.#folder, script);
        outcome = await this.#settle(id, path.settles);
      }
    } catch (error) {
      outcome = error instanceof Error ? error.message : String(error);
    } finally {
      clearScript(this.#folder);
    }
    const tookMs = performance.now() - startedAt;
    const events = readEvents(this.#folder).filter(({ caseId }) => caseId === script.caseId);
    const struck = events.filter(({ what }) => what !== script.before).length;
    const { violations } = await this.#audit();
    const outOfTime = tookMs > (hasty ? HASTY_DEADLINE_MS : PATIENT_DEADLINE_MS);
    const isRight = mayEnd(entry, outcome, cancel, outOfTime) && violations === 0;
    const kind = !isRight ? 'violated' : struck > 0 ? 'passed' : 'not_reached';
    const told = violations === 0 ? outcome : `${outcome}, and ${violations} violations of A1`;
    return { kind, title, outcome: told, deaths: struck, tookMs };
  }

  reached(): Set<string> {
    return new Set(readEvents(this.#folder).flatMap(({ kind, what }) => (kind === 'reached' ? [what] : [])));
  }

  async stop(): Promise<void> {
    await this.#cluster.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Places an order as a client does who gives up at nothing. @returns its id */
  async #place(overrides: object, replica: number): Promise<string> {
    const key = `matrix-${randomUUID()}`;
    const order = { ...ORDER, ...overrides };
    const placed = await this.#until(() => this.#send('POST', '/v1/orders', { body: order, key, replica }), [201]);
    return (placed.body as { id: string }).id;
  }

  /** @returns how the cancel was answered; null without one */
  async #cancel(id: string, when: Cancel): Promise<number | null> {
    if (when === 'never') return null;
    if (when === 'once-paid') await this.#untilOrder(id, isPaid);
    if (when === 'once-waiting') await this.#untilOrder(id, isAsked);
    const cancelled = await this.#until(() => this.#send('POST', `/v1/orders/${id}/cancel`), [200, 202, 409]);
    return cancelled.status;
  }

  /** What the customer does at the bank, once the order says that it waits for that; if it never does, there is nothing to do. */
  async #answerBank(id: string, outcome: 'succeed' | 'fail'): Promise<void> {
    const { nextAction } = (await this.#untilOrder(id, isAsked)) as { nextAction: { clientSecret: string } | null };
    if (nextAction === null) return;
    const response = await fetch(`${this.#cluster.run.sandbox}/browser/authenticate`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ clientSecret: nextAction.clientSecret, outcome }),
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    if (!response.ok) throw new Error(`the bank answered ${response.status}: ${await response.text()}`);
    await response.body?.cancel();
  }

  /** @returns how the refund ended */
  async #refund(id: string, body: object): Promise<string> {
    const key = `matrix-${randomUUID()}`;
    const path = `/v1/orders/${id}/refunds`;
    const made = await this.#until(() => this.#send('POST', path, { body, key }), [201, 202, 200]);
    const refundPath = `${path}/${(made.body as { id: string }).id}`;
    const ended = () => this.#until(() => this.#send('GET', refundPath), [200], hasRefundEnded);
    let { body: refund } = await ended();
    if (
      (refund as { status: string }).status === 'parked' &&
      (await this.#resumeFenced((made.body as { id: string }).id))
    ) {
      ({ body: refund } = await ended());
    }
    const { status, failure } = refund as { status: string; failure: { reason: string } | null };
    return failure === null ? status : `${status} ${failure.reason}`;
  }

  /** How long the bank lets an authorisation be captured. */
  async #authorizeFor(authorizationMs: number): Promise<void> {
    const none = { lostAnswer: 0, slow: 0, slowMs: 0, error500: 0, refused: 0 };
    const response = await fetch(`${this.#cluster.run.sandbox}/faults`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ seed: 1, payments: none, carrier: none, bank: { authorizationMs } }),
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    if (!response.ok) throw new Error(`the sandbox refused its faults: ${await response.text()}`);
    await response.body?.cancel();
  }

  /** Payment has asked the bank, and has told of it. */
  async #untilExpired(id: string): Promise<void> {
    await this.#authorizeFor(LONG_MS);
    await this.#until(() => this.#send('GET', `/v1/orders/${id}`), [200], isSettled);
  }

  async #expire(id: string): Promise<void> {
    const { body } = await this.#until(() => this.#send('GET', `/v1/orders/${id}`), [200]);
    const response = await fetch(`${this.#cluster.run.sandbox}/bank/expire`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ paymentIntent: (body as { paymentId: string }).paymentId }),
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    if (!response.ok) throw new Error(`the bank answered ${response.status}: ${await response.text()}`);
    await response.body?.cancel();
  }

  /** @returns what became of the order's authorisation */
  async #settle(id: string, verb: 'dispatch' | 'cancel'): Promise<string> {
    const key = `matrix-${randomUUID()}`;
    // Until it is decided: 202 says that it is under way.
    await this.#until(() => this.#send('POST', `/v1/orders/${id}/${verb}`, { key }), [200, 409], isDecided);
    const { body } = await this.#until(() => this.#send('GET', `/v1/orders/${id}`), [200], isSettled);
    return (body as { capture: { status: string } }).capture.status;
  }

  /** @returns the order that suits, or that can't come to it any more */
  async #untilOrder(id: string, suits: (order: unknown) => boolean): Promise<unknown> {
    for (;;) {
      const { body } = await this.#until(() => this.#send('GET', `/v1/orders/${id}`), [200], suits);
      if ((body as { status: string }).status !== 'parked' || !(await this.#resumeFenced(id))) return body;
    }
  }

  /**
   * What an operator does with a saga that a forged epoch has parked (K4).
   * @returns false when something else has parked it: then nothing is done
   */
  async #resumeFenced(sagaId: string): Promise<boolean> {
    const { body } = await this.#until(() => this.#send('GET', `/v1/sagas/${sagaId}`), [200]);
    const { parked } = body as { parked: { reason: string } | null };
    if (parked?.reason !== 'FENCED') return parked === null;
    const key = `matrix-${randomUUID()}`;
    await this.#until(() => this.#send('POST', `/v1/sagas/${sagaId}/resume`, { key }), [200, 409]);
    return true;
  }

  /** @returns how the order ended */
  async #end(id: string): Promise<string> {
    let deadlineAt = performance.now() + ENDS_WITHIN_MS;
    let everythingServed = false;
    for (;;) {
      const { body } = await this.#until(() => this.#send('GET', `/v1/orders/${id}`), [200]);
      const { status, failure } = body as { status: string; failure: { reason: string } | null };
      if (status === 'parked' && (await this.#resumeFenced(id))) continue;
      if (['completed', 'failed', 'cancelled', 'parked'].includes(status)) {
        return failure === null ? status : `${status} ${failure.reason}`;
      }
      if (performance.now() > deadlineAt) {
        if (everythingServed) return `still ${status} ${ENDS_WITHIN_MS} ms after everything served again (S1)`;
        // What died may take its time to start again; only from then on nothing excuses an order that does not end.
        for (const name of UNDER_TEST) await this.#cluster.untilServing(name, 0, START_TIMEOUT_MS);
        await this.#cluster.untilServing('orchestrator', 1, START_TIMEOUT_MS);
        everythingServed = true;
        deadlineAt = performance.now() + ENDS_WITHIN_MS;
      }
      await delay(POLL_MS);
    }
  }

  /** Asks one orchestrator after the other until one gives an answer that is wanted. @throws Error after a while */
  async #until(
    ask: () => Promise<Reply | undefined>,
    wanted?: number[],
    suits: (body: unknown) => boolean = () => true,
  ): Promise<Reply> {
    const deadlineAt = performance.now() + ENDS_WITHIN_MS;
    let last: Reply | undefined;
    while (performance.now() < deadlineAt) {
      last = (await ask()) ?? last;
      const { status, body } = last ?? { status: 0, body: undefined };
      const isWanted = wanted === undefined ? status > 0 && status < 500 : wanted.includes(status);
      if (last !== undefined && isWanted && suits(body)) return last;
      this.#replica += 1;
      await delay(POLL_MS);
    }
    throw new Error(
      `no answer within ${ENDS_WITHIN_MS} ms, the last was ${last?.status} ${JSON.stringify(last?.body)}`,
    );
  }

  #replica = 0;

  /** @param options.replica who is asked; else whoever's turn it is. @returns undefined when nobody answered */
  async #send(
    method: string,
    path: string,
    options: { body?: object; key?: string; replica?: number } = {},
  ): Promise<Reply | undefined> {
    const { body, key, replica = this.#replica } = options;
    const orchestrators = this.#cluster.run.services.filter(({ name }) => name === 'orchestrator');
    const { http } = orchestrators[replica % orchestrators.length] as { http: string };
    try {
      const response = await fetch(http + path, {
        method,
        headers: {
          authorization: `Bearer ${this.#cluster.run.apiKey}`,
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...(key !== undefined && { 'idempotency-key': key }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      });
      return { status: response.status, body: await response.json() };
    } catch {
      // Dead, starting, or killed in the middle of an answer: all of that is what is being tried here.
      return undefined;
    }
  }

  #audit() {
    return auditSystem(booksAt((name) => this.#cluster.databaseUrl(name), this.#cluster.run.sandbox));
  }
}

/** Replicas of the orchestrator, by how much time they give an order. */
const [PATIENT, HASTY] = [0, 1];

/** Once it is, the carrier is being asked. */
const isPaid = (body: unknown): boolean => {
  const { status, paymentId } = body as { status: string; paymentId: string | null };
  return paymentId !== null || status !== 'processing';
};

/** The customer is asked; or it has ended, and never will be. */
const isAsked = (body: unknown): boolean => {
  const { status } = body as { status: string };
  return status === 'awaiting_payment' || ['completed', 'failed', 'cancelled', 'parked'].includes(status);
};

const hasRefundEnded = (body: unknown): boolean =>
  ['succeeded', 'failed', 'parked'].includes((body as { status: string }).status);

const isDecided = (body: unknown): boolean => (body as { code?: string }).code !== 'request-in-progress';

/** Of the bank. */
const [SHORT_MS, LONG_MS] = [300, 7 * 24 * 60 * 60 * 1_000];

const isSettled = (body: unknown): boolean =>
  ['captured', 'expired', 'released'].includes((body as { capture: { status: string } }).capture.status);

interface Reply {
  status: number;
  body: unknown;
}

const ORDER = {
  customerId: 'ann',
  currency: 'EUR',
  items: [{ sku: 'apple', quantity: 1 }],
  shipTo: { name: 'Ann', line1: 'Harbour Road 1', city: 'Bonn', postalCode: '53111', country: 'DE' },
};
