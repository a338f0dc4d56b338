import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { chooseFreePorts, isPortFree } from './ports.ts';

/** Draws from a list, over and over. */
function drawing(...ports: number[]): () => number {
  let at = 0;
  return () => ports[at++ % ports.length] ?? 0;
}

async function whileTaken(work: (port: number) => Promise<void>): Promise<void> {
  const holder = createServer();
  await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
  const address = holder.address();
  try {
    await work(typeof address === 'object' && address !== null ? address.port : 0);
  } finally {
    await new Promise((resolve) => holder.close(resolve));
  }
}

describe('the ports of services', () => {
  it('are all different, whatever is drawn', async () => {
    const [a = 0, b = 0] = await chooseFreePorts(2);
    expect(a).not.toBe(b);
    expect(await chooseFreePorts(2, undefined, drawing(a, a, a, b))).toEqual([a, b]);
  });

  it('stand in a row, so that clusters that start together rarely choose the same', async () => {
    const ports = await chooseFreePorts(20);
    // From the first to the last of the range is a step too, and what is taken is left out.
    const steps = ports.slice(1).map((port, at) => (port - (ports[at] ?? 0) + 12_000) % 12_000);
    expect(Math.max(...steps)).toBeLessThan(20);
  });

  it('lie below those that the system gives to outgoing connections', async () => {
    for (const port of await chooseFreePorts(20)) {
      expect(port).toBeGreaterThanOrEqual(20_000);
      expect(port).toBeLessThan(32_768);
    }
  });

  it('are none that somebody listens on', async () => {
    const [free = 0] = await chooseFreePorts(1);
    await whileTaken(async (taken) => {
      expect(await isPortFree(taken)).toBe(false);
      expect(await chooseFreePorts(1, undefined, drawing(taken, free))).toEqual([free]);
    });
  });

  it('are none that has been given away', async () => {
    const [given = 0, free = 0] = await chooseFreePorts(2);
    expect(await chooseFreePorts(1, given, drawing(given, free))).toEqual([free]);
  });

  it('are refused aloud when there are too few', async () => {
    await whileTaken(async (taken) => {
      await expect(chooseFreePorts(1, undefined, drawing(taken))).rejects.toThrow(
        'no 1 free ports from 20000 to 31999',
      );
    });
  });
});
