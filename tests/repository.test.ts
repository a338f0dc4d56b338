/** What the repository asks of those who work in it: workflows, forms, owners, reports, hooks. */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { parseDocument } from 'yaml';

// The hooks start Git and Biome a dozen times: a second, and many on a busy machine.
vi.setConfig({ testTimeout: 30_000 });

const ROOT = join(import.meta.dirname, '..');
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');
const found = (pattern: string) => globSync(pattern, { cwd: ROOT }).sort();

interface Manifest {
  name: string;
  scripts: Record<string, string>;
  holdfast?: { node: string; public?: boolean };
  exports?: Record<string, unknown>;
  dependencies?: Record<string, string>;
}
const manifestOf = (folder: string) => JSON.parse(read(join(folder, 'package.json'))) as Manifest;
const { scripts, holdfast } = manifestOf('.');

function parsed(file: string) {
  const document = parseDocument(read(file));
  expect(document.errors, file).toEqual([]);
  return document.toJS();
}

describe.each(found('.github/workflows/*'))('%s', (file) => {
  it('is YAML, and calls only scripts that package.json has', () => {
    parsed(file);
    const called = [...read(file).matchAll(/\bp?npm (?:run )?(test|(?<=run )[\w:-]+)/g)].map(
      ([, script = '']) => script,
    );
    expect(called.filter((script) => !(script in scripts))).toEqual([]);
    expect(called).not.toEqual([]);
  });

  it('says what it may do, what it runs beside, and how long', () => {
    const { permissions, concurrency, jobs } = parsed(file);
    expect(permissions).toEqual({ contents: 'read' });
    expect(concurrency).toHaveProperty('group');
    for (const [job, settings] of Object.entries(jobs)) {
      expect(settings, `${file}: ${job}`).toHaveProperty('timeout-minutes', expect.any(Number));
    }
  });

  it('uses actions by a version’s tag', () => {
    const used = [...read(file).matchAll(/uses: (\S+)/g)].map(([, action = '']) => action);
    expect(used.filter((action) => !/^[\w/-]+@v\d+\.\d+\.\d+$/.test(action))).toEqual([]);
  });

  it('brings the Node.js that .node-version names', () => {
    const setups = read(file).match(/actions\/setup-node@/g)?.length;
    expect(read(file).match(/node-version-file: \.node-version\n/g)).toHaveLength(setups ?? -1);
  });
});

describe('the version of Node.js', () => {
  it('is one: in .node-version, package.json, the images and the development container', () => {
    const wanted = holdfast?.node ?? '';
    expect(read('.node-version')).toBe(`${wanted}\n`);
    const [major] = wanted.split('.');
    expect(read('Dockerfile')).toContain(`ARG NODE_IMAGE=node:${major}-`);
    expect(JSON.parse(read('.devcontainer/devcontainer.json')).image).toMatch(new RegExp(`:${major}-\\w+$`));
  });
});

describe('a public package', () => {
  const folders = found('packages/*/package.json').map((path) => join(path, '..'));
  const byName = new Map(folders.map((folder) => [manifestOf(folder).name, folder]));
  const isPublic = (folder: string) => manifestOf(folder).holdfast?.public === true;

  /** With all of ours that it brings to its users. */
  function closure(name: string, seen = new Set<string>()): Set<string> {
    const folder = byName.get(name);
    if (folder === undefined || seen.has(name)) return seen;
    seen.add(name);
    for (const used of Object.keys(manifestOf(folder).dependencies ?? {})) closure(used, seen);
    return seen;
  }

  it.each(folders.filter(isPublic))('%s has a report of each entry point, and a README', (folder) => {
    const reports = Object.keys(manifestOf(folder).exports ?? {}).map((entry) =>
      entry === '.' ? 'index.api.md' : `${entry.slice(2).replaceAll('/', '.')}.api.md`,
    );
    expect(found(`${folder}/api/*`).map((path) => basename(path))).toEqual(reports.sort());
    expect(found(`${folder}/README.md`)).toHaveLength(1);
  });

  it('has its version raised with what it depends on, and nothing else is released', () => {
    const { fixed, ignore } = JSON.parse(read('.changeset/config.json'));
    const released = new Set(folders.filter(isPublic).flatMap((folder) => [...closure(manifestOf(folder).name)]));
    expect(released.size).toBeGreaterThan(3);
    expect(fixed).toEqual([[...released].sort()]);
    const names = [...released].map((name) => name.replace('@holdfast/', '')).sort();
    expect(ignore).toEqual(['@holdfast/*', `!@holdfast/{${names.join(',')}}`]);
  });
});

