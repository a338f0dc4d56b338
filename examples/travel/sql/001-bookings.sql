-- What a desk has to give, and to whom it has given it.

create table places (
  place text primary key,
  free integer not null check (free >= 0)
);

-- One booking of a trip at most, whatever becomes of its key: the primary key says so.
create table bookings (
  trip_id text primary key,
  place text not null,
  booked_at timestamptz not null default clock_timestamp()
);
