// The list: of all lines only those in view, and some around, are in the document. A line is an event
// (its number), the head of a step (-1 - its number), or what is folded into an event (an object).
// All are of one height, so that where a line stands is a product.

const AROUND = 10;
const PAGE_OVERLAP = 2;
const NARROW = 47, SLIM = 34; // rem; beside a message the ladder is narrower than the window

class List {
  constructor(section, model, actions) {
    Object.assign(this, { section, model, actions });
    this.current = -1;
    this.chosen = -1;
    this.expanded = new Set();
    this.flags = new Map(); // name of a class: numbers of the events that have it
    this.drawn = new Map(); // line: its row
    this.head = make("tr", { role: "row", "aria-rowindex": "1" });
    this.body = make("tbody", { role: "rowgroup" });
    this.table = make("table", { role: "grid", "aria-readonly": "true" },
      make("thead", { role: "rowgroup" }, this.head), this.body);
    this.scroll = make("div", { class: "xl-scroll", tabindex: "-1" }, this.table);
    this.brackets = new Brackets(model.data.brackets);
    this.follow = perFrame(() => this.draw());
    this.scroll.addEventListener("scroll", this.follow, { passive: true });
    new ResizeObserver(() => this.measure()).observe(this.scroll);
    this.layout();
  }

  /** Draw the heads of the lanes that are shown; clients in one lane have one. */
  heads() {
    const { model, head } = this;
    const column = (name, text) => make("th", { class: name, role: "columnheader", scope: "col" }, text);
    const lane = (number) => {
      const { kind, title, about } = model.lanes[number], all = this.isTogether(number) && this.clients > 1;
      const name = all ? `${this.clients.toLocaleString("en-GB")} clients` : title, words = all ? "in one lane" : about || kind;
      const hide = all ? button("⇹", "Give each client a lane", () => this.actions.together(false), { class: "xl-hide", tabindex: "-1", "aria-label": "Give each client a lane" })
        : button("✕", `Hide ${title}`, () => this.actions.hideLane(number), { class: "xl-hide", tabindex: "-1", "aria-label": `Hide lane ${title}` });
      return make("th", { class: `ln k-${kind}`, role: "columnheader", scope: "col", title: all ? name : `${title} (${kind}) ${about}` },
        make("span", { class: "bx" }, make("span", { class: "lt" }, name), make("span", { class: "ls" }, words), hide));
    };
    head.replaceChildren(this.timeHead = column("tm", model.heading()), column("fr", "frame"), ...this.heading.map(lane), column("la", "latency"));
    this.table.setAttribute("aria-colcount", this.heading.length + 3);
  }

  /** Say whether a lane is drawn in one with others. */
  isTogether(lane) {
    return this.model.together && this.model.lanes[lane].kind === "client";
  }

  /** Give the lanes that are shown their places, the clients one where they stand together. */
  order() {
    const { model } = this, { lanes, hiddenLanes } = model;
    let place = 0, shared = -1;
    this.heading = []; // the lanes that have a head
    this.clients = 0;
    this.places = lanes.map((_, lane) => {
      if (hiddenLanes.has(lane)) return Math.max(0, place - 0.5);
      const together = this.isTogether(lane);
      this.clients += together ? 1 : 0;
      if (together && shared >= 0) return shared;
      this.heading.push(lane);
      if (together) shared = place;
      return place++;
    });
    this.width = Math.max(1, place);
  }

  /** Work out the lines, and draw. */
  layout() {
    const { model } = this;
    this.order();
    this.heads();
    const lines = [];
    this.lineOf = new Int32Array(model.events.length).fill(-1);
    let group = -1;
    for (let number = 0; number < model.events.length; number++) {
      if (!model.passing[number]) continue;
      if (model.groupOf[number] !== group) {
        group = model.groupOf[number];
        if (group >= 0 && model.heads) lines.push(-1 - group);
      }
      if (!model.shown[number]) continue;
      this.lineOf[number] = lines.length;
      lines.push(number);
      if (this.expanded.has(number)) lines.push(...this.folded(number));
    }
    this.lines = lines;
    this.seen = null;
    this.table.setAttribute("aria-rowcount", lines.length + 1);
    this.clear();
    this.measure();
  }

