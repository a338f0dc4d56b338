// Collects what an image is made of, for the Dockerfile: node scripts/image-source.mjs APP TO
//
//   TO/manifests   what pnpm needs to install the dependencies of APP
//   TO/packages    the packages of the workspace that APP uses, straight or through others, and the protos
//   TO/app         APP itself, and `service`, a link to it
//   TO/owned       folders that the user of the image may write to: those of the sandbox's job `certificates`
//
// Not by `pnpm list`, which takes seconds for each image after every change.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const ROOT_MANIFESTS = ['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml'];
const [app = '', to = ''] = process.argv.slice(2);

const folders = ['apps', 'packages', 'tools'].flatMap((at) => readdirSync(at).map((name) => `${at}/${name}`));
const manifests = new Map(
  folders
    .filter((folder) => existsSync(`${folder}/package.json`))
    .map((folder) => ({ folder, ...JSON.parse(readFileSync(`${folder}/package.json`, 'utf8')) }))
    .map((manifest) => [manifest.name, manifest]),
);

/** The folders of a package and of all that it uses, itself first; `used` says what of a manifest counts. */
function collect(name, used, found = new Set()) {
  const manifest = manifests.get(name);
  if (manifest === undefined || found.has(manifest.folder)) return found;
  found.add(manifest.folder);
  for (const each of Object.keys(used(manifest))) collect(each, used, found);
  return found;
}

const toRun = ({ dependencies }) => ({ ...dependencies });
const toDevelop = ({ dependencies, devDependencies }) => ({ ...dependencies, ...devDependencies });

function copy(from, into) {
  mkdirSync(dirname(into), { recursive: true });
  cpSync(from, into, { recursive: true });
}

const [own, ...used] = collect(`@holdfast/${app}`, toRun);
if (own === undefined) {
  console.error(`there is no package @holdfast/${app}: say --build-arg APP=…, a folder of apps/, or demo`);
  process.exit(1);
}
for (const file of ROOT_MANIFESTS) copy(file, join(to, 'manifests', file));
// A frozen lockfile is compared with the manifests as they are: with those that are for development too. The Dockerfile
// removes these after the install.
const all = [...collect(`@holdfast/${app}`, toDevelop)];
for (const folder of all) copy(`${folder}/package.json`, join(to, 'manifests', folder, 'package.json'));
const onlyDeveloped = all.filter((folder) => folder !== own && !used.includes(folder));
writeFileSync(join(to, 'manifests/only-developed.txt'), onlyDeveloped.map((folder) => `${folder}\n`).join(''));
copy(own, join(to, 'app', own));
symlinkSync(own, join(to, 'app/service'));
mkdirSync(join(to, 'packages'), { recursive: true });
for (const folder of used) copy(folder, join(to, 'packages', folder));
if (used.includes('packages/rpc')) copy('protos', join(to, 'packages/protos'));
const owned = app === 'sandbox' ? ['authority', 'orchestrator', 'inventory', 'payment', 'shipping', 'operator'] : [];
mkdirSync(join(to, 'owned'), { recursive: true });
for (const holder of owned) mkdirSync(join(to, 'owned/certificates', holder), { recursive: true });
