// The docked panel: everything about one event.

const KINDS = {
  reply: "reply", command: "command", copy: "copy", post: "post", answer: "SIP answer", request: "SIP request",
};

class Panel {
  constructor(section, model, rows, actions) {
    Object.assign(this, { section, model, rows, actions });
    this.number = -1;
    this.row = null;
    this.folded = new Set(["frames", "hops", "belongs"]);
    this.body = make("div", { class: "xl-panel-body", tabindex: "0" });
    this.title = make("h3", { class: "xl-panel-title" });
    this.where = make("p", { class: "xl-panel-where" });
    this.element = make("aside", { class: "xl-panel", "aria-label": "Message", hidden: true },
      this.divider(),
      make("div", { class: "xl-panel-head" },
        make("div", { class: "xl-panel-words" }, this.title, this.where),
        make("div", { class: "xl-buttons" },
          button("↑", "Row before (k)", () => actions.move(-1), { class: "xl-button", "aria-label": "Row before" }),
          button("↓", "Row after (j)", () => actions.move(1), { class: "xl-button", "aria-label": "Row after" }),
          button("✕", "Close (Escape)", () => this.close(), { class: "xl-button", "aria-label": "Close the panel" }))),
      this.body);
    section.querySelector(".xl-main").append(this.element);
  }

  get open() {
    return !this.element.hidden;
  }

  close() {
    this.element.hidden = true;
    this.rows.mark("chosen", []);
    this.rows.rows[this.number]?.removeAttribute("aria-current");
    if (this.rows.current >= 0) this.rows.focus(this.rows.current);
    this.number = -1;
    this.actions.opened(-1);
  }

  /** Show an event; `row`: which of the messages that it stands for. */
  show(number, row = null) {
    const event = this.model.events[number];
    this.rows.rows[this.number]?.removeAttribute("aria-current");
    this.rows.rows[number]?.setAttribute("aria-current", "true");
    this.number = number;
    this.row = row ?? event.rows?.[0] ?? null;
    this.rows.mark("chosen", [number]);
    this.title.textContent = event.label;
    this.where.textContent = event.note ? event.note : this.model.ends(event);
    const message = this.row === null ? null : this.model.messages.get(this.row);
    this.body.replaceChildren(...[
      this.choice(event), this.tools(event, message), this.summary(event, number), this.related(event),
      ...this.message(event, message), this.frames(event), this.hops(event),
    ].filter(Boolean));
    this.body.scrollTop = 0;
    this.element.hidden = false;
    this.actions.opened(number);
  }

  choice(event) {
    const repeats = (event.rows ?? []).map((row, at) => [row, event.rows.length > 1 ? `message ${at + 1} of ${event.rows.length}` : "message"]);
    const answer = event.answer ? [[event.answer.row, `answer ${event.answer.text}`]] : [];
    const hops = (event.hops ?? []).map((hop) => [hop.row, `hop ${hop.source} → ${hop.target}`]);
    const all = [...repeats, ...answer, ...hops];
    if (all.length < 2) return null;
    const chosen = make("select", { onchange: () => this.show(this.number, Number(chosen.value)) },
      all.map(([row, text]) => make("option", { value: row, selected: row === this.row },
        `${text}${this.frameOf(row) ? `, frame ${this.frameOf(row)}` : ""}`)));
    return make("label", { class: "xl-choice" }, "Show ", chosen);
  }

  frameOf(row) {
    return this.model.messages.get(row)?.frame ?? "";
  }

  tools(event, message) {
    const { announce } = this.actions;
    const frames = event.frames ?? [];
    return make("div", { class: "xl-buttons" },
      frames.length > 0 && button("Copy display filter", displayFilter(frames), () => copy(displayFilter(frames), announce), { class: "xl-button" }),
      message && button("Copy message", "Start line, headers and body as text", () => copy(messageLines(message).join("\n"), announce), { class: "xl-button" }),
      button("Mark to compare", "Mark this row; two marked rows are compared (space)", () => this.actions.toggleMark(this.number), { class: "xl-button" }));
  }

  summary(event, number) {
    const { model } = this, before = model.next(number, -1);
    const group = model.groups[model.groupOf[number]];
    const facts = [
      model.data.dated && ["Time", model.full(number)],
      ["Since the beginning", `${model.span(event.time)} s`],
      before >= 0 && ["Since the row before", `${model.span(event.time - model.events[before].time)} s`],
      event.latency != null && ["Latency", `${latencyText(event.latency)}${event.latencyOf ? ` since ${event.latencyOf}` : ""}${event.heat ? ` (${event.heat.replace("-", " ")})` : ""}`],
      event.answer && ["SIP answer", `${event.answer.text}${event.answer.latency == null ? "" : ` after ${latencyText(event.answer.latency)}`}, frame ${event.answer.frame}`],
      event.marks && ["Marks", event.marks.join(", ")],
      event.code && ["Reply code", event.code],
      event.count && ["Stands for", `${event.count} messages, the last ${model.span((event.until ?? event.time) - event.time)} s later`],
      event.via && ["By way of", event.via.map((lane) => model.lanes[lane].title).join(", ")],
      group && ["Step", `${group.name} (${group.status.replace("-", " ")})${group.detail ? `: ${group.detail}` : ""}`],
      event.session != null && ["Session", String(event.session + 1)],
      event.call && ["Call-ID", event.call],
      ["In words", event.text],
    ].filter(Boolean);
    return this.part("summary", "Summary", make("dl", { class: "xl-facts" },
      facts.map(([name, value]) => [make("dt", {}, name), make("dd", {}, value)])));
  }

