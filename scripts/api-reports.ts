// Writes what each public package exports to its folder api/, one report for each entry point, so that a change of the
// API shows in a review. `--check` only compares, and fails on any difference. A package is public when its package.json
// says `"holdfast": { "public": true }`; its entry points are those of `exports`.
import { spawnSync } from 'node:child_process';
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  CompilerState,
  Extractor,
  ExtractorConfig,
  ExtractorLogLevel,
  type ExtractorMessage,
} from '@microsoft/api-extractor';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const TSC = join(ROOT, 'node_modules/.bin/tsc');
const BASE = join(ROOT, 'tsconfig.base.json');
const TYPE_ROOTS = [join(ROOT, 'node_modules/@types')];
/** Where in the scratch folder a note belongs: differs with each run, and with each line added above. */
const PLACES = /^\/\/ \.holdfast\/api-\w+\/(\S+)\.d\.ts:\d+:\d+ - /gm;
const SOURCES = './src/';

type Exported = string | { [condition: string]: Exported };
interface Manifest {
  exports: Record<string, Exported>;
  holdfast?: { public?: boolean };
}
interface Entry {
  /** The report's file name. */
  name: string;
  /** Below src/. */
  source: string;
}

const isCheck = process.argv.includes('--check');
const folders = globSync('packages/*/package.json', { cwd: ROOT }).map((path) => join(ROOT, dirname(path)));
const differing = folders.sort().flatMap((folder) => compareOrWrite(folder));
if (isCheck && differing.length > 0) {
  console.error(`the API reports do not match the source: run npm run gen and commit\n  ${differing.join('\n  ')}`);
  process.exitCode = 1;
} else {
  console.log(isCheck ? 'the API reports match the source' : `wrote ${differing.length} changed API reports`);
}

/** @returns the paths of the reports that differ from the source */
function compareOrWrite(folder: string): string[] {
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
  if (manifest.holdfast?.public !== true) return [];
  const wanted = reportsOf(folder, manifest);
  const committed = new Map(
    globSync('api/*.api.md', { cwd: folder }).map((path) => [basename(path), readFileSync(join(folder, path), 'utf8')]),
  );
  const names = [...new Set([...wanted.keys(), ...committed.keys()])].sort();
  const changed = names.filter((name) => wanted.get(name) !== committed.get(name));
  if (!isCheck) for (const name of changed) write(join(folder, 'api', name), wanted.get(name));
  return changed.map((name) => relative(ROOT, join(folder, 'api', name)));
}

function write(path: string, text: string | undefined): void {
  mkdirSync(dirname(path), { recursive: true });
  // An entry point that is gone leaves no report behind.
  if (text === undefined) rmSync(path);
  else writeFileSync(path, text);
}

/** @returns the text of each report by its file name */
function reportsOf(folder: string, manifest: Manifest): Map<string, string> {
  const entries = Object.entries(manifest.exports).flatMap(([subpath, exported]) => {
    const source = sourceOf(exported);
    return source === undefined ? [] : [{ name: reportNameOf(subpath), source }];
  });
  const scratch = join(folder, '.holdfast');
  mkdirSync(scratch, { recursive: true });
  // In the package's folder, where its declarations find what it depends on; not in node_modules, which counts as foreign.
  const fresh = mkdtempSync(join(scratch, 'api-'));
  try {
    emitDeclarations(folder, fresh, entries);
    const configs = entries.map((entry) => configOf(folder, fresh, entry));
    return new Map(extract(configs).map((text, at) => [entries[at]?.name ?? '', text]));
  } finally {
    rmSync(fresh, { recursive: true });
  }
}

/** `.` is index.api.md, `./fastify` is fastify.api.md. */
function reportNameOf(subpath: string): string {
  return `${subpath.replace(/^\.\/?/, '').replaceAll('/', '.') || 'index'}.api.md`;
}

/** Under some condition, or under none, an entry point names its source; a file that is no source has no API. */
function sourceOf(exported: Exported): string | undefined {
  if (typeof exported !== 'string') return Object.values(exported).map(sourceOf).find(Boolean);
  return exported.startsWith(SOURCES) && exported.endsWith('.ts') ? exported.slice(SOURCES.length) : undefined;
}

function emitDeclarations(folder: string, outDir: string, entries: Entry[]): void {
  const emit = { noEmit: false, emitDeclarationOnly: true, declaration: true, rootDir: join(folder, 'src'), outDir };
  const config = join(outDir, 'tsconfig.json');
  const files = entries.map(({ source }) => join(folder, 'src', source));
  writeFileSync(config, JSON.stringify({ extends: BASE, compilerOptions: { ...emit, typeRoots: TYPE_ROOTS }, files }));
  const { status } = spawnSync(TSC, ['-p', config], { stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error(`the declarations of ${relative(ROOT, folder)} could not be written`);
}

function configOf(folder: string, fresh: string, { name, source }: Entry): ExtractorConfig {
  const entry = join(fresh, source.replace(/\.ts$/, '.d.ts'));
  const { compilerOptions } = JSON.parse(readFileSync(BASE, 'utf8'));
  const tsconfig = { compilerOptions: { ...compilerOptions, typeRoots: TYPE_ROOTS }, files: [entry] };
  const none = { logLevel: ExtractorLogLevel.None };
  return ExtractorConfig.prepare({
    configObject: {
      projectFolder: fresh,
      mainEntryPointFilePath: entry,
      newlineKind: 'lf',
      apiReport: { enabled: true, reportFileName: name, reportFolder: fresh, reportTempFolder: join(fresh, 'temp') },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      compiler: { overrideTsconfig: tsconfig },
      // What an exported declaration mentions without its being exported is noted in the report, for the reviewer.
      messages: {
        extractorMessageReporting: { default: none, 'ae-forgotten-export': { ...none, addToApiReportFile: true } },
        tsdocMessageReporting: { default: none },
      },
    },
    configObjectFullPath: undefined,
    packageJsonFullPath: join(folder, 'package.json'),
  });
}

/** One compilation for all entry points of a package. */
function extract(configs: ExtractorConfig[]): string[] {
  const [first] = configs;
  if (first === undefined) return [];
  const additionalEntryPoints = configs.map(({ mainEntryPointFilePath }) => mainEntryPointFilePath);
  const compilerState = CompilerState.create(first, { additionalEntryPoints });
  return configs.map((config) => {
    const options = { localBuild: true, compilerState, messageCallback: sayOnlyErrors };
    if (Extractor.invoke(config, options).errorCount > 0)
      throw new Error(`no report of ${config.mainEntryPointFilePath}`);
    return readFileSync(config.reportFilePath, 'utf8').replaceAll(PLACES, '// $1.ts - ');
  });
}

/** That the report is new is nothing to say: it is always written to an empty folder. */
function sayOnlyErrors(message: ExtractorMessage): void {
  message.handled = message.logLevel !== 'error';
}
