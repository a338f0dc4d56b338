/**
 * Vitest's global setup of the container tests: builds the images of this tree (tag `test`) and of the last release (tag
 * `last-release`), and removes what a run that was killed has left behind.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { docker, engineVersion, REPOSITORY } from './docker.ts';
import { removeLeftovers } from './leftovers.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Undefined: no engine, nothing can be run. */
    engine: string | undefined;
    /** The tag of the last release's images; undefined where its source can't be had. */
    lastRelease: string | undefined;
  }
}

const BUILD_TIMEOUT_MS = 600_000;
const SERVICES = ['orchestrator', 'inventory', 'payment', 'shipping'];
const LAST_RELEASE_TAG = 'last-release';

export default async function setup(project: TestProject): Promise<void> {
  const engine = await engineVersion();
  if (engine === undefined) {
    const skipped = 'no Docker engine answers: the container tests are skipped';
    if (process.env.HOLDFAST_REQUIRE_ALL === '1')
      throw new Error(`${skipped}, and HOLDFAST_REQUIRE_ALL=1 asks for all`);
    console.warn(`\n${skipped}. Install Docker with Compose and start it to run them.\n`);
  } else {
    await removeLeftovers();
    await build(REPOSITORY, 'test', ['--profile', 'demo']);
  }
  project.provide('engine', engine);
  project.provide('lastRelease', engine === undefined ? undefined : await buildLastRelease());
}

async function build(tree: string, tag: string, profile: string[], services: string[] = []): Promise<void> {
  const file = ['--file', join(REPOSITORY, 'docker-compose.yml'), '--project-directory', tree];
  await docker(['compose', ...file, ...profile, 'build', '--quiet', ...services], {
    env: { HOLDFAST_VERSION: tag },
    timeoutMs: BUILD_TIMEOUT_MS,
  });
}

/** The commit that the last release was made of; what `git archive` gives of it is built by today's recipe. */
async function buildLastRelease(): Promise<string | undefined> {
  const { commit } = JSON.parse(readFileSync(join(REPOSITORY, 'deploy/last-release.json'), 'utf8')) as {
    commit: string;
  };
  const tree = mkdtempSync(join(tmpdir(), 'holdfast-last-release-'));
  try {
    if (!unpack(commit, tree)) {
      console.warn(
        `\nthe last release's commit ${commit} is not in this clone: upgrades are tested from this tree to itself\n`,
      );
      return undefined;
    }
    for (const file of ['Dockerfile', '.dockerignore']) {
      if (!existsSync(join(tree, file))) copyFileSync(join(REPOSITORY, file), join(tree, file));
    }
    await build(tree, LAST_RELEASE_TAG, [], SERVICES);
    return LAST_RELEASE_TAG;
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
}

function unpack(commit: string, to: string): boolean {
  try {
    execFileSync('git', ['cat-file', '-e', `${commit}^{commit}`], { cwd: REPOSITORY, stdio: 'ignore' });
  } catch {
    // No git, a shallow clone, or a copy without its history.
    return false;
  }
  const archive = execFileSync('git', ['archive', '--format=tar', commit], {
    cwd: REPOSITORY,
    maxBuffer: 256 * 1024 * 1024,
  });
  execFileSync('tar', ['-x', '-C', to], { input: archive });
  return true;
}
