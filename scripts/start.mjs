// `npm start`: installs what is needed, builds, and serves the inspector.
import { build } from './build.mjs';
import { serve } from './serve.mjs';
import { setUp } from './setup.mjs';

try {
  await setUp();
  await build({ inspector: true });
  const wanted = Number(process.env.PORT ?? 8123);
  const { url } = await serve({ port: wanted }).catch((error) => {
    if (error.code !== 'EADDRINUSE') throw error;
    console.log(`Port ${wanted} is taken, so another one is used.`);
    return serve();
  });
  console.log(`The inspector is at ${url}/inspector/ (stop with Ctrl+C).`);
} catch (error) {
  console.error(`\n${error.message}`);
  process.exit(1);
}
