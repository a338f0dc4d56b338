import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { docker, REPOSITORY } from './docker.ts';
import { RUN_LABEL_OPTION } from './leftovers.ts';

const APPS = ['orchestrator', 'inventory', 'payment', 'shipping', 'sandbox', 'demo'] as const;
/** The demo reads the books by the auditor, and starts a cluster where it does not run in containers. */
const DEMO = ['tools/auditor', 'tools/cluster', 'tools/demo'];
const HARDENED = [
  ...RUN_LABEL_OPTION,
  ...['--read-only', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges', '--network', 'none'],
];
/** What our layers may add to the base. */
const OWN_BYTES = 25 * 1024 * 1024;

const imageOf = (app: string) => `holdfast-${app}:test`;

/** Each question to a shell in the image, by the name of its answer. One container answers them all. */
const QUESTIONS = {
  user: 'id -u',
  capabilities: "grep -E '^Cap(Eff|Prm|Bnd)' /proc/self/status",
  writable: 'find / -xdev -writable ! -type l ! -path "/proc/*" ! -path "/sys/*" ! -path "/dev/*" 2>/dev/null | head',
  touched: 'touch /app/x /tmp/x 2>&1',
  packageManagers: 'for tool in npm npx pnpm yarn corepack apt apt-get dpkg; do command -v $tool; done',
  unwanted: `find /app ${['*.test.ts', '*.map', '.env*', '.npmrc', '.git', '*.pem', '*.key'].map((name) => `-name '${name}'`).join(' -o ')}`,
  apps: 'cd /app; ls -d apps/* tools/* 2>/dev/null',
  brokenLinks: 'find /app -xtype l',
  // Of each package in pnpm's store the real folder, not the links to it.
  dependencies:
    "find /app/node_modules/.pnpm -regextype posix-extended -regex '.*/[.]pnpm/[^/]+/node_modules/(@[^/]+/)?[^/]+/package[.]json'",
};
type Answers = Record<keyof typeof QUESTIONS, string[]>;

async function ask(app: string): Promise<Answers> {
  const script = Object.entries(QUESTIONS).map(([name, question]) => `(${question}) | sed 's/^/${name} /'`);
  const run = ['run', '--rm', ...HARDENED, '--entrypoint', 'sh', imageOf(app), '-c', script.join('\n')];
  const said = (await docker(run)).split('\n');
  const answer = (name: string) =>
    said.flatMap((line) => (line.startsWith(`${name} `) ? [line.slice(name.length + 1)] : []));
  return Object.fromEntries(Object.keys(QUESTIONS).map((name) => [name, answer(name)])) as Answers;
}

/** Of docs/deploy.md: every package that the table says the image holds, those that came along with others too. */
function documentedDependencies(app: string): string[] {
  const lines = readFileSync(join(REPOSITORY, 'docs/deploy.md'), 'utf8').split('\n');
  const head = lines.findIndex((line) => line.startsWith('| dependency |'));
  const cellsOf = (line = '') => line.split('|').map((cell) => cell.trim());
  const column = cellsOf(lines[head]).indexOf(app);
  const rows = lines.slice(head + 2, lines.indexOf('', head)).map(cellsOf);
  return rows
    .filter((cells) => cells[column] === '✔')
    .flatMap((cells) => {
      expect(cells[8], `why ${cells[1]} is there`).toMatch(/\w/);
      return [...`${cells[1]} ${cells[9]}`.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '');
    });
}

describe.skipIf(inject('engine') === undefined).each(APPS)('the image of %s', (app) => {
  let inside: Answers;
  beforeAll(async () => {
    inside = await ask(app);
  });

  it('runs as somebody who is not root, has no capability and can change no file', () => {
    expect(inside.user).toEqual(['1000']);
    expect(inside.capabilities).toHaveLength(3);
    for (const line of inside.capabilities) expect(line).toMatch(/:\s+0+$/);
    // Where everybody may write, and what belongs to the user `node`; of a root file system that is read-only all the same.
    const ours = inside.writable.filter((path) => !/^\/(tmp|var\/tmp|run\/lock|home\/node|certificates)\b/.test(path));
    expect(ours).toEqual([]);
    expect(inside.touched.join('\n')).toMatch(/\/app\/x.*Read-only file system\n.*\/tmp\/x.*Read-only file system/s);
  });

  it('holds no package manager, no test, no source map, no setting and no other service', () => {
    expect(inside.packageManagers).toEqual([]);
    expect(inside.unwanted).toEqual([]);
    expect(inside.brokenLinks).toEqual([]);
    expect(inside.apps).toEqual(app === 'demo' ? DEMO : [`apps/${app}`]);
  });

  it('holds the dependencies that docs/deploy.md lists with their reasons, and no others', () => {
    const names = inside.dependencies.map((path) => path.replace(/^.*\/node_modules\/(.*)\/package\.json$/, '$1'));
    expect([...new Set(names)].sort()).toEqual(documentedDependencies(app).sort());
  });

  it('says what it is (OCI labels), how it is asked for its health, and what runs as process 1', async () => {
    const [image] = JSON.parse(await docker(['image', 'inspect', imageOf(app)])) as {
      Config: { Labels: Record<string, string>; Healthcheck: { Test: string[] }; Entrypoint: string[]; User: string };
    }[];
    expect(image?.Config.Labels).toMatchObject({
      'org.opencontainers.image.title': `holdfast-${app}`,
      'org.opencontainers.image.version': 'test',
      'org.opencontainers.image.licenses': 'Apache-2.0',
    });
    expect(image?.Config.Healthcheck.Test).toEqual(['CMD', 'bash', '/app/packages/service/src/probe.sh']);
    // Not a shell: it would keep signals to itself.
    expect(image?.Config.Entrypoint).toEqual(['node', '/app/service/src/main.ts']);
    expect(image?.Config.User).toBe('node');
  });

  it('adds little to its base', async () => {
    const layers = await docker(['history', '--human=false', '--format', '{{.Size}} {{.CreatedBy}}', imageOf(app)]);
    const lines = layers.split('\n');
    // Newest first: what stands before the base's last word is ours, whichever instruction made it.
    const base = lines.findIndex((line) => /\bCMD \["node"\]/.test(line));
    const ours = lines.slice(0, base);
    const copied = ours.filter((line) => /COPY .* \.\/\S* # buildkit/.test(line));
    expect(copied).toHaveLength(4);
    const bytesOf = (line = '') => Number(line.split(' ')[0]);
    const total = ours.reduce((sum, line) => sum + bytesOf(line), 0);
    const mebibytes = (total / 1024 / 1024).toFixed(1);
    console.log(`${app}: ${mebibytes} MiB beyond the base, ${bytesOf(copied[1])} bytes the service alone`);
    expect(total).toBeLessThan(OWN_BYTES);
  });
});

describe.skipIf(inject('engine') === undefined)('a container of a service', () => {
  it.each(APPS.slice(0, -1))(
    '%s with wrong settings lists all of them and exits 78, without a stack trace',
    async (app) => {
      const run = docker(['run', '--rm', ...HARDENED, '--env', 'HTTP_PORT=x', imageOf(app)]);
      await expect(run).rejects.toMatchObject({ cause: { code: 78, stderr: expect.not.stringContaining('    at ') } });
      await expect(run).rejects.toThrow(/DATABASE_URL: missing.*HTTP_PORT: malformed/s);
    },
  );

  it.each(['TERM', 'INT'])('that waits for its database ends at once with exit code 0 on SIG%s', async (signal) => {
    const database = [
      '--env',
      'DATABASE_URL=postgres://inventory:none@127.0.0.1:5432/inventory',
      '--env',
      'ALLOW_PLAINTEXT=true',
    ];
    const id = await docker(['run', ...HARDENED, '--detach', ...database, imageOf('inventory')]);
    try {
      await untilLogged(id, 'the database does not answer');
      await docker(['kill', '--signal', signal, id]);
      expect(await docker(['wait', id], { timeoutMs: 5_000 })).toBe('0');
    } finally {
      await docker(['rm', '--force', id]);
    }
  });
});

async function untilLogged(id: string, text: string): Promise<void> {
  const deadlineAtMs = performance.now() + 60_000;
  while (!(await docker(['logs', id])).includes(text)) {
    if (performance.now() > deadlineAtMs) throw new Error(`${id} has not said "${text}" within 60 s`);
  }
}
