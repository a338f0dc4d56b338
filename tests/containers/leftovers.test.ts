import { spawnSync } from 'node:child_process';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { docker } from './docker.ts';
import { RUN_NAME, removeLeftovers } from './leftovers.ts';

const NAME = `${RUN_NAME}-leftovers`;
/** The process of a run that is over: it has just ended. */
const gone = spawnSync('true').pid;

/** A container, a network and a volume, labelled as those of a run, and under names of this test. */
async function leaveBehind(which: string, label: string): Promise<void> {
  const labelled = ['--label', label];
  await docker(['network', 'create', ...labelled, `${NAME}-${which}`]);
  await docker(['volume', 'create', ...labelled, `${NAME}-${which}`]);
  await docker(['create', ...labelled, '--name', `${NAME}-${which}`, 'holdfast-inventory:test']);
}

async function left(): Promise<string[]> {
  const named = ['--filter', `name=${NAME}-`];
  const [containers = '', networks = '', volumes = ''] = await Promise.all([
    docker(['ps', '--all', ...named, '--format', 'container {{.Names}}']),
    docker(['network', 'ls', ...named, '--format', 'network {{.Name}}']),
    docker(['volume', 'ls', ...named, '--format', 'volume {{.Name}}']),
  ]);
  return [containers, networks, volumes].flatMap((lines) => lines.split('\n')).filter((line) => line !== '');
}

describe.skipIf(inject('engine') === undefined)('what a test run leaves behind when it is killed', () => {
  afterAll(async () => {
    for (const line of await left()) {
      const [kind = '', name = ''] = line.split(' ');
      await docker([kind, 'rm', '--force', name].filter((word) => kind !== 'network' || word !== '--force'));
    }
  });

  it('is removed by the next one, and nothing of a run that goes on', async () => {
    await leaveBehind('of-a-run', `holdfast.test-run=${gone}`);
    await leaveBehind('of-compose', `com.docker.compose.project=holdfast-test-${gone}`);
    await leaveBehind('in-use', `holdfast.test-run=${process.pid}`);
    await leaveBehind('of-somebody-else', 'com.docker.compose.project=holdfast');
    await removeLeftovers();
    const kept = ['in-use', 'of-somebody-else'].map((which) => `${NAME}-${which}`);
    expect((await left()).sort()).toEqual(
      ['container', 'network', 'volume'].flatMap((kind) => kept.map((name) => `${kind} ${name}`)),
    );
  });
});
