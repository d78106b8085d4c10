// The start page: each form asks for its page, and shows what comes.
for (const form of document.forms) form.addEventListener('submit', (event) => {
  event.preventDefault();
  ask(form);
});

async function ask(form) {
  const page = form.closest('.page');
  const outcome = page.querySelector('.outcome');
  const answer = page.querySelector('.answer');
  const begun = performance.now();
  outcome.textContent = '…';
  try {
    const reply = await fetch(...requestOf(form));
    const text = await reply.text();
    outcome.textContent = `${reply.status} in ${Math.round(performance.now() - begun)} ms`;
    answer.textContent = pretty(text);
    answer.hidden = !text;
  } catch (error) {
    outcome.textContent = `No answer: ${error.message}`;
    answer.hidden = true;
  }
}

function requestOf(form) {
  const query = new URLSearchParams();
  const headers = {Accept: 'application/json'};
  let path = form.dataset.path;
  let body;
  for (const [name, value] of new FormData(form)) {
    const [place, ...rest] = name.split('.');
    const key = rest.join('.');
    if (place === 'path') path = path.replace(`{${key}}`, encodeURIComponent(value));
    else if (place === 'body') body = value;
    else if (value && place === 'query') query.append(key, value);
    else if (value) headers[key] = value;
  }
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  const search = query.size ? `?${query}` : '';
  return [path + search, {method: form.dataset.method, headers, body}];
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

// What cannot run stands in the page itself: it is loaded anew when that has changed.
let before;
async function follow() {
  try {
    const answer = await fetch('/-/dev/mistakes', {cache: 'no-store'});
    const now = await answer.text();
    before ??= now;
    if (now !== before) return location.reload();
  } catch {
    // The server is being started again.
  }
  setTimeout(follow, 700);
}
if (document.querySelector('.mistake')) follow();
