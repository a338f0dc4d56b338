import { createConnection, type Socket } from 'node:net';

const TIMEOUT_MS = 2_000;

type Answer = Buffer | string | number | null | Answer[];

/** Just enough of the Redis protocol to empty a server, to silence it, and to make it remember what is no longer so. */
export class RedisLine {
  readonly #socket: Socket;
  #read = Buffer.alloc(0);
  #arrived = Promise.withResolvers<void>();

  constructor(url: string) {
    const { hostname, port } = new URL(url);
    this.#socket = createConnection({ host: hostname, port: Number(port || 6_379) });
    this.#socket.on('data', (data: Buffer) => {
      this.#read = Buffer.concat([this.#read, data]);
      this.#arrived.resolve();
    });
    this.#socket.on('error', (error) => this.#arrived.reject(error));
  }

  /** Opens a line for `work`; logs in where the URL says so. */
  static async with<T>(url: string, work: (redis: RedisLine) => Promise<T>): Promise<T> {
    const redis = new RedisLine(url);
    const { username, password } = new URL(url);
    try {
      if (password !== '') await redis.send('AUTH', ...(username ? [username] : []), decodeURIComponent(password));
      return await work(redis);
    } finally {
      redis.#socket.destroy();
    }
  }

  /** @throws Error when Redis refuses the command, or does not answer in time */
  async send(...words: (string | Buffer)[]): Promise<Answer> {
    const parts = words.flatMap((word) => [Buffer.from(`$${Buffer.byteLength(word)}\r\n`), Buffer.from(word), CRLF]);
    this.#socket.write(Buffer.concat([Buffer.from(`*${words.length}\r\n`), ...parts]));
    const late = setTimeout(() => this.#arrived.reject(new Error(`Redis does not answer ${words[0]}`)), TIMEOUT_MS);
    try {
      for (;;) {
        const parsed = parse(this.#read, 0);
        if (parsed !== undefined) {
          this.#read = this.#read.subarray(parsed.end);
          return parsed.answer;
        }
        await this.#arrived.promise;
        this.#arrived = Promise.withResolvers<void>();
      }
    } finally {
      clearTimeout(late);
    }
  }

  /** Everything that is remembered now. */
  async snapshot(): Promise<Map<string, Buffer>> {
    const kept = new Map<string, Buffer>();
    for (let cursor = ''; cursor !== '0'; ) {
      const [next, keys] = (await this.send('SCAN', cursor || '0', 'COUNT', '500')) as [Buffer, Buffer[]];
      for (const key of keys) {
        const dumped = await this.send('DUMP', key);
        // Run out since the scan.
        if (dumped instanceof Buffer) kept.set(key.toString('latin1'), dumped);
      }
      cursor = next.toString();
    }
    return kept;
  }

  /** Remembers what was once so, for good. */
  async restore(snapshot: Map<string, Buffer>): Promise<void> {
    for (const [key, dumped] of snapshot)
      await this.send('RESTORE', Buffer.from(key, 'latin1'), '0', dumped, 'REPLACE');
  }
}

const CRLF = Buffer.from('\r\n');

/** @returns undefined when the answer has not arrived as a whole. @throws Error for a refusal */
function parse(bytes: Buffer, from: number): { answer: Answer; end: number } | undefined {
  const line = bytes.indexOf(CRLF, from);
  if (line === -1) return undefined;
  const [kind, text] = [String.fromCharCode(bytes[from] ?? 0), bytes.toString('utf8', from + 1, line)];
  const body = line + 2;
  if (kind === '-') throw new Error(`Redis refuses: ${text}`);
  if (kind === ':') return { answer: Number(text), end: body };
  if (kind === '$') return bulk(bytes, body, Number(text));
  if (kind === '*') return list(bytes, body, Number(text));
  return { answer: text, end: body };
}

function bulk(bytes: Buffer, body: number, length: number): { answer: Answer; end: number } | undefined {
  if (length < 0) return { answer: null, end: body };
  const end = body + length + 2;
  return bytes.length < end ? undefined : { answer: bytes.subarray(body, body + length), end };
}

function list(bytes: Buffer, body: number, length: number): { answer: Answer; end: number } | undefined {
  const answer: Answer[] = [];
  let end = body;
  for (let at = 0; at < length; at++) {
    const element = parse(bytes, end);
    if (element === undefined) return undefined;
    answer.push(element.answer);
    end = element.end;
  }
  return { answer, end };
}
