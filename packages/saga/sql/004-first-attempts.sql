-- The attempts that came with a saga's first checkpoints stand in its own row, which those checkpoints rewrite anyway: a row
-- of its own for each, with its index entry, cost more than the checkpoint did. Elements of a JSON list, one by checkpoint,
-- as first-attempts.ts writes and reads them; instants are milliseconds from started_at, so that they are by the database's
-- clock and go with the row. All later attempts are in saga_attempts. Null: there are none here.
alter table sagas add column first_attempts text;
