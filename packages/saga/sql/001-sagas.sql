-- Sagas, their journal and the processes that own them.
-- Sharded, sagas, saga_attempts and saga_signals are distributed by the saga's id and owners is a reference table.

-- Ids of processes; never given twice, so an owner that was declared dead stays dead.
create sequence holdfast.owner_ids;

-- One lease per process. An owner is alive while it has a row here whose lease has not run out; a missing row and a
-- lease that ran out mean the same, so rows of the dead can be deleted at any time without orphaning a saga.
create table holdfast.owners (
  owner_id bigint primary key,
  name text not null,
  lease_until timestamptz not null,
  started_at timestamptz not null default clock_timestamp()
);

create table holdfast.sagas (
  id text primary key,
  definition text not null,
  input jsonb not null,
  state text not null default 'running'
    check (state in ('running', 'waiting', 'compensating', 'completed', 'failed', 'cancelled', 'parked')),
  -- running, waiting: the step that may have been started. compensating: the next step to undo. ended: one past the last or -1.
  position integer not null default 0,
  outputs jsonb not null default '{}',
  failure jsonb,
  parked jsonb,
  resume_state text check (resume_state in ('running', 'compensating')),
  cancel_requested_at timestamptz,
  -- {step, reason, data, since, until, leftMs, …}: what the step at `position` waits for. Kept while it is asked again.
  waiting jsonb,
  -- When a waiting saga is taken up again at the latest, by the database's clock. Whatever ends a wait early sets it to now.
  wake_at timestamptz,
  -- {step: how many}: the rows in saga_signals. Raised with each of them, so that the checkpoint of a wait, which writes this
  -- very row too, sees every signal that its act has not seen.
  signals jsonb,
  -- While it waits, nobody: the last owner's number stands here and means nothing.
  owner_id bigint not null,
  epoch bigint not null default 1,
  -- Counts checkpoints. A delayed copy of an earlier checkpoint carries a lower one and changes nothing.
  revision integer not null default 0,
  deadline_at timestamptz not null,
  started_at timestamptz not null default clock_timestamp(),
  -- When what callers are shown of the saga last changed, by the clock of the process that wrote it: the same clock that says
  -- when an order was placed. It never goes back. Nothing is decided by it.
  changed_at timestamptz not null,
  -- When a process last wrote here as the saga's owner, by the database's clock: by it a sweep finds sagas that no process runs.
  driven_at timestamptz not null default clock_timestamp(),
  ended_at timestamptz,
  -- The attempts that came with the first checkpoints, which rewrite the row anyway: a row of its own for each, with its
  -- index entry, cost more than the checkpoint did. Elements of a JSON list, one by checkpoint, as inline-attempts.ts
  -- writes and reads them; instants are milliseconds from started_at. All later attempts are in saga_attempts.
  inline_attempts text,
  constraint sagas_ended check ((ended_at is not null) = (state in ('completed', 'failed', 'cancelled'))),
  constraint sagas_waiting check ((state = 'waiting') = (wake_at is not null) and (state <> 'waiting' or waiting is not null)),
  constraint sagas_parked check ((state = 'parked') = (parked is not null and resume_state is not null))
) with (
  -- A page takes two or three new sagas and keeps the rest of its room for their checkpoints: two thirds of those find
  -- room beside their row and write to no index.
  fillfactor = 35
);

-- Checkpoints between steps change position, outputs, revision, changed_at and driven_at only. None of them may ever appear in an
-- index, as a column or in its predicate: those updates are heap-only (HOT) and cost no index write because of it.
create index sagas_live on holdfast.sagas (owner_id, id) where ended_at is null and state <> 'parked' and state <> 'waiting';
create index sagas_due on holdfast.sagas (definition, wake_at, id) where state = 'waiting';
create index sagas_parked_list on holdfast.sagas (started_at, id) where state = 'parked';

-- Every attempt at a step that is not in inline_attempts. The epoch is part of the key: each owner numbers its own attempts without asking.
create table holdfast.saga_attempts (
  saga_id text not null,
  epoch bigint not null,
  seq integer not null,
  step text not null,
  direction text not null check (direction in ('act', 'undo')),
  attempt integer not null,
  outcome text not null check (outcome in ('completed', 'refused', 'unknown', 'waiting', 'fenced')),
  detail text,
  started_at timestamptz not null,
  ended_at timestamptz not null,
  primary key (saga_id, epoch, seq)
);

-- What was told to the steps of a saga from outside. Written in one statement with `sagas.signals`.
create table holdfast.saga_signals (
  saga_id text not null,
  step text not null,
  key text not null,
  data jsonb,
  at timestamptz not null default clock_timestamp(),
  primary key (saga_id, step, key)
);

-- What operators have done to a saga: each row is one verb that has taken it over. The epoch that it gave the saga is part
-- of the key, so that two operators can never both have done it.
create table holdfast.saga_interventions (
  saga_id text not null,
  epoch bigint not null,
  verb text not null check (verb in ('resume', 'retry', 'compensate')),
  -- Why the saga had been parked; null when it was not.
  parked jsonb,
  -- What the request was made under; null without one.
  key text,
  at timestamptz not null default clock_timestamp(),
  primary key (saga_id, epoch)
);

-- What the role that a service runs as may do where another one migrates (runner-rights.ts).
comment on table holdfast.saga_attempts is 'insert-only';
comment on table holdfast.saga_signals is 'insert-only';
comment on table holdfast.saga_interventions is 'insert-only';
