// Loaded when recall is first used: the only place where its parts are put together.
import type { Connection } from '../link/connection.js';
import { packContext, type ContextOptions, type MemoryContext } from './context.js';
import { checkEmbedder, type EmbedderOption, type EmbeddingStatus } from './embedder.js';
import { EmbedderRunner } from './runner.js';
import { Recall } from './questions.js';

/** What recall needs in addition to the client. */
export interface OpenRecall {
  readonly recall: Recall;
  readonly runner: EmbedderRunner;
  context(query: string, options?: ContextOptions): Promise<MemoryContext>;
  /** Waits for pending questions, but not for an embedder of the page's own. */
  close(): Promise<void>;
}

/** Opens the recall of an open memory. */
export function openRecall(
  connection: Connection,
  embedder: EmbedderOption,
  tell?: (status: EmbeddingStatus) => void,
): OpenRecall {
  const runner = new EmbedderRunner(connection, checkEmbedder(embedder), tell);
  const recall = new Recall(connection, runner);
  return {
    recall,
    runner,
    context: (query, options) => recall.answered(packContext(connection, recall, query, options)),
    close() {
      runner.close();
      return recall.close();
    },
  };
}
