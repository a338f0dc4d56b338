#!/bin/sh
# One database and two roles per service: a service cannot open another's, and the role that it runs as changes data alone. Run
# once, by the first start of an empty server (/docker-entrypoint-initdb.d); for a server that exists, run it by hand with
# PGHOST, PGUSER and PGPASSWORD set.
# Passwords come from the environment: <SERVICE>_DB_PASSWORD for the role <service>, which the service runs as;
# <SERVICE>_OWNER_DB_PASSWORD for <service>_owner, which owns the database, and as which its job `migrate` runs with
# DATABASE_RUNNER=<service>; AUDITOR_DB_PASSWORD, and DEMO_DB_PASSWORD where the demo runs.
# Without a password for its owner, a service's role owns its database and may do all in it.
set -eu

run() { psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --dbname postgres "$@"; }

# Everybody may connect everywhere by default.
echo 'revoke connect on database postgres, template1 from public' | run

for service in orchestrator inventory payment shipping sandbox; do
  variable=$(echo "$service" | tr '[:lower:]' '[:upper:]')_DB_PASSWORD
  # `\getenv` and not an argument: arguments are seen by whoever lists processes.
  run --set service="$service" --set variable="$variable" <<'SQL'
\getenv password :variable
create role :"service" login password :'password' connection limit 200;
create database :"service";
revoke all on database :"service" from public;
-- What a service asks of its connections, for sessions that a pooler hands out (docs/deploy.md). Directly connected it brings
-- the same along.
alter role :"service" in database :"service" set statement_timeout = '10s';
alter role :"service" in database :"service" set lock_timeout = '1s';
alter role :"service" in database :"service" set idle_in_transaction_session_timeout = '5s';
SQL
  owner_variable=$(echo "$service" | tr '[:lower:]' '[:upper:]')_OWNER_DB_PASSWORD
  if [ -n "$(printenv "$owner_variable")" ]; then
    run --set service="$service" --set owner="${service}_owner" --set variable="$owner_variable" <<'SQL'
\getenv password :variable
create role :"owner" login password :'password' connection limit 10;
-- It hands over the tables of which the service makes partitions.
grant :"service" to :"owner";
grant connect on database :"service" to :"service";
alter database :"service" owner to :"owner";
SQL
  else
    run --set service="$service" <<'SQL'
alter database :"service" owner to :"service";
SQL
  fi
  [ "$service" = sandbox ] || run --set service="$service" <<'SQL'
alter role :"service" in database :"service" set enable_seqscan = 'off';
alter role :"service" in database :"service" set enable_hashjoin = 'off';
alter role :"service" in database :"service" set enable_mergejoin = 'off';
alter role :"service" in database :"service" set random_page_cost = '0.01';
alter role :"service" in database :"service" set jit = 'off';
alter role :"service" in database :"service" set plan_cache_mode = 'force_generic_plan';
SQL
done

# Reads the books of all services and changes nothing.
run <<'SQL'
\getenv password AUDITOR_DB_PASSWORD
create role auditor login password :'password' connection limit 10;
grant pg_read_all_data to auditor;
grant connect on database orchestrator, inventory, payment, shipping, sandbox to auditor;
SQL

# Breaks connections, as a fail-over would; opens no database of a service.
if [ -n "${DEMO_DB_PASSWORD:-}" ]; then
  run <<'SQL'
\getenv password DEMO_DB_PASSWORD
create role demo login password :'password' connection limit 5;
grant pg_signal_backend to demo;
grant connect on database postgres to demo;
SQL
fi
