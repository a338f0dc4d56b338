// Installs the dependencies when what asks for them has changed. Runs on Node.js 20 and later.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { useGitHooks } from './git-hooks.mjs';
import { environmentFor, ROOT } from './tools.mjs';

const STAMP = join(ROOT, 'node_modules', '.holdfast-install');

/** @returns whether the dependencies are installed as the lockfile has them now */
export function isInstalled() {
  return existsSync(STAMP) && readFileSync(STAMP, 'utf8') === stamp();
}

/**
 * @param {import('./tools.mjs').Tools} tools
 * @param {(line: string) => void} say
 */
export function install(tools, say) {
  say('installing the dependencies …');
  const installed = spawnSync(tools.pnpm, ['install', '--frozen-lockfile', '--reporter=append-only'], {
    cwd: ROOT,
    // CI: nobody is asked anything.
    env: { ...environmentFor(tools), CI: 'true' },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 64 * 1024 * 1024,
  });
  if (installed.status !== 0) {
    const said = `${installed.error?.message ?? ''}${installed.stdout ?? ''}${installed.stderr ?? ''}`.trim();
    throw new Error(`pnpm install failed:\n${said}`);
  }
  if (useGitHooks(ROOT)) say('Git runs the hooks in .githooks/ from now on');
  // crash here: installed without a stamp; the next start installs again, which takes a second.
  writeFileSync(STAMP, stamp());
}

/** Stands for everything that decides what is installed. */
function stamp() {
  const hash = createHash('sha256').update(`${process.platform}-${process.arch}\0`);
  for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml', ...manifests()]) {
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(ROOT, file)))
      .update('\0');
  }
  return `${hash.digest('hex')}\n`;
}

/** Every package.json of the workspace, two folders deep at most. */
function manifests() {
  const found = ['package.json'];
  for (const folder of foldersIn('.')) {
    for (const path of [folder, ...foldersIn(folder).map((inner) => join(folder, inner))]) {
      if (existsSync(join(ROOT, path, 'package.json'))) found.push(join(path, 'package.json'));
    }
  }
  return found.sort();
}

function foldersIn(folder) {
  return readdirSync(join(ROOT, folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== 'node_modules' && !entry.name.startsWith('.'))
    .map((entry) => entry.name);
}
