// Lets Git run the hooks in .githooks/, which format what is committed and refuse long subjects.
// Runs on Node.js 20 and later.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const HOOKS = '.githooks';

/**
 * Does nothing where there is nothing to commit (an image, a tarball, CI), where Git already has a folder of hooks, and in
 * a linked worktree: its settings are those of the main one, and of all others.
 *
 * @param {string} root
 * @param {NodeJS.ProcessEnv} env
 * @returns {boolean} whether Git runs them from now on
 */
export function useGitHooks(root, env = process.env) {
  if (env.CI !== undefined || !existsSync(join(root, '.git'))) return false;
  const git = (...args) => spawnSync('git', args, { cwd: root, env, encoding: 'utf8' });
  const says = (...args) => git(...args).stdout?.trim();
  const at = (folder) => says('rev-parse', '--path-format=absolute', folder);
  if (at('--git-dir') !== at('--git-common-dir')) return false;
  if (says('config', '--get', 'core.hooksPath') !== '') return false;
  return git('config', '--local', 'core.hooksPath', HOOKS).status === 0;
}
