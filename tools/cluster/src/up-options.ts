import { parseArgs } from 'node:util';

/** Rates from 0 to 1, for the payment provider and the carrier of the sandbox alike. */
export interface SandboxFaults {
  lostAnswer: number;
  slow: number;
  slowMs: number;
  error500: number;
  refused: number;
}

export interface UpOptions {
  orchestrators: number;
  participants: number;
  /** Undefined: 8080, or another when that is taken. */
  port: number | undefined;
  /** The orchestrators' LEASE_MS; undefined: their default. */
  leaseMs: number | undefined;
  clean: boolean;
  redis: boolean;
  /** Undefined: as they were set last. */
  sandboxFaults: SandboxFaults | undefined;
}

export type ParsedUp = { kind: 'up'; options: UpOptions } | { kind: 'help' } | { kind: 'wrong'; message: string };

export const UP_USAGE = `npm run up -- [options]: starts the whole system and keeps it up until Ctrl-C

  --orchestrators N     replicas of the orchestrator, 1 to 8 (default 1)
  --participants N      replicas of inventory, payment and shipping each, 1 to 8 (default 1)
  --port N              of the API; it must be free (default: 8080, or another when that is taken)
  --lease-ms N          how long a dead orchestrator's orders wait for another one, 300 to 60000 (default 3000)
  --sandbox-faults F    faults of the payment provider and the carrier, as name=value,… of
                        lostAnswer, slow, error500, refused (rates from 0 to 1) and slowMs;
                        off: none (default: as they were)
  --redis               starts a redis-server too (it must be installed); the answers are the same without it
  --clean               starts without any data of before
  --help                shows this`;

const NO_FAULTS: SandboxFaults = { lostAnswer: 0, slow: 0, slowMs: 1_000, error500: 0, refused: 0 };
const MAX_SLOW_MS = 60_000;

/** Reads the command line of `up`; what is wrong with it is said in a way that tells how to mend it. */
export function parseUpOptions(args: string[]): ParsedUp {
  try {
    const { values } = parseArgs({
      args,
      allowPositionals: false,
      options: {
        orchestrators: { type: 'string' },
        participants: { type: 'string' },
        port: { type: 'string' },
        'lease-ms': { type: 'string' },
        'sandbox-faults': { type: 'string' },
        clean: { type: 'boolean' },
        redis: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    });
    if (values.help === true) return { kind: 'help' };
    const options: UpOptions = {
      orchestrators: wholeNumber('--orchestrators', values.orchestrators, 1, 8) ?? 1,
      participants: wholeNumber('--participants', values.participants, 1, 8) ?? 1,
      port: wholeNumber('--port', values.port, 1, 65_535),
      leaseMs: wholeNumber('--lease-ms', values['lease-ms'], 300, 60_000),
      clean: values.clean ?? false,
      redis: values.redis ?? false,
      sandboxFaults: values['sandbox-faults'] === undefined ? undefined : faults(values['sandbox-faults']),
    };
    return { kind: 'up', options };
  } catch (error) {
    return { kind: 'wrong', message: (error as Error).message };
  }
}

function wholeNumber(option: string, raw: string | undefined, min: number, max: number): number | undefined {
  if (raw === undefined) return undefined;
  const value = Number(raw);
  if (!/^\d+$/.test(raw) || value < min || value > max) {
    throw new Error(`${option} ${raw}: give a whole number from ${min} to ${max}`);
  }
  return value;
}

function faults(raw: string): SandboxFaults {
  if (raw === 'off') return NO_FAULTS;
  const chosen = { ...NO_FAULTS };
  for (const entry of raw.split(',')) {
    const [name = '', value = ''] = entry.split('=');
    if (!isFault(name)) {
      throw new Error(`--sandbox-faults ${entry}: give ${Object.keys(NO_FAULTS).join(', ')} as name=value, or off`);
    }
    const max = name === 'slowMs' ? MAX_SLOW_MS : 1;
    const number = Number(value);
    if (!/^\d+(\.\d+)?$/.test(value) || number > max) {
      throw new Error(`--sandbox-faults ${entry}: give a number from 0 to ${max}`);
    }
    chosen[name] = number;
  }
  return chosen;
}

function isFault(name: string): name is keyof SandboxFaults {
  return Object.hasOwn(NO_FAULTS, name);
}
