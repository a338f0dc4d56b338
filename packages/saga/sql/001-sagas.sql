-- Sagas, their journal and the processes that own them.
-- Sharded, sagas and saga_attempts are distributed by the saga's id and owners is a reference table.

-- Ids of processes; never given twice, so an owner that was declared dead stays dead.
create sequence owner_ids;

-- One lease per process. An owner is alive while it has a row here whose lease has not run out; a missing row and a
-- lease that ran out mean the same, so rows of the dead can be deleted at any time without orphaning a saga.
create table owners (
  owner_id bigint primary key,
  name text not null,
  lease_until timestamptz not null,
  started_at timestamptz not null default clock_timestamp()
);

create table sagas (
  id text primary key,
  definition text not null,
  input jsonb not null,
  state text not null default 'running'
    check (state in ('running', 'compensating', 'completed', 'failed', 'cancelled', 'parked')),
  -- running: the step that may have been started. compensating: the next step to undo. ended: one past the last or -1.
  position integer not null default 0,
  outputs jsonb not null default '{}',
  failure jsonb,
  parked jsonb,
  resume_state text check (resume_state in ('running', 'compensating')),
  cancel_requested_at timestamptz,
  owner_id bigint not null,
  epoch bigint not null default 1,
  -- Counts checkpoints. A delayed copy of an earlier checkpoint carries a lower one and changes nothing.
  revision integer not null default 0,
  deadline_at timestamptz not null,
  started_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default clock_timestamp(),
  ended_at timestamptz,
  constraint sagas_ended check ((ended_at is not null) = (state in ('completed', 'failed', 'cancelled'))),
  constraint sagas_parked check ((state = 'parked') = (parked is not null and resume_state is not null))
) with (fillfactor = 70);

-- Checkpoints between steps change position, outputs, revision and updated_at only. None of them may ever appear in an
-- index, as a column or in its predicate: those updates are heap-only (HOT) and cost no index write because of it.
create index sagas_live on sagas (owner_id, id) where ended_at is null and state <> 'parked';
create index sagas_parked_list on sagas (started_at, id) where state = 'parked';

-- Every attempt at a step. The epoch is part of the key: each owner numbers its own attempts without asking.
create table saga_attempts (
  saga_id text not null,
  epoch bigint not null,
  seq integer not null,
  step text not null,
  direction text not null check (direction in ('act', 'undo')),
  attempt integer not null,
  outcome text not null check (outcome in ('done', 'refused', 'unknown', 'fenced')),
  detail text,
  started_at timestamptz not null,
  ended_at timestamptz not null,
  primary key (saga_id, epoch, seq)
);
