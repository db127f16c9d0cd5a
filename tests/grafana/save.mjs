// Edits the description of a panel in a browser and saves, as a person does; what Grafana makes of it is a recording
// for `learn.py` and a fixture for tests. With playwright-core and a Chromium outside of this repository:
//
//     node tests/grafana/save.mjs http://127.0.0.1:3000 admin PASSWORD UID "TITLE OF THE PANEL" "NEW DESCRIPTION"
//
// NODE_PATH names the folder with playwright-core, CHROMIUM the browser, SCREENSHOT a file for what was seen.
import { createRequire } from "node:module";

const { chromium } = createRequire(`${process.env.NODE_PATH ?? process.cwd()}/`)("playwright-core");
const [url, user, password, uid, title, description] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox"],
});
const page = await browser.newPage({ viewport: { width: 1600, height: 2400 } });
page.setDefaultTimeout(60_000);
try {
  await page.request.post(`${url}/login`, { data: { user, password } });
  // Tall enough for all panels: Grafana writes out the defaults of those that were drawn.
  await page.goto(`${url}/d/${uid}`);
  await page.getByTestId(`data-testid Panel header ${title}`).hover();
  await page.waitForTimeout(8_000);
  await page.getByTestId(`data-testid Panel header ${title}`).hover();
  await page.keyboard.press("e");
  const area = page.locator("textarea#panel-frame-options-description, textarea[id*=description]").first();
  await area.fill(description);
  await area.blur();
  await page.getByTestId("data-testid Save dashboard button").click();
  const saved = page.waitForResponse((r) => r.request().method() !== "GET" && /dashboards/.test(r.url()));
  await page.getByTestId("data-testid Save dashboard drawer button").click();
  console.log((await saved).status(), (await saved).url());
  await page.waitForTimeout(2_000);
} finally {
  if (process.env.SCREENSHOT) await page.screenshot({ path: process.env.SCREENSHOT });
  await browser.close();
}
