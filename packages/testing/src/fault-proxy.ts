/**
 * A TCP proxy that is as bad as a network can be. Between any two parts of a system: it changes nothing of what they
 * say, only when, how fast and whether it arrives. Faults may be set and changed while connections are open.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';

export interface Faults {
  /** Added to every piece of data, each way. */
  latencyMs?: number;
  /** Added as well: between 0 and this, drawn anew for every piece. Order is kept, as TCP keeps it. */
  jitterMs?: number;
  /** Each way, per connection. */
  bytesPerSecond?: number;
  /** New connections are reset at once, as by a port on which nobody listens. */
  refuse?: boolean;
  /** What is sent vanishes: neither data nor the end of a connection gets through, and nobody is told. */
  blackHole?: boolean;
  /** Only the way back vanishes: what is asked arrives, and is done. */
  loseReplies?: boolean;
  /** Resets a connection when this many bytes have gone to the target, in the middle of whatever it was saying. */
  cutAfterBytes?: number;
}

export interface FaultProxy {
  /** Where to connect instead of the target: `127.0.0.1:port`. */
  readonly address: string;
  readonly port: number;
  /** Open connections. */
  readonly connections: number;
  /** Pieces of data that latency or bandwidth keep from arriving yet. */
  readonly heldUp: number;
  /**
   * Replaces the faults of before; `{}` heals the network. What vanished is gone: connections that lost data are reset.
   * What was only held up arrives now.
   */
  set(faults: Faults): void;
  /** Resets every open connection. @returns how many there were */
  reset(): number;
  close(): Promise<void>;
}

export interface FaultProxyOptions {
  /** Asked for every connection, so that a proxy can be there before its target. */
  target: () => { host: string; port: number };
  /** Uniform in [0, 1). */
  random: () => number;
}

const CONNECT_TIMEOUT_MS = 5_000;
/** How much may be on its way in one direction before the sender is held back. */
const MAX_UNDER_WAY = 1_048_576;

export async function startFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  const proxy = new TcpFaultProxy(options);
  await proxy.listen();
  return proxy;
}

class TcpFaultProxy implements FaultProxy {
  readonly #options: FaultProxyOptions;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #faults: Faults = {};
  port = 0;

  constructor(options: FaultProxyOptions) {
    this.#options = options;
    // Half-open connections stay so: each side ends on its own.
    this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => this.#accept(client));
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  get connections(): number {
    return this.#pairs.size;
  }

  get heldUp(): number {
    return [...this.#pairs].reduce((sum, pair) => sum + pair.heldUp, 0);
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(0, '127.0.0.1', resolve);
    });
    const address = this.#server.address();
    this.port = typeof address === 'object' && address !== null ? address.port : 0;
  }

