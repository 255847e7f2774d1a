// What stands over the list: what is wrong in it, search, times, lanes, keys.

const TIMES = { absolute: "time of day", relative: "since the start", delta: "since row before" };
const KINDS_OF_TROUBLE = [
  ["bad", "✕", "problem", (event) => event.tone === "bad" && !event.note],
  ["doubtful", "!", "doubtful", (event) => event.tone === "doubtful" && !event.note],
  ["heat", "▲", "slow", (event) => Boolean(event.heat)],
  ["hole", "⌇", "hole", (event) => event.note === "hole"],
  ["finding", "⚑", "finding", (event) => event.note === "finding"],
];
const isProblem = (event) => event.tone === "bad" || event.note === "hole";
const KEYS = [
  ["↓ j / ↑ k", "next row, row before; an open message follows"],
  ["Home End", "first row, last row"],
  ["Page Up / Page Down", "a page of rows"],
  ["Enter", "open the message beside the ladder"],
  ["Escape", "close the message, leave the search, take marks away"],
  ["space", "mark a row; two marked rows are compared"],
  ["n / p", "next problem, problem before"],
  ["f or /", "search; Enter and Shift+Enter go from match to match"],
  ["m", "show matching rows only"],
  ["r", "go to what belongs to this row: its reply, answer or copies"],
  ["x", "show what is folded into an arrow: repeats, SIP answer, hops"],
  ["c / C", "collapse or expand the step, all steps"],
  ["t", "time of day, since the start, since the row before"],
  ["l", "show or hide lanes"],
  ["?", "this list"],
];
const SIGNS = [
  ["──▶", "request"], ["╌╌▶", "response"], ["══▶", "no SIP: DNS, upload"], ["○", "passed a proxy there"],
  ["✕", "error, or lost"], ["!", "retried, slow or unsure"], ["▲ ▲▲", "half a second and more, two seconds and more"], ["⚑ ⌇", "finding, hole in the capture"],
];

class Help {
  constructor(section) {
    const listed = (pairs) => make("dl", { class: "xl-keys" }, pairs.map(([key, what]) => [make("dt", {}, make("kbd", {}, key)), make("dd", {}, what)]));
    this.element = make("dialog", { class: "xl-dialog xl-help", "aria-label": "Keys" },
      make("div", { class: "xl-dialog-head" }, make("h3", {}, "Keys"),
        button("✕", "Close (Escape)", () => this.element.close(), { class: "xl-button", "aria-label": "Close" })),
      make("div", { class: "xl-dialog-body", tabindex: "0" }, make("p", {}, "They act while the ladder has the focus."), listed(KEYS), make("h4", {}, "Signs"), listed(SIGNS)));
    section.append(this.element);
  }

  show() {
    this.element.showModal();
  }
}

class Controls {
  constructor(board) {
    const { model } = board;
    this.board = board;
    this.status = make("output", { class: "xl-status", role: "status", "aria-live": "polite" });
    this.found = make("span", { class: "xl-count" });
    this.search = make("input", {
      type: "search", class: "xl-search", placeholder: "Search rows (f)", spellcheck: "false", "aria-label": "Search in the rows of the ladder",
      value: model.query, oninput: later(150, () => board.search(this.search.value)),
    });
    this.only = make("input", { type: "checkbox", checked: model.only, onchange: () => board.filter(this.only.checked) });
    this.times = make("select", { "aria-label": "Times", title: "Times (t)", onchange: () => board.times(this.times.value) },
      model.modes.map((mode) => make("option", { value: mode, selected: mode === model.times }, TIMES[mode])));
    this.lanesMenu = this.menu("Lanes");
    this.methodsMenu = this.menu("Messages");
    this.steps = button("Collapse steps", "Collapse or expand all steps (C)", () => board.steps(), { class: "xl-button" });
    this.showHeads = make("input", { type: "checkbox", checked: model.heads, onchange: () => board.heads(this.showHeads.checked) });
    this.more = button("☰ Tools", "Search, times, lanes", () => this.open(!board.section.classList.contains("tools")), { class: "xl-more", "aria-expanded": "false" });
    this.elements = [
      this.chips(),
      make("div", { class: "xl-group" }, this.more, button("? Keys", "Keys (?)", () => board.help.show(), { class: "xl-button" })),
      make("div", { class: "xl-tools", role: "group", "aria-label": "Ladder controls" },
        make("span", { class: "xl-group" }, this.search, this.found,
          button("↑", "Match before", () => board.match(-1), { class: "xl-button", "aria-label": "Match before" }),
          button("↓", "Next match", () => board.match(1), { class: "xl-button", "aria-label": "Next match" }),
          make("label", { title: "Show matching rows only (m)" }, this.only, " only matches")),
        make("span", { class: "xl-group" }, this.times),
        make("span", { class: "xl-group" }, this.lanesMenu.element, this.methodsMenu.element, model.groups.length > 0 && [make("label", { title: "Show where each step begins" }, this.showHeads, " steps"), this.steps]),
        this.status),
    ];
    this.lanes();
    this.methods();
  }

