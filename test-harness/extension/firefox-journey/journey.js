// SPDX-License-Identifier: Apache-2.0
// Goes through the panel as a person would, and tells a server on this machine
// how it went: no tool can look into pages of an extension in Firefox.

/** How long anything may take. */
const PATIENCE_MS = 30_000;

const panel = /** @type {HTMLIFrameElement} */ (document.querySelector('iframe'));
const reports = new URL(location.href).hash.slice(1);

/** @type {string[]} what the panel complained about */
const complaints = [];

function page() {
  return /** @type {Document} */ (panel.contentDocument);
}

/** @param {string} step @param {object} [more] */
async function report(step, more) {
  await fetch(reports, {
    method: 'POST', body: JSON.stringify({ step, complaints, ...more }),
  });
}

/**
 * Waits until something of the panel is there and can be seen.
 * @param {string} selector
 * @param {RegExp} [text]
 * @returns {Promise<HTMLElement>}
 */
function find(selector, text = /(?:)/) {
  return new Promise((resolve, reject) => {
    const look = () => {
      const found = [.../** @type {NodeListOf<HTMLElement>} */ (
        page().querySelectorAll(selector))].find((element) => (
        element.checkVisibility() && text.test(
          `${element.getAttribute('aria-label') ?? ''} ${element.textContent}`)));
      if (!found) return;
      clearInterval(looking);
      clearTimeout(giveUp);
      resolve(found);
    };
    const looking = setInterval(look, 50);
    const giveUp = setTimeout(() => {
      clearInterval(looking);
      reject(new Error(`there is no ${selector} with ${text}: ${
        page().body?.innerText.slice(0, 600)}`));
    }, PATIENCE_MS);
    look();
  });
}

/** @param {string} selector @param {RegExp} [text] */
async function click(selector, text) {
  (await find(selector, text)).click();
}

/** @param {string} selector @param {string} text */
async function type(selector, text) {
  const field = /** @type {HTMLInputElement} */ (await find(selector));
  field.value = text;
  field.dispatchEvent(new Event('input', { bubbles: true }));
}

/** @param {string} question */
async function ask(question) {
  const count = page().querySelectorAll('.answer-foot').length;
  await type('textarea[aria-label=Message]', question);
  await click('button[aria-label=Send]');
  await find(`.turns > .turn:nth-of-type(${2 * count + 2}) .answer-foot`);
  return [...page().querySelectorAll('.answer .prose')].at(-1)?.textContent;
}

async function travel() {
  await find('html[data-ready] .tabs');
  await report('opened');
  await click('#tab-models');
  await find('#view-models .status', /listed/);
  await report('listed', { rows: page().querySelectorAll('.row').length });
  await type('#view-models input[type=search]', 'tiny-chat');
  await click('.row', /tiny-chat/);
  await find('.variant .verdict', /Fits/);
  await click('.variant button.primary', /Download/);
  await click('.variant button', /Chat with/);
  await report('stored');
  await report('answered', { answer: await ask('What is 9 plus 4?') });
  await click('#tab-health');
  await find('.check');
  await report('checked', {
    checks: [...page().querySelectorAll('.check')].map((check) => ({
      ok: /** @type {HTMLElement} */ (check).dataset.ok,
      text: check.textContent,
    })),
  });
  await new Promise((resolve) => {
    panel.addEventListener('load', resolve, { once: true });
    panel.contentWindow?.location.reload();
  });
  await find('html[data-ready] .tabs');
  await click('#tab-chat');
  await find('.answer .prose', /13/);
  await report('kept');
  await click('#tab-storage');
  await click('button', /^Delete tabagent\/tiny-chat $/);
  await click('button', /^Really delete/);
  await find('h3', /Nothing is stored yet/);
  await report('deleted');
}

panel.addEventListener('load', () => {
  panel.contentWindow?.addEventListener('error', ({ message }) => {
    complaints.push(message);
  });
});
travel().then(() => report('done'), (error) => report('failed', {
  message: String(error),
}));
