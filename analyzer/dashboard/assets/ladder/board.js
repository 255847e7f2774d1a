// One ladder: what a click or a key does to the model, what is drawn then, and what the page is told.
// What is selected comes from the page by `tell`, apart from the ladder itself, which is sent once.

const FOLLOW = 220; // milliseconds that the highlight rests before the message beside it follows
const CLIENTS = 8; // of more than so many, all stand in one lane until somebody wants them apart
const NO_MESSAGES = { get: () => null, text: () => "", has: () => false };

class DeskModel extends Model {
  /** Return the time that is read out: of the day, whatever the column shows. */
  clock(number) {
    const { time } = this.events[number];
    return this.data.dated ? this.moment(time, this.offset(number)[0])[1] : this.span(time);
  }
}

class DeskCompare extends Compare {
  show(one, other) {
    super.show(one, other);
    const apart = Math.abs(this.model.events[other].time - this.model.events[one].time) / 1e6;
    this.element.querySelector("h3").append(apart ? `, ${latencyText(apart)} apart` : ", at the same time");
  }

  title(number) {
    const event = this.model.events[number], ends = event.note ? "" : `, ${this.model.ends(event)}`;
    return `${super.title(number)}, ${this.model.clock(number)}${ends}`;
  }
}

class Board {
  constructor(bytes) {
    this.section = make("section", { class: "xl live on" });
    this.told = { row: null, marks: [], records: {}, hrefs: {}, zone: null };
    this.marks = [];
    this.hovered = -1;
    this.sent = null;
    this.place = { top: 0, left: 0 }; // the browser forgets it when the page puts the ladder elsewhere
    this.focused = false;
    this.section.addEventListener("focusin", () => { this.focused = true; });
    this.section.addEventListener("focusout", () => setTimeout(() => {
      if (this.section.isConnected) this.focused = this.section.contains(this.section.getRootNode().activeElement);
    }));
    this.tellPage = () => {};
    this.remember = later(SETTLED, () => this.send({}));
    this.follow = later(FOLLOW, (number) => this.open(number));
    this.section.addEventListener("keydown", (event) => this.key(event));
    this.build(bytes, {});
  }

  /** Make it from bytes; of the one before it, what somebody chose in it is kept. */
  build(bytes, { model: old, list }) {
    const same = Boolean(old) && this.told.live;
    this.stamp = stampOf(bytes);
    const data = unpacked(bytes);
    const model = (this.model = new DeskModel(data, NO_MESSAGES));
    takeLook(model, same ? {} : this.told.look ?? {});
    model.zones = ["given"];
    model.zone = "given";
    if (same) {
      for (const name of ["times", "together", "heads", "hiddenLanes", "hiddenMethods", "closed"]) model[name] = old[name];
      model.search(old.query);
      model.only = old.only;
    }
    const atEnd = same && list.atEnd(), top = same ? list.scroll.scrollTop : 0;
    model.update();
    this.rowEvent = new Map();
    data.events.forEach((event, number) => {
      for (const hop of event.hops ?? []) this.rowEvent.set(hop.row, number);
      for (const row of event.rows ?? []) this.rowEvent.set(row, number);
    });
    this.draw(data);
    if (same) {
      this.list.focus(list.current, { quiet: true });
      this.list.scroll.scrollTop = atEnd ? this.list.scroll.scrollHeight : top;
      this.end = atEnd;
    } else {
      this.marks = [];
      this.sent = undefined; // whatever is selected is gone to anew
      this.look = null; // the page says how to show it
      this.told = { ...this.told, row: null, marks: [] };
      this.place = { top: 0, left: 0 };
      this.list.focus(model.next(-1, 1), { quiet: true });
    }
    this.controls.tell();
  }

