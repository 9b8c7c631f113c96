import { MemoryProvider } from 'synth-memory/react';

export const metadata = { title: 'An app', icons: 'data:,' };

export default function Layout({ children }) {
  return (
    <html lang="en">
      <body>
        <h1>Rendered on the server</h1>
        <MemoryProvider options={{ url: 'opfs:///next.db' }} fallback={<p>Opening</p>}>
          {children}
        </MemoryProvider>
      </body>
    </html>
  );
}
