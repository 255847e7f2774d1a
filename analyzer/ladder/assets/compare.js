// Two messages side by side, with what differs.

const WORDS = /[\w.-]+|\s+|[^\w\s.-]/g;
const COMPARED = 1500; // lines; the table of the longest common part grows with their square

/** Return pairs of lines: both where they are alike, one or both where they are not. */
function aligned(left, right) {
  if (left.length > COMPARED || right.length > COMPARED) {
    return Array.from({ length: Math.max(left.length, right.length) }, (_, at) => [left[at] ?? null, right[at] ?? null]);
  }
  const width = right.length + 1;
  const longest = new Uint16Array((left.length + 1) * width);
  for (let i = left.length - 1; i >= 0; i--) {
    for (let j = right.length - 1; j >= 0; j--) {
      longest[i * width + j] = left[i] === right[j] ? longest[(i + 1) * width + j + 1] + 1
        : Math.max(longest[(i + 1) * width + j], longest[i * width + j + 1]);
    }
  }
  const pairs = [];
  let gone = [], come = [], i = 0, j = 0;
  const flush = () => {
    pairs.push(...matched(gone, come));
    gone = [];
    come = [];
  };
  while (i < left.length || j < right.length) {
    if (i < left.length && j < right.length && left[i] === right[j]) {
      flush();
      pairs.push([left[i++], right[j++]]);
    } else if (j >= right.length || (i < left.length && longest[(i + 1) * width + j] >= longest[i * width + j + 1])) {
      gone.push(left[i++]);
    } else {
      come.push(right[j++]);
    }
  }
  flush();
  return pairs;
}

/** Pair changed lines of the same header or element; the others stand alone. */
function matched(gone, come) {
  const key = (line) => /^\s*<?[^\s:=>]*/.exec(line)[0];
  const left = [...come], pairs = [];
  for (const line of gone) {
    const at = left.findIndex((other) => key(other) === key(line));
    if (at >= 0) pairs.push(...left.splice(0, at).map((other) => [null, other]), [line, left.shift()]);
    else pairs.push([line, null]);
  }
  return [...pairs, ...left.map((other) => [null, other])];
}

/** Return a line with the words marked that the other has not. */
function differing(line, other) {
  const words = line.match(WORDS) ?? [], others = other.match(WORDS) ?? [];
  if (Math.max(words.length, others.length) > 400) return [make("mark", {}, line)];
  const made = [];
  let marked = "";
  for (const [word, same] of aligned(words, others)) {
    if (word === null) continue;
    if (word !== same) {
      marked += word;
      continue;
    }
    if (marked) made.push(make("mark", {}, marked));
    marked = "";
    made.push(word);
  }
  return marked ? [...made, make("mark", {}, marked)] : made;
}

class Compare {
  constructor(section, model) {
    this.model = model;
    this.element = make("dialog", { class: "xl-dialog xl-compare", "aria-label": "Two messages compared" });
    section.append(this.element);
  }

  show(one, other) {
    const numbers = [one, other].sort((a, b) => a - b);
    const sides = numbers.map((number) => this.lines(number));
    const pairs = aligned(...sides);
    const changed = pairs.filter(([left, right]) => left !== right).length;
    const only = make("input", { type: "checkbox", onchange: () => table.classList.toggle("xl-changed", only.checked) });
    const table = make("table", {},
      make("thead", {}, make("tr", {}, make("th", { scope: "col" }, make("span", { class: "xl-vh" }, "difference")),
        numbers.map((number) => make("th", { scope: "col" }, this.title(number))))),
      make("tbody", {}, pairs.map(([left, right]) => this.line(left, right))));
    this.element.replaceChildren(
      make("div", { class: "xl-dialog-head" },
        make("h3", {}, changed ? `${count(changed, "line")} of ${pairs.length} differ` : "The same"),
        make("label", {}, only, " only what differs"),
        button("✕", "Close (Escape)", () => this.element.close(), { class: "xl-button", "aria-label": "Close" })),
      make("div", { class: "xl-dialog-body", tabindex: "0" }, table));
    if (!this.element.open) this.element.showModal();
  }

  title(number) {
    const event = this.model.events[number];
    return `${event.label}, frame ${event.frame ?? event.frames?.[0] ?? "?"}`;
  }

  lines(number) {
    const event = this.model.events[number];
    const message = event.rows ? this.model.messages.get(event.rows[0]) : null;
    if (message) return comparedLines(message);
    return [event.label, event.text, ...(event.marks ?? []), ...(event.code ? [`code ${event.code}`] : [])];
  }

  line(left, right) {
    const same = left === right;
    const [sign, word] = same ? ["", ""] : left === null ? ["+", "only right"] : right === null ? ["−", "only left"] : ["≠", "differs"];
    const cell = (text, other) => make("td", {}, text === null ? "" : same || other === null ? text : differing(text, other));
    return make("tr", { class: same ? "xl-same" : left === null ? "xl-come" : right === null ? "xl-gone" : "xl-differs" },
      make("th", { scope: "row", title: word }, make("span", { "aria-hidden": "true" }, sign), make("span", { class: "xl-vh" }, word)),
      cell(left, right), cell(right, left));
  }
}
