import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commandOf } from '@holdfast/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type ProcessEvent, restartPauseMs, type SupervisedProcess, superviseProcess } from './supervised-process.ts';

let folder: string;
let events: ProcessEvent[];
let spawned: number[];
const running: SupervisedProcess[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-supervised-'));
  events = [];
  spawned = [];
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((child) => child.stop(1_000)));
  rmSync(folder, { recursive: true });
});

const servingFile = () => join(folder, 'serving');
const dyingFile = () => join(folder, 'dying');
/** Says that it serves by a file of its own process id, and runs until it is ended. */
const SERVES = `
  import { writeFileSync } from 'node:fs';
  console.log('up', process.env.GREETING ?? '');
  writeFileSync(process.env.SERVING, String(process.pid));
  setInterval(() => {}, 1000);
`;

interface Watched {
  env?: Record<string, string>;
  now?: () => number;
  onEvent?: (event: ProcessEvent) => void;
}

function supervise(script: string, { env, now, onEvent }: Watched = {}): SupervisedProcess {
  const main = join(folder, 'main.mjs');
  writeFileSync(main, script);
  const child: SupervisedProcess = superviseProcess(
    {
      name: 'inventory',
      replica: 1,
      main,
      env: { SERVING: servingFile(), DYING: dyingFile(), ...env },
      logFile: join(folder, 'inventory.log'),
      isServing: async () =>
        existsSync(servingFile()) && readFileSync(servingFile(), 'utf8') === String(spawned.at(-1)),
    },
    {
      onSpawn: (pid) => spawned.push(pid),
      onEvent: (event) => {
        events.push(event);
        onEvent?.(event);
      },
      ...(now && { now }),
    },
  );
  running.push(child);
  return child;
}

/** Ends by itself, with 3, as soon as it is known to serve. */
const DIES = `
  ${SERVES}
  import { existsSync, readFileSync } from 'node:fs';
  const dying = process.env.DYING;
  setInterval(() => existsSync(dying) && readFileSync(dying, 'utf8') === String(process.pid) && process.exit(3), 10);
`;

function dieWhenServing(event: ProcessEvent): void {
  if (event.kind !== 'died') writeFileSync(dyingFile(), String(event.pid));
}

const deaths = () => events.filter((event) => event.kind === 'died');
const untilDeaths = (count: number) => vi.waitUntil(() => deaths().length === count, { timeout: 15_000 });
const kinds = () => events.map(({ kind }) => kind);

describe('a supervised process', { timeout: 20_000 }, () => {
  it('is told to be up when it serves, with its output in its log and nothing of our environment', async () => {
    const child = supervise(`${SERVES} console.log(Object.keys(process.env).sort().join());`, {
      env: { GREETING: 'hello' },
    });
    expect(await child.untilServing()).toEqual({ kind: 'serving', pid: spawned[0] });
    expect(events).toEqual([{ kind: 'started', name: 'inventory', replica: 1, pid: spawned[0] }]);
    await vi.waitUntil(() => readFileSync(join(folder, 'inventory.log'), 'utf8').includes('DYING,GREETING,SERVING'));
    expect(readFileSync(join(folder, 'inventory.log'), 'utf8')).toContain('up hello');
  });

  it('is started again at once when it is killed, and again when it is killed again', async () => {
    const child = supervise(SERVES);
    await child.untilServing();
    for (const round of [1, 2, 3]) {
      const before = child.pid;
      expect(await child.kill()).toBe(before);
      expect(commandOf(before)).toBe('');
      expect(await child.untilServing()).toEqual({ kind: 'serving', pid: spawned[round] });
      expect(child.pid).not.toBe(before);
    }
    expect(deaths().map(({ restartInMs, signal }) => ({ restartInMs, signal }))).toEqual(
      Array(3).fill({ restartInMs: 0, signal: 'SIGKILL' }),
    );
    expect(kinds()).toEqual(['started', 'died', 'restarted', 'died', 'restarted', 'died', 'restarted']);
  });

  it('is started again when it ends by itself, and later each time that it dies soon', async () => {
    supervise(DIES, { onEvent: dieWhenServing, now: () => 0 });
    await untilDeaths(4);
    expect(deaths().map(({ code, restartInMs }) => [code, restartInMs])).toEqual([
      [3, 0],
      [3, 100],
      [3, 200],
      [3, 400],
    ]);
  });

  it('is started again at once when it has lived for a while', async () => {
    let clockMs = 0;
    const now = () => {
      clockMs += 5_000;
      return clockMs;
    };
    supervise(DIES, { onEvent: dieWhenServing, now });
    await untilDeaths(3);
    expect(deaths().map(({ restartInMs }) => restartInMs)).toEqual([0, 0, 0]);
  });

  it('is not started again when its settings are wrong, and its last words say why', async () => {
    writeFileSync(join(folder, 'inventory.log'), 'from an earlier start\n');
    const child = supervise(`console.error('wrong settings:\\n  PORT: missing'); process.exit(78);`);
    expect(await child.untilServing()).toEqual({
      kind: 'gave_up',
      exit: { code: 78, signal: null },
      lastWords: 'wrong settings:\n  PORT: missing',
    });
    expect(events).toMatchObject([{ kind: 'died', code: 78, restartInMs: null }]);
    expect(spawned).toHaveLength(1);
  });

  it('that has never served is given up after three deaths', async () => {
    const child = supervise(`console.error('could not start: port taken'); process.exit(1);`);
    expect(await child.untilServing()).toMatchObject({ kind: 'gave_up', lastWords: 'could not start: port taken' });
    expect(spawned).toHaveLength(3);
  });

  it('is not started again when it was stopped', async () => {
    const child = supervise(SERVES);
    await child.untilServing();
    await child.stop(5_000);
    expect(kinds()).toEqual(['started']);
    expect(commandOf(child.pid)).toBe('');
    expect(await child.kill()).toBeUndefined();
  });

  it('is stopped while it waits to be started again', async () => {
    let stopped: Promise<void> | undefined;
    const child = supervise(DIES, {
      now: () => 0,
      onEvent: (event) => {
        dieWhenServing(event);
        if (deaths().length === 3) stopped ??= child.stop(5_000);
      },
    });
    await untilDeaths(3);
    await stopped;
    expect(spawned).toHaveLength(3);
    expect(kinds().at(-1)).toBe('died');
  });

  it('that does not end when asked is killed after the deadline', async () => {
    const child = supervise(`process.on('SIGTERM', () => {}); ${SERVES}`);
    await child.untilServing();
    const startedAtMs = performance.now();
    await child.stop(300);
    expect(performance.now() - startedAtMs).toBeGreaterThanOrEqual(290);
    expect(commandOf(child.pid)).toBe('');
  });

  it('that is paused ends when asked, without being killed', async () => {
    const mark = join(folder, 'ended');
    const child = supervise(
      `import { writeFileSync as write } from 'node:fs';
       process.on('SIGTERM', () => { write(${JSON.stringify(mark)}, ''); process.exit(0); }); ${SERVES}`,
    );
    await child.untilServing();
    child.pause();
    await child.stop(5_000);
    expect(existsSync(mark)).toBe(true);
  });
});

describe('the pause before a restart', () => {
  it('is none after the first death, then doubles from 100 ms up to 5 s', () => {
    expect([0, 1, 2, 3, 4, 5, 6, 7, 8, 50].map(restartPauseMs)).toEqual([
      0, 0, 100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000,
    ]);
  });
});