  related(event) {
    if (!event.links) return null;
    return this.part("related", `Belongs together (${event.links.length})`, make("ul", { class: "xl-links" },
      event.links.slice(0, 200).map(([other, kind, text]) => make("li", {},
        `${KINDS[kind] ?? kind}: `,
        button(this.model.events[other].label, "Go there", () => this.actions.go(other), { class: "xl-link" }),
        ` frame ${this.model.events[other].frame}${text ? `, ${text}` : ""}`))));
  }

  message(event, message) {
    if (event.note || !event.rows) return [];
    if (!message) {
      const why = withMessages() ? "This message is not in the page: the page would be too large."
        : "The page was made without messages.";
      return [make("p", { class: "xl-hint" }, `${why} The display filter above finds it in the capture.`)];
    }
    const problems = [...Object.entries(message.notes).map(([name, text]) => `${name}: ${text}`), ...message.problems, ...message.cut];
    const part = message.document;
    return [
      problems.length > 0 && make("ul", { class: "xl-problems" }, problems.map((text) => make("li", {}, text))),
      part && this.part("xccos", `XCCOS${part.root ? "" : " (not readable)"}`, part.problem ? make("p", { class: "xl-hint" }, part.problem) : null,
        part.notes.map((note) => make("p", { class: "xl-hint" }, note)),
        part.root && make("div", { class: "xl-tree" }, this.branch(part.root, part.meanings))),
      this.part("headers", `SIP headers (${message.headers.length})`, make("code", { class: "xl-start" }, message.start ?? ""),
        make("table", { class: "xl-headers" }, make("tbody", {},
          message.headers.map(([name, value]) => make("tr", {}, make("th", { scope: "row" }, name), make("td", {}, value)))))),
      message.body && this.part("body", "Body as sent", make("pre", { class: "xl-raw", tabindex: "0" }, message.body)),
      this.belongs(message),
    ].filter(Boolean);
  }

  /** Return an XML element as something to open and close. */
  branch([name, attributes, text, children], meanings) {
    const words = [make("span", { class: "xl-name" }, name)];
    for (const [key, value] of Object.entries(attributes)) {
      words.push(" ", make("span", { class: "xl-key" }, `${key}=`), make("span", { class: "xl-value" }, `"${value}"`));
    }
    const meaning = meanings[attributes.id];
    if (text) words.push(" ", make("span", { class: "xl-text" }, text));
    if (meaning) words.push(" ", make("span", { class: "xl-meaning" }, meaning));
    if (!children.length) return make("div", { class: "xl-leaf" }, words);
    return make("details", { open: true }, make("summary", {}, words), children.map((child) => this.branch(child, meanings)));
  }

  belongs(message) {
    const { transaction, dialog, commands } = message.belongs_to ?? {};
    const facts = [
      ["Sent", `${message.src} → ${message.dst} (${message.transport})`],
      transaction && ["Transaction", `${transaction.method}, request in frame ${transaction.request_frame ?? "not captured"}, final answer ${transaction.final_frame == null ? "not captured" : `${transaction.status ?? ""} in frame ${transaction.final_frame}`}${transaction.latency_ms == null ? "" : `, ${latencyText(transaction.latency_ms)}`}`],
      dialog && ["Dialog", `${dialog.index + 1}: ${dialog.role}, ${dialog.evidence}`],
      ...(commands ?? []).slice(0, 20).map((pair) => ["Command", `${pair.command}: ${pair.outcome}${pair.detail ? `, ${pair.detail}` : ""}`]),
    ].filter(Boolean);
    return this.part("belongs", "On the wire", make("dl", { class: "xl-facts" },
      facts.map(([name, value]) => [make("dt", {}, name), make("dd", {}, value)])));
  }

  frames(event) {
    const frames = event.frames ?? [];
    if (!frames.length) return null;
    return this.part("frames", `Frames (${frames.length})`, make("p", {}, frames.join(", ")),
      make("code", { class: "xl-filter" }, displayFilter(frames)));
  }

  hops(event) {
    if (!event.hops) return null;
    return this.part("hops", `Hops (${event.hops.length})`, make("table", { class: "xl-headers" }, make("tbody", {},
      event.hops.map((hop) => make("tr", {}, make("th", { scope: "row" }, `frame ${hop.frame}`),
        make("td", {}, `${hop.source} → ${hop.target}, ${this.model.span(hop.time - event.time)} s`))))));
  }

  /** Return a part that opens and closes, and stays so for the next message. */
  part(name, title, ...content) {
    const made = make("details", { class: "xl-part", open: !this.folded.has(name) }, make("summary", {}, title), ...content);
    made.addEventListener("toggle", () => this.folded[made.open ? "delete" : "add"](name));
    return made;
  }

  /** Return the edge of the panel, which can be moved by pointer and by arrow keys. */
  divider() {
    const width = (value) => {
      const whole = this.section.clientWidth;
      this.section.style.setProperty("--xl-panel", `${Math.round(Math.min(whole * 0.8, Math.max(280, value)))}px`);
    };
    const edge = make("div", { class: "xl-edge", role: "separator", "aria-orientation": "vertical", tabindex: "0", "aria-label": "Width of the panel" });
    edge.addEventListener("pointerdown", (down) => {
      edge.setPointerCapture(down.pointerId);
      const right = this.element.getBoundingClientRect().right;
      edge.onpointermove = (move) => width(right - move.clientX);
    });
    edge.addEventListener("pointerup", () => { edge.onpointermove = null; });
    edge.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: 32, ArrowRight: -32 }[event.key];
      if (!step) return;
      event.preventDefault();
      event.stopPropagation();
      width(this.element.clientWidth + step);
    });
    return edge;
  }
}
