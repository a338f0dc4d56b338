/*
 * How values are read. `pg.types` is one for the whole process, and belongs to the program that we run in: nothing here
 * changes it, and what our own statements read does not depend on what the program has changed.
 */
import pg from 'pg';

const BOOL = 16;
const BYTEA = 17;
const INT8 = 20;
const JSON_TYPES = [114, 3802];
/** int2, int4, oid, float4, float8. */
const NUMBERS = [21, 23, 26, 700, 701];
const TIMESTAMPTZ = 1184;

type Parse = (text: string) => unknown;

/** bool, bytea, name, int2, int4, text, varchar, int8, float4, float8, oid, date, timestamptz, numeric, uuid, jsonb. */
const ARRAYS = [1000, 1001, 1003, 1005, 1007, 1009, 1015, 1016, 1021, 1022, 1028, 1182, 1185, 1231, 2951, 3807];

/** The types that our statements read; all others are text. */
const PARSERS = new Map<number, Parse>([
  [BOOL, (text) => text === 't'],
  [BYTEA, bytes],
  [INT8, safeInteger],
  [TIMESTAMPTZ, instant],
  ...JSON_TYPES.map((oid): [number, Parse] => [oid, JSON.parse]),
  ...NUMBERS.map((oid): [number, Parse] => [oid, Number]),
  ...ARRAYS.map((oid): [number, Parse] => [oid, noArray]),
]);
const asText: Parse = (text) => text;

/** For a statement of ours, whatever connection it runs on. */
export const statementTypes: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number) => PARSERS.get(oid) ?? asText) as pg.CustomTypesConfig['getTypeParser'],
};

/** For a pool of ours: bigint as a number; everything else as the program reads it. */
export const numberTypes: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text') =>
    oid === INT8 ? safeInteger : pg.types.getTypeParser(oid, format)) as pg.CustomTypesConfig['getTypeParser'],
};

/**
 * Amounts and counts are bigint columns; they stay below 2^53 by validation at the edge. A value beyond it must not be
 * rounded silently, so parsing it fails instead.
 */
function safeInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`bigint ${text} is beyond 2^53 - 1`);
  return value;
}

/** As text it would pass for a list, of characters. */
function noArray(text: string): never {
  throw new TypeError(`a statement returns the array ${text}: let it return array_to_json() of it`);
}

/** `bytea_output` decides between two forms. */
function bytes(text: string): Buffer {
  if (text.startsWith('\\x')) return Buffer.from(text.slice(2), 'hex');
  const octal = (_: string, code: string) => (code === '\\' ? code : String.fromCharCode(Number.parseInt(code, 8)));
  return Buffer.from(text.replace(/\\(\\|\d{3})/g, octal), 'latin1');
}

/** ISO with an offset, the driver's own `DateStyle`; a text in another style must not become another instant. */
function instant(text: string): Date {
  const iso = /^(\d{4,}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d{1,3})?)\d*([+-]\d\d)(?::?(\d\d))?$/.exec(text);
  if (iso === null) throw new RangeError(`${text} is no timestamptz in the style ISO`);
  const [, day, time, hours, minutes = '00'] = iso;
  return new Date(`${day}T${time}${hours}:${minutes}`);
}
