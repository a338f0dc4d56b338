import { type AnyNode, type MemberNode, type ObjectNode, parse } from '@humanwhocodes/momoa';
import { type Fault, Problem } from './problem.ts';

// JSON.parse keeps the last of two members with one name and rounds big integers. Both would make the stored request
// another one than the client believes it sent, so both are refused, with their place (H20).

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** @throws Problem malformed-json or invalid-request, before anything is claimed */
export function parseJsonBody(body: Buffer): unknown {
  // No body at all: whether one is needed is the route's to say.
  if (body.length === 0) return undefined;
  const text = decode(body);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Problem('malformed-json', `send well-formed JSON: ${(error as Error).message}`);
  }
  if (kept(value) === membersIn(text)) return value;
  // Something was lost; only now is it worth a tree of the text to say where.
  const faults: Fault[] = [];
  collectFaults(parse(text).body, '', faults);
  throw new Problem('invalid-request', undefined, faults);
}

/** How many members JSON.parse has kept; NaN when it has rounded an integer. A list, since nesting may go 30,000 deep. */
function kept(value: unknown): number {
  const values = [value];
  let members = 0;
  for (let at = 0; at < values.length; at++) {
    const held = values[at];
    if (typeof held === 'number' && Number.isInteger(held) && !Number.isSafeInteger(held)) return Number.NaN;
    if (held === null || typeof held !== 'object') continue;
    const inside = Object.values(held);
    if (!Array.isArray(held)) members += inside.length;
    for (const one of inside) values.push(one);
  }
  return members;
}

const [QUOTE, COLON, BACKSLASH] = [0x22, 0x3a, 0x5c];
/** `[`, `]`, `{` and `}` differ from these by one bit each. */
const [OPENING, CLOSING] = [0x5b, 0x5d];
const BRACE_BIT = 0x20;

/** More than any request needs. Without it, whoever walks the value by recursion runs out of stack. */
const MAX_DEPTH = 32;

/** How many members a well-formed text has: one for each colon outside its strings. @throws Problem when it is too deep */
function membersIn(text: string): number {
  let members = 0;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if ((unit & ~BRACE_BIT) === OPENING && ++depth > MAX_DEPTH) throw tooDeep();
    if ((unit & ~BRACE_BIT) === CLOSING) depth -= 1;
    if (unit === COLON) members += 1;
    if (unit !== QUOTE) continue;
    for (at++; text.charCodeAt(at) !== QUOTE; at++) if (text.charCodeAt(at) === BACKSLASH) at++;
  }
  return members;
}

function tooDeep(): Problem {
  return new Problem('malformed-json', `send JSON that is nested at most ${MAX_DEPTH} deep`);
}

function decode(body: Buffer): string {
  try {
    return utf8.decode(body);
  } catch {
    throw new Problem('malformed-json', 'send UTF-8: the body has bytes that are not');
  }
}

function collectFaults(node: AnyNode, pointer: string, faults: Fault[]): void {
  if (node.type === 'Object') collectMemberFaults(node, pointer, faults);
  if (node.type === 'Array') {
    for (const [at, element] of node.elements.entries()) collectFaults(element.value, `${pointer}/${at}`, faults);
  }
  if (node.type === 'Number' && Number.isInteger(node.value) && !Number.isSafeInteger(node.value)) {
    faults.push({ pointer, detail: 'send an integer between -(2^53 - 1) and 2^53 - 1' });
  }
}

function collectMemberFaults(object: ObjectNode, pointer: string, faults: Fault[]): void {
  const seen = new Set<string>();
  for (const member of object.members) {
    const name = memberName(member);
    const at = `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    if (seen.has(name)) faults.push({ pointer: at, detail: 'send each member once' });
    seen.add(name);
    collectFaults(member.value, at, faults);
  }
}

function memberName(member: MemberNode): string {
  return member.name.type === 'String' ? member.name.value : member.name.name;
}
