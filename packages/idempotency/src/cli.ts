#!/usr/bin/env node
import { runMigrateCommand } from '@holdfast/postgres';
import { idempotencyMigrations } from './index.ts';

process.exitCode = await runMigrateCommand({ '@holdfast/idempotency': idempotencyMigrations });
