import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { superviseStateDir } from '@holdfast/cluster';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder of the systems that workers start, each in a folder of its own. */
    sharedSystems: string;
  }
}

/**
 * Where the systems of joinSystem() live. Their workers are killed at the end of the run, so what they have started is ended
 * here, by what each system has written down of its processes.
 */
export default function setup({ provide }: TestProject): () => Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-shared-systems-'));
  chmodSync(folder, 0o755);
  provide('sharedSystems', folder);
  return async () => {
    for (const name of readdirSync(folder)) (await superviseStateDir(join(folder, name), () => {})).release();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
}
