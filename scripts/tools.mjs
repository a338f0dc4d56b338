// Finds the Node.js and the pnpm that this repository needs; brings them from the npm registry where they are missing.
// Runs on Node.js 20 and later.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const PNPM_VERSION = manifest.packageManager.replace(/^pnpm@/, '');
const NODE_VERSION = manifest.holdfast.node;
const OLDEST_NODE = Number(NODE_VERSION.split('.')[0]);
const WANTED = `node@${NODE_VERSION} pnpm@${PNPM_VERSION} ${process.platform}-${process.arch}`;
// In node_modules, so that whoever removes that starts from nothing.
const CACHE = join(ROOT, 'node_modules', '.holdfast-tools.json');

/**
 * Paths of the `node` to run everything with, of the `pnpm` to install with, and the folder to put first on PATH so that
 * what looks for either of them by name finds these (undefined: PATH is right as it is).
 *
 * @typedef {{ node: string, pnpm: string, bin: string | undefined }} Tools
 */

/**
 * What is there already is used as it is: this Node.js when it is new enough, the pnpm on PATH when it is the version
 * that the lockfile was written with.
 *
 * @param {(line: string) => void} say
 * @returns {Tools}
 */
export function findTools(say) {
  const cached = readCache();
  if (cached !== undefined) return cached;
  const tools = ownTools() ?? broughtTools(say);
  return tools;
}

/** Makes the next start quick. To be called when node_modules is there to stay: an install may replace all of it. */
export function rememberTools(tools) {
  mkdirSync(dirname(CACHE), { recursive: true });
  writeFileSync(CACHE, `${JSON.stringify({ wanted: WANTED, startedBy: process.execPath, ...tools }, null, 2)}\n`);
}

/** @returns the environment for whatever is run with these tools */
export function environmentFor({ bin }) {
  const quiet = {
    TURBO_TELEMETRY_DISABLED: '1',
    DO_NOT_TRACK: '1',
    NO_UPDATE_NOTIFIER: '1',
    pnpm_config_update_notifier: 'false',
    // The install has just been checked, and a task must not start another one.
    pnpm_config_verify_deps_before_run: 'false',
    COREPACK_ENABLE_DOWNLOAD_PROMPT: '0',
  };
  const path = bin === undefined ? process.env.PATH : `${bin}${delimiter}${process.env.PATH}`;
  return { ...process.env, ...quiet, PATH: path };
}

function readCache() {
  let cached;
  try {
    cached = JSON.parse(readFileSync(CACHE, 'utf8'));
  } catch {
    // Not there, or half written: it is only a cache.
    return undefined;
  }
  const { wanted, startedBy, node, pnpm, bin } = cached;
  // npm may have emptied its cache, and the user may have another Node.js since.
  const holds = wanted === WANTED && startedBy === process.execPath && existsSync(node) && existsSync(pnpm);
  return holds ? { node, pnpm, bin } : undefined;
}

function ownTools() {
  if (Number(process.versions.node.split('.')[0]) < OLDEST_NODE) return undefined;
  const pnpm = onPath('pnpm');
  if (pnpm === undefined) return undefined;
  const version = spawnSync(pnpm, ['--version'], {
    cwd: ROOT,
    env: environmentFor({ bin: undefined }),
    encoding: 'utf8',
  });
  if (version.stdout?.trim() !== PNPM_VERSION) return undefined;
  // `node` on PATH may be another one than this.
  return { node: process.execPath, pnpm, bin: dirname(process.execPath) };
}

function onPath(name) {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path));
}

function broughtTools(say) {
  say(`getting Node.js ${NODE_VERSION} and pnpm ${PNPM_VERSION} from the npm registry (once) …`);
  const packages = ['-p', `node@${NODE_VERSION}`, '-p', `pnpm@${PNPM_VERSION}`];
  // Away from the repository: what its package.json says is nothing to npx.
  const found = spawnSync('npx', ['--yes', '--loglevel=error', ...packages, 'node', '-p', 'process.execPath'], {
    cwd: tmpdir(),
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const node = found.stdout?.trim().split('\n').at(-1) ?? '';
  if (found.status !== 0 || !existsSync(node)) {
    const why = found.error?.message ?? found.stderr.trim();
    throw new Error(
      `npx could not get them: ${why}\nCheck the way to the npm registry, or install Node.js ${OLDEST_NODE} and ` +
        `pnpm ${PNPM_VERSION} yourself, and start again`,
    );
  }
  // …/node_modules/node/bin/node: beside it are pnpm and the links to both.
  const modules = dirname(dirname(dirname(node)));
  const bin = join(modules, '.bin');
  return { node, pnpm: join(bin, 'pnpm'), bin };
}
