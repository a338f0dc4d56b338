import { isRedisInstalled } from '@holdfast/testing';

/** Whether tests that need a redis-server are left out; said aloud, and a failure where everything must run. */
export function skipsRedis(what: string): boolean {
  if (isRedisInstalled()) return false;
  if (process.env.HOLDFAST_REQUIRE_ALL === '1') {
    throw new Error(`${what}: needs redis-server on the PATH (Debian: redis-server)`);
  }
  console.warn(`skipped: ${what} need redis-server on the PATH (Debian: redis-server)`);
  return true;
}
