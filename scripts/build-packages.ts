/*
 * Builds the published form of each public package into its folder dist/, whole: compiled modules, declarations, manifest,
 * licence, README, migrations. `node scripts/build-packages.ts [folder below packages/ …]`; npm runs it as `prepack`.
 *
 * A package is public when its package.json says `"holdfast": { "public": true }`; its entry points are those of `exports`.
 * Packages of ours under `dependencies` become part of it, except those that `peerDependencies` names too. In this
 * repository everything runs from src/, without a build.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, globSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type OutputOptions, type Plugin, type RolldownOptions, rolldown } from 'rolldown';
import { dts } from 'rolldown-plugin-dts';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const PACKAGES = join(ROOT, 'packages');
const OURS = '@holdfast/';
/** What of a manifest is published as it stands. */
const KEPT = ['name', 'version', 'description', 'keywords', 'license', 'type', 'engines', 'peerDependenciesMeta'];

interface Manifest {
  [member: string]: unknown;
  name: string;
  version: string;
  exports: Record<string, string>;
  bin?: Record<string, string>;
  dependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
  holdfast?: { public?: boolean };
}

const manifests = new Map(
  globSync('*/package.json', { cwd: PACKAGES }).map((path): [string, Manifest] => [dirname(path), manifestAt(path)]),
);
function manifestAt(path: string): Manifest {
  return JSON.parse(readFileSync(join(PACKAGES, path), 'utf8')) as Manifest;
}

function manifestOf(folder: string): Manifest {
  const manifest = manifests.get(folder);
  if (manifest === undefined) throw new Error(`there is no package packages/${folder}`);
  return manifest;
}

async function buildAll(chosen: string[]): Promise<void> {
  mkdirSync(join(ROOT, '.holdfast'), { recursive: true });
  const declarations = mkdtempSync(join(ROOT, '.holdfast', 'declarations-'));
  try {
    writeDeclarations(chosen, declarations);
    for (const folder of chosen) await build(folder, declarations);
  } finally {
    rmSync(declarations, { recursive: true });
  }
}

/** One compilation for all; `npm run typecheck` has checked the types. */
function writeDeclarations(chosen: string[], outDir: string): void {
  const emit = {
    noEmit: false,
    emitDeclarationOnly: true,
    declaration: true,
    noCheck: true,
    rootDir: PACKAGES,
    outDir,
  };
  const files = chosen.flatMap((folder) => Object.values(entriesOf(folder, join(PACKAGES, folder))));
  const typeRoots = [join(ROOT, 'node_modules/@types')];
  // Straight to the sources: what is found by way of node_modules is foreign to the compiler, which writes nothing of it.
  const paths = Object.fromEntries(
    [...manifests].flatMap(([folder, { name, exports }]) =>
      Object.entries(exports).map(([subpath, source]) => [join(name, subpath), [join(PACKAGES, folder, source)]]),
    ),
  );
  const config = { extends: join(ROOT, 'tsconfig.base.json'), compilerOptions: { ...emit, typeRoots, paths }, files };
  writeFileSync(join(outDir, 'tsconfig.json'), JSON.stringify(config));
  const { status } = spawnSync(join(ROOT, 'node_modules/.bin/tsc'), ['-p', outDir], { stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error('the declarations could not be written');
}

/** The commands, each a module that nobody imports. */
function commandsOf(folder: string): [command: string, module: string, source: string][] {
  const { bin = {} } = manifestOf(folder);
  return Object.entries(bin).map(([command, source]) => [command, basename(source, '.ts'), source]);
}

/** `.` is the module `index`, `./fastify` is `fastify`. */
function entriesOf(folder: string, at: string): Record<string, string> {
  const { exports } = manifestOf(folder);
  return Object.fromEntries(
    Object.entries(exports).map(([subpath, source]) => [subpath.replace(/^\.\/?/, '') || 'index', join(at, source)]),
  );
}

async function build(folder: string, declarations: string): Promise<void> {
  const dist = join(PACKAGES, folder, 'dist');
  // What a deleted source has left behind must not be packed.
  rmSync(dist, { recursive: true, force: true });
  const external = externalsOf(folder);
  await bundle(
    {
      input: {
        ...entriesOf(folder, join(PACKAGES, folder)),
        ...Object.fromEntries(commandsOf(folder).map(([, module, source]) => [module, join(PACKAGES, folder, source)])),
      },
      external,
      plugins: [embeddedMigrations],
      platform: 'node',
      transform: { target: 'node22.12' },
    },
    { dir: dist, entryFileNames: '[name].js', chunkFileNames: 'chunks/[name]-[hash].js' },
  );
  await bundle(
    {
      input: Object.fromEntries(
        Object.entries(entriesOf(folder, join(declarations, folder))).map(([name, path]) => [
          name,
          declarationOf(path),
        ]),
      ),
      external,
      plugins: [declarationsOfOurs(declarations), dts({ dtsOnly: true, generator: 'oxc', tsconfig: false })],
    },
    { dir: dist, chunkFileNames: ({ name }) => `chunks/${name.replace(/\.d$/, '')}-[hash].d.ts` },
  );
  writeFileSync(join(dist, 'package.json'), `${JSON.stringify(publishedManifest(folder), null, 2)}\n`);
  cpSync(join(ROOT, 'LICENSE'), join(dist, 'LICENSE'));
  cpSync(join(PACKAGES, folder, 'README.md'), join(dist, 'README.md'));
  for (const file of globSync('sql/*.sql', { cwd: join(PACKAGES, folder) })) {
    cpSync(join(PACKAGES, folder, file), join(dist, file));
  }
  console.error(`built ${relative(ROOT, dist)}`);
}

async function bundle(input: RolldownOptions, output: OutputOptions): Promise<void> {
  const made = await rolldown({ ...input, logLevel: 'warn', checks: { pluginTimings: false } });
  await made.write({ format: 'esm', ...output });
  await made.close();
}

/** @throws Error for a module of a package that its user would not have */
function externalsOf(folder: string): (id: string) => boolean {
  const { dependencies = {}, peerDependencies = {} } = manifestOf(folder);
  const named = [
    ...Object.keys(peerDependencies),
    ...Object.keys(dependencies).filter((name) => !name.startsWith(OURS)),
  ];
  return (id) => {
    if (/^[./\0]/.test(id)) return false;
    const name = id.split('/', id.startsWith('@') ? 2 : 1).join('/');
    if (id.startsWith('node:') || named.includes(name)) return true;
    if (name.startsWith(OURS)) return false;
    throw new Error(`packages/${folder} imports ${id}, and neither dependencies nor peerDependencies name it`);
  };
}

/** A packed library reads no file: its migrations are part of it. */
const embeddedMigrations: Plugin = {
  name: 'embedded-migrations',
  transform: {
    filter: { code: 'import.meta.url' },
    handler: (code, id) =>
      code.replace(/folder: new URL\('([^']+)', import\.meta\.url\)/, (_, path: string) => {
        const from = join(dirname(id), path);
        const names = readdirSync(from).filter((name) => /^\d{3}-.+\.sql$/.test(name));
        if (names.length === 0) throw new Error(`there are no migrations in ${from}`);
        const files = names.sort().map((file) => ({ file, sql: readFileSync(join(from, file), 'utf8') }));
        return `files: ${JSON.stringify(files)}`;
      }),
  },
};

