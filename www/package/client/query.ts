import type { Connection } from '../link/connection.js';
import { checkText, copyBytes } from '../wire/check.js';
import { invalidArgument } from '../wire/errors.js';
import type { QueryOptions } from './options.js';
import type { QueryResult, SqlParameters, SqlValue } from '../wasm/synth_memory.js';

/** What makes calls of the engine. */
export type Caller = Pick<Connection, 'call'>;

/** Reads with SQL: the rows as objects by column name, and what the engine says of the rest. */
export async function runQuery<Row extends object>(
  caller: Caller,
  sql: string,
  parameters: SqlParameters,
  { timeoutMs, signal }: QueryOptions,
): Promise<Omit<QueryResult, 'rows'> & { rows: Row[] }> {
  if (timeoutMs !== undefined && !(timeoutMs > 0)) throw invalidArgument('timeoutMs must be above 0.');
  const seconds = timeoutMs === undefined ? undefined : timeoutMs / 1000;
  const asked = [checkText(sql, 'sql'), checkParameters(parameters), seconds] as const;
  const result = await caller.call('query', [...asked], { signal });
  const toRow = (row: readonly SqlValue[]) =>
    Object.fromEntries(result.columns.map((column, at) => [column, row[at]])) as Row;
  return { ...result, rows: result.rows.map(toRow) };
}

/** The parameters as plain values: what a message could not carry would take its neighbors with it. */
function checkParameters(parameters: SqlParameters): SqlParameters {
  if (typeof parameters !== 'object' || parameters === null)
    throw invalidArgument('parameters must be an array or an object.');
  const entries = Object.entries(parameters).map(([name, value]: [string, SqlValue]) => {
    if (value instanceof Uint8Array) return [name, copyBytes(value)] as const;
    if (value === null || ['string', 'number', 'bigint'].includes(typeof value)) return [name, value] as const;
    throw invalidArgument(`The parameter ${name} must be null, a string, a number, a BigInt or a Uint8Array.`);
  });
  return Array.isArray(parameters) ? entries.map(([, value]) => value) : Object.fromEntries(entries);
}
