#!/usr/bin/env node
// The program `synth-memory`: it migrates SQLite files, with Alembic's commands.
import { run } from './run.js';

// The reader of stdout can close it early, as `head` does.
process.stdout.on('error', () => process.exit());

process.exitCode = await run(process.argv.slice(2));
