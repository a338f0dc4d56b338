import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const CODE = /\b[SKHGEABMT]\d{1,2}\b/g;
/** The title of a test, or of a rule of the conformance kit, whose first argument is its code. */
const TITLE = /\b(?:it|test|describe|rule)(?:\.\w+)*(?:\((?:[^()'"`]|'[^']*')*\))?\(\s*(['"`])(.*?)\1/g;

function sources(): string[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.ts'], { cwd: ROOT });
  return listed
    .toString()
    .split('\n')
    .filter((file) => /\.test\.ts$|^tools\/conformance\/src\/.*-rules\.ts$/.test(file))
    .filter((file) => existsSync(join(ROOT, file)));
}

/** Each code with the files whose titles cite it. */
function citedCodes(): Map<string, Set<string>> {
  const cited = new Map<string, Set<string>>();
  for (const file of sources()) {
    for (const [, , title = ''] of readFileSync(join(ROOT, file), 'utf8').matchAll(TITLE)) {
      for (const [code] of title.matchAll(CODE)) cited.set(code, (cited.get(code) ?? new Set()).add(file));
    }
  }
  return cited;
}

/** The codes that begin a row of the document's tables, each with the test that the row's last column names. */
function documentedCodes(): { code: string; test: string }[] {
  const page = readFileSync(join(ROOT, 'docs/invariants.md'), 'utf8');
  const rows = page.matchAll(/^\| ([A-Z]\d{1,2}) \|.*\(\.\.\/([^)]+)\) \|$/gm);
  return [...rows].map(([, code = '', named = '']) => ({ code, test: named }));
}

test('every promise in docs/invariants.md is cited by a title of the test that it names', () => {
  const cited = citedCodes();
  expect(documentedCodes().length).toBeGreaterThan(50);
  expect(documentedCodes().filter(({ code, test }) => !cited.get(code)?.has(test))).toEqual([]);
});

test('every promise that a test cites is in docs/invariants.md, once', () => {
  const documented = documentedCodes().map(({ code }) => code);
  expect(new Set(documented).size).toBe(documented.length);
  const missing = [...citedCodes()].filter(([code]) => !documented.includes(code));
  expect(missing.map(([code, files]) => `${code}: ${[...files].join(', ')}`)).toEqual([]);
});
