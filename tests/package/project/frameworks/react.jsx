import { Component, StrictMode, Suspense, useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { Memory, MemoryError } from 'synth-memory';
import { MemoryProvider, useLive, useMemory, useMemoryStatus } from 'synth-memory/react';

window.reads = 0;
window.effects = 0;
window.table = 'turns';

/** Two of these are on the page: they share a query. */
function Turns({ label }) {
  const page = useLive(
    (memory) => {
      window.reads += 1;
      return memory.turns.list({ direction: 'asc', total: true });
    },
    [],
    { key: 'turns', suspense: true },
  );
  return (
    <ol aria-label={label}>
      {page.rows.map(({ id, userInput }) => (
        <li key={id}>{userInput}</li>
      ))}
    </ol>
  );
}

function Found() {
  const [word, setWord] = useState('Ada');
  const hits = useLive((memory) => memory.recall(word, { weights: { meaning: 0 } }), [word]);
  return (
    <section aria-label="Found">
      <input aria-label="Word" value={word} onChange={(event) => setWord(event.target.value)} />
      <p>{hits ? `${hits.length} hits` : 'Reading'}</p>
    </section>
  );
}

function Rows() {
  const rows = useLive((memory) => memory.query(`SELECT count(*) AS n FROM ${window.table}`), [], { key: 'rows' });
  return <p aria-label="Rows">{rows?.[0].n}</p>;
}

class Boundary extends Component {
  state = {};
  static getDerivedStateFromError = (error) => ({ error });
  render() {
    const { error } = this.state;
    if (!error) return this.props.children;
    const what = error instanceof MemoryError ? error.code : `${error}`;
    return (
      <p role="alert">
        {what} <button onClick={() => this.setState({ error: undefined })}>Try again</button>
      </p>
    );
  }
}

function App() {
  const memory = useMemory();
  const { backup, storage } = useMemoryStatus();
  useEffect(() => {
    window.effects += 1;
  }, []);
  return (
    <>
      <p role="status">{`${storage}, ${backup ? '1 copy' : 'no copy'}`}</p>
      <button onClick={() => memory.turns.append({ userInput: 'Call me Ada' })}>Add</button>
      <button onClick={() => memory.backups.create()}>Back up</button>
      <Suspense fallback={<p>Reading</p>}>
        <Turns label="First" />
        <Turns label="Second" />
      </Suspense>
      <Found />
      <Boundary>
        <Rows />
      </Boundary>
    </>
  );
}

window.mount = (url) => {
  const root = createRoot(document.querySelector('main'));
  root.render(
    <StrictMode>
      <Boundary>
        <MemoryProvider options={{ url }} fallback={<p>Opening</p>}>
          <App />
        </MemoryProvider>
      </Boundary>
    </StrictMode>,
  );
  return root;
};
window.Memory = Memory;
window.root = window.mount('opfs:///react.db');
