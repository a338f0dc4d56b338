import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { expect, test } from 'vitest';

// The rules for rooms and their sizes (CONTRIBUTING.md, ARCHITECTURE.md). Imports: .dependency-cruiser.mjs; unused code: knip.config.ts.

const ROOT = join(import.meta.dirname, '..');
const FILES_IN_A_FOLDER = 12;
const LINES_IN_A_FILE = 400;

/** Names that say nothing of what is inside. */
const EMPTY_NAMES = /^(utils?|common|helpers?|managers?|misc)$|[-.](utils?|helpers?|manager)([-.]|$)/i;

/** Files in src/ that are for tests, where tests are what the package is for. */
const FOR_TESTS = /^packages\/testing\//;

/**
 * Statements of an application that name a table of a library. Each is one statement that must see both at one instant;
 * the library would have to know the application's tables to own it.
 */
const NAMES_LIBRARY_TABLES: Record<string, string> = {
  'apps/orchestrator/src/saga/saga-store.ts: sagas': 'lists sagas with the orders of one tenant',
  'apps/orchestrator/src/orders/order-store.ts: sagas': "an order's state is the state of its saga",
  'apps/orchestrator/src/refunds/refund-rows.ts: sagas': "a refund's state is the state of its saga",
  'apps/orchestrator/src/refunds/refund-store.ts: sagas': "a refund's state is the state of its saga",
  'apps/orchestrator/src/settlements/settlement-store.ts: sagas': 'what was decided is as far as its saga is',
  'apps/orchestrator/sql/001-orders.sql: claims': 'a storage parameter, by how often this service updates a claim',
};

function listed(...patterns: string[]): string[] {
  const args = ['ls-files', '--cached', '--others', '--exclude-standard', '--', ...patterns];
  const names = execFileSync('git', args, { cwd: ROOT }).toString().split('\n');
  return names.filter((file) => file !== '' && existsSync(join(ROOT, file)));
}

const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');
const isGenerated = (file: string) => file.includes('/src/gen/');
const isTest = (file: string) => /\.test\.ts$/.test(file);

const CODE = listed('*.ts', '*.mjs').filter((file) => !isGenerated(file));
const SOURCES = CODE.filter((file) => /^(apps|packages|tools|examples)\/[^/]+\/src\//.test(file) && !isTest(file));

test('no folder under src/ has more than a dozen source files', () => {
  expect(SOURCES.length).toBeGreaterThan(200);
  const sizes = new Map<string, number>();
  for (const file of SOURCES) sizes.set(dirname(file), (sizes.get(dirname(file)) ?? 0) + 1);
  const wide = [...sizes].filter(([, files]) => files > FILES_IN_A_FOLDER);
  expect(wide).toEqual([]);
});

test('no file of code is longer than 400 lines', () => {
  const long = CODE.map((file) => [file, read(file).split('\n').length - 1] as const);
  expect(long.filter(([, lines]) => lines > LINES_IN_A_FILE)).toEqual([]);
});

test('what is for tests only stands in test/', () => {
  const misplaced = SOURCES.filter((file) => /^(test|fake|mock|stub)-|-(fixture|helper)s?\./.test(basename(file)));
  expect(misplaced.filter((file) => !FOR_TESTS.test(file))).toEqual([]);
});

test('no file or folder has a name that says nothing', () => {
  const parts = new Set(CODE.flatMap((file) => file.split('/')));
  expect([...parts].filter((part) => EMPTY_NAMES.test(part.replace(/(\.test)?\.(ts|mjs)$/, '')))).toEqual([]);
});

test('every package is on the map in ARCHITECTURE.md', () => {
  const [, map = ''] = read('ARCHITECTURE.md').split(/^## Floors and rooms$/m);
  const [rooms = ''] = map.split(/^## /m);
  const packages = listed('*/*/package.json').map(dirname);
  expect(packages.length).toBeGreaterThan(20);
  // The tools share a row, in which each is named.
  const missing = packages.filter((name) => !rooms.includes(`[${name}]`) && !rooms.includes(`\`${basename(name)}\``));
  expect(missing).toEqual([]);
});

/** Without comments, in which any table may be named. */
function codeOf(file: string): string {
  const text = read(file);
  return file.endsWith('.sql')
    ? text.replace(/--.*$/gm, '')
    : text
        .replace(/\/\*[\s\S]*?\*\//g, '')
        .replace(/^\s*\/\/.*$/gm, '')
        .replace(/^import .*$/gm, '');
}

test("no application's SQL names a table of a library", () => {
  const created = listed('packages/*/sql/*.sql').flatMap((file) => [
    ...codeOf(file).matchAll(/\bcreate table holdfast\.(\w+)/g),
  ]);
  const tables = [...new Set(created.map(([, table]) => table))];
  expect(tables).toEqual(expect.arrayContaining(['claims', 'fences', 'inbox', 'sagas']));
  const named = new RegExp(
    `\\b(?:from|into|update|join|table|exists|on|truncate)\\s+(?:holdfast\\.)?(${tables.join('|')})\\b`,
    'g',
  );
  const found = [...SOURCES, ...listed('apps/*/sql/*.sql')]
    .filter((file) => /^(apps|examples)\//.test(file))
    .flatMap((file) => [...codeOf(file).matchAll(named)].map(([, table]) => `${file}: ${table}`));
  expect([...new Set(found)].sort()).toEqual(Object.keys(NAMES_LIBRARY_TABLES).sort());
});
