#!/usr/bin/env node
// The program `synth-memory`: the migrations of SQLite files, in Alembic's words.
import { run } from './run.js';

// Whoever reads may stop reading, as `head` does.
process.stdout.on('error', () => process.exit());

process.exitCode = await run(process.argv.slice(2));
