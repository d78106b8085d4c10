// Shows the mistakes of the pages that this document asked for, until they are mended. Only `bff dev` adds this script.
{ // what is declared here is not the app's
const OWN = '/-/dev/';
const MARK = 'bff-mistake';
const EVERY = 700; // milliseconds between looks, while something is shown

const names = new Set();
let dialog = null;
let shown = '';
let looking = false;

let own = null; // where the document is what cannot run

// An answer whose body nobody reads is no entry of the browser's, so what asks is watched itself.
const ask = window.fetch;
window.fetch = async (...given) => {
  const answer = await ask(...given);
  told(answer.headers.get('Server-Timing'));
  return answer;
};
const open = XMLHttpRequest.prototype.open;
XMLHttpRequest.prototype.open = function (...given) {
  this.addEventListener('readystatechange', () => {
    if (this.readyState === this.HEADERS_RECEIVED) told(this.getResponseHeader('Server-Timing'));
  });
  return open.apply(this, given);
};
document.addEventListener('DOMContentLoaded', () => {
  for (const pre of document.querySelectorAll('pre.mistake')) pre.replaceWith(listing(pre.textContent));
  own = document.querySelector('[data-mistakes]');
  if (own) take(own.dataset.mistakes);
});

function told(timing) {
  const [, found] = new RegExp(`${MARK};desc="([^"]*)"`).exec(timing ?? '') ?? [];
  if (found === undefined) return;
  if (document.body) take(found);
  else document.addEventListener('DOMContentLoaded', () => take(found));
}

function take(found) {
  for (const one of found.split(', ')) names.add(one);
  look();
}

async function look() {
  if (looking) return;
  looking = true;
  try {
    for (;;) {
      const found = await mistakes();
      if (found && [...names].some((name) => !(name in found))) return location.reload();
      if (found) show(found);
      await new Promise((resolve) => setTimeout(resolve, EVERY));
    }
  } finally {
    looking = false;
  }
}

async function mistakes() {
  try {
    const answer = await ask(`${OWN}mistakes`, {cache: 'no-store'});
    return answer.ok ? await answer.json() : null;
  } catch {
    return null; // the server is being started again
  }
}

function show(found) {
  const texts = [...new Set([...names].flatMap((name) => found[name]))];
  const state = JSON.stringify([[...names], texts]);
  if (state === shown) return;
  shown = state;
  if (own) return own.replaceChildren(...texts.map(listing));
  dialog ??= newDialog();
  dialog.querySelector('h1').textContent = `${[...names].join(', ')} cannot run`;
  dialog.querySelector('section').replaceChildren(...texts.map(listing));
  if (!dialog.open) dialog.showModal();
}

// The hint behind the carets has a line of its own, so that it is seen where the source is too long for the screen.
function listing(text) {
  const [head, ...rest] = text.split('\n');
  const pre = element('pre', {className: 'mistake', tabIndex: 0});
  const title = element('strong');
  title.append(...head.split(/(?<=\/)/).flatMap((part) => [part, element('wbr')]));
  pre.append(title);
  const [, carets, hint] = /^(\s*\^+) ?(.*)$/.exec(rest.at(-1) ?? '') ?? [];
  if (carets !== undefined) rest.pop();
  pre.append(...rest.map((line) => element('code', {textContent: line})));
  if (carets !== undefined) pre.append(element('em', {textContent: carets}));
  if (hint) pre.append(element('span', {textContent: hint}));
  return pre;
}

function newDialog() {
  const host = document.body.appendChild(document.createElement('bff-mistakes'));
  const root = host.attachShadow({mode: 'open'});
  const made = element('dialog');
  made.setAttribute('aria-labelledby', 'title');
  const close = element('button', {type: 'button', textContent: 'Close', onclick: () => made.close()});
  const footer = element('footer');
  footer.append(element('p', {textContent: 'It goes away when the file is mended.'}), close);
  made.append(element('h1', {id: 'title'}), element('section'), footer);
  root.append(element('link', {rel: 'stylesheet', href: `${OWN}dev.css`}), made);
  return made;
}

function element(tag, properties = {}) {
  return Object.assign(document.createElement(tag), properties);
}
}
