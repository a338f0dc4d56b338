#!/usr/bin/env node
import { runMigrateCommand } from '@holdfast/postgres';
import { sagaMigrations } from './index.ts';

process.exitCode = await runMigrateCommand({ '@holdfast/saga': sagaMigrations });
