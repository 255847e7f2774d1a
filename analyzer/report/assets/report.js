(() => {
"use strict";
// The report: tables that are filtered, messages that open below their row, links that lead there.

function make(tag, properties, ...children) {
  const made = document.createElement(tag);
  for (const [key, value] of Object.entries(properties ?? {})) {
    if (value === false || value == null) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child != null && child !== false));
  return made;
}

function count(number, noun) {
  return `${number.toLocaleString("en-GB")} ${noun}${number === 1 ? "" : "s"}`;
}

// Messages lie as JSON in the document, many to an element; one is read when it is asked for.
const parts = new Map();
for (const element of document.querySelectorAll("script.xl-details")) {
  const part = { element, records: null };
  for (const row of element.dataset.rows.split(" ")) parts.set(row, part);
}

function message(row) {
  const part = parts.get(row);
  if (!part) return null;
  part.records ??= JSON.parse(part.element.textContent);
  return part.records[row] ?? null;
}

function branch([name, attributes, text, children], meanings) {
  const words = [make("span", { class: "name" }, name)];
  for (const [key, value] of Object.entries(attributes)) {
    words.push(` ${key}=`, make("span", { class: "value" }, `"${value}"`));
  }
  if (text) words.push(` ${text}`);
  const meaning = meanings?.[attributes.id];
  if (meaning) words.push(" ", make("span", { class: "meaning" }, meaning));
  return make("div", {}, ...words, children.map((child) => branch(child, meanings)));
}

function headers(pairs) {
  return make("table", { class: "headers" }, make("tbody", {}, pairs.map(([name, value]) =>
    make("tr", {}, make("th", { scope: "row" }, name), make("td", {}, value)))));
}

function belongs(record) {
  const { transaction, dialog, session, commands, copy_of: copied } = record.belongs_to ?? {};
  return [
    ["Sent", `${record.src} to ${record.dst} (${record.transport}), ${count(record.length, "byte")}`],
    ["Frames", record.frames.join(", ")],
    copied && ["Hop copy of", `frame ${copied.frame}`],
    transaction && ["Transaction", `${transaction.method}: request in frame ${transaction.request_frame ?? "not captured"}, answer ${transaction.final_frame == null ? "not captured" : `${transaction.status ?? ""} in frame ${transaction.final_frame}`}`],
    dialog && ["Dialog", `${dialog.role}: ${dialog.evidence}`],
    session != null && ["Session", String(session + 1)],
    ...(commands ?? []).slice(0, 20).map((pair) => ["Command", `${pair.command}: ${pair.outcome}. ${pair.detail ?? ""}`]),
  ].filter(Boolean);
}

function opened(record) {
  if (!record) return [make("p", {}, "The details of this message are not in the page: it would be too large. Its frame number finds it in the capture.")];
  const problems = [...Object.entries(record.notes).map(([name, text]) => `${name}: ${text}`), ...record.problems, ...record.cut];
  const part = record.document;
  return [
    problems.length > 0 && make("ul", {}, problems.map((text) => make("li", {}, text))),
    headers(belongs(record)),
    part && make("h4", {}, "XCCOS"),
    part?.problem && make("p", {}, part.problem),
    part?.root && make("div", { class: "tree" }, branch(part.root, part.meanings)),
    make("h4", {}, "SIP"),
    make("code", { class: "start" }, record.start ?? ""),
    headers(record.headers),
    record.body && make("h4", {}, "Body as sent"),
    record.body && make("pre", { tabindex: "0" }, record.body),
  ].filter(Boolean);
}

function toggle(row, open) {
  const next = row.nextElementSibling;
  const is = next?.classList.contains("opened");
  if (is === open) return;
  const button = row.querySelector(".opener");
  button.setAttribute("aria-expanded", String(!is));
  if (is) {
    next.remove();
    return;
  }
  const cell = make("td", { colspan: row.children.length }, opened(message(row.id.slice(1))));
  row.after(make("tr", { class: "opened" }, cell));
}

const messages = document.getElementById("message-table");
for (const row of messages?.tBodies[0].rows ?? []) {
  const cell = row.cells[0];
  row.dataset.opens = "";
  const button = make("button", { type: "button", class: "opener", "aria-expanded": "false", title: "Open this message" }, cell.textContent);
  cell.replaceChildren(button);
}
messages?.addEventListener("click", (event) => {
  const row = event.target.closest("tr[data-opens]");
  if (!row || event.target.closest("a") || String(getSelection())) return;
  toggle(row);
});

// A filter for each long table: all words must be in the row; what is between slashes is a pattern.
function finder(text) {
  const pattern = /^\/(.+)\/$/.exec(text.trim());
  if (pattern) {
    try {
      const expression = new RegExp(pattern[1], "i");
      return (row) => expression.test(row);
    } catch { /* Not one: taken as it stands. */ }
  }
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return (row) => words.every((word) => row.includes(word));
}

function filtered(table) {
  const noun = table.dataset.noun, rows = [...table.tBodies[0].rows];
  const texts = rows.map((row) => [...row.cells].map((cell) => cell.textContent).join(" ").toLowerCase());
  const search = make("input", { type: "search", "aria-label": `Filter ${noun}s`, placeholder: `Filter ${noun}s: words, or /pattern/` });
  const shown = make("output", { "aria-live": "polite" }, count(rows.length, noun));
  const cited = messages === table && rows.some((row) => row.classList.contains("cited"))
    && make("input", { type: "checkbox" });
  const bad = messages === table && make("input", { type: "checkbox" });
  const apply = () => {
    const fits = finder(search.value);
    let left = 0;
    rows.forEach((row, at) => {
      const passes = fits(texts[at]) && (!cited || !cited.checked || row.classList.contains("cited"))
        && (!bad || !bad.checked || row.classList.contains("bad"));
      row.hidden = !passes;
      const next = row.nextElementSibling;
      if (next?.classList.contains("opened")) next.hidden = !passes;
      left += passes ? 1 : 0;
    });
    shown.textContent = left === rows.length ? count(left, noun) : `${left.toLocaleString("en-GB")} of ${count(rows.length, noun)}`;
  };
  let waiting = 0;
  search.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(apply, rows.length > 1000 ? 150 : 0);
  });
  for (const box of [cited, bad]) if (box) box.addEventListener("change", apply);
  const clear = () => {
    search.value = "";
    for (const box of [cited, bad]) if (box) box.checked = false;
    apply();
  };
  const bar = make("div", { class: "filter", role: "search" }, search,
    bad && make("label", {}, bad, " errors only"), cited && make("label", {}, cited, " cited only"),
    make("button", { type: "button", onclick: clear }, "Clear"), shown);
  table.closest(".scroll").before(bar);
  return { table, clear };
}
const filters = [...document.querySelectorAll("table.filterable")].map(filtered);

