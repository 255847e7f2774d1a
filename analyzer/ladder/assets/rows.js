// The rows of the table, as the page came with them: shown and hidden, marked, given other times.

class Rows {
  static painted = new Map();

  constructor(section, model) {
    this.section = section;
    this.model = model;
    this.scroll = section.querySelector(".xl-scroll");
    this.table = section.querySelector("table");
    this.rows = [...this.table.querySelectorAll("tr.ev")];
    this.heads = [...this.table.querySelectorAll("tr.gr")];
    this.bodies = [...this.table.querySelectorAll("tbody")].map((element) => ({
      element, rows: [...element.querySelectorAll("tr")],
    }));
    this.expanded = new Map();
    this.marked = new Map();
    this.current = -1;
    this.rows.forEach((row, number) => this.foldable(this.model.events[number], row));
    this.heads.forEach((head, number) => {
      head.querySelector(".gi").prepend(
        button("▾", "Collapse or expand this step (c)", null, {
          class: "tw", "aria-expanded": "true", tabindex: "-1", "data-group": number,
          "aria-label": `Step ${this.model.groups[number].name}`,
        }),
        make("span", { class: "xl-folded" }),
      );
    });
  }

  /** Return the number of the event that a node lies in, or -1. */
  at(node) {
    const row = node?.closest?.("tr.ev");
    if (!row || !this.table.contains(row)) return -1;
    return Number(row.dataset.of ?? row.id.slice(row.id.lastIndexOf("-e") + 2));
  }

  foldable(event, row) {
    const folded = (event.rows?.length ?? 0) > 1 || event.answer || event.hops;
    if (!folded) return;
    row.querySelector(".t").append(
      button("▸", "Show what is folded into this arrow (x)", null, {
        class: "tw xl-open", "aria-expanded": "false", tabindex: "-1", "aria-label": "What is folded into this arrow",
      }),
    );
  }

  /** Show and hide as the model says. */
  apply() {
    const { model } = this;
    this.rows.forEach((row, number) => {
      const hidden = !model.shown[number];
      if (row.hidden !== hidden) row.hidden = hidden;
      if (hidden && this.expanded.has(number)) this.expand(number);
    });
    this.heads.forEach((head, number) => {
      const { first, last } = model.groups[number];
      let passing = 0;
      for (let at = first; at <= last; at++) passing += model.passing[at];
      const closed = model.closed.has(number);
      head.hidden = !passing;
      head.querySelector(".tw").setAttribute("aria-expanded", String(!closed));
      head.querySelector(".tw").textContent = closed ? "▸" : "▾";
      head.querySelector(".xl-folded").textContent = closed ? `${count(passing, "row")} folded` : "";
    });
    this.measure();
    if (this.current >= 0 && !model.shown[this.current]) {
      const other = model.next(this.current, 1);
      this.focus(other >= 0 ? other : model.next(this.current, -1), { quiet: true });
    }
    this.times();
  }

  /** Tell the style sheet how many rows a body has, which is how high it is. */
  measure() {
    for (const { element, rows } of this.bodies) {
      const shown = rows.reduce((sum, row) => sum + (row.hidden ? 0 : 1), 0)
        + element.querySelectorAll("tr.sub").length;
      element.hidden = !shown;
      element.style.setProperty("--rows", shown);
    }
  }

  /** Write the times again: another mode or zone, or other rows before. */
  times() {
    const { model } = this;
    let before = null;
    this.table.querySelector("thead .tm").textContent = model.heading();
    this.rows.forEach((row, number) => {
      if (!model.shown[number]) return;
      const cell = row.firstElementChild, { time } = model.events[number];
      const pause = before !== null && time - before >= PAUSE && model.times !== "delta";
      this.write(cell.firstElementChild, model.shownTime(number, time, before));
      let small = cell.children[1];
      if (pause && !small) cell.append((small = make("small", { title: "since the row before" })));
      if (small) this.write(small, pause ? model.span(time - before) : "");
      before = time;
    });
  }

  /** Give a time its tooltip in the chosen zone, when someone is about to read it. */
  hint(number) {
    const time = this.rows[number]?.querySelector("time");
    if (time) time.title = this.model.full(number);
  }

  write(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }

  /** Make an event the current one: the only row that Tab reaches. */
  focus(number, { quiet = false } = {}) {
    const before = this.rows[this.current], row = this.rows[number];
    if (before) {
      before.tabIndex = -1;
      before.classList.remove("current");
    }
    this.current = row ? number : -1;
    if (!row) return;
    row.tabIndex = 0;
    row.classList.add("current");
    if (quiet) return;
    row.focus({ preventScroll: true });
    this.reveal(number);
  }

