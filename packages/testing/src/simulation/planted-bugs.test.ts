import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { PLANTED_BUGS } from './planted-bugs.ts';

const SIMULATE = fileURLToPath(new URL('./simulate.ts', import.meta.url));
const SCHEDULES = 10_000;
const SEED = 1;

async function simulate(...args: string[]): Promise<{ code: number | null; said: string }> {
  const child = spawn(process.execPath, [SIMULATE, '--seed', String(SEED), '--workers', '1', ...args]);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (said += data));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, said };
}

describe('a bug planted in the engine, the tables or a participant', () => {
  it.each(PLANTED_BUGS)(
    `$name ($mistake) is found within ${SCHEDULES} schedules, and its schedule replays`,
    async ({ name }) => {
      const found = await simulate('--schedules', String(SCHEDULES), '--bug', name);
      expect(found.said).toMatch(/^BROKEN {2}[SKA]\d: /m);
      expect(found.code, found.said).toBe(1);
      const [, replay = '', only = ''] = /--replay (\d+) --only '([^']*)'/.exec(found.said) ?? [];
      const replayed = await simulate('--replay', replay, '--only', only, '--bug', name);
      expect(replayed.code, replayed.said).toBe(1);
      const verdict = /^BROKEN .*$/m;
      expect(replayed.said.match(verdict)?.[0]).toBe(found.said.match(verdict)?.[0]);
    },
    180_000,
  );

  it('taken out again, its schedule holds', async () => {
    const { code, said } = await simulate('--schedules', '50');
    expect(code, said).toBe(0);
    expect(said).toContain('violations 0');
  }, 60_000);
});