describe('what Git and GitHub read', () => {
  it('owners own what exists', () => {
    const lines = read('.github/CODEOWNERS').split('\n');
    const owned = lines.filter((line) => /^\S/.test(line) && !line.startsWith('#')).map((line) => line.split(/\s+/));
    expect(owned.filter(([path = '']) => found(path === '*' ? path : path.replace(/^\//, '')).length === 0)).toEqual(
      [],
    );
    expect(owned.filter(([, ...owners]) => owners.length === 0 || owners.some((owner) => !/^@\S/.test(owner)))).toEqual(
      [],
    );
  });

  it('attributes are given to what exists, and API reports are shown in a review', () => {
    const patterns = [...read('.gitattributes').matchAll(/^(\S+) linguist/gm)].map(([, pattern = '']) => pattern);
    expect(patterns.length).toBeGreaterThan(4);
    expect(patterns.filter((pattern) => found(pattern).length === 0)).toEqual([]);
    expect(read('.gitattributes')).toContain('packages/*/api/*.api.md linguist-generated=false\n');
  });

  it('forms are YAML, with an id of its own for each field', () => {
    for (const file of found('.github/ISSUE_TEMPLATE/*').filter((path) => !path.endsWith('/config.yml'))) {
      const { name, description, body } = parsed(file) as {
        name: string;
        description: string;
        body: { id?: string }[];
      };
      expect([name, description, body.length > 0], file).not.toContain(undefined);
      const ids = body.flatMap(({ id }) => id ?? []);
      expect(new Set(ids).size, file).toBe(ids.length);
    }
    expect(parsed('.github/ISSUE_TEMPLATE/config.yml').contact_links[0].about).toContain('SECURITY.md');
    expect(parsed('.github/dependabot.yml').updates.length).toBeGreaterThan(2);
  });

  it.each([...found('.github/ISSUE_TEMPLATE/*'), '.github/pull_request_template.md'])(
    '%s names files that exist',
    (file) => {
      const named = [...read(file).matchAll(/(?<![\w./:-])[\w./-]+\.(?:md|ts|json|yml)\b/g)].map(([path]) => path);
      expect(named.filter((path) => found(path).length === 0)).toEqual([]);
    },
  );
});

describe('the hooks', () => {
  let folder: string;
  /** Without the settings of the user who runs the tests. */
  const env = { PATH: process.env.PATH, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' };
  const git = (...args: string[]) => spawnSync('git', args, { cwd: folder, env, encoding: 'utf8' });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'holdfast-hooks-'));
    git('init', '--quiet');
    for (const [name, value] of [
      ['user.name', 'Ada'],
      ['user.email', 'ada@example.com'],
    ] as const)
      git('config', name, value);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** As `npm run …` does after an install. */
  function use(root: string, more: NodeJS.ProcessEnv = {}): string {
    const program = `import { useGitHooks } from '${join(ROOT, 'scripts/git-hooks.mjs')}'; console.log(useGitHooks('${root}'))`;
    const options = { env: { ...env, ...more }, encoding: 'utf8' } as const;
    return spawnSync(process.execPath, ['--input-type=module', '-e', program], options).stdout.trim();
  }
  const hooksPath = () => git('config', '--local', '--get', 'core.hooksPath').stdout.trim();

  it.each(['pre-commit', 'commit-msg'])('%s can be executed', (hook) => {
    expect(statSync(join(ROOT, '.githooks', hook)).mode & 0o111).toBe(0o111);
  });

  it('are used in a clone, from the first install on', () => {
    expect([use(folder), hooksPath()]).toEqual(['true', '.githooks']);
  });

  it('leave alone CI, a tree without Git, a linked worktree, and a folder of hooks that was chosen', () => {
    expect([use(folder, { CI: 'true' }), hooksPath()]).toEqual(['false', '']);
    git('commit', '--quiet', '--allow-empty', '--message', 'Begin');
    git('worktree', 'add', '--quiet', 'linked');
    expect([use(join(folder, 'linked')), hooksPath()]).toEqual(['false', '']);
    mkdirSync(join(folder, 'tarball'));
    expect([use(join(folder, 'tarball')), hooksPath()]).toEqual(['false', '']);
    git('config', 'core.hooksPath', 'mine');
    expect([use(folder), hooksPath()]).toEqual(['false', 'mine']);
  });

  it.each([
    ['72 characters, though more bytes', 'é'.repeat(72), 0],
    ['73 characters', 'e'.repeat(73), 1],
    ['a long comment before it', `# ${'e'.repeat(80)}\n\nAdd x`, 0],
    ['a long body', `Add x\n\n${'e'.repeat(80)}`, 0],
    ['Git’s own words for a merge', `Merge branch '${'e'.repeat(80)}'`, 0],
  ])('judge a subject: %s', (_what, message, status) => {
    writeFileSync(join(folder, 'message'), `${message}\n`);
    expect(spawnSync(join(ROOT, '.githooks/commit-msg'), [join(folder, 'message')]).status).toBe(status);
  });

  describe('before a commit', () => {
    const write = (file: string, text: string) => writeFileSync(join(folder, file), text);
    const committed = (file: string) => git('show', `HEAD:${file}`).stdout;
    beforeEach(() => {
      cpSync(join(ROOT, 'biome.json'), join(folder, 'biome.json'));
      symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
      write('.gitignore', 'node_modules\n');
      git('add', '.');
      git('commit', '--quiet', '--message', 'Begin');
      git('config', 'core.hooksPath', join(ROOT, '.githooks'));
    });

    it('format what is staged, and commit it so', () => {
      write('a.ts', 'export const   a = "b"');
      write('later.ts', 'export const   later = 1');
      git('add', 'a.ts');
      expect(git('commit', '--quiet', '--message', 'Add a').status).toBe(0);
      expect(committed('a.ts')).toBe("export const a = 'b';\n");
      expect(git('status', '--short').stdout).toBe('?? later.ts\n');
    });

    it('refuse what lint refuses, and write no file of which only a part is staged', () => {
      write('a.ts', 'export const a: any = 1;\n');
      git('add', 'a.ts');
      expect(git('commit', '--quiet', '--message', 'Add a').status).toBe(1);
      write('a.ts', 'export const a = 1;\n');
      git('add', 'a.ts');
      write('a.ts', 'export const a = 1;\nexport const   unstaged = 2;\n');
      expect(git('commit', '--quiet', '--message', 'Add a').status).toBe(1);
      expect(readFileSync(join(folder, 'a.ts'), 'utf8')).toContain('const   unstaged');
    });
  });
});
