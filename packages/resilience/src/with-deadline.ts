export type InTime<T> = { kind: 'completed'; value: T } | { kind: 'late' };

/**
 * The result of `work`, or `late` when `ms` have passed or `signal` aborts first. The work itself goes on; an error after that is
 * swallowed, since no caller could handle it.
 *
 * @throws what `work` throws, in time
 */
export async function withDeadline<T>(ms: number, work: Promise<T>, signal?: AbortSignal): Promise<InTime<T>> {
  const late = Promise.withResolvers<InTime<T>>();
  const end = () => late.resolve({ kind: 'late' });
  const timer = setTimeout(end, Math.max(ms, 0));
  signal?.addEventListener('abort', end, { once: true });
  if (signal?.aborted) end();
  try {
    // The race listens to both: a failure that comes late is handled by it, unheard.
    return await Promise.race([work.then((value): InTime<T> => ({ kind: 'completed', value })), late.promise]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', end);
  }
}
