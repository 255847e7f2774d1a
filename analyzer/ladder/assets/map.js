// The strip beside the scroll bar: the whole ladder at a glance, with what is wrong in it.

class Overview {
  constructor(rows, model, marked) {
    this.rows = rows;
    this.model = model;
    this.marked = marked;
    this.canvas = make("canvas", {});
    this.view = make("i", {});
    this.element = make("div", { class: "xl-map", "aria-hidden": "true", title: "Problems and matches; click to go there" }, this.canvas, this.view);
    this.draw = perFrame(() => this.paint());
    this.follow = perFrame(() => this.place());
    rows.scroll.after(this.element);
    rows.scroll.addEventListener("scroll", this.follow, { passive: true });
    this.element.addEventListener("click", (event) => {
      const at = (event.clientY - this.element.getBoundingClientRect().top) / this.height;
      rows.scroll.scrollTop = at * rows.scroll.scrollHeight - rows.scroll.clientHeight / 2;
    });
    new ResizeObserver(this.draw).observe(rows.scroll);
  }

  /** Move the frame that says which part is in view: no more than that while one scrolls. */
  place() {
    const { scroll } = this.rows;
    this.view.style.transform = `translateY(${(scroll.scrollTop / this.whole) * this.height}px)`;
  }

  paint() {
    const { canvas, model, rows } = this, width = canvas.clientWidth;
    this.height = canvas.clientHeight;
    this.whole = Math.max(1, rows.scroll.scrollHeight);
    if (!width || !this.height) return;
    const ratio = devicePixelRatio || 1, style = getComputedStyle(rows.section);
    canvas.width = width * ratio;
    canvas.height = this.height * ratio;
    const pen = canvas.getContext("2d");
    const paints = Object.fromEntries(["bad", "doubt", "accent", "text"].map((name) => [name, style.getPropertyValue(`--xl-${name}`).trim()]));
    const marked = new Set(this.marked());
    pen.scale(ratio, ratio);
    let place = 0;
    model.events.forEach((event, number) => {
      if (!model.shown[number]) return;
      const y = (place++ / model.shownCount) * this.height;
      const tick = (name, left, wide) => {
        pen.fillStyle = paints[name];
        pen.fillRect(left, y, wide, 2);
      };
      if (event.tone === "bad") tick("bad", 1, width - 2);
      else if (event.tone === "doubtful") tick("doubt", 1, width / 2);
      if (model.matching?.has(number)) tick("accent", width / 2, width / 2 - 1);
      if (marked.has(number)) tick("text", 0, width);
    });
    this.view.style.height = `${Math.max(6, (rows.scroll.clientHeight / this.whole) * this.height)}px`;
    this.place();
  }
}
