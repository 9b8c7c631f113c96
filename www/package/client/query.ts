import type { Connection } from '../link/connection.js';
import { checkFields, checkText, copyBytes } from '../wire/check.js';
import { invalidArgument } from '../wire/errors.js';
import type { QueryOptions } from './options.js';
import type { QueryResult, SqlParameters, SqlValue } from '../wasm/synth_memory.js';

/** Calls the engine. */
export type Caller = Pick<Connection, 'call'>;

/** A statement of `memory.transaction`. */
export interface SqlStatement {
  readonly sql: string;
  /** An array for `?`; an object for `:name`, by name without the colon. None by default. */
  readonly parameters?: SqlParameters | undefined;
}

/** The result of a statement that writes. */
export interface ExecuteResult<Row extends object = Record<string, string | number | null>> {
  /** How many rows it inserted, changed or deleted, not counting those of triggers. */
  readonly changes: number;
  /** The rows that RETURNING returns, by column name; none without RETURNING. */
  readonly rows: readonly Row[];
}

/** Writes with SQL in one transaction. */
export async function runStatements<Row extends object>(
  caller: Caller,
  statements: readonly SqlStatement[],
  options: QueryOptions = {},
): Promise<ExecuteResult<Row>[]> {
  if (!Array.isArray(statements)) throw invalidArgument('statements must be an array.');
  const given = statements.map((statement: SqlStatement, at) => {
    checkFields(statement, ['sql', 'parameters'], `statements[${at}]`);
    return [checkText(statement.sql, `statements[${at}].sql`), checkParameters(statement.parameters ?? [])] as const;
  });
  checkFields(options, ['timeoutMs', 'signal']);
  const executed = await caller.call('execute', [given, secondsOf(options)], { signal: options.signal });
  return executed.map(({ changes, columns, rows }) => ({ changes, rows: rows.map((row) => toRow<Row>(columns, row)) }));
}

const toRow = <Row extends object>(columns: readonly string[], row: readonly unknown[]) =>
  Object.fromEntries(columns.map((column, at) => [column, row[at]])) as Row;

function secondsOf({ timeoutMs }: QueryOptions): number | undefined {
  if (timeoutMs !== undefined && !(timeoutMs > 0)) throw invalidArgument('timeoutMs must be above 0.');
  return timeoutMs === undefined ? undefined : timeoutMs / 1000;
}

/** Reads with SQL. Returns the rows as objects by column name, next to the other fields of the engine's result. */
export async function runQuery<Row extends object>(
  caller: Caller,
  sql: string,
  parameters: SqlParameters,
  options: QueryOptions,
): Promise<Omit<QueryResult, 'rows'> & { rows: Row[] }> {
  checkFields(options, ['timeoutMs', 'signal']);
  const asked = [checkText(sql, 'sql'), checkParameters(parameters), secondsOf(options)] as const;
  const result = await caller.call('query', [...asked], { signal: options.signal });
  return { ...result, rows: result.rows.map((row) => toRow<Row>(result.columns, row)) };
}

/** The parameters as plain values: one that a message cannot carry would fail the other calls in the same message. */
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
