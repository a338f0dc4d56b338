import { type Logger, pino } from 'pino';

export type Log = Logger;

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