  /** Show the controls, which a narrow window hides. */
  open(on) {
    this.board.section.classList.toggle("tools", on);
    this.more.setAttribute("aria-expanded", String(on));
  }

  /** Say what is wrong before anything else: each of these goes to the next of its kind. */
  chips() {
    const made = KINDS_OF_TROUBLE.flatMap(([kind, sign, noun, of]) => {
      const number = this.board.model.events.filter(of).length;
      if (!number) return [];
      const words = noun === "slow" || noun === "doubtful" ? `${number.toLocaleString("en-GB")} ${noun}` : count(number, noun);
      return button(`${sign} ${words}`, `Go to the next ${noun}`, () => this.board.jump(1, of), { class: `xl-chip xl-${kind}` });
    });
    return make("div", { class: "xl-chips" }, made.length ? made : make("span", { class: "xl-chip xl-none" }, "✓ nothing marked as wrong"));
  }

  menu(title) {
    const summary = make("summary", { class: "xl-button" }, title);
    const content = make("div", { class: "xl-menu-body", role: "group", "aria-label": title });
    const element = make("details", { class: "xl-menu" }, summary, content);
    element.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !element.open) return;
      event.stopPropagation();
      element.open = false;
      summary.focus();
    });
    this.board.section.addEventListener("pointerdown", (event) => {
      if (!event.composedPath().includes(element)) element.open = false;
    });
    element.addEventListener("focusout", (event) => {
      if (event.relatedTarget && !element.contains(event.relatedTarget)) element.open = false;
    });
    return { element, summary, content, title };
  }

  boxes(menu, hidden, names, change) {
    const cap = 200; // boxes; of more lanes nobody picks one from a list
    const boxes = names.slice(0, cap).map(([key, name, about]) => {
      const box = make("input", { type: "checkbox", checked: !hidden.has(key), onchange: () => change(key, !box.checked) });
      return make("label", {}, box, ` ${name} `, make("small", {}, about));
    });
    const rest = names.length > cap && make("p", {}, `${count(names.length - cap, "more lane")}: each can be hidden at its head; choose a session to have fewer.`);
    const all = button("Show all", "Show all of them", () => change(null, false), { class: "xl-button" });
    const none = menu === this.lanesMenu && names.length > 8
      && button("Only those of this row", "Hide the lanes that the current row does not touch", () => this.board.onlyLanesOfRow(), { class: "xl-button" });
    const clients = menu === this.lanesMenu && this.board.model.lanes.filter((lane) => lane.kind === "client").length > 1
      && make("label", {}, make("input", { type: "checkbox", checked: this.board.model.together, onchange: (event) => this.board.together(event.target.checked) }), " all clients in one lane");
    menu.content.replaceChildren(...[clients, all, none, ...boxes, rest].filter(Boolean));
    menu.summary.textContent = hidden.size ? `${menu.title} (${hidden.size.toLocaleString("en-GB")} hidden)` : menu.title;
  }

  lanes() {
    const { model } = this.board;
    this.boxes(this.lanesMenu, model.hiddenLanes, model.lanes.map((lane, number) => [number, lane.title, lane.about ?? ""]), (lane, on) => this.board.hide(model.hiddenLanes, lane, on));
  }

  methods() {
    const { model } = this.board;
    this.boxes(this.methodsMenu, model.hiddenMethods, model.methods().map(([name, number]) => [name, name, number.toLocaleString("en-GB")]), (name, on) => this.board.hide(model.hiddenMethods, name, on));
  }

  /** Say how much is shown, and how much of it matches. */
  tell() {
    const { model, list } = this.board, { matches, query } = model;
    const place = matches.indexOf(list.current);
    const found = matches.length === 1 ? "1 match" : `${matches.length.toLocaleString("en-GB")} matches`;
    this.found.textContent = !query ? "" : place < 0 ? found : `${place + 1} of ${found}`;
    this.found.classList.toggle("xl-nothing", Boolean(query) && !matches.length);
    const all = model.events.length;
    const rows = model.shownCount === all ? count(all, "row") : `${model.shownCount.toLocaleString("en-GB")} of ${count(all, "row")}`;
    this.say(query ? `${rows}, ${found}` : rows);
  }

  say(text) {
    this.status.textContent = text;
  }
}