  /** Fit the lanes into the width, and the list into the height. */
  measure() {
    const root = parseFloat(getComputedStyle(document.documentElement).fontSize) || 16, line = this.lineOf?.[this.current] ?? -1;
    const seen = this.seen && line >= this.seen[0] - 0.1 && line + 1 <= this.seen[1] + 0.1;
    this.section.classList.toggle("narrow", this.section.clientWidth < NARROW * root);
    this.section.classList.toggle("slim", this.section.clientWidth < SLIM * root);
    const style = getComputedStyle(this.section), rem = (name) => parseFloat(style.getPropertyValue(name)) * root;
    if (!this.scroll.clientWidth) return;
    const fixed = rem("--tw") + rem("--fw") + rem("--rw");
    const fitting = Math.floor((this.scroll.clientWidth - fixed) / this.width);
    this.lane = Math.min(rem("--most"), Math.max(rem("--least"), fitting));
    const first = this.height ? this.scroll.scrollTop / this.height : 0;
    this.height = Math.round(root * 2.25);
    this.section.style.setProperty("--n", this.width);
    this.section.style.setProperty("--lane", `${this.lane}px`);
    this.section.style.setProperty("--line", `${this.height}px`);
    this.section.style.setProperty("--fixed", `${fixed}px`);
    this.section.style.setProperty("--view", `${this.scroll.clientWidth}px`);
    this.body.style.height = `${Math.max(this.lines.length, 2) * this.height}px`;
    if (Math.abs(this.scroll.scrollTop - first * this.height) > 1) this.scroll.scrollTop = first * this.height;
    for (const [line, row] of this.drawn) row.style.top = `${line * this.height}px`;
    this.section.classList.toggle("many", this.width > 8);
    this.draw();
    if (seen && line >= 0) this.reveal(this.current);
    this.actions.moved();
  }

  clear() {
    const focused = this.body.contains(this.root().activeElement);
    this.drawn.clear();
    this.body.replaceChildren();
    this.refocus = focused;
  }

  root() {
    return this.section.getRootNode();
  }

  /** Return the first line in view, and the one behind the last. */
  range() {
    const { scroll, height } = this, head = this.head.offsetHeight;
    return [scroll.scrollTop / height, (scroll.scrollTop + scroll.clientHeight - head) / height];
  }

  draw() {
    if (!this.height) return;
    if (!this.lines.length) {
      this.drawn.clear();
      this.body.replaceChildren(make("tr", { class: "xl-none", role: "row" }, make("td", { role: "gridcell" }, this.model.events.length ? "Nothing of it is shown." : "No messages.")));
      return;
    }
    const [top, bottom] = (this.seen = this.range());
    const first = Math.max(0, Math.floor(top) - AROUND), end = Math.min(this.lines.length, Math.ceil(bottom) + AROUND);
    const kept = this.current < 0 ? -1 : this.lineOf[this.current]; // it may have the focus
    for (const [line, row] of this.drawn) {
      if ((line < first || line >= end) && line !== kept) {
        row.remove();
        this.drawn.delete(line);
      }
    }
    // In the order of the list, which is the order in which they are read out.
    let next = this.body.firstElementChild;
    const place = (line) => {
      while (next && next.line <= line) next = next.nextElementSibling;
      if (!this.drawn.has(line)) this.body.insertBefore(this.put(line), next);
    };
    if (kept >= 0 && kept < first) place(kept);
    for (let line = first; line < end; line++) place(line);
    if (kept >= end) place(kept);
    if (this.refocus) {
      this.refocus = false;
      this.rowOf(this.current)?.focus({ preventScroll: true });
    }
  }

  put(line) {
    const what = this.lines[line];
    const row = typeof what === "object" ? this.subordinate(what) : what < 0 ? this.groupHead(-1 - what) : this.event(what, line);
    row.style.top = `${line * this.height}px`;
    row.setAttribute("aria-rowindex", line + 2);
    row.line = line;
    this.drawn.set(line, row);
    return row;
  }

  rowOf(number) {
    return number < 0 ? undefined : this.drawn.get(this.lineOf[number]);
  }

  /** Return the number of the event that a node lies in, or -1; of what is folded, its event. */
  at(node) {
    const row = node?.closest?.("tr");
    if (!row || row.line === undefined || !this.body.contains(row)) return -1;
    const what = this.lines[row.line];
    return typeof what === "object" ? what.of : what;
  }

  /** Return the event before a line that is shown, for the time since then. */
  before(line) {
    for (let at = line - 1; at >= 0; at--) if (typeof this.lines[at] === "number" && this.lines[at] >= 0) return this.lines[at];
    return -1;
  }

  classes(number) {
    const { model } = this, event = model.events[number], group = model.groups[model.groupOf[number]];
    const shape = event.note ? `note ${event.note}${event.lanes.length ? "" : " all"}`
      : `${event.kind} ${event.target === event.source ? "self" : event.target > event.source ? "rt" : "lf"}`;
    const [start] = this.ends(event), mirror = (event.note || event.source === event.target) && start * 2 >= this.width && this.width > 1;
    const flags = [...this.flags].filter(([, numbers]) => numbers.has(number)).map(([name]) => name);
    return [`ev ${shape}`, event.tone, event.heat ?? "quick", mirror && "mirror", group && `in g-${group.status}`,
      number === this.current && "current", number === this.chosen && "chosen", model.matching?.has(number) && "hit", ...flags].filter(Boolean).join(" ");
  }

