/*
 * Which statements of a text begin or end a transaction.
 *
 * K9  A comment, a quote, white space, case or a second statement in the text hides no BEGIN, COMMIT or ROLLBACK. What this
 *     file can't see (backslashes in strings while standard_conforming_strings is off) is found by the proof (proof.ts).
 */

export type TransactionControl =
  /** Nothing of the kind: the text goes to the server as it is. SAVEPOINT and ROLLBACK TO are among it. */
  | 'none'
  | 'begin'
  | 'commit'
  | 'rollback'
  /** It would change or end the transaction in a way that no savepoint stands for. */
  | { refused: string };

const PLAIN_START = /^\s*([a-z]+)\b/i;
const CONTROL = new Set(['begin', 'start', 'commit', 'end', 'rollback', 'abort', 'prepare', 'set']);
const ONE_STATEMENT = /^[^;]*;?\s*$/;
const NOISE = new Set(['work', 'transaction']);

const MODES =
  'the transaction has begun already, so a nested one can have no isolation level and no access mode of its own: begin it without';
const CHAIN = 'a transaction of its own can neither follow nor be prepared here: use a plain COMMIT or ROLLBACK';
const SEVERAL =
  'a text with several statements may not contain BEGIN, COMMIT or ROLLBACK: send them one by one, or use savepoints';

/** What `text` does to the transaction it runs in. */
export function controlIn(text: string): TransactionControl {
  const [, start] = PLAIN_START.exec(text) ?? [];
  if (start !== undefined && !CONTROL.has(start.toLowerCase()) && ONE_STATEMENT.test(text)) return 'none';
  const statements = openingWords(text);
  const controls = statements.map(controlOf).filter((control) => control !== 'none');
  const [only = 'none'] = controls;
  return controls.length > 0 && statements.length > 1 ? { refused: SEVERAL } : only;
}

function controlOf([first, ...rest]: string[]): TransactionControl {
  const second = rest[0] ?? '';
  switch (first) {
    case 'begin':
      return withoutNoise(rest).length === 0 ? 'begin' : { refused: MODES };
    case 'start':
      return second !== 'transaction' || rest.length === 1 ? 'begin' : { refused: MODES };
    case 'commit':
    case 'end':
      return ended('commit', withoutNoise(rest));
    case 'rollback':
    case 'abort':
      return withoutNoise(rest)[0] === 'to' ? 'none' : ended('rollback', withoutNoise(rest));
    case 'prepare':
      return second === 'transaction' ? { refused: CHAIN } : 'none';
    case 'set':
      return setsTransaction(rest) ? { refused: MODES } : 'none';
    default:
      return 'none';
  }
}

function withoutNoise(words: string[]): string[] {
  return NOISE.has(words[0] ?? '') ? words.slice(1) : words;
}

function ended(control: 'commit' | 'rollback', rest: string[]): TransactionControl {
  return rest.length === 0 || rest.join(' ') === 'and no chain' ? control : { refused: CHAIN };
}

/** SET TRANSACTION …, and SET SESSION CHARACTERISTICS, which would reach the connection's next transactions. */
function setsTransaction(rest: string[]): boolean {
  const name = rest[0] === 'local' || rest[0] === 'session' ? rest[1] : rest[0];
  return name === 'transaction' || name === 'characteristics';
}

// The server's own lexical rules. Block comments nest, so they are skipped by hand.
const TOKEN = new RegExp(
  [
    String.raw`\s+|--[^\n\r]*`,
    String.raw`e'(?:[^'\\]|\\.|'')*(?:'|$)`,
    `'(?:[^']|'')*(?:'|$)`,
    `"(?:[^"]|"")*(?:"|$)`,
    String.raw`\$(?<tag>(?:[a-z_\u0080-\uffff][\w\u0080-\uffff]*)?)\$[^]*?(?:\$\k<tag>\$|$)`,
    String.raw`(?<word>[a-z_\u0080-\uffff][\w$\u0080-\uffff]*)`,
    String.raw`\d[\w.]*`,
    `(?<other>[^])`,
  ].join('|'),
  'iy',
);
const MOST_WORDS = 6;

/** Of every statement that is not empty: its first words, in lower case. */
function openingWords(text: string): string[][] {
  const statements: string[][] = [];
  let words: string[] = [];
  for (let at = 0; at < text.length; ) {
    if (text.startsWith('/*', at)) {
      at = afterComment(text, at);
      continue;
    }
    TOKEN.lastIndex = at;
    const found = TOKEN.exec(text);
    if (found === null) break;
    at = TOKEN.lastIndex;
    const { word, other } = found.groups ?? {};
    if (other === ';') {
      if (words.length > 0) statements.push(words);
      words = [];
    } else if (words.length < MOST_WORDS && !/^(?:\s|--)/.test(found[0])) {
      words.push(word?.toLowerCase() ?? found[0].slice(0, 1));
    }
  }
  return words.length > 0 ? [...statements, words] : statements;
}

function afterComment(text: string, start: number): number {
  const edges = /\/\*|\*\//g;
  edges.lastIndex = start;
  let depth = 0;
  for (let edge = edges.exec(text); edge !== null; edge = edges.exec(text)) {
    depth += edge[0] === '/*' ? 1 : -1;
    if (depth === 0) return edges.lastIndex;
  }
  return text.length;
}
