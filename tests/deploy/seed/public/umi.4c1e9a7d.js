"use strict";
(() => {
  const PAGE_SIZE = 20;
  const root = document.getElementById("root");

  async function ask(method, path, body) {
    const sent = body && { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
    const answer = await fetch(path, { method, ...sent });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status}`);
    return answer.json();
  }

  function element(name, properties, ...children) {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  }

  const button = (text, onclick, properties) =>
    element("button", { type: "button", textContent: text, onclick, ...properties });

  function go(path) {
    history.pushState(null, "", path);
    return show();
  }

  async function done(write) {
    await write;
    return show();
  }

  async function show() {
    const failed = (error) => root.replaceChildren(element("p", { role: "alert", textContent: error.message }));
    const page = location.pathname === "/list" ? list : welcome;
    await page(new URLSearchParams(location.search)).then((found) => root.replaceChildren(...found), failed);
  }

  async function welcome() {
    const { data } = await ask("GET", "/api/currentUser");
    return [head(data), button("Rules", () => go("/list"))];
  }

  const head = (user) =>
    element("header", {},
      element("img", { src: "/static/logo.8a6f21c3.svg", alt: "" }),
      element("span", { textContent: `Welcome, ${user.name}` }));

  async function list(query) {
    const current = Number(query.get("current") || 1);
    const [user, rules] = await Promise.all([
      ask("GET", "/api/currentUser"),
      ask("GET", `/api/rule?current=${current}&pageSize=${PAGE_SIZE}`),
    ]);
    const last = Math.max(1, Math.ceil(rules.total / rules.pageSize));
    const chosen = () => [...root.querySelectorAll("input:checked")].map((box) => box.value);
    return [
      head(user.data),
      element("h1", { textContent: `${rules.total} rules` }),
      form(),
      element("table", {}, element("tbody", {}, ...rules.data.map(row))),
      element("nav", {},
        button("Previous", () => go(`/list?current=${current - 1}`), { disabled: current <= 1 }),
        element("span", { textContent: ` ${rules.current} of ${last} ` }),
        button("Next", () => go(`/list?current=${current + 1}`), { disabled: current >= last }),
        button("Delete", () => done(ask("DELETE", "/api/rule", { key: chosen() })))),
    ];
  }

  function form() {
    const name = element("input", { name: "name", required: true, ariaLabel: "Name" });
    const desc = element("input", { name: "desc", ariaLabel: "Description" });
    const onsubmit = (event) => {
      event.preventDefault();
      done(ask("POST", "/api/rule", { name: name.value, desc: desc.value }));
    };
    return element("form", { onsubmit }, name, desc, element("button", { textContent: "New" }));
  }

  function row(rule) {
    const desc = element("input", { value: rule.desc, ariaLabel: `Description of ${rule.name}` });
    const save = () => done(ask("PUT", "/api/rule", { key: rule.key, desc: desc.value }));
    return element("tr", {},
      element("td", {}, element("input", { type: "checkbox", value: rule.key, ariaLabel: `Choose ${rule.name}` })),
      element("td", { textContent: rule.name }),
      element("td", {}, desc),
      element("td", {}, button("Save", save)));
  }

  window.addEventListener("popstate", show);
  show();
})();
