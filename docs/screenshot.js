// Draw a step summary as GitHub shows it: node screenshot.js SUMMARY.md PICTURE.png
//
// Print a description of the picture as JSON. A chart that Mermaid cannot draw is an error.

import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import MarkdownIt from "markdown-it";
import puppeteer from "puppeteer-core";

const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";

// On GitHub a wide table scrolls. A picture cannot scroll, so it is as wide as its widest table.
const FRAME = `
  body { margin: 0; }
  .markdown-body {
    border: 1px solid #d1d9e0; border-radius: 6px; box-sizing: border-box; padding: 24px;
    min-width: 900px; width: min-content;
  }
  .markdown-body table { width: fit-content; }
  .markdown-body .mermaid { all: unset; display: block; margin-bottom: 16px; text-align: center; }
`;

const markdown = new MarkdownIt({
  html: true, // the summary has <details>
  highlight: (text, language) =>
    language === "mermaid" ? `<pre class="mermaid">${markdown.utils.escapeHtml(text)}</pre>` : "",
});

function fail(message) {
  console.error(`screenshot: ${message}`);
  process.exit(1);
}

function packaged(path) {
  return { path: fileURLToPath(import.meta.resolve(path)) };
}

async function draw(page, html, picture) {
  await page.setContent(`<!doctype html><article class="markdown-body">${html}</article>`);
  await page.addStyleTag(packaged("github-markdown-css/github-markdown-light.css"));
  await page.addStyleTag({ content: FRAME });
  await page.addScriptTag(packaged("mermaid/dist/mermaid.min.js"));
  const faults = await page.evaluate(drawCharts);
  if (faults.length > 0) {
    return { faults };
  }
  const article = await page.$("article");
  await article.screenshot({ path: picture });
  return { faults, drawn: await article.evaluate(describe) };
}

// This function runs in the page.
async function drawCharts() {
  mermaid.initialize({ startOnLoad: false });
  const faults = [];
  for (const { textContent: chart } of document.querySelectorAll(".mermaid")) {
    await mermaid.parse(chart).catch((error) => faults.push(`${error.message}\n\n${chart}`));
  }
  if (faults.length === 0) {
    await mermaid.run();
  }
  await document.fonts.ready;
  return faults;
}

// This function runs in the page.
function describe(article) {
  const all = (selector) => [...article.querySelectorAll(selector)];
  const { offsetWidth: width, offsetHeight: height } = article;
  all("details").forEach((details) => (details.open = true)); // or innerText lacks their text
  return {
    width,
    height,
    headings: all("h3").map((heading) => heading.innerText),
    charts: all("svg").length,
    tables: all("table").length,
    text: article.innerText,
  };
}

const [source, picture] = process.argv.slice(2);
if (!picture) {
  fail("two arguments are needed: node screenshot.js SUMMARY.md PICTURE.png");
}
if (!existsSync(CHROMIUM)) {
  fail(
    `no Chromium at ${CHROMIUM}: install it (Debian: apt-get install chromium fonts-noto-core ` +
      "fonts-liberation), or set the environment variable CHROMIUM to its path",
  );
}
const html = markdown.render(readFileSync(source, "utf8"));
const browser = await puppeteer.launch({
  executablePath: CHROMIUM,
  defaultViewport: { width: 900, height: 600, deviceScaleFactor: 2 },
  // Chromium refuses to run as root, as in a container, unless its sandbox is off.
  args: ["--font-render-hinting=none", ...(process.getuid?.() === 0 ? ["--no-sandbox"] : [])],
});
const { faults, drawn } = await browser
  .newPage()
  .then((page) => draw(page, html, picture))
  .finally(() => browser.close());
if (faults.length > 0) {
  fail(`Mermaid cannot draw a chart of ${source}: ${faults.join("\n")}`);
}
console.log(JSON.stringify(drawn));
