import { describe, expect, it } from 'vitest';
import { parseJsonBody } from './json-body.ts';
import { Problem } from './problem.ts';

function faultsOf(text: string): string[] {
  try {
    parseJsonBody(Buffer.from(text));
    return [];
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return (error.faults ?? []).map(({ pointer }) => pointer);
  }
}

describe('a JSON body', () => {
  it.each([
    ['a duplicate member', '{"a":1,"a":1}', ['/a']],
    ['one that is spelt in another way', '{"a":1,"\\u0061":2}', ['/a']],
    [
      'one deep inside, behind strings full of colons',
      '{"x:\\":":[":",{"b":":\\\\","c":{"d":1,"d":2}}]}',
      ['/x:":/1/c/d'],
    ],
    ['an empty name twice', '{"":1,"":2}', ['/']],
    ['__proto__ twice', '{"__proto__":1,"__proto__":2}', ['/__proto__']],
    ['an integer that was rounded', '{"a":[9007199254740993]}', ['/a/0']],
    ['an integer written as a fraction', '{"a":1e300}', ['/a']],
    ['all of them at once', '{"a":1,"a":9007199254740993}', ['/a', '/a']],
  ])('H20: is refused for %s, with its place', (_what, text, places) => {
    expect(faultsOf(text)).toEqual(places);
  });

  it.each([33, 30_000])('H20: is refused when it is nested %d deep, with duplicates inside too', (depth) => {
    for (const inside of ['', '{"a":1,"a":1}']) {
      const text = '['.repeat(depth) + inside + ']'.repeat(depth);
      expect(() => parseJsonBody(Buffer.from(text))).toThrow('at most 32 deep');
    }
  });

  it('H20: is left to the schema up to 32 deep, however many brackets its texts have', () => {
    const text = `${'['.repeat(32)}"${'['.repeat(100)}"${']'.repeat(32)}`;
    expect(parseJsonBody(Buffer.from(text))).toEqual(JSON.parse(text));
  });

  it.each([
    '{"a":":","b":{"a":[{"a":"\\":\\\\"},{"a":-0.5e-3}]},"__proto__":{"c":null}}',
    '[]',
    '"a:b"',
    '9007199254740991',
  ])('H20: is taken as it is where nothing is lost: %s', (text) => {
    expect(parseJsonBody(Buffer.from(text))).toEqual(JSON.parse(text));
  });
});
