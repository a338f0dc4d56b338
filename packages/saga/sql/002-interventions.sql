-- What operators have done to a saga: each row is one verb that has taken it over. The epoch that it gave the saga is part
-- of the key, so that two operators can never both have done it.
create table saga_interventions (
  saga_id text not null,
  epoch bigint not null,
  verb text not null check (verb in ('resume', 'retry', 'compensate')),
  -- Why the saga had been parked; null when it was not.
  parked jsonb,
  at timestamptz not null default clock_timestamp(),
  primary key (saga_id, epoch)
);
