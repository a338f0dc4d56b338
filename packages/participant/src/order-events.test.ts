import { ConfigError } from '@holdfast/service';
import { describe, expect, it } from 'vitest';
import { eventsRoute, orderEventsKeys } from './order-events.ts';

const SECRET = 'a-secret-of-thirty-two-characters';
const KEYS = orderEventsKeys().read(`new:${SECRET},old:${SECRET}`);
const REDIS_URL = 'redis://127.0.0.1:6379';

function faultsOf(settings: Parameters<typeof eventsRoute>[0]): string[] {
  try {
    eventsRoute(settings);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
  }
  return [];
}

describe('ORDER_EVENTS', () => {
  it('E8: are not switched on without keys, nor without a Redis; both are said at once', () => {
    const faults = faultsOf({ ORDER_EVENTS: true, ORDER_EVENTS_KEYS: undefined, REDIS_URL: undefined });
    expect(faults).toEqual([
      expect.stringMatching(/needs REDIS_URL/),
      expect.stringMatching(/needs ORDER_EVENTS_KEYS/),
    ]);
    expect(faultsOf({ ORDER_EVENTS: true, ORDER_EVENTS_KEYS: undefined, REDIS_URL })).toHaveLength(1);
    expect(eventsRoute({ ORDER_EVENTS: false, ORDER_EVENTS_KEYS: undefined, REDIS_URL })).toBeUndefined();
  });

  it('E8: sign with the first key, and believe each of them', () => {
    const signed = (keys: typeof KEYS) => eventsRoute({ ORDER_EVENTS: true, ORDER_EVENTS_KEYS: keys, REDIS_URL })?.seal;
    const mac = signed(KEYS)?.macOf('a', { id: 'one' }) ?? '';
    expect(mac).toMatch(/^new:[\w-]{43}$/);
    expect(signed(KEYS?.toReversed())?.isGenuine('a', { id: 'one', mac })).toBe(true);
    expect(signed(KEYS?.slice(1))?.isGenuine('a', { id: 'one', mac })).toBe(false);
  });

  it.each([
    ['a short secret', 'new:short'],
    ['no id', SECRET],
    ['one id twice', `new:${SECRET},new:${SECRET}x`],
  ])('refuses %s, and never shows it', (_, raw) => {
    expect(() => orderEventsKeys().read(raw)).toThrow(/^malformed; expected id:secret,id:secret with secrets of 32/);
  });
});
