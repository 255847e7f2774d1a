// One ladder of the document: what a click or a key does to the model, and what is drawn then.

class Ladder {
  constructor(section, messages) {
    this.section = section;
    this.alone = document.body.classList.contains("xl-page");
    this.model = new Model(JSON.parse(section.querySelector("script.xl-data").textContent), messages);
    this.marks = [];
    this.hovered = -1;
    this.rows = new Rows(section, this.model);
    this.help = new Help(section);
    this.compare = new Compare(section, this.model);
    this.overview = new Overview(this.rows, this.model, () => this.marks);
    const actions = {
      current: () => this.rows.current,
      announce: (text) => this.tools.say(text),
      move: (step) => this.move(step),
      go: (number) => this.go(number),
      toggleMark: (number) => this.toggleMark(number),
      opened: (number) => {
        this.highlight();
        this.remember(number);
      },
      search: (text) => this.search(text),
      filter: (on) => this.filter(on),
      match: (step) => this.match(step),
      jump: (step, of) => this.jump(step, of),
      times: (mode) => this.times(mode),
      zone: (zone) => this.zone(zone),
      steps: () => this.steps(),
      help: () => this.help.show(),
      redraw: () => this.overview.draw(),
      hideLane: (lane, hidden) => this.hide(this.model.hiddenLanes, lane, hidden),
      hideMethod: (method, hidden) => this.hide(this.model.hiddenMethods, method, hidden),
    };
    this.tools = new Tools(section, this.model, actions);
    this.panel = new Panel(section, this.model, this.rows, actions);
    this.heads();
    this.listen();
    section.classList.add("on");
    const first = this.model.next(-1, 1);
    if (first >= 0) this.rows.focus(first, { quiet: true });
    this.tools.tell();
    this.overview.draw();
    this.recall();
  }

  heads() {
    this.section.querySelectorAll("thead .ln .bx").forEach((head, lane) => {
      const { title } = this.model.lanes[lane];
      head.append(button("✕", `Hide ${title}`, () => this.hide(this.model.hiddenLanes, lane, true), { class: "xl-hide", "aria-label": `Hide lane ${title}` }));
    });
  }

