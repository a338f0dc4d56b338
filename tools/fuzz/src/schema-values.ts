import fc, { type Arbitrary } from 'fast-check';

// Values made from a JSON schema: most of them fit, so that they get past the checks, and some are what no schema allows.

export interface Schema {
  type?: string;
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  pattern?: string;
  format?: string;
  examples?: unknown[];
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  minItems?: number;
  maxItems?: number;
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean | Schema;
  propertyNames?: Schema;
}

/** Values that a member of this name has in a system that is set up. */
export type Known = Readonly<Record<string, readonly unknown[]>>;

const LONG = 5_000;
/** A request has some twenty values; about half of them all should fit. */
const FITTING = 60;
const MANY_ITEMS = 3;

/** What a database, a serialiser or a regular expression stumbles over. */
export const hostileText: Arbitrary<string> = fc.oneof(
  fc.constantFrom(
    '',
    ' ',
    '\u0000',
    'a\u0000b',
    '\ud800',
    '\udfff\ud800',
    '\u202e',
    '\u2028',
    '٣',
    "'; drop table orders; --",
    '%s%n',
    '../../etc/passwd',
    '__proto__',
    '-1',
    '1e999',
    'NaN',
    'x'.repeat(LONG),
    '🍐'.repeat(64),
  ),
  fc.string({ unit: 'binary', maxLength: 140 }),
);

const hostileNumber = fc.oneof(
  fc.constantFrom(0, -0, -1, 1.5, 1e308, 2 ** 31, 2 ** 32, 2 ** 53 - 1, 2 ** 53, -(2 ** 53), 2 ** 63, 5e-324),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);

const nested = (depth: number) => JSON.parse('['.repeat(depth) + ']'.repeat(depth)) as unknown;

/** A JSON value of any kind. */
export const hostileValue: Arbitrary<unknown> = fc.oneof(
  hostileText,
  hostileNumber,
  fc.constantFrom(null, true, false, [], {}, [null], [[]], nested(40), nested(900)),
  fc.jsonValue({ maxDepth: 4 }),
);

/** Mostly what the schema allows. @param name of the member that the value is for */
export function valuesOf(schema: Schema, known: Known, name = ''): Arbitrary<unknown> {
  return fc.oneof(
    { weight: FITTING, arbitrary: fitting(schema, known, name) },
    { weight: 1, arbitrary: schema.type === 'integer' ? hostileNumber : hostileText },
    { weight: 1, arbitrary: hostileValue },
  );
}

function fitting(schema: Schema, known: Known, name: string): Arbitrary<unknown> {
  const values = known[name];
  if (values === undefined) return bySchema(schema, known, name);
  return fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...values) },
    { weight: 1, arbitrary: bySchema(schema, known, name) },
  );
}

function bySchema(schema: Schema, known: Known, name: string): Arbitrary<unknown> {
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map((one) => fitting(one, known, name)));
  switch (schema.type) {
    case 'object':
      return objects(schema, known);
    case 'array':
      return arrays(schema, known, name);
    case 'integer':
    case 'number':
      return integers(schema);
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    default:
      return texts(schema);
  }
}

function objects(schema: Schema, known: Known): Arbitrary<unknown> {
  const { properties = {}, required = [], additionalProperties, propertyNames } = schema;
  if (typeof additionalProperties === 'object') {
    return fc.dictionary(texts(propertyNames ?? {}), fitting(additionalProperties, known, ''), { maxKeys: 55 });
  }
  const members = Object.entries(properties).map(([name, of]) => [name, valuesOf(of, known, name)] as const);
  const whole = fc.record(Object.fromEntries(members), { requiredKeys: required });
  const partial = fc.record(Object.fromEntries(members), { requiredKeys: [] });
  const more = fc
    .tuple(whole, hostileText, hostileValue)
    .map(([value, name, added]) => Object.defineProperty({ ...value }, name, { value: added, enumerable: true }));
  return fc.oneof(
    { weight: FITTING, arbitrary: whole },
    { weight: 1, arbitrary: partial },
    { weight: 1, arbitrary: more },
  );
}

function arrays({ items = {}, minItems = 0, maxItems = LONG }: Schema, known: Known, name: string): Arbitrary<unknown> {
  const item = valuesOf(items, known, name);
  const few = fc.array(item, { minLength: minItems, maxLength: Math.min(maxItems, minItems + MANY_ITEMS) });
  const tooMany = fc.array(fc.constant({}), { minLength: maxItems + 1, maxLength: maxItems + 1 });
  return fc.oneof({ weight: FITTING, arbitrary: few }, { weight: 1, arbitrary: maxItems < LONG ? tooMany : few });
}

function integers(schema: Schema): Arbitrary<number> {
  const { minimum = Number.MIN_SAFE_INTEGER, maximum = Number.MAX_SAFE_INTEGER } = schema;
  const small = fc.integer({ min: Math.max(minimum, -5), max: Math.min(maximum, 20) });
  const bounds = fc.constantFrom(minimum, maximum, minimum - 1, maximum + 1);
  return fc.oneof({ weight: 6, arbitrary: small }, { weight: 1, arbitrary: bounds });
}

function texts({ pattern, examples, minLength = 0, maxLength = 60 }: Schema): Arbitrary<string> {
  const given = examples?.map(String) ?? [];
  const byPattern = pattern === undefined ? undefined : matching(pattern);
  const free = fc.string({ unit: 'grapheme', minLength, maxLength: Math.min(maxLength, 60) });
  const made = byPattern ?? free;
  return given.length === 0 ? made : fc.oneof(fc.constantFrom(...given), made);
}

/** Undefined where the pattern speaks of classes of Unicode, which fast-check can't invert. */
function matching(pattern: string): Arbitrary<string> | undefined {
  return /\\p\{|\(\?[!=]/.test(pattern) ? undefined : fc.stringMatching(new RegExp(pattern, 'u'));
}
