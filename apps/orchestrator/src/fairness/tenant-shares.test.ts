import { describe, expect, it } from 'vitest';
import { OVER_SHARE, TenantShares } from './tenant-shares.ts';

const MAX_RUNNING = 100;

function sharesOf() {
  const ends = new Map<string, () => void>();
  const shares = new TenantShares({
    maxRunning: MAX_RUNNING,
    released: (id) => new Promise((resolve) => ends.set(id, resolve)),
  });
  let ids = 0;
  const begin = (tenant: string, kind = 'begun') => shares.start(tenant, String(ids++), async () => ({ kind }));
  const fill = async (tenant: string) => {
    let taken = 0;
    while ((await begin(tenant)) !== OVER_SHARE) taken += 1;
    return taken;
  };
  return { shares, begin, fill, ends };
}

describe('orders under way', () => {
  it('of one tenant alone take three quarters of the room, and no more', async () => {
    const { fill } = sharesOf();
    expect(await fill('noisy')).toBe(75);
  });

  it('of three tenants that want all leave room for one that comes next', async () => {
    const { begin, fill } = sharesOf();
    for (let at = 0; at < 3; at++) await fill(`noisy-${at}`);
    expect(await begin('quiet')).toEqual({ kind: 'begun' });
  });

  it('count until they are released, and not at all when nothing was begun', async () => {
    const { begin, fill, shares, ends } = sharesOf();
    for (let at = 0; at < 2 * MAX_RUNNING; at++) await begin('retrying', 'exists');
    expect(shares.underWay('retrying')).toBe(0);
    await fill('noisy');
    for (const end of ends.values()) end();
    await Promise.resolve();
    expect(shares.underWay('noisy')).toBe(0);
    expect(await fill('noisy')).toBe(75);
  });

  it('are not counted when their insert fails', async () => {
    const { shares } = sharesOf();
    const failing = shares.start('shop', 'a', async () => {
      throw new Error('no database');
    });
    await expect(failing).rejects.toThrow('no database');
    expect(shares.underWay('shop')).toBe(0);
  });
});
