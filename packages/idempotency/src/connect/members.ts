/**
 * A message's fields as JSON has them, for its fingerprint. Not by toJson(), which can't write an Any whose type it has not been
 * told, or an enum's value that is newer than this program.
 */
export function membersOf(message: object): object {
  return plain(message) as object;
}

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`;
  // JSON has no number for it.
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return value.map(plain);
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(member)]));
}