/** Packages of ours are found among the declarations that were just written; these still name their sources. */
function declarationsOfOurs(declarations: string): Plugin {
  return {
    name: 'declarations-of-ours',
    resolveId: {
      filter: { id: new RegExp(`^${OURS}|^\\..*(?<!\\.d)\\.ts$`) },
      handler(id, importer = '') {
        if (id.startsWith('.')) return declarationOf(join(dirname(importer), id));
        const [, folder = '', ...subpath] = id.split('/');
        const source = manifestOf(folder).exports[['.', ...subpath].join('/')];
        if (source === undefined) throw new Error(`${id} is no entry point`);
        return declarationOf(join(declarations, folder, source));
      },
    },
  };
}

const declarationOf = (source: string): string => source.replace(/\.ts$/, '.d.ts');

function publishedManifest(folder: string): object {
  const manifest = manifestOf(folder);
  const { dependencies = {}, peerDependencies = {} } = manifest;
  const exports = Object.keys(entriesOf(folder, '')).map((name): [string, object] => [
    name === 'index' ? '.' : `./${name}`,
    { types: `./${name}.d.ts`, default: `./${name}.js` },
  ]);
  const bin = commandsOf(folder).map(([command, module]): [string, string] => [command, `./${module}.js`]);
  const foreign = Object.entries(dependencies).filter(([name]) => !name.startsWith(OURS));
  const versions = (list: [string, string][]) =>
    Object.fromEntries(list.map(([name, range]) => [name, publishedRange(folder, name, range)]));
  return {
    ...Object.fromEntries(KEPT.filter((member) => member in manifest).map((member) => [member, manifest[member]])),
    sideEffects: false,
    ...(bin.length > 0 && { bin: Object.fromEntries(bin) }),
    exports: { ...Object.fromEntries(exports), './package.json': './package.json' },
    ...(foreign.length > 0 && { dependencies: versions(foreign) }),
    ...(Object.keys(peerDependencies).length > 0 && { peerDependencies: versions(Object.entries(peerDependencies)) }),
  };
}

/** `workspace:` and `catalog:` mean something in this repository alone. */
function publishedRange(folder: string, name: string, range: string): string {
  if (range.startsWith('workspace:')) return `^${manifestOf(basename(name)).version}`;
  if (!range.startsWith('catalog:')) return range;
  const installed = readFileSync(join(PACKAGES, folder, 'node_modules', name, 'package.json'), 'utf8');
  return `^${(JSON.parse(installed) as Manifest).version}`;
}

const wanted = process.argv.slice(2);
const folders = [...manifests].filter(([, { holdfast }]) => holdfast?.public === true).map(([folder]) => folder);
await buildAll(wanted.length > 0 ? wanted : folders);
