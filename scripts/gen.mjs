// Generates packages/contracts/src/gen from protos/. `--check` regenerates into a temporary folder and fails on any difference.
import { spawnSync } from 'node:child_process';
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const committed = join(root, 'packages/contracts/src/gen');
const fresh = mkdtempSync(join(tmpdir(), 'holdfast-gen-'));
const protos = globSync('holdfast/**/*.proto', { cwd: join(root, 'protos') }).sort();

const generated = spawnSync(
  join(root, 'node_modules/.bin/proto-loader-gen-types'),
  [
    '--longs=Number',
    '--enums=String',
    '--defaults',
    '--oneofs',
    '--grpcLib=@grpc/grpc-js',
    '--targetFileExtension=.ts',
    '--importFileExtension=.ts',
    '--inputTemplate=%sInput',
    '--outputTemplate=%s',
    `--includeDirs=${join(root, 'protos')}`,
    `--outDir=${fresh}`,
    ...protos,
  ],
  { stdio: ['ignore', 'ignore', 'inherit'] },
);
if (generated.status !== 0) process.exit(generated.status ?? 1);

const list = (dir) => globSync('**/*.ts', { cwd: dir }).sort();
// The generator notes the proto's absolute path, which differs from machine to machine.
for (const file of list(fresh)) {
  const text = readFileSync(join(fresh, file), 'utf8');
  writeFileSync(join(fresh, file), text.replaceAll(`Original file: ${root}/`, 'Original file: '));
}

if (process.argv.includes('--check')) {
  const differing = [...new Set([...list(fresh), ...list(committed)])].filter((file) => {
    try {
      return readFileSync(join(fresh, file), 'utf8') !== readFileSync(join(committed, file), 'utf8');
    } catch {
      return true;
    }
  });
  rmSync(fresh, { recursive: true });
  if (differing.length > 0) {
    console.error(
      `packages/contracts/src/gen does not match protos/: run npm run gen and commit\n  ${differing.join('\n  ')}`,
    );
    process.exit(1);
  }
  console.log('packages/contracts/src/gen matches protos/');
} else {
  rmSync(committed, { recursive: true, force: true });
  cpSync(fresh, committed, { recursive: true });
  rmSync(fresh, { recursive: true });
  console.log(`generated types for ${protos.length} protos`);
}
