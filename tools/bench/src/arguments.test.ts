import { describe, expect, it } from 'vitest';
import { parseBenchArguments } from './arguments.ts';
import { SCENARIOS } from './load/scenarios.ts';

const optionsOf = (...args: string[]) => {
  const parsed = parseBenchArguments(args);
  if (parsed.kind !== 'bench') throw new Error(JSON.stringify(parsed));
  return parsed.options;
};
const faultOf = (...args: string[]) => {
  const parsed = parseBenchArguments(args);
  return parsed.kind === 'wrong' ? parsed.message : parsed.kind;
};

describe('the command line of the bench', () => {
  it('has a fallback for everything', () => {
    expect(optionsOf()).toEqual({
      only: SCENARIOS.map(({ name }) => name),
      seconds: 10,
      warmUpSeconds: 4,
      repeats: 3,
      seed: 1,
      json: null,
      html: null,
      against: null,
      profiles: null,
      grown: 0,
      parked: 0,
      agedHours: 1,
      randomKeys: false,
      tls: true,
      pooler: false,
      soakMinutes: null,
      database: {},
    });
  });

  it('takes what has grown, and over how long', () => {
    const options = optionsOf('--grown', '5000000', '--parked', '1000', '--aged-hours', '24');
    expect(options).toMatchObject({ grown: 5_000_000, parked: 1_000, agedHours: 24 });
  });

  it('runs no scenario beside a long load unless it is named', () => {
    expect(optionsOf('--soak', '10')).toMatchObject({ soakMinutes: 10, only: [] });
    expect(optionsOf('--soak', '10', '--only', 'orders-1')).toMatchObject({ soakMinutes: 10, only: ['orders-1'] });
  });

  it('takes settings of Postgres, one by one', () => {
    expect(optionsOf('--database', 'shared_buffers=1GB', '--database', 'max_wal_size=8GB').database).toEqual({
      shared_buffers: '1GB',
      max_wal_size: '8GB',
    });
  });

  it('measures behind a pooler when asked', () => {
    expect(optionsOf('--pooler')).toMatchObject({ pooler: true, against: null });
  });

  it('says what is wrong', () => {
    expect(faultOf('--grown', '0')).toBe('--grown takes a whole number from 1 to 50000000');
    expect(faultOf('--soak', '1.5')).toMatch('--soak takes a whole number');
    expect(faultOf('--aged-hours', '24')).toMatch('--aged-hours is for --grown or --parked');
    expect(faultOf('--grown', '5', '--against', 'HEAD~1')).toMatch('leave --grown and --parked out');
    expect(faultOf('--soak', '5', '--against', 'HEAD~1')).toMatch('leave --soak out');
    expect(faultOf('--random-keys', '--against', 'HEAD~1')).toMatch('leave --random-keys out');
    expect(faultOf('--pooler', '--against', 'HEAD~1')).toMatch('leave --against out');
    expect(faultOf('--pooler', '--parked', '5')).toMatch('leave --parked out');
    expect(faultOf('--database', 'fsync')).toMatch('--database takes name=value');
    expect(faultOf('--only', 'nothing')).toMatch('there is no scenario nothing');
  });
});
