// Writes statements.txt of every package that puts statements together from parts.
import { writeFileSync } from 'node:fs';
import { statementFiles, textOf } from './statements.ts';

for (const { of, statements, file } of statementFiles) {
  writeFileSync(file, textOf(statements));
  console.log(`wrote the statements of ${of}`);
}