// A link leads to what it names: a hidden row is shown, a message opens, and so does one in a ladder.
function arrive(target, { open }) {
  if (target.hidden) filters.find((one) => one.table.contains(target))?.clear();
  for (let at = target.parentElement; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
  document.querySelectorAll("tr.here").forEach((row) => row.classList.remove("here"));
  if (target.matches("#message-table tr")) {
    target.classList.add("here");
    if (open) toggle(target, true);
  } else if (open && target.matches(".xl tr.ev")) target.click();
  target.scrollIntoView({ block: "center" });
}
document.addEventListener("click", (event) => {
  const link = event.target.closest?.('a[href^="#"]');
  const target = link && document.getElementById(link.getAttribute("href").slice(1));
  if (target?.tagName === "TR") setTimeout(() => arrive(target, { open: true }), 0);
});
addEventListener("hashchange", () => {
  const target = document.getElementById(location.hash.slice(1));
  if (target?.tagName === "TR") arrive(target, { open: false });
});

async function copy(text, button) {
  let done = true;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = make("textarea", { "aria-hidden": "true" });
    area.value = text;
    document.body.append(area);
    area.select();
    done = document.execCommand("copy");
    area.remove();
    button.focus({ preventScroll: true });
  }
  button.textContent = done ? "Copied" : "Not copied";
  setTimeout(() => { button.textContent = "Copy"; }, 1500);
}
for (const code of document.querySelectorAll("code.copy")) {
  const button = make("button", { type: "button", class: "copier", "aria-label": "Copy display filter", onclick: () => copy(code.textContent, button) }, "Copy");
  code.after(button);
}

const root = document.documentElement;
const dark = () => (root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches);
const theme = make("button", { type: "button", class: "theme", onclick: () => {
  root.dataset.theme = dark() ? "light" : "dark";
  theme.textContent = dark() ? "Light" : "Dark";
} }, dark() ? "Light" : "Dark");
document.querySelector(".head")?.append(theme);
})();
