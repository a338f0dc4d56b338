/**
 * The guards of the code: what makes a promise hold, marked where it stands by a comment on a line of its own,
 *
 *   // @guard K4 the fence predicate: " where f.epoch <= excluded.epoch" -> ""
 *
 * which says how `npm run mutate` takes it away: the first text, which stands once in the lines below, becomes the second. A guard
 * may be marked in several places; they are taken away together. Both texts are JSON strings.
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
}

const SOURCES = '{apps,packages}/*/{src,sql}/**/*.{ts,sql}';
const MARK = /^\s*(?:\/\/|--) @guard (\w+) (.+?): ("(?:[^"\\]|\\.)*") -> ("(?:[^"\\]|\\.)*")$/;
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
    const [, code, name, from, to] = MARK.exec(line) ?? [];
    if (code === undefined || name === undefined || from === undefined || to === undefined)
      throw new Error(`${file}:${at + 1}: write the guard as // @guard CODE NAME: "text" -> "other text"\n${line}`);
    return [{ file, line: at + 1, code, name, from: JSON.parse(from), to: JSON.parse(to) }];
  });
}

/**
 * The text of the mark's file without the guard.
 * @throws Error when what is marked does not stand below the mark
 */
export function withoutGuard(text: string, { file, line, from, to }: GuardMark): string {
  const lines = text.split('\n');
  const marked = lines.slice(line, line + LINES_BELOW).join('\n');
  // The nearest one: what stands further below may be marked there.
  const at = marked.indexOf(from);
  if (at < 0) throw new Error(`${file}:${line}: the next ${LINES_BELOW} lines do not have this: ${from}`);
  const changed = marked.slice(0, at) + to + marked.slice(at + from.length);
  return [...lines.slice(0, line), changed, ...lines.slice(line + LINES_BELOW)].join('\n');
}
