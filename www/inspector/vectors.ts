import type { EmbeddingStatus } from '../package/index.js';
import { busy, byId, fill, make } from './dom.js';
import { bytes as inBytes, plural, relativeTime } from './format.js';
import { inTurn } from './in-turn.js';
import { errorParagraph } from './notices.js';
import type { Session } from './session.js';

/** How long to wait between two updates of what depends on vectors while many rows are embedded, in ms. */
const BETWEEN_TELLING = 1000;

/**
 * Shows the state of the vectors: their model, how many there are, and what failed. It also starts the embedding of all
 * rows, so that the map is complete; the model is loaded with the first row that waits.
 */
export class Vectors {
  readonly #session: Session;
  readonly #embedded: (status: EmbeddingStatus | undefined) => Promise<void>;
  readonly #state = make('p', { class: 'vectors-state', role: 'status' });
  readonly #bar = make('progress', { 'aria-label': 'Rows embedded' });
  readonly #facts = make('dl', { class: 'vectors-facts' });
  readonly #problem = make('div', { role: 'alert' });
  readonly #retry = make('button', { type: 'button' }, 'Try again');
  #told = 0;

  /** `embedded` is called whenever vectors may have changed, with undefined if the status cannot be read. */
  constructor(session: Session, embedded: (status: EmbeddingStatus | undefined) => Promise<void>) {
    this.#session = session;
    this.#embedded = embedded;
    this.#retry.addEventListener('click', () => {
      void busy(this.#retry, () => this.#settle(() => session.memory.embeddings.retry()));
    });
    fill(byId('vectors', HTMLElement), this.#facts, this.#bar, this.#state, this.#problem, this.#retry);
    session.onEmbedding = (status) => {
      this.#render(status);
      if (Date.now() - this.#told < BETWEEN_TELLING) return;
      this.#told = Date.now();
      void this.#embedded(status);
    };
  }

  /** Reads the status, and embeds the rows that wait. */
  readonly refresh = inTurn(() => {
    const { embeddings } = this.#session.memory;
    return this.#settle(async () => {
      const status = await embeddings.status();
      if (status.pending === status.failed) return status;
      this.#render(status);
      return embeddings.ready();
    });
  });

  async #settle(work: () => Promise<EmbeddingStatus>): Promise<void> {
    const { embeddings } = this.#session.memory;
    try {
      const status = await work();
      this.#render(status);
      await this.#embedded(status);
    } catch (error) {
      const status = await embeddings.status().catch(() => undefined);
      this.#render(status, error);
      await this.#embedded(status);
    }
  }

  #render(status: EmbeddingStatus | undefined, error?: unknown): void {
    const { model = null, dimensions = null, embedded = 0, pending = 0, failed = 0, bytes = 0 } = status ?? {};
    const under = pending > failed && error === undefined;
    fill(
      this.#facts,
      fact('Model', model === null ? 'none yet' : `${model}, ${dimensions} numbers`),
      fact('Embedded', status && embedded.toLocaleString('en')),
      fact('Pending', status && pending.toLocaleString('en')),
      fact('Failed', status && failed.toLocaleString('en')),
      fact('In memory', status && inBytes(bytes)),
    );
    this.#bar.hidden = !under;
    this.#bar.max = Math.max(1, embedded + pending);
    this.#bar.value = embedded;
    fill(this.#state, stateOf(status, under));
    fill(this.#problem, ...problemOf(status, error));
    this.#retry.hidden = error === undefined && failed === 0;
  }
}

function fact(name: string, value: string | undefined): HTMLElement {
  return make('div', {}, make('dt', {}, name), make('dd', {}, value ?? '–'));
}

function stateOf(status: EmbeddingStatus | undefined, under: boolean): string {
  if (!status) return '';
  const { embedded, pending } = status;
  if (under) return embedded === 0 ? 'Embedding; the model (2.3 MB) is loaded first…' : 'Embedding…';
  if (pending > 0) return `${plural(pending, 'row')} can be found only by words for now.`;
  return embedded === 0 ? 'Nothing to embed yet.' : 'Every row has its vector.';
}

function problemOf(status: EmbeddingStatus | undefined, error: unknown): (HTMLElement | false)[] {
  if (error !== undefined) return [errorParagraph(error)];
  if (!status || status.failed === 0) return [];
  const { failed, lastError, retryAt } = status;
  return [
    make(
      'div',
      { class: 'error' },
      make('p', {}, make('strong', {}, `${plural(failed, 'row')} could not be embedded.`)),
      lastError !== null && make('p', {}, lastError),
      retryAt && make('p', {}, `Retried automatically ${relativeTime(retryAt)}.`),
    ),
  ];
}
