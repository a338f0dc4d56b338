import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { MUTATIONS } from '@holdfast/proof';
import { describe, expect, it } from 'vitest';

const read = (file: string) => readFileSync(fileURLToPath(new URL(`../${file}`, import.meta.url)), 'utf8');

/** `npm run mutate` itself takes twenty minutes: what it takes away must still be there when somebody runs it. */
describe('what `npm run mutate` takes away', () => {
  it.each(MUTATIONS.map((mutation) => [mutation.name, mutation] as const))('%s, is there', (_name, { edits, red }) => {
    for (const { file, from, times = 1 } of edits) {
      expect(read(file).split(from).length - 1, `${file}: ${from}`).toBe(times);
    }
    for (const { file } of red) expect(read(file), file).toContain('vitest');
  });
});
