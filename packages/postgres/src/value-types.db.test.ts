import { type TestDatabase, testDatabase } from '@holdfast/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { statement } from './pool.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase('value_types', []);
});
afterAll(() => database.drop());

/** One value, as a statement of ours reads it in a session with `settings`. */
async function read(value: string, settings = "bytea_output = 'hex'"): Promise<unknown> {
  const client = await database.pool.connect();
  try {
    await client.query(`set ${settings}`);
    return (await client.query(statement('test.read', `select ${value} as value`))).rows[0].value;
  } finally {
    client.release(true);
  }
}

it.each([
  ['9007199254740991', 9_007_199_254_740_991],
  ['-7::smallint', -7],
  ['1.5::float8', 1.5],
  ['1.50', '1.50'],
  ['true', true],
  ['null::boolean', null],
  [`'{"a": [1]}'::jsonb`, { a: [1] }],
  [`'2026-11-29'::date`, '2026-11-29'],
])('reads %s as %j', async (value, expected) => {
  expect(await read(value)).toEqual(expected);
});

it('reads no bigint beyond 2^53 - 1 instead of rounding it', async () => {
  await expect(read('9007199254740992')).rejects.toThrow('bigint 9007199254740992 is beyond 2^53 - 1');
});

it.each([`array['a']`, 'array[1, 2]::bigint[]'])('refuses the array %s instead of reading its text', async (value) => {
  await expect(read(value)).rejects.toThrow('let it return array_to_json() of it');
});

it.each(['hex', 'escape'])('reads the same bytes with bytea_output = %s', async (form) => {
  expect(await read(`'\\x00015c5c61ff'::bytea`, `bytea_output = '${form}'`)).toEqual(
    Buffer.from([0, 1, 0x5c, 0x5c, 0x61, 0xff]),
  );
});

it.each(['UTC', 'Asia/Kolkata', 'America/St_Johns'])('reads the same instant in the zone %s', async (zone) => {
  const value = `'2026-11-29 09:54:24.123456+00'::timestamptz`;
  expect(await read(value, `time zone '${zone}'`)).toEqual(new Date('2026-11-29T09:54:24.123Z'));
});

it('reads no instant whose day and month are in another order', async () => {
  await expect(read('clock_timestamp()', "datestyle = 'SQL, DMY'")).rejects.toThrow('is no timestamptz');
});
