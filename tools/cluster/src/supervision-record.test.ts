import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commandOf, identityOf } from '@holdfast/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RecordedChild, superviseStateDir } from './supervision-record.ts';

let stateDir: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'holdfast-supervision-'));
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(stateDir, { recursive: true });
});

/** A process that runs until it is killed; `mark` is on its command line. */
async function processMarked(mark: string, script = 'setInterval(() => {}, 1000)'): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['-e', `${script}; process.send?.('up')`, '--', mark], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  children.push(child);
  await once(child, 'message');
  return child;
}

function recorded(child: ChildProcess, mark: string, endWith: NodeJS.Signals = 'SIGKILL'): RecordedChild {
  return { ...identityOf(child.pid ?? 0), name: 'inventory 0', mark, endWith };
}

/** As a supervisor leaves it that was killed -9 after it had started `left`. */
function leaveBehind(left: RecordedChild[]): void {
  const supervisor = { pid: 2 ** 22 + 1, startedAt: '1' };
  writeFileSync(join(stateDir, 'supervisor.json'), JSON.stringify({ supervisor, children: left }));
}

// Asked of the system: our own child's exit is told to us only later.
const isRunning = (child: ChildProcess) => commandOf(child.pid ?? 0) !== '';

describe('a state directory', () => {
  it('has one supervisor at a time', async () => {
    const first = await superviseStateDir(stateDir, () => {});
    await expect(superviseStateDir(stateDir, () => {})).rejects.toThrow(
      `already runs on ${stateDir} (pid ${process.pid}): use it, or stop it`,
    );
    first.release();
    const second = await superviseStateDir(stateDir, () => {});
    second.release();
    expect(existsSync(join(stateDir, 'supervisor.json'))).toBe(false);
  });

  it('is taken over from a supervisor that was killed, and what it has left behind is ended, aloud', async () => {
    const orphan = await processMarked('/repo/apps/inventory/src/main.ts');
    leaveBehind([recorded(orphan, '/repo/apps/inventory/src/main.ts')]);
    const said: string[] = [];
    const ended = once(orphan, 'exit');
    await superviseStateDir(stateDir, (line) => said.push(line));
    expect(await ended).toEqual([null, 'SIGKILL']);
    expect(said.join()).toContain(`inventory 0 (pid ${orphan.pid}) was left behind`);
    expect(JSON.parse(readFileSync(join(stateDir, 'supervisor.json'), 'utf8')).supervisor.pid).toBe(process.pid);
  });

  it('lets an orphan end in the way that does it no harm', async () => {
    const orphan = await processMarked(
      '-D /data',
      `process.on('SIGINT', () => process.exit(7)); setInterval(() => {}, 1000)`,
    );
    leaveBehind([recorded(orphan, '-D /data', 'SIGINT')]);
    const ended = once(orphan, 'exit');
    await superviseStateDir(stateDir, () => {});
    expect(await ended).toEqual([7, null]);
  });

  it('never ends a process that was given an orphan’s id', async () => {
    const innocent = await processMarked('/repo/apps/inventory/src/main.ts');
    const child = recorded(innocent, '/repo/apps/inventory/src/main.ts');
    leaveBehind([{ ...child, startedAt: `${child.startedAt}0` }]);
    await superviseStateDir(stateDir, () => {});
    expect(isRunning(innocent)).toBe(true);
  });

  it('never ends a process that runs something else', async () => {
    const innocent = await processMarked('/elsewhere/main.ts');
    leaveBehind([recorded(innocent, '/repo/apps/inventory/src/main.ts')]);
    await superviseStateDir(stateDir, () => {});
    expect(isRunning(innocent)).toBe(true);
  });

  it('is taken over when the record was cut off by a power failure', async () => {
    writeFileSync(join(stateDir, 'supervisor.json'), '{"supervisor":');
    const supervision = await superviseStateDir(stateDir, () => {});
    supervision.release();
  });
});
