/** What the tests of keyed routes send, and what their handlers do meanwhile. */
interface Sent {
  path?: string;
  key?: string | undefined;
  body?: unknown;
  text?: string;
  headers?: Record<string, string>;
}

export async function send(
  url: string,
  { path = '/shops/1/payments', key, body = { amount: 5 }, text, headers = {} }: Sent,
) {
  const response = await fetch(url + path, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: 'ada',
      ...(key !== undefined && { 'idempotency-key': key }),
      ...headers,
    },
    body: text ?? JSON.stringify(body),
  });
  const bytes = await response.text();
  const head = (name: string) => response.headers.get(name);
  return { status: response.status, bytes, head, json: () => JSON.parse(bytes), replayed: head('idempotent-replayed') };
}

/** Something that goes on until it is told to end, and says when it has begun. */
export function held() {
  const begun = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  const during = async (_lent: unknown) => {
    begun.resolve();
    await ended.promise;
  };
  return { during, begun: begun.promise, end: () => ended.resolve() };
}