  reveal(number) {
    const row = this.rows[number];
    row.scrollIntoView({ block: "nearest", inline: "nearest" });
    row.querySelector(".t")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  /** Put a class on these rows and on no others. */
  mark(name, numbers) {
    for (const number of this.marked.get(name) ?? []) this.rows[number]?.classList.remove(name);
    for (const number of numbers) this.rows[number]?.classList.add(name);
    this.marked.set(name, [...numbers]);
  }

  /** Paint the searched text where it stands, where the browser can do it without changing rows. */
  paint(query, numbers) {
    this.mark("hit", numbers);
    if (!globalThis.CSS?.highlights) return;
    const ranges = [], wanted = query.toLowerCase();
    for (const number of wanted ? numbers.slice(0, 2000) : []) {
      const node = this.rows[number].querySelector(".lb")?.firstChild;
      const at = node ? node.data.toLowerCase().indexOf(wanted) : -1;
      if (at < 0 || at + wanted.length > node.data.length) continue;
      const range = new Range();
      range.setStart(node, at);
      range.setEnd(node, at + wanted.length);
      ranges.push(range);
    }
    Rows.painted.set(this, ranges); // the document has one highlight for all its ladders
    CSS.highlights.set("xl-hit", new Highlight(...[...Rows.painted.values()].flat()));
  }

  /** Hide lanes: the others close up. */
  lanes() {
    const { model, section } = this;
    let place = 0;
    model.lanes.forEach((_, lane) => {
      const hidden = model.hiddenLanes.has(lane);
      section.style.setProperty(`--p${lane}`, hidden ? Math.max(0, place - 0.5) : place);
      if (hidden) section.style.setProperty(`--d${lane}`, "none");
      else section.style.removeProperty(`--d${lane}`);
      place += hidden ? 0 : 1;
    });
    section.style.setProperty("--xl-shown", Math.max(1, place));
  }

  /** Show or hide the messages that are folded into an arrow, as rows below it. */
  expand(number) {
    const row = this.rows[number], event = this.model.events[number];
    const toggle = row.querySelector(".xl-open");
    if (!toggle) return;
    const open = this.expanded.get(number);
    toggle.setAttribute("aria-expanded", String(!open));
    toggle.textContent = open ? "▸" : "▾";
    if (open) {
      open.forEach((element) => element.remove());
      this.expanded.delete(number);
    } else {
      const made = this.folded(event).map((one) => this.subordinate(number, event, one));
      row.after(...made);
      this.expanded.set(number, made);
    }
    this.measure();
  }

  folded(event) {
    const { messages } = this.model;
    const repeats = (event.rows ?? []).slice(1, 500).map((row) => {
      const message = messages.get(row);
      return { row, frame: message?.frame, time: this.model.since(message?.time), label: message?.start ?? "repeat" };
    });
    const answer = event.answer
      ? [{ ...event.answer, label: event.answer.text, back: true, time: this.model.since(messages.get(event.answer.row)?.time) }] : [];
    const hops = (event.hops ?? []).map((hop) => ({ ...hop, label: `hop ${hop.source} → ${hop.target}`, hop: true }));
    return [...repeats, ...answer, ...hops];
  }

  subordinate(number, event, one) {
    const [from, to] = one.back ? [event.target, event.source] : [event.source, event.target];
    const turn = from === to ? "self" : to > from ? "rt" : "lf";
    const kind = one.back ? "response" : event.kind;
    const time = one.time == null ? "" : this.model.shownTime(number, one.time, event.time);
    const shape = one.hop ? "" : make("i", { class: "ar" });
    return make("tr", { class: `sub ev ${kind} ${turn} s${from} e${to}${one.hop ? " hop" : ""}`, role: "row", "data-of": number, "data-row": one.row },
      make("td", { class: "tm", role: "cell" }, time),
      make("td", { class: "fr", role: "cell" }, String(one.frame ?? "")),
      make("td", { class: "ms", role: "cell", colspan: this.model.lanes.length, title: one.label },
        make("span", { class: "w" }, make("span", { class: "t" }, make("span", { class: "lb" }, one.label))), shape),
      make("td", { class: "la", role: "cell" }, make("span", { class: "ms-t" }, latencyText(one.latency))));
  }
}
