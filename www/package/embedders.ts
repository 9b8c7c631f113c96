/**
 * Embedders and rerankers that adapt common models and endpoints. For example,
 * `import { openAiEmbedder } from 'synth-memory/embedders'`. They are not part of the main entry, and have no
 * dependencies.
 *
 * @packageDocumentation
 */
export * from './recall/adapters.js';
