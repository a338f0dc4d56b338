// The network between the parts, as bad as it is allowed to be: a message may be lost, doubled, delayed past every
// deadline, and overtaken. Each link counts its messages, so that a fault is named by its place.

import type { Chance, Place } from '../chance.ts';
import type { Host, Timeline } from '../timeline.ts';

/** How often which fault strikes a message, each from 0 to 1. */
export interface Rates {
  loseRequest: number;
  loseReply: number;
  duplicate: number;
  delay: number;
  database: number;
}

/** One direction between two parts. */
export interface Link extends Place {
  messages: number;
}

const LATENCY = { leastMs: 0.4, mostMs: 4 };
const DELAY = { leastMs: 40, mostMs: 900 };
const STATEMENT_TIMEOUT_MS = 50;
const [LATENCY_OUT, LATENCY_BACK, DELAYED, DOUBLED, REFUSED_FAST, LATE] = [101, 102, 103, 104, 105, 106];

/** What goes on all the time and would drown a trace. */
const QUIET = new Set(
  ['heartbeat', 'own-neglected', 'due', 'unknown-definitions', 'dead-owners', 'forget-owners'].map(
    (name) => `saga.${name}`,
  ),
);

export class Network {
  /** Messages that may still change something. A schedule is not over while there are any. */
  pending = 0;
  readonly rates: Rates;
  /** Afterwards no message is hurt any more. */
  readonly calmAt: number;
  readonly #timeline: Timeline;
  readonly #chance: Chance;
  readonly #trace: (what: string) => void;
  readonly #links = new Map<string, Link>();

  constructor(parts: {
    timeline: Timeline;
    chance: Chance;
    rates: Rates;
    calmAt: number;
    trace: (what: string) => void;
  }) {
    this.#timeline = parts.timeline;
    this.#chance = parts.chance;
    this.rates = parts.rates;
    this.calmAt = parts.calmAt;
    this.#trace = parts.trace;
  }

  link(from: string, to: string): Link {
    const name = `${from}>${to}`;
    const known = this.#links.get(name);
    if (known !== undefined) return known;
    const link = { name, number: this.#links.size + 1, messages: 0 };
    this.#links.set(name, link);
    return link;
  }

  /**
   * Calls a process. Resolves with its answer, with `refused` when nobody listens there, or never: how long to wait is
   * the caller's business.
   */
  call<R>(from: Host, to: Host, link: Link, what: string, serve: () => Promise<R>, refused: R): Promise<R> {
    const n = link.messages++;
    const { life } = from;
    return new Promise((resolve) => {
      const answer = (value: R) => this.#reply(from, life, link, n, () => resolve(value));
      this.#trace(`${link.name} #${n} ${what}`);
      if (this.#strikes('lose-request', link, n, this.rates.loseRequest)) {
        // Half of them as a reset connection, which the caller hears of.
        if (this.#chance.fraction(REFUSED_FAST, link, n) < 0.5) answer(refused);
        return;
      }
      this.#request(to, link, n, this.#delayOf(link, n), what, serve, refused, answer);
      if (!this.#strikes('duplicate', link, n, this.rates.duplicate)) return;
      const again = this.#between(DELAY, DOUBLED, link, n) * this.#chance.fraction(DOUBLED + 1, link, n);
      this.#request(to, link, n, again, `${what} (again)`, serve, refused, answer);
    });
  }

  #request<R>(
    to: Host,
    link: Link,
    n: number,
    extraMs: number,
    what: string,
    serve: () => Promise<R>,
    refused: R,
    answer: (value: R) => void,
  ): void {
    this.pending += 1;
    const arrives = () => {
      if (to.pausedUntil > this.#timeline.now) {
        this.#timeline.in(to.pausedUntil - this.#timeline.now, null, arrives);
        return;
      }
      if (!to.up) {
        this.pending -= 1;
        return answer(refused);
      }
      if (extraMs > 0) this.#trace(`${to.name} gets ${link.name} #${n} ${what}`);
      const { life } = to;
      to.serving += 1;
      void serve().then((value) => {
        // What it works on dies with it; `died` has counted that off.
        if (to.life !== life) return;
        to.serving -= 1;
        this.pending -= 1;
        if (this.#strikes('lose-reply', link, n, this.rates.loseReply)) return;
        answer(value);
      });
    };
    this.#timeline.in(this.#between(LATENCY, LATENCY_OUT, link, n) + extraMs, null, arrives);
  }

  /** To the process that has called; one that was started since knows nothing of it. */
  #reply(from: Host, life: number, link: Link, n: number, deliver: () => void): void {
    if (from.life !== life) return;
    this.#timeline.in(this.#between(LATENCY, LATENCY_BACK, link, n), from, deliver);
  }

  /** A process has died: nothing of what it worked on goes on. */
  died(host: Host): void {
    this.pending -= host.serving;
    host.serving = 0;
  }

  /**
   * A statement to a database: once, or (its connection lost) once or not at all, at once or late, and the caller
   * gets `lost` as an error. `execute` is the whole of it: statements and transactions are atomic.
   */
  statement<R>(from: Host, to: Host, link: Link, what: string, execute: () => R): Promise<R> {
    const n = link.messages++;
    const { life } = from;
    return new Promise((resolve, reject) => {
      const lost = (ms: number) =>
        this.#timeline.in(ms, from, () => from.life === life && reject(new ConnectionLost()));
      if (this.#strikes('statement-lost', link, n, this.rates.database)) {
        lost(this.#between(LATENCY, LATENCY_BACK, link, n));
        return;
      }
      const late = this.#strikes('statement-late', link, n, this.rates.database / 2);
      const lateMs = late ? STATEMENT_TIMEOUT_MS + this.#between(DELAY, LATE, link, n) : 0;
      if (late) lost(STATEMENT_TIMEOUT_MS);
      this.pending += 1;
      this.#timeline.in(this.#between(LATENCY, LATENCY_OUT, link, n) + lateMs, null, () => {
        this.pending -= 1;
        if (!to.up) {
          if (!late) lost(this.#between(LATENCY, LATENCY_BACK, link, n));
          return;
        }
        if (!QUIET.has(what)) this.#trace(`${link.name} #${n} ${what}${late ? ' (late)' : ''}`);
        let value: R;
        try {
          value = execute();
        } catch (error) {
          this.#timeline.in(0, from, () => from.life === life && reject(error));
          return;
        }
        if (late) return;
        if (this.#strikes('statement-reply-lost', link, n, this.rates.database)) lost(STATEMENT_TIMEOUT_MS);
        else this.#reply(from, life, link, n, () => resolve(value));
      });
    });
  }

  #strikes(kind: Parameters<Chance['strikes']>[0], link: Link, n: number, rate: number): boolean {
    if (this.#timeline.now >= this.calmAt || !this.#chance.strikes(kind, link, n, rate)) return false;
    this.#trace(`!! ${kind} ${link.name} #${n}`);
    return true;
  }

  #delayOf(link: Link, n: number): number {
    return this.#strikes('delay', link, n, this.rates.delay) ? this.#between(DELAY, DELAYED, link, n) : 0;
  }

  #between({ leastMs, mostMs }: { leastMs: number; mostMs: number }, purpose: number, link: Link, n: number): number {
    return leastMs + (mostMs - leastMs) * this.#chance.fraction(purpose, link, n);
  }
}

/** As `pg` tells a lost connection: whether the statement has been carried out is unknown. */
class ConnectionLost extends Error {
  readonly code = 'ECONNRESET';
  constructor() {
    super('Connection terminated unexpectedly');
  }
}