  /** Return where an event begins and ends, in places of lanes. */
  ends(event) {
    const [first, last] = event.note ? [event.lanes[0] ?? 0, event.lanes[1] ?? 0] : [event.source, event.target];
    return [this.places[first] ?? 0, this.places[last] ?? 0];
  }

  event(number, line) {
    const { model } = this, event = model.events[number], before = this.before(line);
    const [start, end] = this.ends(event);
    const row = make("tr", {
      class: this.classes(number), role: "row", tabindex: number === this.current ? "0" : "-1",
      "aria-selected": String(number === this.chosen), "aria-label": spoken(model, number),
    },
      make("td", { class: "tm", role: "gridcell", title: this.step(number) }, this.time(number, before)),
      make("td", { class: "fr", role: "gridcell" }, String(event.frame ?? event.frames[0] ?? "")),
      make("td", { class: "ms", role: "gridcell", "aria-colspan": model.lanes.length, title: event.text },
        event.note ? this.note(event) : this.arrow(event, number)),
      make("td", { class: "la", role: "gridcell" },
        this.brackets.of(number).map((name) => make("i", { class: name })),
        event.latency == null ? null : this.latency(event)));
    row.style.setProperty("--s", start);
    row.style.setProperty("--e", end);
    return row;
  }

  /** Return which step an event belongs to, in words. */
  step(number) {
    const group = this.model.groups[this.model.groupOf[number]];
    return group ? `${group.name}: ${group.status.replaceAll("-", " ")}` : null;
  }

  time(number, before) {
    const { model } = this, { time } = model.events[number];
    const since = before < 0 ? null : time - model.events[before].time;
    return [
      make("time", { title: model.full(number) }, model.shownTime(number, time, before < 0 ? null : model.events[before].time)),
      since !== null && since >= PAUSE && model.times !== "delta" && make("small", { title: "since the row before" }, model.span(since)),
    ];
  }

  arrow(event, number) {
    const sign = TONE_SIGNS[event.tone], folded = foldedWords(event);
    return [
      make("span", { class: "w" },
        make("span", { class: "t" },
          sign && make("b", { class: "sg", "aria-hidden": "true" }, sign),
          this.who(event),
          make("span", { class: "lb" }, cut(event.label, LABEL)),
          (event.marks ?? []).map((mark) => make("span", { class: "mk" }, mark)),
          folded && make("span", { class: "fo" }, folded),
          this.isFoldable(event) && button(this.expanded.has(number) ? "▾" : "▸", "Show what is folded into this arrow (x)", null,
            { class: "tw xl-open", tabindex: "-1", "aria-expanded": String(this.expanded.has(number)), "aria-label": "What is folded into this arrow" }))),
      make("i", { class: "ar" }),
      event.via.filter((lane) => !this.model.hiddenLanes.has(lane)).map((lane) => {
        const ring = make("i", { class: "vi" });
        ring.style.setProperty("--v", this.places[lane]);
        return ring;
      }),
    ];
  }

  /** Name the client of an arrow, where all have one lane. */
  who(event) {
    const lane = [event.source, event.target].find((one) => this.isTogether(one));
    return lane === undefined || this.clients < 2 ? null : make("span", { class: "who" }, this.model.lanes[lane].title);
  }

  note(event) {
    const rule = event.note === "finding" ? event.label.split(" ")[0] : "";
    const href = rule && this.actions.ruleHref(rule);
    return make("span", { class: "nt" }, make("span", { class: "t" },
      make("b", { class: "sg", "aria-hidden": "true" }, NOTE_SIGNS[event.note]),
      href ? make("a", { class: "lb", href, tabindex: "-1" }, noteWords(event)) : make("span", { class: "lb" }, noteWords(event))));
  }

  latency(event) {
    const text = latencyText(event.latency), heat = HEAT_WORDS[event.heat];
    return make("span", { class: "ms-t", title: `${text}${event.latencyOf ? ` since ${event.latencyOf}` : ""}${heat ? `, ${heat}` : ""}` },
      [text, HEAT_SIGNS[event.heat]].filter(Boolean).join(" "));
  }

  groupHead(number) {
    const { model } = this, group = model.groups[number], closed = model.closed.has(number);
    let passing = 0;
    if (closed) for (let at = group.first; at <= group.last; at++) passing += model.passing[at];
    const toggle = button(closed ? "▸" : "▾", "Collapse or expand this step (c)", null, {
      class: "tw", tabindex: "-1", "aria-expanded": String(!closed), "data-group": number, "aria-label": `Step ${group.name}`,
    });
    return make("tr", { class: `gr g-${group.status}`, role: "row" },
      make("th", { role: "rowheader" }, make("span", { class: "gi" }, toggle,
        make("b", { class: "st" }, `${STATUS_SIGNS[group.status] ?? ""} ${group.status.replaceAll("-", " ")}`),
        make("b", {}, `${group.name}${group.continued ? " (continued)" : ""}`),
        make("span", { class: "dt" }, group.detail),
        make("span", { class: "xl-folded" }, closed ? `${count(passing, "row")} folded` : ""))));
  }

