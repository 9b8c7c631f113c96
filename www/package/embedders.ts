/**
 * Embedders and rerankers for what people use, as `import { openAiEmbedder } from 'synth-memory/embedders'`. Nothing of them
 * is part of the package itself, and none depends on anything.
 *
 * @packageDocumentation
 */
export * from './recall/adapters.js';
