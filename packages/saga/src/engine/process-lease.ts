import { statement } from '@holdfast/postgres';
import type { Clock, Database, SagaLog } from './ports.ts';

const REGISTER = statement(
  'saga.register-owner',
  `insert into holdfast.owners (owner_id, name, lease_until)
   values (nextval('holdfast.owner_ids'), $1::text, clock_timestamp() + $2::integer * interval '1 millisecond')
   returning owner_id`,
);
// Expired is final: a lease that has run out is never renewed, even when no other process has noticed yet. Were it renewed, its
// owner could go on while an adopter, who saw it expired, takes its sagas over.
const HEARTBEAT = statement(
  'saga.heartbeat',
  `update holdfast.owners set lease_until = clock_timestamp() + $2::integer * interval '1 millisecond'
    where owner_id = $1::bigint and lease_until > clock_timestamp()`,
);
// Safe for any process that it hits: one that lives all the same finds its lease gone, drops its sagas and registers anew, as
// after any other loss; their epochs are raised before another process runs them.
const END_LEASES_OF = statement(
  'saga.end-leases-of',
  `update holdfast.owners set lease_until = clock_timestamp() where name = $1::text and lease_until > clock_timestamp()`,
);
const RELEASE = statement(
  'saga.release-owner',
  `update holdfast.owners set lease_until = clock_timestamp() where owner_id = $1::bigint and lease_until > clock_timestamp()`,
);

export interface LeaseOptions {
  pool: Database;
  /** Shown to operators: which process this is. */
  name: string;
  leaseMs: number;
  clock: Clock;
  log: SagaLog;
  /** Called once, when the lease is lost for good; never after `release` or `abandon`. */
  onLost: (why: string) => void;
}

/**
 * The lease by which this process owns sagas: one row, renewed every third of its length by the database's clock. It
 * is lost when the row has expired, and also when no heartbeat has succeeded for `leaseMs` by this process's monotonic
 * clock, since others may have adopted its sagas by then. A lost lease never comes back; a new one has a new owner id.
 */
export class ProcessLease {
  readonly ownerId: number;
  readonly #options: LeaseOptions;
  #heldUntil = 0;
  #ended = false;
  #cancelBeat = () => {};
  #cancelExpiry = () => {};

  private constructor(ownerId: number, sentAt: number, options: LeaseOptions) {
    this.ownerId = ownerId;
    this.#options = options;
    this.#extend(sentAt);
    this.#scheduleBeat();
  }

  /** @throws what `pg` throws when the database cannot be reached */
  static async register(options: LeaseOptions): Promise<ProcessLease> {
    const sentAt = options.clock.now();
    const { rows } = await options.pool.query<{ owner_id: number }>({
      ...REGISTER,
      values: [options.name, options.leaseMs],
    });
    const ownerId = rows[0]?.owner_id;
    if (ownerId === undefined) throw new Error('registering this process returned no owner id; try again');
    return new ProcessLease(ownerId, sentAt, options);
  }

  /**
   * Ends the leases of processes of this name, so that their sagas are adopted at once: for a process that replaces
   * one that is known to be dead. @throws what `pg` throws
   */
  static async endLeasesOf(name: string, pool: Database): Promise<void> {
    await pool.query({ ...END_LEASES_OF, values: [name] });
  }

  /** Read from the clock, not from a timer: after a pause of the process, timers are the last to know. */
  isHeld(): boolean {
    return !this.#ended && this.#options.clock.now() < this.#heldUntil;
  }

  /** Gives the lease up so that others adopt at once. A failure only means that they wait until it runs out. */
  async release(): Promise<void> {
    if (this.#ended) return;
    this.abandon();
    try {
      await this.#options.pool.query({ ...RELEASE, values: [this.ownerId] });
    } catch (error) {
      this.#options.log.warn(
        { err: error, ownerId: this.ownerId },
        'this process could not release its lease; others wait until it runs out',
      );
    }
  }

  /** Stops renewing and says nothing to the database: what a crash does. */
  abandon(): void {
    this.#ended = true;
    this.#cancelBeat();
    this.#cancelExpiry();
  }

  // Counted from before the heartbeat was sent: the row cannot run out earlier than this process believes.
  #extend(sentAt: number): void {
    this.#heldUntil = sentAt + this.#options.leaseMs;
    this.#cancelExpiry();
    this.#cancelExpiry = this.#options.clock.after(this.#heldUntil - this.#options.clock.now(), () =>
      this.#lose('no heartbeat has reached the database in time'),
    );
  }

  #scheduleBeat(): void {
    this.#cancelBeat = this.#options.clock.after(this.#options.leaseMs / 3, () => void this.#beat());
  }

  async #beat(): Promise<void> {
    const sentAt = this.#options.clock.now();
    try {
      const { rowCount } = await this.#options.pool.query({
        ...HEARTBEAT,
        values: [this.ownerId, this.#options.leaseMs],
      });
      if (this.#ended) return;
      if (rowCount === 0) return this.#lose('the lease has run out');
      this.#extend(sentAt);
    } catch (error) {
      if (this.#ended) return;
      this.#options.log.warn({ err: error, ownerId: this.ownerId }, 'heartbeat failed; this process tries again');
    }
    this.#scheduleBeat();
  }

  #lose(why: string): void {
    if (this.#ended) return;
    this.abandon();
    this.#options.onLost(why);
  }
}
