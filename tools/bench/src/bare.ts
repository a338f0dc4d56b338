import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** The floor under every answer over HTTP: Node's own server in a process of its own, without anything of ours. */
export interface Bare {
  http: string;
  pid: number;
  close(): Promise<void>;
}

export async function startBare(): Promise<Bare> {
  const server: ChildProcess = fork(fileURLToPath(new URL('bare-server.ts', import.meta.url)));
  const [port] = (await once(server, 'message')) as [number];
  return {
    http: `http://127.0.0.1:${port}`,
    pid: server.pid ?? 0,
    async close() {
      server.disconnect();
      await once(server, 'exit');
    },
  };
}
