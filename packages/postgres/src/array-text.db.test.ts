import { type TestDatabase, testDatabase } from '@holdfast/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { arrayText } from './array-text.ts';

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase('array_text', []);
});
afterAll(() => db.drop());

const LISTS: [string, unknown[]][] = [
  ['text', ['plain', '', ' ', 'null', 'NULL', null, '"', '\\', '\\"', '{a,b}', 'a,b', "it's", 'zwölf €\n\t']],
  ['text', ['plain', '', ' ', 'null', 'NULL', '{a,b}', 'a,b', "it's", 'zwölf €\n\t\u007f', '😀']],
  ['text', ['"\n\r\t\b\f\v\u0001\u001f', '\\n\n\\u000a', '"\u007f\u0080\u2028\u2029\ufeff', '"😀\\', '\\"é€"\\']],
  ['bytea', [Buffer.alloc(0), Buffer.from([0, 1, 92, 34, 255]), null]],
  ['bigint', [0, -1, Number.MAX_SAFE_INTEGER, null]],
  ['float8', [0.1, -1e-7, 1e21, Number.MAX_VALUE, Number.POSITIVE_INFINITY]],
  ['boolean', [true, false, null]],
  ['jsonb', ['{"a":"\\"b\\\\"}', null]],
  [
    'jsonb',
    [JSON.stringify({ a: ['"', '\\', '\n', '😀', '\u2028'] }), JSON.stringify({ a: 'é', b: { c: '\t"' } }, null, 2)],
  ],
];

describe('a list handed to a statement', () => {
  it.each(LISTS)('of %s arrives as it was', async (type, list) => {
    const { rows } = await db.pool.query({
      text: `select e from unnest($1::${type}[]) with ordinality as l (e, at) order by at`,
      values: [list],
    });
    const expected = type === 'jsonb' ? list.map((text) => text && JSON.parse(String(text))) : list;
    expect(rows.map(({ e }) => e)).toEqual(expected);
    expect(arrayText(list)).toBeTypeOf('string');
  });

  it('without any elements arrives empty', async () => {
    const { rows } = await db.pool.query({ text: 'select cardinality($1::text[]) as n', values: [[]] });
    expect(rows).toEqual([{ n: 0 }]);
  });

  it('of anything else is left to the driver', async () => {
    expect(arrayText([new Date(0)])).toBeUndefined();
    const { rows } = await db.pool.query({
      text: 'select $1::int[] as l',
      values: [
        [
          [1, 2],
          [3, 4],
        ],
      ],
    });
    expect(rows).toEqual([
      {
        l: [
          [1, 2],
          [3, 4],
        ],
      },
    ]);
  });
});
