import { createConnection } from 'node:net';

const TIMEOUT_MS = 2_000;

/** Sends one command to a Redis and waits for the first line of its answer. @throws Error when it refuses or is silent */
export async function redisCommand(url: string, words: string[]): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = createConnection({ host: hostname, port: Number(port || 6_379) });
  const answered = Promise.withResolvers<string>();
  const timer = setTimeout(() => answered.reject(new Error(`Redis does not answer ${words[0]}`)), TIMEOUT_MS);
  socket.once('error', answered.reject);
  socket.once('data', (data) => answered.resolve(data.toString().split('\r\n')[0] ?? ''));
  socket.write(`*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`);
  try {
    const answer = await answered.promise;
    if (answer.startsWith('-')) throw new Error(`Redis refuses ${words[0]}: ${answer.slice(1)}`);
    return answer;
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}