  set(faults: Faults): void {
    this.#faults = faults;
    // A megabyte at five kilobytes a second would be on its way for minutes after the network has healed.
    for (const pair of [...this.#pairs]) pair.hurry();
    // A stream with a hole in it is worth nothing any more: whoever lost data hears of it at last.
    for (const pair of [...this.#pairs]) if (pair.hasLost && !isSilent(faults)) pair.reset();
  }

  reset(): number {
    const open = [...this.#pairs];
    for (const pair of open) pair.reset();
    return open.length;
  }

  async close(): Promise<void> {
    this.reset();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #accept(client: Socket): void {
    if (this.#faults.refuse) {
      client.resetAndDestroy();
      return;
    }
    const pair = new Pair(client, this.#options, () => this.#faults);
    this.#pairs.add(pair);
    pair.onClosed = () => this.#pairs.delete(pair);
  }
}

function isSilent({ blackHole, loseReplies }: Faults): boolean {
  return blackHole === true || loseReplies === true;
}

/** One connection through the proxy: a socket to each side, and a pipe each way. */
class Pair {
  hasLost = false;
  onClosed: () => void = () => {};
  readonly #client: Socket;
  readonly #target: Socket;
  readonly #faults: () => Faults;
  readonly #random: () => number;
  readonly #heldUp = new Set<() => void>();
  #sentBytes = 0;
  /** Counts how often what was held up has been let go. */
  #hurries = 0;
  #closed = false;

  constructor(client: Socket, { target, random }: FaultProxyOptions, faults: () => Faults) {
    this.#client = client;
    this.#faults = faults;
    this.#random = random;
    this.#target = connect({ ...target(), allowHalfOpen: true, timeout: CONNECT_TIMEOUT_MS });
    this.#target.once('connect', () => this.#target.setTimeout(0));
    this.#target.once('timeout', () => this.reset());
    for (const socket of [this.#client, this.#target]) {
      socket.setNoDelay(true);
      // Whichever side breaks, the other shall see it break too.
      socket.once('error', () => this.reset());
      socket.once('close', () => this.#sideClosed());
    }
    void this.#pipe(this.#client, this.#target, 'there');
    void this.#pipe(this.#target, this.#client, 'back');
  }

  get heldUp(): number {
    return this.#heldUp.size;
  }

  /** Delivers at once, in order, whatever is held up. */
  hurry(): void {
    this.#hurries += 1;
    for (const release of [...this.#heldUp]) release();
  }

  reset(): void {
    for (const socket of [this.#client, this.#target]) socket.resetAndDestroy();
    this.#sideClosed();
  }

  #sideClosed(): void {
    if (this.#closed || !(this.#client.destroyed && this.#target.destroyed)) return;
    this.#closed = true;
    this.hurry();
    this.onClosed();
  }

  async #pipe(from: Socket, to: Socket, way: 'there' | 'back'): Promise<void> {
    let underWay = 0;
    let last: Promise<void> = Promise.resolve();
    let freeAt = 0;
    let hurries = 0;
    const arrives = (bytes: number): number => {
      const { latencyMs = 0, jitterMs = 0, bytesPerSecond } = this.#faults();
      const now = performance.now();
      if (hurries !== this.#hurries) freeAt = now;
      hurries = this.#hurries;
      const takesMs = bytesPerSecond === undefined ? 0 : (bytes / bytesPerSecond) * 1_000;
      freeAt = Math.max(now, freeAt) + takesMs;
      return freeAt - now + latencyMs + jitterMs * this.#random();
    };
    const deliver = (bytes: number, work: () => void) => {
      const waitMs = arrives(bytes);
      const before = last;
      last = (waitMs > 0 ? Promise.all([before, this.#holdUp(waitMs)]) : before).then(work);
    };
    from.on('data', (data: Buffer) => {
      if (this.#isLost(way)) return;
      underWay += data.length;
      if (underWay > MAX_UNDER_WAY) from.pause();
      deliver(data.length, () => {
        underWay -= data.length;
        if (from.isPaused() && underWay < MAX_UNDER_WAY / 2) from.resume();
        this.#write(to, data, way);
      });
    });
    from.once('end', () => {
      if (!this.#isLost(way)) deliver(0, () => void (to.writable && to.end()));
    });
    from.resume();
  }

  #holdUp(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const release = () => {
        clearTimeout(timer);
        this.#heldUp.delete(release);
        resolve();
      };
      const timer = setTimeout(release, ms);
      this.#heldUp.add(release);
    });
  }

  #write(to: Socket, data: Buffer, way: 'there' | 'back'): void {
    if (this.#isLost(way) || !to.writable) return;
    const { cutAfterBytes } = this.#faults();
    const left = way === 'there' && cutAfterBytes !== undefined ? cutAfterBytes - this.#sentBytes : data.length;
    const part = data.subarray(0, Math.max(0, left));
    if (way === 'there') this.#sentBytes += part.length;
    if (part.length === data.length) {
      to.write(part);
      return;
    }
    // What was let through shall arrive before the connection breaks.
    to.write(part, () => this.reset());
  }

  #isLost(way: 'there' | 'back'): boolean {
    const { blackHole, loseReplies } = this.#faults();
    const lost = blackHole === true || (loseReplies === true && way === 'back');
    this.hasLost ||= lost;
    return lost;
  }
}
