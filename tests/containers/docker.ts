import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));

const run = promisify(execFile);
// An engine that is there but busy must not count as none.
const ENGINE_TIMEOUT_MS = 30_000;
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

export interface DockerOptions {
  env?: Record<string, string>;
  /** Default 60 s. */
  timeoutMs?: number;
}

/** @throws Error with what `docker` said, when it fails or takes too long. @returns its standard output (of `logs` both), trimmed */
export async function docker(args: string[], { env = {}, timeoutMs = 60_000 }: DockerOptions = {}): Promise<string> {
  try {
    const { stdout, stderr } = await run('docker', args, {
      cwd: REPOSITORY,
      env: { ...process.env, ...env },
      timeout: timeoutMs,
      maxBuffer: MAX_OUTPUT_BYTES,
    });
    return (args.includes('logs') ? stdout + stderr : stdout).trim();
  } catch (cause) {
    const { stdout = '', stderr = '' } = cause as { stdout?: string; stderr?: string };
    const said = `${stdout}${stderr}`.trim().split('\n').slice(-40).join('\n');
    throw new Error(`docker ${args.join(' ')}: ${said || (cause as Error).message}`, { cause });
  }
}

/** @returns the engine's version; undefined when none answers */
export async function engineVersion(): Promise<string | undefined> {
  try {
    return await docker(['info', '--format', '{{.ServerVersion}}'], { timeoutMs: ENGINE_TIMEOUT_MS });
  } catch {
    // Not installed, not started, not allowed: here it comes to the same.
    return undefined;
  }
}
