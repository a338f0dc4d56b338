import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { findGuards, guardsIn, MUTATIONS, withoutGuard } from '@holdfast/proof';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const read = (file: string) => readFileSync(`${ROOT}${file}`, 'utf8');
const marks = findGuards(ROOT);
const promises = new Set([...read('docs/invariants.md').matchAll(/^\| ([A-Z]\d+) \|/gm)].map(([, code]) => code));

/** `npm run mutate` itself takes twenty minutes: what it takes away must still be there when it runs. */
describe('what `npm run mutate` takes away', () => {
  it.each(marks.map((mark) => [`${mark.name}, ${mark.file}:${mark.line}`, mark] as const))('%s', (_title, mark) => {
    const text = read(mark.file);
    expect(withoutGuard(text, mark)).not.toBe(text);
    expect(promises).toContain(mark.code);
  });

  it('is marked in the code, and named with the tests that see it', () => {
    expect([...new Set(marks.map(({ name }) => name))].sort()).toEqual(MUTATIONS.map(({ name }) => name).sort());
    for (const { red } of MUTATIONS) for (const { file } of red) expect(read(file), file).toContain('vitest');
  });
});

describe('a mark', () => {
  const code = `// @guard K4 the fence: "<= 1" -> "< 2"\nconst isNew = epoch <= 1;\nconst isOld = epoch <= 1;\n`;
  it('takes away the nearest text below it, and leaves the rest', () => {
    const [mark] = guardsIn('fence.ts', code);
    if (mark === undefined) throw new Error('not found');
    expect(mark).toMatchObject({ code: 'K4', name: 'the fence', line: 1 });
    expect(withoutGuard(code, mark)).toBe(code.replace('isNew = epoch <= 1', 'isNew = epoch < 2'));
    expect(() => withoutGuard(code.replaceAll('epoch <= 1', 'true'), mark)).toThrow(
      /fence.ts:1: .* do not have this: <= 1/,
    );
  });

  it('that can’t be read is an error with its place', () => {
    expect(() => guardsIn('fence.ts', '\n// @guard K4 the fence: <= 1\n')).toThrow(/fence.ts:2/);
  });
});
