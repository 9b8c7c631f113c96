// sqlite-vec as its guide to binary quantisation recommends: the nearest by sign bits, ordered by their vectors.
import { sqliteVec } from './sqlite-vec.js';

let candidates;

export default sqliteVec({
  name: 'sqlite-vec, bits rescored',
  exact: false,
  // Its distances count the lower half of every 64 bits only, as a popcount of 32 bits would.
  notes: 'its Hamming distance counts half of the bits in this build, so it finds less than it could',
  settings: ['the best 200 by bits', 'the best 1000 by bits'],
  set: (db, setting) => {
    db.exec('PRAGMA cache_size = -262144');
    candidates = Number(/\d+/.exec(setting)[0]);
  },
  schema: `CREATE VIRTUAL TABLE IF NOT EXISTS items USING vec0 (embedding float[384], bits bit[384])`,
  insert: 'INSERT INTO items (rowid, embedding, bits) VALUES (:id, :vector, vec_quantize_binary(:vector))',
  select: `
    WITH coarse AS (
      SELECT rowid, embedding FROM items WHERE bits MATCH vec_quantize_binary(:vector) AND k = :candidates
    )
    SELECT rowid FROM coarse ORDER BY vec_distance_cosine(embedding, :vector) LIMIT :k`,
  bind: () => ({ ':candidates': candidates }),
});
