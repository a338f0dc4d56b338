/**
 * What a test run makes carries the process that made it: containers, networks, and a swarm as a label, Compose projects and
 * stacks in their names. When the process is gone, so is their use.
 */
import { docker } from './docker.ts';

const LABEL = 'holdfast.test-run';
const COMPOSE_PROJECT = 'com.docker.compose.project';

/** To be put on everything that a test run makes by itself. */
export const RUN_LABEL: Record<string, string> = { [LABEL]: String(process.pid) };
/** The same as options of a command. */
export const RUN_LABEL_OPTION = ['--label', `${LABEL}=${process.pid}`];
/** Of the Compose project and of the stack of this run. */
export const RUN_NAME = `holdfast-test-${process.pid}`;

/** Removes what runs that were killed have left behind on this engine. */
export async function removeLeftovers(): Promise<void> {
  await leaveSwarm();
  await removeStale(['ps', '--all'], '{{.ID}}', ['rm', '--force', '--volumes']);
  await removeStale(['network', 'ls'], '{{.ID}}', ['network', 'rm']);
  await removeStale(['volume', 'ls'], '{{.Name}}', ['volume', 'rm']);
}

/** Makes this engine a swarm of one node, for this run. */
export async function initSwarm(): Promise<void> {
  await docker(['swarm', 'init', '--advertise-addr', '127.0.0.1']);
  const node = await docker(['info', '--format', '{{.Swarm.NodeID}}']);
  await docker(['node', 'update', '--label-add', `${LABEL}=${process.pid}`, node]);
}

async function removeStale(list: string[], id: string, remove: string[]): Promise<void> {
  const lines = await docker([...list, '--format', `${id} {{.Label "${LABEL}"}} {{.Label "${COMPOSE_PROJECT}"}}`]);
  const stale = lines
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, pid = '', project = '']) => isOver(pid !== '' ? pid : pidIn(project)))
    .map(([name]) => name ?? '');
  if (stale.length > 0) await docker([...remove, ...stale]);
}

async function leaveSwarm(): Promise<void> {
  if ((await docker(['info', '--format', '{{.Swarm.ControlAvailable}}'])) !== 'true') return;
  const pid = await docker(['node', 'inspect', '--format', `{{index .Spec.Labels "${LABEL}"}}`, 'self']);
  if (isOver(pid)) return void (await docker(['swarm', 'leave', '--force'], { timeoutMs: 180_000 }));
  const stacks = (await docker(['stack', 'ls', '--format', '{{.Name}}'])).split('\n');
  for (const stack of stacks) if (isOver(pidIn(stack))) await docker(['stack', 'rm', stack], { timeoutMs: 180_000 });
}

const pidIn = (name: string) => /^holdfast-test-(\d+)$/.exec(name)?.[1] ?? '';

/** Of a process that made something: none, when the name or label is not one of a test run. */
function isOver(pid: string): boolean {
  if (!/^\d+$/.test(pid)) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'EPERM';
  }
}
