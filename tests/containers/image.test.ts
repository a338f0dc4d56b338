import { describe, expect, inject, it } from 'vitest';
import { docker } from './docker.ts';

const APPS = ['orchestrator', 'inventory', 'payment', 'shipping', 'sandbox', 'demo'] as const;
const HARDENED = [
  '--rm',
  '--read-only',
  '--cap-drop',
  'ALL',
  '--security-opt',
  'no-new-privileges',
  '--network',
  'none',
];
/** What our layers may add to the base. */
const OWN_BYTES = 25 * 1024 * 1024;

const imageOf = (app: string) => `holdfast-${app}:test`;

/** What a shell in the container says. */
async function inside(app: string, script: string): Promise<string> {
  return await docker(['run', ...HARDENED, '--entrypoint', 'sh', imageOf(app), '-c', script]);
}

describe.skipIf(inject('engine') === undefined).each(APPS)('the image of %s', (app) => {
  it('runs as somebody who is not root and can change no file of it', async () => {
    expect(await inside(app, 'id -u')).toBe('1000');
    const writable = await inside(app, 'find /app /usr/local -writable ! -type l 2>/dev/null | head');
    expect(writable).toBe('');
    await expect(inside(app, 'touch /app/x')).rejects.toThrow(/Read-only file system|Permission denied/);
  });

  it('holds no package manager, no test, no source map, no setting and no other service', async () => {
    expect(await inside(app, 'command -v npm npx pnpm yarn corepack || true')).toBe('');
    const unwanted = "find /app -name '*.test.ts' -o -name '*.map' -o -name '.env*' -o -name '.npmrc' -o -name '.git'";
    expect(await inside(app, unwanted)).toBe('');
    expect(await inside(app, 'cd /app; ls -d apps/* demo 2>/dev/null || true')).toBe(
      app === 'demo' ? 'demo' : `apps/${app}`,
    );
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
    expect(image?.Config.Healthcheck.Test).toEqual(['CMD', 'node', '/app/packages/service/src/probe.ts']);
    // Not a shell: it would keep signals to itself.
    expect(image?.Config.Entrypoint).toEqual(['node', '/app/service/src/main.ts']);
    expect(image?.Config.User).toBe('node');
  });

  it('adds little to its base', async () => {
    const layers = await docker(['history', '--human=false', '--format', '{{.Size}} {{.CreatedBy}}', imageOf(app)]);
    const copied = layers.split('\n').filter((line) => line.includes('COPY') && line.includes('./ # buildkit'));
    expect(copied).toHaveLength(3);
    const bytes = copied.reduce((sum, line) => sum + Number(line.split(' ')[0]), 0);
    console.log(`${app}: ${(bytes / 1024 / 1024).toFixed(1)} MiB beyond the base`);
    expect(bytes).toBeLessThan(OWN_BYTES);
  });
});

describe.skipIf(inject('engine') === undefined)('a container of a service', () => {
  it.each(APPS.slice(0, -1))(
    '%s with wrong settings lists all of them and exits 78, without a stack trace',
    async (app) => {
      const run = docker(['run', ...HARDENED, '--env', 'HTTP_PORT=x', imageOf(app)]);
      await expect(run).rejects.toMatchObject({ cause: { code: 78, stderr: expect.not.stringContaining('    at ') } });
      await expect(run).rejects.toThrow(/DATABASE_URL: missing.*HTTP_PORT: malformed/s);
    },
  );

  it('that waits for its database ends at once when it is asked to', async () => {
    const id = await docker([
      'run',
      ...HARDENED,
      '--detach',
      '--env',
      'DATABASE_URL=postgres://inventory:none@127.0.0.1:5432/inventory',
      imageOf('inventory'),
    ]);
    try {
      await untilLogged(id, 'the database does not answer');
      const exited = docker(['wait', id]);
      await docker(['kill', '--signal', 'TERM', id]);
      expect(await exited).toBe('0');
    } finally {
      await docker(['rm', '--force', id]).catch(() => 'gone by itself: --rm');
    }
  });
});

async function untilLogged(id: string, text: string): Promise<void> {
  const deadlineAtMs = performance.now() + 60_000;
  while (!(await docker(['logs', id])).includes(text)) {
    if (performance.now() > deadlineAtMs) throw new Error(`${id} has not said "${text}" within 60 s`);
  }
}
