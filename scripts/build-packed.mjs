// Builds a package for its tarball (npm runs it as `prepack`, in the package's folder): JavaScript and types in dist/,
// since Node.js strips no types below node_modules. In this repository everything runs from src/, without a build.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './tools.mjs';

const TSC = join(ROOT, 'node_modules', '.bin', 'tsc');
const built = new Set();
build(process.cwd());

/** What it depends on comes first: its types are read from there. */
function build(folder) {
  if (built.has(folder)) return;
  built.add(folder);
  const { dependencies = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  for (const name of Object.keys(dependencies)) {
    const inner = join(ROOT, 'packages', name.replace('@holdfast/', ''));
    if (name.startsWith('@holdfast/') && existsSync(join(inner, 'tsconfig.build.json'))) build(inner);
  }
  // What a deleted source has left behind must not be packed.
  rmSync(join(folder, 'dist'), { recursive: true, force: true });
  const { status } = spawnSync(TSC, ['-p', join(folder, 'tsconfig.build.json')], { stdio: ['ignore', 2, 2] });
  if (status !== 0) process.exit(1);
}
