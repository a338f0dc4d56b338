/** What of a Redis client is needed to look into a stream. */
interface StreamReader {
  status: string;
  xrange(stream: string, from: '-', to: '+'): Promise<[id: string, fields: string[]][]>;
}

/** All that a stream says, as member and value, oldest first; nothing while Redis is away. For tests: not paged. */
export async function toldEvents(redis: StreamReader, stream: string): Promise<Record<string, string>[]> {
  if (redis.status !== 'ready') return [];
  const entries = await redis.xrange(stream, '-', '+');
  return entries.map(([, fields]) =>
    Object.fromEntries(
      fields.flatMap((name, at) => (at % 2 === 0 ? [[name, fields[at + 1] ?? ''] as [string, string]] : [])),
    ),
  );
}
