// A page in a browser engine that WebDriver controls.
import webdriver from 'selenium-webdriver';
import firefox from 'selenium-webdriver/firefox.js';
import { serve } from '../../scripts/serve.mjs';
import { browsers } from '../../scripts/setup.mjs';
import { FOLDERS } from './page.mjs';

/** Firefox, with a fresh profile. */
export function openFirefox() {
  const options = new firefox.Options().addArguments('-headless').setBinary(browsers.firefox());
  const service = new firefox.ServiceBuilder(browsers.geckodriver());
  return new webdriver.Builder().forBrowser('firefox').setFirefoxOptions(options).setFirefoxService(service).build();
}

/** Runs an async function on a module in the page, by default the package. Its errors are returned as plain data. */
export const inPage = (driver, body, module = '/package/index.js') =>
  driver.executeAsyncScript(`
    const done = arguments[arguments.length - 1];
    const told = (error) => ({ error: { code: error.code, hint: error.hint, name: error.name, message: error.message } });
    import('${module}').then(${body}).then(done, (error) => done(told(error)));
  `);

/** Opens the blank page and runs `test`, which can load the page again. Always cleans up. */
export async function withDriver(driver, test) {
  const server = await serve({ folders: FOLDERS });
  try {
    await driver.manage().setTimeouts({ script: 60_000 });
    const load = () => driver.get(`${server.url}/pages/blank.html`);
    await load();
    await test(load);
  } finally {
    await driver.quit();
    await server.close();
  }
}
