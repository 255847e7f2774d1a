// The keys, and the list of them. They act where the ladder has the focus, and on a page of its own
// everywhere but in a field; single letters can be switched off (WCAG 2.1, 2.1.4).

const KEYS = [
  ["j ↓ / k ↑", "next row, row before"],
  ["Home End", "first row, last row"],
  ["Enter", "open the message; it follows while you move"],
  ["Escape", "close the message, leave the search"],
  ["/", "search"],
  ["n / N", "next match, match before"],
  ["f", "show matching rows only"],
  ["p / P", "next problem, problem before"],
  ["r", "go to what belongs to this row: its reply, answer or copies"],
  ["space", "mark a row; two marked rows are compared"],
  ["x", "show what is folded into an arrow: repeats, SIP answer, hops"],
  ["c / C", "collapse or expand the step, all steps"],
  ["t", "time of day, since the beginning, since the row before"],
  ["u", "UTC or the other zone"],
  ["l", "show or hide lanes"],
  ["?", "this list"],
];

class Help {
  constructor(section) {
    this.letters = make("input", { type: "checkbox", checked: true });
    this.element = make("dialog", { class: "xl-dialog xl-help", "aria-label": "Keys" },
      make("div", { class: "xl-dialog-head" }, make("h3", {}, "Keys"),
        button("✕", "Close (Escape)", () => this.element.close(), { class: "xl-button", "aria-label": "Close" })),
      make("div", { class: "xl-dialog-body" },
        make("dl", { class: "xl-keys" }, KEYS.map(([key, what]) => [make("dt", {}, make("kbd", {}, key)), make("dd", {}, what)])),
        make("p", {}, make("label", {}, this.letters, " single letters are keys")),
        make("h4", {}, "Signs"),
        make("dl", { class: "xl-keys" }, [
          ["──▶", "request"], ["╌╌▶", "response"], ["══▶", "no SIP: DNS, upload"], ["○", "passed a proxy there"],
          ["✕", "error, or lost"], ["!", "retried, slow or unsure"], ["▲ ▲▲", "half a second and more, two seconds and more"],
        ].map(([sign, what]) => [make("dt", {}, sign), make("dd", {}, what)]))));
    section.append(this.element);
  }

  show() {
    this.element.showModal();
  }
}

/** Return what a key does, by its name. */
function bindings(ladder) {
  const { model, rows } = ladder;
  const move = (step) => () => ladder.move(step);
  return {
    j: move(1), ArrowDown: move(1), k: move(-1), ArrowUp: move(-1),
    PageDown: move(15), PageUp: move(-15),
    Home: () => ladder.select(model.next(-1, 1)),
    End: () => ladder.select(model.next(model.events.length, -1)),
    Enter: () => ladder.open(rows.current),
    Escape: () => ladder.escape(),
    "/": () => ladder.find(),
    n: () => ladder.match(1), N: () => ladder.match(-1),
    f: () => ladder.filter(!model.only),
    p: () => ladder.jump(1), P: () => ladder.jump(-1),
    r: () => ladder.relatedTo(rows.current),
    " ": () => ladder.toggleMark(rows.current),
    x: () => rows.current >= 0 && rows.expand(rows.current),
    c: () => ladder.step(model.groupOf[rows.current] ?? -1), C: () => ladder.steps(),
    t: () => ladder.nextTimes(), u: () => ladder.nextZone(),
    l: () => ladder.chooseLanes(), "?": () => ladder.help.show(),
  };
}
