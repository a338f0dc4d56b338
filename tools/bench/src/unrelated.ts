/** A process of its own that asks for one order again and again, and tells how long each answer took. */
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'undici';

const [apiKey = '', id = '', ...urls] = process.argv.slice(2);
const EVERY_MS = 10;
const latencies: number[] = [];
let stopped = false;
process.on('message', () => {
  stopped = true;
});

const clients = urls.map((url) => new Client(url));
const ask = async (client: Client) => {
  const startedMs = performance.now();
  const headers = { authorization: `Bearer ${apiKey}` };
  const { statusCode, body } = await client.request({ method: 'GET', path: `/v1/orders/${id}`, headers });
  await body.dump();
  if (statusCode !== 200) throw new Error(`the order could not be read: HTTP ${statusCode}`);
  return performance.now() - startedMs;
};
// Connections are there before anything is timed.
for (const client of clients) await ask(client);
process.send?.('ready');
for (let at = 0; !stopped; at++) {
  const client = clients[at % clients.length];
  if (client !== undefined) latencies.push(await ask(client));
  await delay(EVERY_MS);
}
for (const client of clients) await client.close();
process.send?.(latencies, () => process.disconnect());
