/** Containers and networks of test runs carry the process that made them; when it is gone, so is their use. */
import { docker } from './docker.ts';

const LABEL = 'holdfast.test-run';

/** To be put on everything that a test run makes. */
export const RUN_LABEL: Record<string, string> = { [LABEL]: String(process.pid) };

export async function removeLeftovers(): Promise<void> {
  for (const [list, remove] of [
    [
      ['ps', '--all'],
      ['rm', '--force', '--volumes'],
    ],
    [
      ['network', 'ls'],
      ['network', 'rm'],
    ],
  ] as const) {
    const lines = await docker([...list, '--filter', `label=${LABEL}`, '--format', `{{.ID}} {{.Label "${LABEL}"}}`]);
    const stale = lines
      .split('\n')
      .map((line) => line.split(' '))
      .filter(([id, pid]) => id !== '' && !isAlive(Number(pid)))
      .map(([id]) => id ?? '');
    if (stale.length > 0) await docker([...remove, ...stale]);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
