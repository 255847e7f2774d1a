// The controls over the ladder: search, times, zone, what is hidden, theme.

const TIMES = { absolute: "time of day", relative: "since the start", delta: "since row before" };

class Tools {
  constructor(section, model, actions) {
    Object.assign(this, { section, model, actions });
    this.status = make("output", { class: "xl-status", role: "status", "aria-live": "polite" });
    this.found = make("span", { class: "xl-count" });
    this.search = make("input", {
      type: "search", class: "xl-search", placeholder: "Search (/)", spellcheck: "false",
      "aria-label": withMessages() ? "Search in rows, headers and bodies" : "Search in rows",
      oninput: later(120, () => actions.search(this.search.value)),
    });
    this.only = make("input", { type: "checkbox", onchange: () => actions.filter(this.only.checked) });
    this.times = this.select("Times", model.modes.map((mode) => [mode, TIMES[mode]]), model.times, (value) => actions.times(value));
    this.zone = this.select("Time zone", model.zones.map((zone) => [zone, this.zoneName(zone)]), model.zone, (value) => actions.zone(value));
    this.lanesMenu = this.menu("Lanes");
    this.methodsMenu = this.menu("Messages");
    this.steps = button("Collapse steps", "Collapse or expand all steps (C)", () => actions.steps(), { class: "xl-button" });
    section.querySelector(".xl-head").append(this.chips(), make("div", { class: "xl-group" },
      this.more = button("☰ Tools", "Search, times, lanes", () => this.open(!section.classList.contains("tools")), { class: "xl-more", "aria-expanded": "false" }),
      this.theme(),
      button("? Keys", "Keys (?)", () => actions.help(), { class: "xl-button" })), make("div", { class: "xl-tools", role: "group", "aria-label": "Ladder controls" },
      make("span", { class: "xl-group" }, this.search, this.found,
        button("↑", "Match before (N)", () => actions.match(-1), { class: "xl-button", "aria-label": "Match before" }),
        button("↓", "Next match (n)", () => actions.match(1), { class: "xl-button", "aria-label": "Next match" }),
        make("label", { title: "Show matching rows only (f)" }, this.only, " only matches")),
      make("span", { class: "xl-group" }, this.times, model.data.dated && this.zone),
      make("span", { class: "xl-group" }, this.lanesMenu.element, this.methodsMenu.element, model.groups.length > 0 && this.steps),
      this.status));
    this.lanes();
    this.methods();
  }

  /** Show the controls, which a narrow window hides. */
  open(on) {
    this.section.classList.toggle("tools", on);
    this.more.setAttribute("aria-expanded", String(on));
  }

  select(label, options, chosen, act) {
    const element = make("select", { "aria-label": label, title: label, onchange: () => act(element.value) },
      options.map(([value, text]) => make("option", { value, selected: value === chosen }, text)));
    return element;
  }

  zoneName(zone) {
    const name = this.model.offset(0, zone)[1];
    return { utc: "UTC", given: name, reader: `this computer (${name})` }[zone];
  }

  /** Say what is wrong before anything else: each of these goes to the next of its kind. */
  chips() {
    const kinds = [
      ["bad", "✕", "problem", (event) => event.tone === "bad" && !event.note],
      ["doubtful", "!", "doubtful", (event) => event.tone === "doubtful" && !event.note],
      ["heat", "▲", "slow", (event) => Boolean(event.heat)],
      ["hole", "⌇", "hole", (event) => event.note === "hole"],
      ["finding", "⚑", "finding", (event) => event.note === "finding"],
    ];
    const made = kinds.flatMap(([kind, sign, noun, of]) => {
      const number = this.model.events.filter(of).length;
      if (!number) return [];
      const words = noun === "slow" || noun === "doubtful" ? `${number} ${noun}` : count(number, noun);
      return button(`${sign} ${words}`, `Go to the next ${noun}`, () => this.actions.jump(1, of), { class: `xl-chip xl-${kind}` });
    });
    return make("div", { class: "xl-chips" }, made.length ? made : make("span", { class: "xl-chip xl-none" }, "✓ nothing marked as wrong"));
  }

  theme() {
    const root = document.documentElement;
    if (!document.body.classList.contains("xl-page")) return null;
    const set = (value) => {
      if (value === "auto") delete root.dataset.theme;
      else root.dataset.theme = value;
      this.actions.redraw();
    };
    let chosen = root.dataset.theme ?? "auto";
    try {
      chosen = localStorage.getItem("xl-theme") ?? chosen;
    } catch {
      // Nothing is remembered where the browser stores nothing.
    }
    const element = this.select("Theme", [["auto", "auto theme"], ["light", "light"], ["dark", "dark"]], chosen, (value) => {
      set(value);
      try {
        localStorage.setItem("xl-theme", value);
      } catch {
        // As above.
      }
    });
    if (chosen === "auto") delete root.dataset.theme;
    else root.dataset.theme = chosen;
    return element;
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
    element.addEventListener("focusout", (event) => {
      if (event.relatedTarget && !element.contains(event.relatedTarget)) element.open = false;
    });
    document.addEventListener("pointerdown", (event) => {
      if (!element.contains(event.target)) element.open = false;
    });
    return { element, summary, content, title };
  }

  boxes(menu, hidden, names, change) {
    const boxes = names.map(([key, name, about]) => {
      const box = make("input", { type: "checkbox", checked: !hidden.has(key), onchange: () => change(key, !box.checked) });
      return make("label", {}, box, ` ${name} `, make("small", {}, about));
    });
    const all = button("Show all", "Show all of them", () => change(null, false), { class: "xl-button" });
    menu.content.replaceChildren(...boxes, all);
    menu.summary.textContent = hidden.size ? `${menu.title} (${hidden.size} hidden)` : menu.title;
  }

  lanes() {
    const { model } = this;
    this.boxes(this.lanesMenu, model.hiddenLanes, model.lanes.map((lane, number) => [number, lane.title, lane.about ?? ""]), this.actions.hideLane);
  }

  methods() {
    const { model } = this;
    this.boxes(this.methodsMenu, model.hiddenMethods, model.methods().map(([name, number]) => [name, name, String(number)]), this.actions.hideMethod);
  }

  /** Say how much is shown, and how much of it matches. */
  tell() {
    const { model } = this, { matches, query } = model;
    const place = matches.indexOf(this.actions.current());
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
