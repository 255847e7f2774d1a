// The filter box: what is typed is completed here from what the server sent, and applied there.

const MOST = 12;
// What is typed without a word may be a value of one of these.
const GUESSED = ["command", "user", "room", "method"];
const GUESSES = 3;

const isDark = (host) => {
  const colour = getComputedStyle(host).getPropertyValue("--st-background-color").trim();
  const probe = document.createElement("span");
  probe.style.color = colour;
  document.body.appendChild(probe);
  const [r, g, b] = (getComputedStyle(probe).color.match(/\d+(\.\d+)?/g) || [255, 255, 255]).map(Number);
  probe.remove();
  return 0.299 * r + 0.587 * g + 0.114 * b < 128;
};

const make = (tag, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
};

// The term that ends where the caret is: blanks within quotes do not part terms.
const termAt = (text, caret) => {
  let begin = 0;
  let quoted = false;
  for (let at = 0; at < caret; at += 1) {
    if (text[at] === '"' && text[at - 1] !== "\\") quoted = !quoted;
    else if (!quoted && /\s/.test(text[at])) begin = at + 1;
  }
  let end = caret;
  while (end < text.length && !/\s/.test(text[end])) end += 1;
  return { begin, end, typed: text.slice(begin, caret) };
};

const quoted = (value) => (/[\s,"(){}|]/.test(value) ? `"${value.replace(/["\\]/g, "\\$&")}"` : value);

// What can stand at the caret: values behind a word, else words.
const optionsAt = (data, text, caret) => {
  const term = termAt(text, caret);
  const sign = (term.typed.match(/^[-!]+/) || [""])[0];
  const plain = term.typed.slice(sign.length);
  const colon = plain.indexOf(":");
  if (colon < 0) {
    const wanted = plain.toLowerCase();
    const place = { begin: term.begin + sign.length, end: term.end };
    const words = data.words
      .filter(([name]) => name.startsWith(wanted))
      .map(([name, means]) => ({ text: `${name}:`, note: means, ...place, goesOn: true }));
    const guesses = wanted.length < 2 || wanted.startsWith('"') ? [] : GUESSED.flatMap((name) =>
      (data.offers[name] || [])
        .filter(([value]) => value.toLowerCase().startsWith(wanted))
        .slice(0, GUESSES)
        .map(([value, note]) => ({ text: `${name}:${quoted(value)}`, note, ...place, goesOn: false })));
    return [...words, ...guesses];
  }
  const word = plain.slice(0, colon).toLowerCase();
  const offers = data.offers[word] || [];
  const given = plain.slice(colon + 1);
  const last = given.startsWith('"') ? 0 : given.lastIndexOf(",") + 1;
  const wanted = given.slice(last).replace(/"/g, "").toLowerCase();
  const begin = term.begin + sign.length + colon + 1 + last;
  const starts = offers.filter(([value]) => value.toLowerCase().startsWith(wanted));
  const within = wanted
    ? offers.filter(([value, note]) => !value.toLowerCase().startsWith(wanted) && `${value} ${note}`.toLowerCase().includes(wanted))
    : [];
  return [...starts, ...within].map(([value, note]) => ({
    text: quoted(value), note, begin, end: term.end, goesOn: false,
  }));
};

const build = (root) => {
  const input = make("input", { type: "text", id: "filter", autocomplete: "off", spellcheck: false });
  const attributes = {
    role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": "filter-options",
    "aria-describedby": "filter-wrong filter-count", autocapitalize: "none", autocorrect: "off",
  };
  for (const [name, value] of Object.entries(attributes)) input.setAttribute(name, value);
  input.placeholder = 'user:ann status:>=400 command:join "any text"';
  const list = make("ul", { id: "filter-options", hidden: true });
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Completions");
  const clear = make("button", { type: "button", textContent: "Clear" });
  const count = make("span", { id: "filter-count", className: "count" });
  count.setAttribute("role", "status");
  const wrong = make("div", { id: "filter-wrong", className: "wrong", hidden: true });
  const form = make(
    "form", {},
    make("label", { htmlFor: "filter", textContent: "Filter" }),
    make("div", { className: "field" }, input, list),
    make("button", { type: "submit", textContent: "Apply" }),
    clear, count,
  );
  form.setAttribute("role", "search");
  root.replaceChildren(form, wrong);
  return { form, input, list, clear, count, wrong, options: [], active: -1, wasText: null };
};

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const root = parentElement.querySelector(".filter");
  root.dataset.theme = isDark(parentElement.host || parentElement) ? "dark" : "light";
  const parts = root.parts || (root.parts = build(root));
  const { form, input, list, clear, count, wrong } = parts;

  const apply = (text) => {
    close();
    setTriggerValue("go", { filter: text });
  };

  const close = () => {
    list.hidden = true;
    parts.active = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };

  const activate = (number) => {
    const options = [...list.querySelectorAll("[role=option]")];
    parts.active = options.length ? (number + options.length) % options.length : -1;
    options.forEach((one, at) => one.setAttribute("aria-selected", String(at === parts.active)));
    if (parts.active < 0) return;
    input.setAttribute("aria-activedescendant", options[parts.active].id);
    options[parts.active].scrollIntoView({ block: "nearest" });
  };

  const open = () => {
    const found = optionsAt(data, input.value, input.selectionStart ?? input.value.length);
    parts.options = found.slice(0, MOST);
    // What is typed already is no completion.
    parts.options = parts.options.filter((one) => input.value.slice(one.begin, one.end) !== one.text);
    if (!parts.options.length) {
      close();
      return;
    }
    const items = parts.options.map((one, at) => {
      const item = make("li", { id: `filter-option-${at}` }, make("code", { textContent: one.text }));
      if (one.note) item.append(make("span", { textContent: one.note }));
      item.setAttribute("role", "option");
      item.setAttribute("aria-selected", "false");
      item.onmousedown = (event) => {
        event.preventDefault();
        take(at);
      };
      return item;
    });
    if (found.length > MOST) {
      const rest = make("li", {}, make("span", { textContent: `${(found.length - MOST).toLocaleString("en")} more: type on` }));
      rest.setAttribute("role", "presentation");
      rest.style.padding = "0.2rem 0.7rem";
      items.push(rest);
    }
    list.replaceChildren(...items);
    list.hidden = false;
    parts.active = -1;
    input.setAttribute("aria-expanded", "true");
    input.removeAttribute("aria-activedescendant");
  };

  const take = (at) => {
    const one = parts.options[at];
    const behind = one.goesOn ? "" : " ";
    const rest = input.value.slice(one.end);
    input.value = input.value.slice(0, one.begin) + one.text + (rest.startsWith(" ") ? "" : behind) + rest;
    const caret = one.begin + one.text.length + (one.goesOn ? 0 : 1);
    input.setSelectionRange(caret, caret);
    input.focus();
    if (one.goesOn) open();
    else close();
  };

  const tell = () => {
    const error = data.wrong;
    wrong.hidden = !error || input.value !== data.text;
    input.setAttribute("aria-invalid", String(!wrong.hidden));
    if (!error) {
      wrong.replaceChildren();
      return;
    }
    // Positions are counted in characters, as the server does, not in UTF-16 units.
    const characters = [...data.text];
    const cut = (from, to) => characters.slice(from, to).join("");
    const end = error.at + error.length;
    const place = make("pre", {}, cut(0, error.at), make("mark", { textContent: cut(error.at, end) || "␣" }), cut(end));
    place.setAttribute("aria-hidden", "true");
    const said = make("p", { textContent: `✕ ${error.sentence[0].toUpperCase()}${error.sentence.slice(1)}. ` });
    said.setAttribute("role", "alert");
    if (error.mended !== null) {
      const mend = make("button", { type: "button", textContent: `use ${error.instead}` });
      mend.onclick = () => apply(error.mended);
      said.append(mend);
    }
    wrong.replaceChildren(place, said, make("small", { textContent: "The filter is not applied." }));
  };

  if (parts.wasText !== data.text) {
    parts.wasText = data.text;
    input.value = data.text;
    input.maxLength = data.most;
  }
  count.textContent = data.count;
  clear.hidden = !data.text && !input.value;
  tell();

  input.oninput = () => {
    clear.hidden = !input.value && !data.text;
    tell();
    open();
  };
  input.onfocus = () => { if (!input.value) open(); };
  input.onblur = close;
  input.onclick = () => { if (list.hidden) open(); };
  input.onkeydown = (event) => {
    const shown = !list.hidden;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!shown) open();
      const down = event.key === "ArrowDown";
      if (!list.hidden) activate(parts.active < 0 && !down ? -1 : parts.active + (down ? 1 : -1));
    } else if (event.key === "Enter" && shown && parts.active >= 0) {
      event.preventDefault();
      take(parts.active);
    } else if (event.key === "Escape" && shown) {
      event.preventDefault();
      event.stopPropagation();
      close();
    } else if (event.key === "Tab" && shown && parts.active >= 0 && !event.shiftKey) {
      event.preventDefault();
      take(parts.active);
    }
  };
  form.onsubmit = (event) => {
    event.preventDefault();
    apply(input.value);
  };
  clear.onclick = () => {
    input.value = "";
    input.focus();
    apply("");
  };
}
