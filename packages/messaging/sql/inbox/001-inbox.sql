-- Messages that a consumer has dealt with: a row is written in the transaction of what the message brought about.
create table holdfast.inbox (
  tenant_id text not null,
  -- What the message is about, such as an order: where its effect is.
  scope text not null,
  consumer text not null,
  message_id text not null,
  received_at timestamptz not null default clock_timestamp(),
  primary key (tenant_id, scope, consumer, message_id)
);
create index inbox_by_age on holdfast.inbox (received_at);