  isFoldable(event) {
    return event.rows?.length > 1 || Boolean(event.answer) || event.hops?.length > 0;
  }

  /** Return what is folded into an event. */
  folded(number) {
    const event = this.model.events[number], { answer } = event;
    return [
      ...(event.rows ?? []).filter((row) => row !== answer?.row).slice(1, 500).map((row) => ({ of: number, row, label: `repeat of ${event.label}` })),
      ...(answer ? [{ of: number, row: answer.row, frame: answer.frame, label: answer.text, latency: answer.latency, back: true }] : []),
      ...(event.hops ?? []).map((hop) => ({ of: number, row: hop.row, frame: hop.frame, time: hop.time, label: `hop ${hop.source} → ${hop.target}`, hop: true })),
    ];
  }

  subordinate(one) {
    const { model } = this, event = model.events[one.of];
    const [from, to] = one.back ? [event.target, event.source] : [event.source, event.target];
    const turn = from === to ? "self" : to > from ? "rt" : "lf";
    const row = make("tr", { class: `sub ev ${one.back ? "response" : event.kind} ${turn}${one.hop ? " hop" : ""}`, role: "row", "data-row": one.row },
      make("td", { class: "tm", role: "gridcell" }, one.time == null ? "" : model.shownTime(one.of, one.time, event.time)),
      make("td", { class: "fr", role: "gridcell" }, String(one.frame ?? "")),
      make("td", { class: "ms", role: "gridcell", title: one.label },
        make("span", { class: "w" }, make("span", { class: "t" }, make("span", { class: "lb" }, one.label))), one.hop ? null : make("i", { class: "ar" })),
      make("td", { class: "la", role: "gridcell" }, make("span", { class: "ms-t" }, latencyText(one.latency))));
    row.style.setProperty("--s", this.places[from]);
    row.style.setProperty("--e", this.places[to]);
    return row;
  }

  /** Make an event the current one: the only row that Tab reaches. */
  focus(number, { quiet = false } = {}) {
    const before = this.current;
    this.current = number;
    this.touch(before);
    this.touch(number);
    if (number < 0) return;
    if (!this.rowOf(number)) this.draw();
    if (quiet) return;
    this.reveal(number);
    this.rowOf(number)?.focus({ preventScroll: true });
  }

  /** Write the classes of a row again. */
  touch(number) {
    const row = this.rowOf(number);
    if (!row) return;
    row.className = this.classes(number);
    row.tabIndex = number === this.current ? 0 : -1;
    row.setAttribute("aria-selected", String(number === this.chosen));
  }

  choose(number) {
    const before = this.chosen;
    this.chosen = number;
    this.touch(before);
    this.touch(number);
  }

  /** Put a class on these events and on no others. */
  flag(name, numbers) {
    const before = this.flags.get(name) ?? [];
    this.flags.set(name, new Set(numbers));
    for (const number of new Set([...before, ...numbers])) this.touch(number);
  }

  /** Bring an event into view, down the list and across the lanes. */
  reveal(number, block = "nearest") {
    const line = this.lineOf[number], { scroll, height } = this;
    if (line < 0 || !height) return;
    const [top, bottom] = this.range();
    if (block === "center") scroll.scrollTop = (line + 0.5) * height - (bottom - top) * height / 2;
    else if (line < top) scroll.scrollTop = line * height;
    else if (line + 1 > bottom) scroll.scrollTop = (line + 1 - (bottom - top)) * height;
    this.across(this.model.events[number]);
    this.draw();
  }

  across(event) {
    const [start, end] = this.ends(event), { scroll, lane } = this;
    const [first, last] = [(Math.min(start, end) + 0.5) * lane, (Math.max(start, end) + 0.5) * lane];
    const room = scroll.clientWidth - parseFloat(this.section.style.getPropertyValue("--fixed"));
    if (event.note && !event.lanes.length) return;
    if (first >= scroll.scrollLeft && last <= scroll.scrollLeft + room) return;
    scroll.scrollLeft = Math.max(0, last - first > room ? first - lane / 2 : (first + last - room) / 2);
  }

  /** Return how many rows a page has. */
  page() {
    const [top, bottom] = this.range();
    return Math.max(1, Math.floor(bottom - top) - PAGE_OVERLAP);
  }

  atEnd() {
    return this.scroll.scrollTop + this.scroll.clientHeight >= this.scroll.scrollHeight - this.height;
  }

  times() {
    this.timeHead.textContent = this.model.heading();
    this.clear();
    this.draw();
  }
}
