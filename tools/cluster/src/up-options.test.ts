import { describe, expect, it } from 'vitest';
import { parseUpOptions } from './up-options.ts';

const optionsOf = (...args: string[]) => {
  const parsed = parseUpOptions(args);
  if (parsed.kind !== 'up') throw new Error(JSON.stringify(parsed));
  return parsed.options;
};

describe('the command line of up', () => {
  it('has a fallback for everything', () => {
    expect(optionsOf()).toEqual({
      orchestrators: 1,
      participants: 1,
      port: undefined,
      leaseMs: undefined,
      clean: false,
      redis: false,
      sandboxFaults: undefined,
    });
  });

  it('takes replicas, a port, a lease and a clean start', () => {
    const options = optionsOf(
      '--orchestrators',
      '2',
      '--participants=3',
      '--port',
      '9000',
      '--lease-ms',
      '800',
      '--clean',
    );
    expect(options).toMatchObject({ orchestrators: 2, participants: 3, port: 9_000, leaseMs: 800, clean: true });
  });

  it('takes faults by name, and none at all as off', () => {
    expect(optionsOf('--sandbox-faults', 'lostAnswer=0.03,slowMs=500').sandboxFaults).toEqual({
      lostAnswer: 0.03,
      slow: 0,
      slowMs: 500,
      error500: 0,
      refused: 0,
    });
    expect(optionsOf('--sandbox-faults', 'off').sandboxFaults).toMatchObject({ lostAnswer: 0, refused: 0 });
  });

  it('shows its usage when asked', () => {
    expect(parseUpOptions(['--help', '--port', 'x'])).toEqual({ kind: 'help' });
  });

  it.each([
    [['--orchestrator', '2'], '--orchestrator'],
    [['now'], 'now'],
    [['--port', '65536'], '--port 65536: give a whole number from 1 to 65535'],
    [['--port', '80a'], '--port 80a: give a whole number'],
    [['--participants', '0'], '--participants 0: give a whole number from 1 to 8'],
    [['--lease-ms', '1.5'], '--lease-ms 1.5: give a whole number from 300 to 60000'],
    [['--sandbox-faults', 'lost=1'], '--sandbox-faults lost=1: give lostAnswer, slow, slowMs, error500, refused'],
    [['--sandbox-faults', 'slow=1.5'], '--sandbox-faults slow=1.5: give a number from 0 to 1'],
    [['--sandbox-faults', 'slow='], '--sandbox-faults slow=: give a number from 0 to 1'],
  ])('refuses %j and says what is right', (args, message) => {
    expect(parseUpOptions(args)).toMatchObject({ kind: 'wrong', message: expect.stringContaining(message) });
  });
});
