import { type Logger, pino } from 'pino';

export type Log = Logger;

/** What a log says of an error. Of a database's no more: its `detail`, `where` and parameters quote rows (H23). */
function errorFields(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { name, message, stack, cause } = error;
  const { code } = error as { code?: unknown };
  return {
    type: name,
    message,
    ...(typeof code === 'string' && { code }),
    stack,
    ...(error instanceof AggregateError && { errors: error.errors.map(errorFields) }),
    ...(cause !== undefined && { cause: errorFields(cause) }),
  };
}

/**
 * JSON lines on standard output. Secrets and personal data never reach it: what may hold some is removed here, so that
 * a careless call site cannot leak it (H23).
 */
export function createLog(service: string, level: string): Log {
  return pino({
    name: service,
    level,
    timestamp: pino.stdTimeFunctions.isoTime,
    base: { service, pid: process.pid },
    serializers: { err: errorFields },
    formatters: { level: (label) => ({ level: label }) },
    redact: {
      paths: [
        'shipTo',
        '*.shipTo',
        'payment',
        '*.payment',
        'method',
        '*.method',
        'authorization',
        '*.authorization',
        'headers',
        '*.headers',
        'key',
        '*.key',
        'idempotencyKey',
        '*.idempotencyKey',
        'databaseUrl',
        '*.databaseUrl',
      ],
      censor: '[removed]',
    },
  });
}
