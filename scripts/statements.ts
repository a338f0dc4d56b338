import { changeStatements, orderStatements, refundStatements, settlementStatements } from '@holdfast/orchestrator';
import type { Statement } from '@holdfast/postgres';
import { sagaStatements } from '@holdfast/saga';

/** Where statements that are put together from parts are written down whole. */
export const statementFiles: { of: string; statements: readonly Statement[]; file: URL }[] = [
  { of: 'the saga engine', statements: sagaStatements, file: fileIn('packages/saga') },
  {
    of: 'orders',
    statements: [...orderStatements, ...refundStatements, ...settlementStatements, ...changeStatements],
    file: fileIn('apps/orchestrator'),
  },
];

function fileIn(folder: string): URL {
  return new URL(`../${folder}/sql/statements.txt`, import.meta.url);
}

const HEADER = `-- What is put together from parts, as it is sent. Written by \`npm run gen\`: do not edit.
-- Paste one into psql on a migrated database, then \`explain execute "its name" (…)\`.
`;

export function textOf(statements: readonly Statement[]): string {
  const prepared = statements.map(({ name, text }) => `prepare "${name}" as\n${withoutTrailingSpace(text)};\n`);
  return [HEADER, ...prepared].join('\n');
}

function withoutTrailingSpace(text: string): string {
  return text
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '')
    .join('\n');
}
