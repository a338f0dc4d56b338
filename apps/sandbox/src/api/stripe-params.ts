import { invalidRequest, type StripeAnswer } from './stripe-answer.ts';

export type Pairs = readonly (readonly [string, string])[];

const CURRENCIES = new Set(Intl.supportedValuesOf('currency').map((code) => code.toLowerCase()));
const METADATA_KEYS_MAX = 50;
const METADATA_NAME_MAX = 40;
const METADATA_VALUE_MAX = 500;

/**
 * Reads form-encoded parameters (`metadata[order_id]=1&expand[]=x`) without nesting them: a name is looked up as it is
 * written. The first fault is kept, and so is a parameter that nobody asked for; what was read is only meaningful
 * when `fault()` is null.
 */
export class Params {
  readonly #values = new Map<string, string[]>();
  readonly #asked = new Set<string>();
  #fault: StripeAnswer | null = null;

  constructor(pairs: Pairs) {
    for (const [name, value] of pairs) {
      // Postgres text cannot hold it.
      if (name.includes('\0') || value.includes('\0')) this.#refuse(name, 'Invalid string: it contains a null byte');
      const values = this.#values.get(name);
      if (values) values.push(value);
      else this.#values.set(name, [value]);
    }
  }

  /** The first fault in reading, else the first parameter that nobody read, else null. */
  fault(): StripeAnswer | null {
    if (this.#fault) return this.#fault;
    for (const name of this.#values.keys()) {
      if (!this.#asked.has(name)) this.#refuse(name, `Received unknown parameter: ${name}`, 'parameter_unknown');
    }
    return this.#fault;
  }

  text(name: string, maxLength = 1_000): string | null {
    this.#asked.add(name);
    const values = this.#values.get(name);
    const value = values?.[0];
    if (values === undefined || value === undefined || value === '') return null;
    if (values.length > 1) this.#refuse(name, `Received parameter ${name} more than once; send it once`);
    if (value.length > maxLength) this.#refuse(name, `Invalid string: must be at most ${maxLength} characters`);
    return value;
  }

  requiredText(name: string): string {
    const value = this.text(name);
    if (value === null) this.#refuse(name, `Missing required param: ${name}.`, 'parameter_missing');
    return value ?? '';
  }

  oneOf<T extends string>(name: string, allowed: readonly T[]): T | null {
    const value = this.text(name);
    if (value === null) return null;
    const found = allowed.find((candidate) => candidate === value);
    if (found === undefined) this.#refuse(name, `Invalid ${name}: must be one of ${allowed.join(', ')}`);
    return found ?? null;
  }

  flag(name: string): boolean {
    return this.oneOf(name, ['true', 'false']) === 'true';
  }

  integer(name: string, min: number, max: number): number | null {
    const raw = this.text(name);
    if (raw === null) return null;
    const value = Number(raw);
    if (!/^-?\d{1,15}$/.test(raw)) this.#refuse(name, `Invalid integer: ${raw}`, 'parameter_invalid_integer');
    else if (value < min) {
      this.#refuse(name, `This value must be greater than or equal to ${min}.`, 'parameter_invalid_integer');
    } else if (value > max) {
      const code = name === 'amount' ? 'amount_too_large' : 'parameter_invalid_integer';
      this.#refuse(name, `This value must be less than or equal to ${max}.`, code);
    }
    return value;
  }

  requiredInteger(name: string, min: number, max: number): number {
    if (this.text(name) === null) this.#refuse(name, `Missing required param: ${name}.`, 'parameter_missing');
    return this.integer(name, min, max) ?? 0;
  }

  requiredCurrency(name: string): string {
    const value = this.requiredText(name).toLowerCase();
    if (value !== '' && !CURRENCIES.has(value)) {
      this.#refuse(name, `Invalid currency: ${value}. Send an ISO 4217 code such as usd or eur.`);
    }
    return value;
  }

  /** `name[]=a&name[]=b` or `name[0]=a&name[1]=b`. */
  list(name: string): string[] {
    return this.#members(name).flatMap(([member, values]) => {
      if (!/^\d*$/.test(member)) this.#refuse(`${name}[${member}]`, `Invalid array: ${name}`);
      return values;
    });
  }

  /** The same, each of `allowed`. */
  listOf(name: string, allowed: readonly string[]): string[] {
    const values = this.list(name);
    if (values.some((value) => !allowed.includes(value))) {
      this.#refuse(name, `Invalid ${name}: each must be one of ${allowed.join(', ')}`);
    }
    return values;
  }

  /** `name[a]=1&name[b]=2`, within Stripe's limits for metadata. */
  metadata(name = 'metadata'): Record<string, string> {
    const members = this.#members(name);
    if (members.length > METADATA_KEYS_MAX) this.#refuse(name, `Metadata can have at most ${METADATA_KEYS_MAX} keys`);
    return Object.fromEntries(
      members.map(([member, values]) => {
        const value = values[0] ?? '';
        const place = `${name}[${member}]`;
        if (values.length > 1) this.#refuse(place, `Received parameter ${place} more than once; send it once`);
        if (member.length > METADATA_NAME_MAX) {
          this.#refuse(place, `Metadata keys must be at most ${METADATA_NAME_MAX} characters`);
        }
        if (value.length > METADATA_VALUE_MAX) {
          this.#refuse(place, `Metadata values must be at most ${METADATA_VALUE_MAX} characters`);
        }
        return [member, value];
      }),
    );
  }

  /** What to expand; anything but `allowed` is refused. */
  expand(...allowed: string[]): Set<string> {
    const wanted = this.list('expand');
    for (const property of wanted) {
      if (!allowed.includes(property)) this.#refuse('expand', `This property cannot be expanded (${property}).`);
    }
    return new Set(wanted);
  }

  /** Takes note of parameters that a caller may send and that change nothing here. */
  ignore(...names: string[]): void {
    for (const name of names) this.#asked.add(name);
  }

  #members(name: string): [string, string[]][] {
    const found: [string, string[]][] = [];
    for (const [key, values] of this.#values) {
      if (!key.startsWith(`${name}[`) || !key.endsWith(']')) continue;
      this.#asked.add(key);
      found.push([key.slice(name.length + 1, -1), values]);
    }
    return found;
  }

  #refuse(param: string, message: string, code?: string): void {
    this.#fault ??= invalidRequest(message, { param, ...(code !== undefined && { code }) });
  }
}
