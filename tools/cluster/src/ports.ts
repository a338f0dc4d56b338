import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Ports for services that come back on the port they had. They lie below those that systems hand to outgoing
 * connections (from 32,768 on Linux, from 49,152 elsewhere): among those, any client may hold the port of a service
 * that was killed a moment ago, and the service could not come back.
 */
const FIRST = 20_000;
const LAST = 31_999;
const TRIES = 200;

/** Where a port is to be chosen from; a parameter so that tests can hand in their own. */
export type DrawPort = () => number;

/**
 * One after the other from anywhere. Two clusters that start at the same moment both see the same ports free: two rows of
 * twenty meet in one of 300 starts, twenty and twenty drawn one by one in one of 30.
 */
function inARow(): DrawPort {
  let next = randomInt(FIRST, LAST + 1);
  return () => {
    const port = next;
    next = port === LAST ? FIRST : port + 1;
    return port;
  };
}

/**
 * @param count how many different ports are wanted
 * @param except one that has been given away already
 * @throws Error when the machine has too few of them
 */
export async function chooseFreePorts(count: number, except?: number, draw: DrawPort = inARow()): Promise<number[]> {
  const chosen = new Set<number>();
  for (let tries = 0; chosen.size < count; tries++) {
    if (tries === TRIES + count) {
      throw new Error(`no ${count} free ports from ${FIRST} to ${LAST}: end what holds them (\`ss -ltn\` lists it)`);
    }
    const port = draw();
    if (port !== except && !chosen.has(port) && (await isPortFree(port))) chosen.add(port);
  }
  return [...chosen];
}

/** Whether a service could listen there on 127.0.0.1 now. */
export async function isPortFree(port: number): Promise<boolean> {
  return await new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => {
      // EACCES: a port below 1024 without the right to it; for us that is taken, too.
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(false);
      else reject(error);
    });
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