  draw(data) {
    const { section, model } = this;
    section.setAttribute("aria-label", data.title);
    section.replaceChildren();
    this.help = new Help(section);
    this.compare = new DeskCompare(section, model);
    this.compare.element.addEventListener("close", () => this.compared());
    this.list = new List(section, model, {
      hideLane: (lane) => this.hide(model.hiddenLanes, lane, true),
      together: (on) => this.together(on),
      ruleHref: (rule) => this.told.hrefs.findings && `${this.told.hrefs.findings}&rule=${encodeURIComponent(rule)}`,
      moved: () => this.overview?.draw(),
    });
    this.list.scroll.setAttribute("role", "region");
    this.list.scroll.setAttribute("aria-label", `Ladder: ${data.title}`);
    this.list.table.setAttribute("aria-label", this.caption());
    this.controls = new Controls(this);
    const main = make("div", { class: "xl-main" }, this.list.scroll);
    this.overview = new Overview(this.list, model, () => this.marks);
    this.asTable = make("a", { href: "?" }, "as a table");
    section.append(
      make("header", { class: "xl-head" },
        make("div", { class: "xl-words" }, make("h2", { class: "xl-title" }, data.title), make("p", { class: "xl-sub" }, data.subtitle)),
        this.controls.elements),
      main,
      make("ul", { class: "xl-left" }, data.left.map((sentence) => make("li", {}, sentence)),
        make("li", {}, "Only the rows in view are in the page; the same messages ", this.asTable, ".")));
    this.list.measure();
    const { table, scroll } = this.list;
    scroll.addEventListener("scroll", () => {
      if (scroll.clientHeight) this.place = { top: scroll.scrollTop, left: scroll.scrollLeft };
      this.end = this.told.live && this.list.atEnd();
    }, { passive: true });
    section.onclick = (event) => this.click(event);
    table.addEventListener("mouseover", (event) => this.hover(this.list.at(event.target)));
    table.addEventListener("mouseleave", () => this.hover(-1));
    table.addEventListener("focusin", (event) => {
      const number = this.list.at(event.target);
      if (number >= 0 && number !== this.list.current) this.list.focus(number, { quiet: true });
    });
  }

  caption() {
    const { events, lanes } = this.model, notes = events.filter((event) => event.note).length;
    const names = lanes.slice(0, 8).map((lane) => lane.title).join(", ");
    return `${count(events.length - notes, "arrow")}${notes ? ` and ${count(notes, "note")}` : ""}, in order of time, between ${
      lanes.length > 8 ? `${names} and ${lanes.length - 8} more` : names || "nobody"}. Arrow keys move, Enter opens a message, question mark lists the keys.`;
  }

  /** Stand in a place of the page; the place may be another after each click. */
  attach(root, send, dark) {
    this.tellPage = send;
    this.section.dataset.theme = dark ? "dark" : "light";
    if (this.section.parentNode === root) {
      this.fit();
      this.overview.draw(); // its colours are those of the theme
      return;
    }
    const { top, left } = this.place;
    root.replaceChildren(this.section);
    this.fit();
    this.list.measure();
    this.list.scroll.scrollTop = this.end ? this.list.scroll.scrollHeight : top;
    this.list.scroll.scrollLeft = left;
    if (this.focused && document.activeElement === document.body) this.list.rowOf(this.list.current)?.focus({ preventScroll: true });
    this.list.draw();
    this.overview.draw();
  }

  /** Tell the page what somebody did, and with it what was chosen in the ladder since it last knew. */
  send(what) {
    const silent = !Object.keys(what).length;
    if (!this.look) {
      if (!silent) this.tellPage(what); // no address has how this ladder is shown
      return;
    }
    const look = lookOf(this.model), told = alike(look, this.told.look);
    if (silent && (told || alike(look, this.look) || !this.section.isConnected)) return;
    this.look = look;
    this.tellPage(told ? what : { ...what, look });
  }

  /** Show the ladder as the address says; not what it has heard of from here. */
  take(look) {
    const known = this.look;
    this.look = look;
    if (!look || alike(look, known ?? lookOf(this.model))) return;
    const { model, controls, list } = this;
    takeLook(model, look);
    controls.search.value = model.query;
    controls.only.checked = model.only;
    controls.times.value = model.times;
    controls.showHeads.checked = model.heads;
    if (Object.keys(look).length) controls.open(true);
    controls.lanes();
    controls.methods();
    this.update();
    list.times();
    this.toMatch();
  }

