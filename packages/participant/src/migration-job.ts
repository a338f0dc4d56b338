import { type Migrations, runMigrations } from '@holdfast/postgres';
import { type Config, createLog, loadConfig, type Reader } from '@holdfast/service';

type DatabaseSettings = {
  DATABASE_URL: Reader<string>;
  DATABASE_RUNNER: Reader<string | undefined>;
  LOG_LEVEL: Reader<string>;
};

/**
 * `main.ts migrate`: brings a service's database up to date, gives the role that it runs as its rights, says what was applied,
 * and ends.
 * @param settings the service's; a job needs none but these
 * @param sources every module's migrations that make its database
 */
export function migrationJob(name: string, settings: DatabaseSettings, sources: Migrations[]): () => Promise<void> {
  return async () => {
    const { DATABASE_URL, DATABASE_RUNNER, LOG_LEVEL } = settings;
    const config: Config<DatabaseSettings> = loadConfig({ DATABASE_URL, DATABASE_RUNNER, LOG_LEVEL }, process.env);
    const log = createLog(name, config.LOG_LEVEL);
    const applied = await runMigrations(
      {
        databaseUrl: config.DATABASE_URL,
        runner: config.DATABASE_RUNNER,
        applicationName: `holdfast-${name}-migrate`,
        onWait: (reason) => log.warn(reason),
      },
      sources,
    );
    log.info({ applied }, applied.length > 0 ? 'migrated' : 'nothing to migrate');
  };
}
