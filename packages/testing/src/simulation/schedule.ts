// One schedule: a whole system in one process and in virtual time, from its seed to its end.

import { Chance, type FaultKind } from './chance.ts';
import { type Breach, Invariants, STEPS, type StepName } from './invariants.ts';
import { ModelDatabase } from './model/model-database.ts';
import { ModelOrchestrator } from './model/model-orchestrator.ts';
import { FORGED_EPOCH, InsideParticipant, OutsideParticipant, type Participant } from './model/model-participant.ts';
import { Provider } from './model/model-provider.ts';
import { Network } from './model/network.ts';
import type { SagaTuple } from './model/saga-tuple.ts';
import { engineName, PARTICIPANT_HOSTS, type Plan, type PlannedFault, type PlannedSaga, planOf } from './plan.ts';
import type { Switches } from './planted-bugs.ts';
import { Host, Timeline } from './timeline.ts';

export interface ScheduleOptions {
  seed: number;
  /** The faults that may strike; null: all that the seed holds. */
  only?: ReadonlySet<string> | null;
  switches?: Switches;
  /** Gets the trace, line by line. */
  trace?: ((line: string) => void) | undefined;
}

export interface ScheduleResult {
  seed: number;
  breach: Breach | null;
  /** The faults that struck. */
  struck: string[];
  /** Virtual. */
  endedAtMs: number;
  events: number;
  sagas: number;
  /** By end state. */
  ended: Record<string, number>;
}

const MAX_EVENTS = 200_000;
const CLIENT_RETRY_MS = 25;
const WEBHOOK_RETRY_MS = 60;
const MOST_WEBHOOKS = 12;
const OPERATOR_LOOKS_MS = 50;

/** Runs one schedule. Several may run side by side: they share nothing. @throws Error for faults in the model itself */
export function runSchedule(options: ScheduleOptions): Promise<ScheduleResult> {
  const schedule = new Schedule(options);
  return new Promise((resolve, reject) => {
    // One event for each turn of the event loop's check phase: all promises settle in between.
    const turn = () => {
      try {
        if (schedule.step()) setImmediate(turn);
        else resolve(schedule.result());
      } catch (error) {
        reject(error);
      }
    };
    schedule.begin();
    setImmediate(turn);
  });
}

class Schedule {
  readonly #timeline = new Timeline();
  readonly #chance: Chance;
  readonly #plan: Plan;
  readonly #network: Network;
  readonly #invariants: Invariants;
  readonly #database: ModelDatabase;
  readonly #hosts = new Map<string, Host>();
  readonly #orchestrators: ModelOrchestrator[];
  readonly #participants: Record<StepName, Participant>;
  readonly #switches: Switches;
  readonly #isTraced: boolean;
  readonly #trace: (what: string) => void;
  readonly #sends = new Map<Host, number>();
  #stock: number;
  #events = 0;
  #ended = 0;

