// Virtual time. Whatever happens in a schedule is an event on one timeline, run one at a time in the order of their
// instants; between two events all promises settle. Nothing here looks at a real clock.

import type { Clock } from '@holdfast/saga';

/** A process of the simulated system. What it has under way dies with it: events of an earlier life never run. */
export class Host {
  readonly name: string;
  /** Counts its starts. */
  life = 0;
  up = false;
  /** Until then nothing of it runs (SIGSTOP); what falls due meanwhile runs afterwards. */
  pausedUntil = 0;
  /** Calls that it is working on. */
  serving = 0;

  constructor(name: string) {
    this.name = name;
  }
}

interface Event {
  at: number;
  order: number;
  host: Host | null;
  life: number;
  work: (() => void) | null;
  /** Instead of `work`, when its host has died. */
  lost: (() => void) | null;
}

/** What falls due during a pause runs within this much after it. */
const AFTER_PAUSE_MS = 2;

/** What a machine's clock shows at the schedule's beginning, if it is right. */
const WALL_ORIGIN_MS = Date.UTC(2026, 0, 1);

export class Timeline {
  now = 0;
  readonly #heap: Event[] = [];
  #scheduled = 0;

  /** Runs `work` in `ms`, in the present life of `host`; `lost` instead when that life has ended by then. */
  in(ms: number, host: Host | null, work: () => void, lost: (() => void) | null = null): Event {
    const event: Event = {
      at: this.now + Math.max(ms, 0),
      order: this.#scheduled++,
      host,
      life: host === null ? 0 : host.life,
      work,
      lost,
    };
    this.#push(event);
    return event;
  }

  /** Runs the next event. @returns false when there is none */
  step(): boolean {
    let event = this.#pop();
    // Timers that were cancelled: half of all there are, and nothing happens at them.
    while (event?.work === null) event = this.#pop();
    if (event === undefined) return false;
    this.now = event.at;
    const { host, work } = event;
    if (work === null) return true;
    if (host !== null && host.life !== event.life) {
      event.lost?.();
    } else if (host !== null && host.pausedUntil > this.now) {
      // Spread over a moment, by their order of arrival; timers and messages of a resumed process interleave.
      event.at = host.pausedUntil + (((event.order * 7_919) % 97) / 97) * AFTER_PAUSE_MS;
      this.#push(event);
    } else {
      work();
    }
    return true;
  }

  /** The clocks of one life of a process: an origin, a speed and an error of its own, as no two machines agree about any. */
  clockOf(host: Host, { origin, speed, skewMs }: { origin: number; speed: number; skewMs: number }): Clock {
    const { life } = host;
    return {
      now: () => origin + this.now * speed,
      wallNow: () => Math.round(WALL_ORIGIN_MS + this.now + skewMs),
      after: (ms, work) => {
        if (host.life !== life) return () => {};
        const event = this.in(Math.max(ms, 1) / speed, host, work);
        return () => {
          event.work = null;
          event.lost = null;
        };
      },
    };
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.push(event) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] as Event;
      if (isBefore(above, event)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): Event | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      const right = heap[child + 1];
      if (right !== undefined && isBefore(right, heap[child] as Event)) child += 1;
      const below = heap[child] as Event;
      if (isBefore(last, below)) break;
      heap[at] = below;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
