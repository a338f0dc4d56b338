/**
 * The guards of the code: what makes a promise hold, marked where it stands by a comment on a line of its own,
 *
 *   // @guard K4 the fence predicate: " where f.epoch <= excluded.epoch" -> ""
 *
 * which says how `npm run mutate` takes it away: the first text, which stands once in the lines below, becomes the second. A guard
 * may be marked in several places; they are taken away together. Both texts are JSON strings. `(2 times)` before the colon
 * where a text stands more than once.
 */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One place of a guard. */
export interface GuardMark {
  file: string;
  /** Of the mark itself, from 1. */
  line: number;
  /** The promise, see docs/invariants.md. */
  code: string;
  name: string;
  from: string;
  to: string;
  times: number;
}

const SOURCES = '{apps,packages}/*/{src,sql}/**/*.{ts,sql}';
const MARK = /^\s*(?:\/\/|--) @guard (\w+) (.+?)(?: \((\d+) times\))?: ("(?:[^"\\]|\\.)*") -> ("(?:[^"\\]|\\.)*")$/;
/** A mark that stands further from its text than this is no longer beside it. */
const LINES_BELOW = 45;

/** @throws Error naming the line of a mark that can't be read */
export function findGuards(root: string): GuardMark[] {
  return globSync(SOURCES, { cwd: root, exclude: (path) => path.includes('node_modules') })
    .sort()
    .flatMap((file) => guardsIn(file, readFileSync(join(root, file), 'utf8')));
}

/** @throws Error naming the line of a mark that can't be read */
export function guardsIn(file: string, text: string): GuardMark[] {
  return text.split('\n').flatMap((line, at) => {
    if (!/(?:\/\/|--) @guard /.test(line)) return [];
    const [, code, name, times = '1', from, to] = MARK.exec(line) ?? [];
    if (code === undefined || name === undefined || from === undefined || to === undefined)
      throw new Error(`${file}:${at + 1}: write the guard as // @guard CODE NAME: "text" -> "other text"\n${line}`);
    return [{ file, line: at + 1, code, name, from: JSON.parse(from), to: JSON.parse(to), times: Number(times) }];
  });
}

/**
 * The text of the mark's file without the guard.
 * @throws Error when what is marked does not stand below the mark as often as it says
 */
export function withoutGuard(text: string, { file, line, from, to, times }: GuardMark): string {
  const lines = text.split('\n');
  const [above, below, rest] = [
    lines.slice(0, line),
    lines.slice(line, line + LINES_BELOW),
    lines.slice(line + LINES_BELOW),
  ];
  const marked = below.join('\n');
  const found = marked.split(from).length - 1;
  // The nearest ones count: what stands further below may be marked there.
  if (found < times)
    throw new Error(`${file}:${line}: the next ${LINES_BELOW} lines have this ${found} times, not ${times}: ${from}`);
  let changed = marked;
  let start = 0;
  for (let time = 0; time < times; time++) {
    const at = changed.indexOf(from, start);
    changed = changed.slice(0, at) + to + changed.slice(at + from.length);
    start = at + to.length;
  }
  return [...above, changed, ...rest].join('\n');
}