  constructor({ seed, only = null, switches = {}, trace }: ScheduleOptions) {
    const timeline = this.#timeline;
    this.#switches = switches;
    this.#isTraced = trace !== undefined;
    this.#trace = trace === undefined ? () => {} : (what) => trace(`${timeline.now.toFixed(1).padStart(8)}  ${what}`);
    this.#chance = new Chance(seed, only);
    this.#plan = planOf(this.#chance);
    this.#stock = this.#plan.stock;
    this.#database = new ModelDatabase(
      () => 1_000_000 + timeline.now,
      (before, after) => this.#stored(before, after),
      switches,
    );
    this.#invariants = new Invariants(this.#database, () => 1_000_000 + timeline.now);
    const { rates, calmAt } = this.#plan;
    this.#network = new Network({ timeline, chance: this.#chance, rates, calmAt, trace: this.#trace });
    this.#participants = this.#makeParticipants();
    this.#orchestrators = Array.from({ length: this.#plan.engines }, (_, at) => this.#orchestrator(at));
  }

  begin(): void {
    for (const name of [...Object.values(PARTICIPANT_HOSTS), 'provider', 'orders-db', 'participants-db']) {
      this.#host(name).up = true;
    }
    for (const orchestrator of this.#orchestrators) orchestrator.start();
    this.#timeline.in(this.#plan.restockAt, null, () => {
      this.#stock += this.#plan.sagas.length;
    });
    for (const saga of this.#plan.sagas) this.#client(saga);
    for (const fault of this.#plan.faults) if (fault.kind !== 'crash-on-send') this.#strike(fault);
  }

  /** @returns false when the schedule is over */
  step(): boolean {
    this.#events += 1;
    if (this.#events > MAX_EVENTS) throw new Error(`seed ${this.#chance.seed}: no end after ${MAX_EVENTS} events`);
    if (!this.#timeline.step()) throw new Error(`seed ${this.#chance.seed}: nothing is left to happen`);
    if (this.#invariants.breach !== null) return false;
    if (this.#isSettled()) {
      this.#invariants.allAccounted();
      return false;
    }
    if (this.#timeline.now < this.#plan.endBy) return true;
    this.#invariants.notEnded(this.#unended(), this.#plan.endBy - this.#plan.calmAt);
    return false;
  }

  result(): ScheduleResult {
    const ended: Record<string, number> = {};
    for (const { state } of this.#database.sagas.values()) ended[state] = (ended[state] ?? 0) + 1;
    return {
      seed: this.#chance.seed,
      breach: this.#invariants.breach,
      struck: this.#chance.struck,
      endedAtMs: this.#timeline.now,
      events: this.#events,
      sagas: this.#plan.sagas.length,
      ended,
    };
  }

  /** Every saga has ended, and nothing is under way (in a paused process neither) that might still change something. */
  #isSettled(): boolean {
    if (this.#ended < this.#plan.sagas.length || this.#network.pending > 0) return false;
    return this.#orchestrators.every((orchestrator) => orchestrator.isIdle());
  }

  #unended(): string[] {
    const { sagas } = this.#database;
    return this.#plan.sagas.filter(({ id }) => (sagas.get(id)?.endedAt ?? null) === null).map(({ id }) => id);
  }

  #stored(before: Readonly<SagaTuple> | null, after: Readonly<SagaTuple>): void {
    const { ownerId } = after;
    if (this.#isTraced) {
      const { id, epoch, revision, state, position } = after;
      this.#trace(`   stored: ${id} ${state} at ${position}, epoch ${epoch}, owner ${ownerId}, checkpoint ${revision}`);
    }
    this.#invariants.stored(before, after);
    // A saga that waits, or is parked, is nobody's.
    const isOwned = before !== null && before.state !== 'waiting' && before.state !== 'parked';
    if (isOwned && before.ownerId !== ownerId) {
      this.#invariants.takenOver(before, this.#database.leases.isAlive(before.ownerId));
    }
    if (after.endedAt !== null && before?.endedAt === null) this.#ended += 1;
  }

  // ---- clients

  #client(saga: PlannedSaga): void {
    const place = (engine: number) => {
      if (this.#database.sagas.has(saga.id)) return;
      const orchestrator = this.#orchestrators[engine % this.#orchestrators.length] as ModelOrchestrator;
      if (isListening(orchestrator.host, this.#timeline.now)) orchestrator.place(saga, saga.waitMs);
      this.#timeline.in(CLIENT_RETRY_MS, null, () => place(engine + 1));
    };
    this.#timeline.in(saga.startAt, null, () => place(saga.engine));
    const { cancelAt, duplicate, shipToldAt } = saga;
    if (shipToldAt !== null) this.#timeline.in(shipToldAt, null, () => this.#tell(saga.id, 'ship', 'told'));
    if (duplicate !== null) {
      const other = this.#orchestrators[(saga.engine + 1) % this.#orchestrators.length] as ModelOrchestrator;
      const askToo = () => isListening(other.host, this.#timeline.now) && other.place(saga, duplicate.waitMs);
      this.#timeline.in(duplicate.at, null, askToo);
    }
    if (cancelAt === null) return;
    this.#timeline.in(cancelAt, null, () => {
      const orchestrator = this.#orchestrators[(saga.engine + 1) % this.#orchestrators.length] as ModelOrchestrator;
      if (!isListening(orchestrator.host, this.#timeline.now)) return;
      this.#trace(`client asks ${orchestrator.host.name} to cancel ${saga.id}`);
      this.#invariants.cancelAsked(saga.id);
      orchestrator.cancel(saga.id, (kind) => this.#trace(`client hears that the cancel of ${saga.id} is ${kind}`));
    });
  }

  /** As the provider's webhooks are: sent again until somebody has stored it; after a while it gives up. */
  #tell(sagaId: string, step: StepName, event: string): void {
    const provider = this.#host('provider');
    let sent = 0;
    let isHeard = false;
    const send = () => {
      if (isHeard || sent >= MOST_WEBHOOKS) return;
      const orchestrator = this.#orchestrators[sent % this.#orchestrators.length] as ModelOrchestrator;
      sent += 1;
      const link = this.#network.link(provider.name, orchestrator.host.name);
      const serve = () => orchestrator.signal(sagaId, step, event);
      void this.#network
        .call(provider, orchestrator.host, link, `signal ${event} ${sagaId}`, serve, false)
        .then((heard) => {
          isHeard ||= heard;
        });
      this.#timeline.in(WEBHOOK_RETRY_MS, null, send);
    };
    send();
  }

  // ---- faults

  #strike(fault: PlannedFault): void {
    const { kind, target, at, forMs } = fault;
    this.#timeline.in(at, null, () => {
      this.#trace(`!! ${kind} ${target} for ${forMs} ms`);
      if (kind === 'forged-epoch') return this.#forge(fault);
      if (kind === 'pause') this.#host(target).pausedUntil = this.#timeline.now + forMs;
      else this.#takeDown(kind, target);
      this.#timeline.in(forMs, null, () => {
        if (kind !== 'pause') this.#bringUp(target);
      });
    });
  }

  /** A caller with a certificate that counts undoes a step of somebody's saga under an epoch that the saga never has. */
  #forge({ target, n }: PlannedFault): void {
    const step = STEPS.find((name) => PARTICIPANT_HOSTS[name] === target) as StepName;
    const { id } = this.#plan.sagas[n] as PlannedSaga;
    if (!isListening(this.#host(target), this.#timeline.now)) return;
    void this.#participants[step].handle({ step, sagaId: id, epoch: FORGED_EPOCH, direction: 'undo' });
    this.#operate(id);
  }

  /** Frees a saga that is parked, for as long as there is one: through one process or another. */
  #operate(sagaId: string): void {
    let looks = 0;
    const look = () => {
      const saga = this.#database.sagas.get(sagaId);
      if (saga !== undefined && saga.endedAt !== null) return;
      const orchestrator = this.#orchestrators[looks % this.#orchestrators.length] as ModelOrchestrator;
      if (saga?.state === 'parked' && isListening(orchestrator.host, this.#timeline.now)) orchestrator.resume(sagaId);
      looks += 1;
      this.#timeline.in(OPERATOR_LOOKS_MS, null, look);
    };
    look();
  }

  #takeDown(kind: FaultKind, target: string): void {
    const orchestrator = this.#orchestrators.find(({ host }) => host.name === target);
    const host = this.#host(target);
    if (orchestrator === undefined) {
      host.up = false;
      host.life += 1;
      this.#network.died(host);
    } else if (kind === 'stop') orchestrator.stop();
    else orchestrator.crash();
  }

  #bringUp(target: string): void {
    const orchestrator = this.#orchestrators.find(({ host }) => host.name === target);
    const host = this.#host(target);
    if (orchestrator === undefined) {
      host.up = true;
      host.pausedUntil = 0;
      return;
    }
    orchestrator.crash();
    orchestrator.start();
  }

  /** Dies with its n-th call on the wire. */
  #onSend(host: Host): void {
    const sent = (this.#sends.get(host) ?? 0) + 1;
    this.#sends.set(host, sent);
    for (const fault of this.#plan.faults) {
      if (fault.kind !== 'crash-on-send' || fault.target !== host.name || fault.at !== sent) continue;
      this.#trace(`!! crash-on-send ${host.name} for ${fault.forMs} ms`);
      this.#takeDown('crash', host.name);
      this.#timeline.in(fault.forMs, null, () => this.#bringUp(host.name));
    }
  }

  // ---- parts

  #host(name: string): Host {
    const known = this.#hosts.get(name);
    if (known !== undefined) return known;
    const host = new Host(name);
    this.#hosts.set(name, host);
    return host;
  }

  #makeParticipants(): Record<StepName, Participant> {
    const timeline = this.#timeline;
    const [network, invariants, switches] = [this.#network, this.#invariants, this.#switches];
    const parts = (step: StepName, refusal: (saga: PlannedSaga) => string | null) => ({
      step,
      network,
      invariants,
      switches,
      host: this.#host(PARTICIPANT_HOSTS[step]),
      database: this.#host('participants-db'),
      now: () => timeline.now,
      refusal: (sagaId: string) => refusal(this.#plan.sagas.find(({ id }) => id === sagaId) as PlannedSaga),
    });
    const provider = new Provider({
      ...{ host: this.#host('provider'), step: 'charge', timeline, network, invariants },
      authentication: (sagaId) => this.#plan.sagas.find(({ id }) => id === sagaId)?.authentication ?? null,
      tell: (sagaId, event) => this.#tell(sagaId, 'charge', event),
    });
    // The bank and the carrier change their minds later: a refusal that is run again would come out otherwise.
    const early = () => timeline.now < this.#plan.restockAt;
    return {
      reserve: new InsideParticipant(parts('reserve', () => (this.#stock-- > 0 ? null : 'OUT_OF_STOCK'))),
      charge: new OutsideParticipant(
        parts('charge', ({ declined }) => (declined && early() ? 'CARD_DECLINED' : null)),
        provider,
      ),
      ship: new InsideParticipant(
        parts('ship', ({ addressRefused }) => (addressRefused && early() ? 'ADDRESS_REFUSED' : null)),
      ),
      notify: new InsideParticipant(parts('notify', () => null)),
    };
  }

  #orchestrator(at: number): ModelOrchestrator {
    const dice = { name: engineName(at), number: 500 + at };
    let asked = 0;
    return new ModelOrchestrator({
      host: this.#host(engineName(at)),
      timeline: this.#timeline,
      network: this.#network,
      database: this.#database,
      databaseHost: this.#host('orders-db'),
      participants: this.#participants,
      invariants: this.#invariants,
      clock: this.#plan.clocks[at] ?? { skewMs: 0, speed: 1 },
      leaseMs: this.#plan.leaseMs,
      isNameUnique: this.#chance.fraction(3, dice, 0) < 0.5,
      random: () => this.#chance.fraction(2, dice, asked++),
      pauseMs: (sagaId) => this.#plan.sagas.find(({ id }) => id === sagaId)?.authentication?.waitMs ?? 1,
      onSend: (host) => this.#onSend(host),
      trace: this.#trace,
    });
  }
}

function isListening(host: Host, now: number): boolean {
  return host.up && host.pausedUntil <= now;
}
