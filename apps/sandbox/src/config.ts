import { boolean, optional, port, prepare, text, url } from '@holdfast/service';

export const SETTINGS = {
  DATABASE_URL: url('postgres:', 'postgresql:'),
  HOST: optional(text('a host name or address to listen on'), '127.0.0.1'),
  HTTP_PORT: port(),
  LOG_LEVEL: optional(
    text('one of trace, debug, info, warn, error, fatal, silent', /^(trace|debug|info|warn|error|fatal|silent)$/),
    'info',
  ),
  /** `false`: the job `migrate` does it, and the sandbox waits for it. */
  MIGRATE_ON_START: optional(boolean(), true),
  DATABASE_PREPARE: prepare(),
  /** Where the job `certificates` keeps an authority, and a certificate for each service. */
  CERTIFICATES_FOLDER: optional(text('a folder'), '/certificates'),
  /** What a caller of the payment API sends as its bearer token. */
  SANDBOX_SECRET_KEY: optional(
    text('sk_test_ and 4 or more letters or digits', /^sk_test_\w{4,}$/),
    'sk_test_holdfast',
  ),
  /** Where events of the payment API are sent; left out: what was set with `PUT /webhooks`, or nowhere. */
  SANDBOX_WEBHOOK_URL: optional(url('http:', 'https:'), undefined),
  /** What they are signed with. */
  SANDBOX_WEBHOOK_SECRET: optional(text('whsec_ and 4 or more letters or digits', /^whsec_\w{4,}$/), 'whsec_holdfast'),
};
