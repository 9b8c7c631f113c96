// What is loaded when recall is first asked for: the one place where its parts are put together.
import type { Connection } from '../link/connection.js';
import { packContext, type ContextOptions } from './context.js';
import { checkEmbedder, type Embedder, type EmbeddingStatus } from './embedder.js';
import { EmbedderRunner } from './runner.js';
import { Recall } from './questions.js';

/** The recall of an open memory. */
export function recallOf(
  connection: Connection,
  embedder: Embedder | 'bundled' | 'none',
  tell?: (status: EmbeddingStatus) => void,
) {
  const runner = new EmbedderRunner(connection, checkEmbedder(embedder), tell);
  const recall = new Recall(connection, runner);
  return {
    recall,
    runner,
    context: (query: string, options?: ContextOptions) => packContext(connection, recall, query, options),
  };
}
