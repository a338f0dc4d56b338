/**
 * The services' programs, each in a few files instead of several hundred: a start costs half the work then, and tests,
 * demo and matrix start hundreds of processes. Made of the sources as they are, whenever one of them has changed, and kept
 * in the cache of `node_modules`. What a program reads while it runs (migrations, protos) it reads where the sources are.
 */
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, readdirSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Plugin } from 'rolldown';

/** Where a workspace keeps its sources. */
const SOURCES = ['apps', 'packages', 'examples', 'tests', 'tools'];
const CACHE = join('node_modules', '.cache', 'holdfast');
const UNUSED_MS = 7 * 24 * 60 * 60 * 1_000;
const STILL_USED_EVERY_MS = 60 * 60 * 1_000;

/** Where Node keeps compiled code between starts. */
export const compileCacheOf = (workspace: string): string => join(workspace, CACHE, 'compiled');

/**
 * @param workspace the folder that holds `pnpm-lock.yaml`
 * @param mains absolute paths within the workspace
 * @returns by main: the file to give to Node. It stays for as long as this process runs
 * @throws Error naming the place in a source that can't be understood
 */
export async function bundlePrograms(workspace: string, mains: readonly string[]): Promise<Map<string, string>> {
  const entries = new Map(mains.map((main) => [main, nameOf(relative(workspace, main))]));
  const parent = join(workspace, CACHE, 'programs');
  const folder = join(parent, digestOf(workspace, [...entries.values()]));
  if (!existsSync(folder)) await build(folder, entries);
  keepInUse(folder);
  forgetUnused(parent);
  return new Map([...entries].map(([main, name]) => [main, join(folder, `${name}.mjs`)]));
}

const nameOf = (path: string): string => path.replace(/\.[^.]+$/, '').replaceAll(/[^\w]+/g, '-');

/** Of all that a program may be made of, by size and time of change; and of what reads it. */
function digestOf(workspace: string, entries: readonly string[]): string {
  const digest = createHash('sha256');
  digest.update(JSON.stringify([process.version, [...entries].sort()]));
  for (const path of [
    join(workspace, 'pnpm-lock.yaml'),
    ...SOURCES.flatMap((name) => sourcesIn(join(workspace, name))),
  ]) {
    const stat = statSync(path, { throwIfNoEntry: false });
    digest.update(JSON.stringify([path, stat?.size, stat?.mtimeMs]));
  }
  return digest.digest('hex').slice(0, 20);
}

function sourcesIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : sourcesIn(path);
    return entry.name.endsWith('.ts') && !entry.name.endsWith('.test.ts') ? [path] : [];
  });
}

async function build(folder: string, entries: ReadonlyMap<string, string>): Promise<void> {
  // Complete or not there: of two that build at once, the second finds the first one's and throws its own away.
  const draft = `${folder}.${randomUUID()}`;
  try {
    // Only here: whoever uses this package for its auditor alone need not have it.
    const { rolldown } = await import('rolldown');
    const bundle = await rolldown({
      input: Object.fromEntries([...entries].map(([main, name]) => [name, main])),
      platform: 'node',
      plugins: [whereItWas],
      logLevel: 'warn',
    });
    await bundle.write({
      dir: draft,
      format: 'esm',
      entryFileNames: '[name].mjs',
      chunkFileNames: '[name]-[hash].mjs',
      keepNames: true,
    });
    await bundle.close();
    renameSync(draft, folder);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
}

/** A module still finds what lies beside its source. */
const whereItWas: Plugin = {
  name: 'where-it-was',
  transform: {
    filter: { code: /import\.meta\.url|__dirname|__filename/ },
    handler(code, id) {
      const moved = code.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(id).href));
      if (!/\b__(dirname|filename)\b/.test(moved) || /\b(const|let|var)\s+__(dirname|filename)\b/.test(moved))
        return moved;
      return `const __dirname = ${JSON.stringify(dirname(id))}, __filename = ${JSON.stringify(id)};${moved}`;
    },
  },
};

const inUse = new Set<string>();

/** So that nobody else takes it for unused while services may still be started from it. */
function keepInUse(folder: string): void {
  const touch = () => utimesSync(folder, new Date(), new Date());
  touch();
  if (inUse.has(folder)) return;
  inUse.add(folder);
  setInterval(touch, STILL_USED_EVERY_MS).unref();
}

function forgetUnused(parent: string): void {
  for (const name of readdirSync(parent)) {
    const usedAt = statSync(join(parent, name), { throwIfNoEntry: false })?.mtimeMs ?? Number.POSITIVE_INFINITY;
    if (Date.now() - usedAt > UNUSED_MS) rmSync(join(parent, name), { recursive: true, force: true });
  }
}
