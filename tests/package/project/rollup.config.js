import resolve from '@rollup/plugin-node-resolve';

const sql = {
  name: 'sql',
  transform: (text, id) => (id.endsWith('.sql') ? `export default ${JSON.stringify(text)};` : undefined),
};

export default { input: 'listed.js', plugins: [resolve(), sql] };
