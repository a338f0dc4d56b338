import type { Channel } from './send.ts';

/** One order after the other, as `GET /v1/orders/{id}/events` tells them. @throws what `fetch` throws when it breaks off */
export async function* orderEvents<Order>(channel: Channel, id: string, signal: AbortSignal): AsyncGenerator<Order> {
  const response = await channel.fetch(`${channel.baseUrl}/v1/orders/${encodeURIComponent(id)}/events`, {
    headers: { authorization: `Bearer ${channel.apiKey}`, accept: 'text/event-stream' },
    signal,
  });
  if (!response.ok || response.body === null) {
    await response.body?.cancel();
    throw new Error(`no stream of events: HTTP ${response.status}`);
  }
  let rest = '';
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    const blocks = (rest + chunk).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const data = dataOf(block);
      if (data !== undefined) yield JSON.parse(data) as Order;
    }
  }
}

/** Undefined for a comment, which only keeps the connection awake. */
function dataOf(block: string): string | undefined {
  const lines = block.split('\n').flatMap((line) => (line.startsWith('data:') ? [line.slice(5).trimStart()] : []));
  return lines.length === 0 ? undefined : lines.join('\n');
}