  /** Fill the window down to its end, wherever the page put the ladder. */
  fit() {
    const page = document.querySelector('[data-testid="stMain"]');
    const top = this.section.getBoundingClientRect().top + (page?.scrollTop ?? 0);
    if (this.section.isConnected) this.section.style.setProperty("--above", `${Math.round(Math.max(0, top))}px`);
  }

  /** Hear what the page has selected. */
  tell(told) {
    const before = this.told, { model, list } = this;
    this.told = told;
    if (JSON.stringify(before.zone) !== JSON.stringify(told.zone)) {
      model.data.zone = told.zone;
      list.times();
    }
    this.take(told.look ?? null);
    this.asTable.href = told.hrefs.messages;
    if (before.hrefs.findings !== told.hrefs.findings) list.clear(), list.draw();
    const number = told.row === null ? -1 : this.rowEvent.get(told.row) ?? -1;
    list.choose(number);
    if (number >= 0 && told.row !== this.sent) this.go(number, { focus: false });
    else if (number >= 0 && before.row !== told.row) list.reveal(number); // what is beside it may cover it
    this.sent = told.row;
    this.highlight();
    this.fit();
    if (told.live && !before.live) list.scroll.scrollTop = list.scroll.scrollHeight, this.end = true; // what was said last
    this.overview.draw();
    const records = Object.entries(told.records).map(([row, record]) => [Number(row), record]);
    model.messages = { ...NO_MESSAGES, get: (row) => new Map(records).get(row) ?? null };
    if (told.marks.length === 2 && JSON.stringify(told.marks) !== JSON.stringify(before.marks)) {
      const marks = told.marks.map((row) => this.rowEvent.get(row) ?? -1);
      if (marks.every((mark) => mark >= 0) && marks[0] !== marks[1]) {
        this.setMarks(marks);
        this.compare.show(...marks);
      }
    }
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    event.stopPropagation(); // single letters are keys of the page around, too
    if (event.defaultPrevented || event.target.closest("dialog, select, .xl-menu")) return;
    if (event.target === this.controls.search) {
      this.typing(event);
      return;
    }
    if (/^(Enter| )$/.test(event.key) && event.target.closest("button, a, summary, input, label")) return;
    const act = this.bindings()[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  bindings() {
    const { model, list } = this, move = (by) => () => this.move(by);
    return {
      ArrowDown: move(1), j: move(1), ArrowUp: move(-1), k: move(-1),
      ArrowRight: () => { list.scroll.scrollLeft += list.lane; }, ArrowLeft: () => { list.scroll.scrollLeft -= list.lane; },
      PageDown: move(list.page()), PageUp: move(-list.page()),
      Home: () => this.select(model.next(-1, 1)), End: () => this.select(model.next(model.events.length, -1)),
      Enter: () => this.enter(list.current), Escape: () => this.escape(),
      " ": () => this.toggleMark(list.current),
      n: () => this.jump(1), p: () => this.jump(-1),
      f: () => this.find(), "/": () => this.find(), m: () => this.filter(!model.only),
      r: () => this.relatedTo(list.current), x: () => this.expand(list.current),
      c: () => this.step(model.groupOf[list.current] ?? -1), C: () => this.steps(),
      t: () => this.nextTimes(), l: () => this.chooseLanes(), "?": () => this.help.show(),
    };
  }

  typing(event) {
    const { search } = this.controls;
    if (event.key === "Enter") {
      event.preventDefault();
      if (search.value.trim() !== this.model.query) this.search(search.value);
      else this.match(event.shiftKey ? -1 : 1, { focus: false });
    } else if (event.key === "Escape") {
      event.preventDefault();
      search.value = "";
      this.search("");
      this.select(this.list.current);
    }
  }

  click(event) {
    if (event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const link = event.target.closest("a[href]");
    if (link) {
      event.preventDefault();
      this.send({ href: link.getAttribute("href") });
      return;
    }
    const toggle = event.target.closest("button.tw");
    if (toggle?.dataset.group) {
      this.step(Number(toggle.dataset.group));
      return;
    }
    const row = event.target.closest("tbody tr"), what = this.list.lines[row?.line];
    if (what < 0) this.step(-1 - what);
    const number = this.list.at(event.target);
    if (number < 0 || !this.list.table.contains(event.target)) return;
    if (toggle) {
      this.expand(number);
      return;
    }
    if (String(getSelection())) return;
    this.list.focus(number, { quiet: true });
    this.list.rowOf(number)?.focus({ preventScroll: true });
    this.open(number, row.dataset.row ? Number(row.dataset.row) : null);
  }

  hover(number) {
    if (number === this.hovered) return;
    this.hovered = number;
    this.list.flag("hot", number < 0 ? [] : [number]);
    this.highlight();
  }

  /** Show what belongs to the row under the pointer, and to the one that is open. */
  highlight() {
    const of = [this.hovered, this.list.chosen].flatMap((number) => this.model.events[number]?.links ?? []);
    this.list.flag("near", of.map(([other]) => other));
  }

  update() {
    const { model, list } = this;
    model.update();
    if (list.current >= 0 && !model.shown[list.current]) {
      const other = model.next(list.current, 1);
      list.current = other >= 0 ? other : model.next(list.current, -1);
    }
    list.layout();
    this.controls.tell();
    this.overview.draw();
    this.remember();
  }

  select(number) {
    if (number < 0) return;
    this.list.focus(number);
    if (this.told.row !== null) this.follow(number);
  }

  move(by) {
    let at = this.list.current;
    for (let left = Math.abs(by); left; left--) {
      const other = this.model.next(at, Math.sign(by));
      if (other < 0) break;
      at = other;
    }
    this.select(at);
  }

  /** Go to an event, even if it is hidden. */
  go(number, { focus = true } = {}) {
    const { model, list } = this;
    if (!model.shown[number]) {
      model.closed.delete(model.groupOf[number]);
      if (!model.passing[number]) this.showAll();
      this.update();
    }
    if (focus) {
      this.select(number);
      return;
    }
    list.focus(number, { quiet: true });
    list.reveal(number, "center");
  }

  showAll() {
    const { model, controls } = this;
    model.hiddenLanes.clear();
    model.hiddenMethods.clear();
    model.only = controls.only.checked = false;
    controls.lanes();
    controls.methods();
  }

  enter(number) {
    const event = this.model.events[number];
    if (event?.note === "finding" && this.told.hrefs.findings) this.send({ href: `${this.told.hrefs.findings}&rule=${encodeURIComponent(event.label.split(" ")[0])}` });
    else if (number >= 0) this.open(number);
  }

  /** Have the page show the message of an event. */
  open(number, row = null) {
    const event = this.model.events[number], wanted = row ?? event?.rows?.[0];
    if (wanted === undefined || wanted === null) {
      if (event) this.controls.say(event.text);
      return;
    }
    if (wanted === this.told.row) return;
    this.sent = wanted;
    this.list.choose(number);
    this.send({ message: wanted });
  }

  escape() {
    if (this.told.row !== null) this.send({ message: null });
    else if (this.model.query) this.controls.search.value = "", this.search("");
    else if (this.marks.length) this.setMarks([]);
  }

  search(text) {
    const { model, list } = this;
    model.search(text.trim());
    if (model.only) this.update();
    else list.clear(), list.draw(), this.overview.draw();
    this.toMatch();
    this.controls.tell();
    this.remember();
  }

  /** Go to the first match, unless the highlight is on one. */
  toMatch() {
    const { model, list } = this;
    if (model.matches.length && !model.matching.has(list.current)) {
      const first = model.next(-1, 1, (_, number) => model.matching.has(number));
      if (first >= 0) {
        list.focus(first, { quiet: true });
        list.reveal(first, "center");
      }
    }
  }

  filter(on) {
    this.model.only = on;
    this.controls.only.checked = on;
    this.update();
  }

  match(by, { focus = true } = {}) {
    const { model } = this;
    if (!model.matching) this.find();
    else this.around(by, (_, number) => model.matching.has(number), focus, () => this.controls.tell());
  }

  jump(by, of = isProblem) {
    this.around(by, of, true, () => {});
  }

  /** Go to the next event of a kind; after the last comes the first. */
  around(by, of, focus, then) {
    const { model, list } = this;
    let at = model.next(list.current, by, of);
    if (at < 0) at = model.next(by > 0 ? -1 : model.events.length, by, of);
    if (at < 0) {
      this.controls.say("There is none among the rows that are shown.");
      return;
    }
    if (focus) this.select(at);
    else list.focus(at, { quiet: true }), list.reveal(at);
    then();
  }

  relatedTo(number) {
    const links = this.model.events[number]?.links;
    if (!links) this.controls.say("Nothing is known to belong to this row.");
    else this.go((links.find(([other]) => other > number) ?? links[0])[0]);
  }

  expand(number) {
    const { list, model } = this;
    if (number < 0 || !list.isFoldable(model.events[number])) return;
    if (!list.expanded.delete(number)) list.expanded.add(number);
    list.layout();
  }

  toggleMark(number) {
    if (number < 0) return;
    const kept = this.marks.filter((other) => other !== number);
    this.setMarks(kept.length < this.marks.length ? kept : [...kept.slice(-1), number]);
    if (this.marks.length < 2 || kept.length > 1 || !this.marks.includes(number)) return;
    this.compare.show(...this.marks);
    const rows = this.marks.map((mark) => this.model.events[mark].rows?.[0]);
    if (rows.every((row) => row !== undefined)) this.send({ marks: rows });
  }

  setMarks(numbers) {
    this.marks = numbers;
    this.list.flag("marked", numbers);
    this.controls.say(numbers.length === 1 ? "One row marked; mark another to compare them." : `${count(numbers.length, "row")} marked.`);
    this.overview.draw();
  }

  /** The comparison was closed. */
  compared() {
    if (this.told.marks.length) this.send({ marks: null });
    this.list.rowOf(this.list.current)?.focus({ preventScroll: true });
  }

  step(group) {
    if (group < 0) {
      this.controls.say("This row is in no step.");
      return;
    }
    const { closed } = this.model;
    if (!this.model.heads) this.heads(true);
    if (!closed.delete(group)) closed.add(group);
    this.update();
  }

  steps() {
    if (!this.model.heads) this.heads(true);
    const { model, controls } = this, all = model.closed.size < model.groups.length;
    model.closed = new Set(all ? model.groups.keys() : []);
    controls.steps.textContent = all ? "Expand steps" : "Collapse steps";
    this.update();
  }

  /** Show or hide the heads of the steps; what was collapsed opens with them gone. */
  heads(on) {
    this.model.heads = on;
    if (!on) this.model.closed.clear();
    this.controls.showHeads.checked = on;
    this.update();
    this.list.reveal(this.list.current, "center");
  }

  hide(hidden, key, on) {
    if (key === null) hidden.clear();
    else if (on) hidden.add(key);
    else hidden.delete(key);
    this.controls.lanes();
    this.controls.methods();
    this.update();
  }

  /** Put all clients into one lane, or each into its own. */
  together(on) {
    this.model.together = on;
    this.controls.lanes();
    this.update();
    this.list.reveal(this.list.current, "center");
  }

  onlyLanesOfRow() {
    const { model, list } = this, event = model.events[list.current];
    if (!event || event.note) return;
    const kept = new Set([event.source, event.target, ...event.via]);
    model.together = false;
    model.lanes.forEach((_, lane) => kept.has(lane) || model.hiddenLanes.add(lane));
    this.hide(model.hiddenLanes, event.source, false);
    list.reveal(list.current, "center");
  }

  times(mode) {
    this.model.times = mode;
    this.controls.times.value = mode;
    this.list.times();
    this.controls.say(`Times: ${TIMES[mode]}`);
    this.remember();
  }

  nextTimes() {
    const { modes, times } = this.model;
    this.times(modes[(modes.indexOf(times) + 1) % modes.length]);
  }

  find() {
    this.controls.open(true);
    this.controls.search.focus();
  }

  chooseLanes() {
    this.controls.open(true);
    const { element, summary } = this.controls.lanesMenu;
    element.open = !element.open;
    (element.open ? element.querySelector("input") : summary)?.focus();
  }
}