  listen() {
    const { rows } = this, { table } = rows;
    table.addEventListener("click", (event) => this.click(event));
    table.addEventListener("mouseover", (event) => this.hover(rows.at(event.target)));
    table.addEventListener("mouseleave", () => this.hover(-1));
    table.addEventListener("focusin", (event) => {
      const number = rows.at(event.target);
      if (number >= 0 && number !== rows.current) rows.focus(number, { quiet: true });
      this.hover(number);
    });
    const keys = bindings(this);
    const act = (event) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.target.closest?.("dialog, select, textarea, .xl-menu, [role=separator]")) return;
      if (event.target === this.tools.search) return this.typing(event);
      if (/^(Enter| )$/.test(event.key) && event.target.closest?.("button, a, summary, input, label")) return undefined;
      if (event.target.closest?.(".xl-panel") && /^(Arrow|Page|Home|End| )/.test(event.key)) return undefined;
      if (event.key.length === 1 && event.key !== " " && !this.help.letters.checked) return undefined;
      const key = Object.hasOwn(keys, event.key) ? keys[event.key] : null;
      if (!key) return undefined;
      event.preventDefault();
      return key();
    };
    this.section.addEventListener("keydown", act);
    if (this.alone) document.addEventListener("keydown", (event) => event.target === document.body && act(event));
  }

  typing(event) {
    if (event.key === "Enter") {
      event.preventDefault();
      if (this.tools.search.value !== this.model.query) this.search(this.tools.search.value);
      else this.match(event.shiftKey ? -1 : 1, { focus: false });
    } else if (event.key === "Escape") {
      event.preventDefault();
      this.tools.search.value = "";
      this.search("");
      this.select(this.rows.current);
    }
  }

  click(event) {
    const toggle = event.target.closest("button.tw");
    if (toggle?.dataset.group) return this.step(Number(toggle.dataset.group));
    const head = event.target.closest("tr.gr");
    if (head) return this.step(this.rows.heads.indexOf(head));
    const number = this.rows.at(event.target);
    if (number < 0 || getSelection()?.toString()) return undefined;
    this.rows.focus(number, { quiet: true });
    if (toggle) return this.rows.expand(number);
    this.rows.rows[number].focus({ preventScroll: true });
    const row = event.target.closest("tr").dataset.row;
    return this.show(number, row ? Number(row) : null);
  }

  hover(number) {
    if (number === this.hovered) return;
    this.hovered = number;
    this.rows.hint(number);
    this.rows.mark("hot", number < 0 ? [] : [number]);
    this.highlight();
  }

  /** Show what belongs to the row under the pointer, and to the one that is open. */
  highlight() {
    const of = [this.hovered, this.panel.number].flatMap((number) => this.model.events[number]?.links ?? []);
    this.rows.mark("near", of.map(([other]) => other));
  }

  update() {
    this.model.update();
    this.rows.apply();
    this.tools.tell();
    this.overview.draw();
  }

  select(number) {
    if (number < 0) return;
    this.rows.focus(number);
    if (this.panel.open && this.panel.number !== number) this.panel.show(number);
  }

  move(step) {
    let at = this.rows.current;
    for (let left = Math.abs(step); left; left--) {
      const other = this.model.next(at, Math.sign(step));
      if (other < 0) break;
      at = other;
    }
    this.select(at);
  }

  /** Go to an event, even if it is hidden. */
  go(number) {
    const { model } = this;
    if (!model.shown[number]) {
      model.closed.delete(model.groupOf[number]);
      if (!model.passing[number]) this.showAll();
      this.update();
    }
    this.select(number);
  }

  showAll() {
    const { model, tools } = this;
    model.hiddenLanes.clear();
    model.hiddenMethods.clear();
    model.only = tools.only.checked = false;
    this.rows.lanes();
    tools.lanes();
    tools.methods();
  }

  open(number) {
    if (number >= 0) this.show(number);
  }

  show(number, row = null) {
    const opened = this.panel.open;
    this.panel.show(number, row);
    if (!opened) this.rows.reveal(number); // the panel may have covered it
  }

  escape() {
    if (this.panel.open) this.panel.close();
    else if (this.model.query) this.tools.search.value = "", this.search("");
    else if (this.marks.length) this.setMarks([]);
  }

  search(text) {
    const { model, rows, tools } = this;
    model.search(text.trim());
    rows.paint(model.query, model.matches);
    if (model.only) this.update();
    else this.overview.draw();
    if (model.matches.length && !model.matching.has(rows.current)) {
      const first = model.next(-1, 1, (_, number) => model.matching.has(number));
      if (first >= 0) {
        rows.focus(first, { quiet: true });
        rows.reveal(first);
      }
    }
    tools.tell();
  }

  filter(on) {
    this.model.only = on;
    this.tools.only.checked = on;
    this.update();
  }

  match(step, { focus = true } = {}) {
    const { model } = this;
    if (!model.matching) return this.find();
    return this.around(step, (_, number) => model.matching.has(number), focus, () => this.tools.tell());
  }

  jump(step, of = (event) => event.tone === "bad" || event.note === "hole") {
    this.around(step, of, true, () => {});
  }

  /** Go to the next event of a kind; after the last comes the first. */
  around(step, of, focus, then) {
    const { model, rows } = this;
    let at = model.next(rows.current, step, of);
    if (at < 0) at = model.next(step > 0 ? -1 : model.events.length, step, of);
    if (at < 0) return this.tools.say("There is none among the rows that are shown.");
    if (focus) this.select(at);
    else {
      rows.focus(at, { quiet: true });
      rows.reveal(at);
    }
    return then();
  }

  relatedTo(number) {
    const links = this.model.events[number]?.links;
    if (!links) return this.tools.say("Nothing is known to belong to this row.");
    const next = links.find(([other]) => other > number) ?? links[0];
    return this.go(next[0]);
  }

  toggleMark(number) {
    if (number < 0) return;
    const kept = this.marks.filter((other) => other !== number);
    this.setMarks(kept.length < this.marks.length ? kept : [...kept.slice(-1), number]);
    if (this.marks.length === 2 && kept.length < 2 && this.marks.includes(number)) this.compare.show(...this.marks);
  }

  setMarks(numbers) {
    this.marks = numbers;
    this.rows.mark("marked", numbers);
    this.tools.say(numbers.length === 1 ? "One row marked; mark another to compare them." : count(numbers.length, "row") + " marked.");
    this.overview.draw();
  }

  step(group) {
    if (group < 0) return this.tools.say("This row is in no step.");
    const { closed } = this.model;
    if (!closed.delete(group)) closed.add(group);
    return this.update();
  }

  steps() {
    const { model, tools } = this;
    const all = model.closed.size < model.groups.length;
    model.closed = new Set(all ? model.groups.keys() : []);
    tools.steps.textContent = all ? "Expand steps" : "Collapse steps";
    this.update();
  }

  hide(hidden, key, on) {
    if (key === null) hidden.clear();
    else if (on) hidden.add(key);
    else hidden.delete(key);
    this.rows.lanes();
    this.tools.lanes();
    this.tools.methods();
    this.update();
  }

  times(mode) {
    this.model.times = mode;
    this.tools.times.value = mode;
    this.rows.times();
    this.tools.say(`Times: ${TIMES[mode]}`);
  }

  nextTimes() {
    const { modes } = this.model;
    this.times(modes[(modes.indexOf(this.model.times) + 1) % modes.length]);
  }

  zone(zone) {
    this.model.zone = zone;
    this.tools.zone.value = zone;
    this.rows.times();
    if (this.panel.open) this.panel.show(this.panel.number, this.panel.row);
    this.tools.say(`Times in ${this.tools.zoneName(zone)}`);
  }

  nextZone() {
    const { model } = this;
    if (!model.data.dated) return this.tools.say("These times are of no day, and so of no zone.");
    return this.zone(model.zone === "utc" ? model.zones.find((zone) => zone !== "utc") : "utc");
  }

  find() {
    this.tools.open(true);
    this.tools.search.focus();
  }

  chooseLanes() {
    this.tools.open(true);
    const { element, summary } = this.tools.lanesMenu;
    element.open = !element.open;
    (element.open ? element.querySelector("input") : summary).focus();
  }

  /** Keep the opened row in the address, so that a link leads to it. */
  remember(number) {
    if (!this.alone) return;
    try {
      history.replaceState(null, "", number < 0 ? location.pathname + location.search : `#${this.rows.rows[number].id}`);
    } catch {
      // Some browsers refuse it for a file.
    }
  }

  recall() {
    const number = this.rows.rows.findIndex((row) => `#${row.id}` === location.hash);
    if (!this.alone || number < 0) return;
    this.rows.focus(number);
    this.show(number);
  }
}

const messages = new Messages();
for (const section of document.querySelectorAll("section.xl")) new Ladder(section, messages);
