// The ladder as data: what is shown, what matches, when it was. It knows nothing of the document,
// so that a list which draws only what is in view can stand on it as well.

const SECOND = 1e9;
const PAUSE = 1e8;

class Model {
  constructor(data, messages) {
    this.data = data;
    this.events = data.events;
    this.lanes = data.lanes;
    this.groups = data.groups;
    this.messages = messages;
    this.hiddenLanes = new Set();
    this.hiddenMethods = new Set();
    this.closed = new Set();
    this.query = "";
    this.matches = [];
    this.matching = null;
    this.only = false;
    this.times = data.times;
    this.modes = data.dated ? ["absolute", "relative", "delta"] : ["relative", "delta"];
    const zoned = data.zone.some(([, minutes]) => minutes !== 0);
    this.zones = zoned ? ["given", "utc", "reader"] : ["utc", "reader"];
    this.zone = this.zones[0];
    this.groupOf = new Int32Array(this.events.length).fill(-1);
    this.groups.forEach((group, number) => {
      this.groupOf.fill(number, group.first, group.last + 1);
    });
    this.passing = new Uint8Array(this.events.length).fill(1);
    this.shown = new Uint8Array(this.events.length).fill(1);
    this.shownCount = this.events.length;
  }

  /** Return what a filter by kind of message knows an event as. */
  method(event) {
    return event.note ? `(${event.note})` : (event.method ?? `(${event.kind})`);
  }

  /** Return the methods with how many events each has, the most frequent first. */
  methods() {
    const found = new Map();
    for (const event of this.events) {
      const name = this.method(event);
      found.set(name, (found.get(name) ?? 0) + 1);
    }
    return [...found].sort((one, other) => other[1] - one[1]);
  }

  /** Work out which events are shown. */
  update() {
    let shown = 0;
    this.events.forEach((event, number) => {
      const passes = this.passes(event) && (!this.only || !this.matching || this.matching.has(number));
      this.passing[number] = passes ? 1 : 0;
      this.shown[number] = passes && !this.closed.has(this.groupOf[number]) ? 1 : 0;
      shown += this.shown[number];
    });
    this.shownCount = shown;
  }

  passes(event) {
    if (this.hiddenMethods.size && this.hiddenMethods.has(this.method(event))) return false;
    if (!this.hiddenLanes.size) return true;
    if (event.note) return !event.lanes?.length || event.lanes.some((lane) => !this.hiddenLanes.has(lane));
    return !this.hiddenLanes.has(event.source) && !this.hiddenLanes.has(event.target);
  }

  /** Return the next event in a direction that fulfils a condition, or -1. */
  next(from, step, fulfils = () => true) {
    for (let at = from + step; at >= 0 && at < this.events.length; at += step) {
      if (this.shown[at] && fulfils(this.events[at], at)) return at;
    }
    return -1;
  }

  /** Find the events that hold a text: in the row, or in its message. `/…/` is a regular expression. */
  search(query) {
    this.query = query;
    this.matches = [];
    this.matching = null;
    if (!query) return;
    const found = this.finder(query);
    this.events.forEach((event, number) => {
      if (found(this.words(event)) || (event.rows ?? []).some((row) => found(this.messages.text(row)))) {
        this.matches.push(number);
      }
    });
    this.matching = new Set(this.matches);
  }

  finder(query) {
    const pattern = /^\/(.+)\/$/.exec(query);
    if (pattern) {
      try {
        const expression = new RegExp(pattern[1], "i");
        return (text) => expression.test(text);
      } catch {
        // Not one: taken as it stands.
      }
    }
    const wanted = query.toLowerCase();
    return (text) => text.includes(wanted);
  }

  words(event) {
    if (event.words === undefined) {
      const named = event.note ? [event.note] : [this.lanes[event.source].title, this.lanes[event.target].title];
      const more = [event.text, event.call, ...(event.marks ?? []), event.answer?.text, event.latencyOf];
      event.words = [event.label, ...named, ...more, `frame ${event.frame ?? event.frames?.[0] ?? ""}`]
        .join("\n").toLowerCase();
    }
    return event.words;
  }

  /** Return minutes from UTC and the name of the chosen zone at an event. */
  offset(number, zone = this.zone) {
    if (zone === "utc") return [0, "UTC"];
    if (zone === "reader") {
      const minutes = -new Date(this.milliseconds(this.events[number]?.time ?? 0)).getTimezoneOffset() || 0;
      const whole = Math.abs(minutes), pad = (value) => String(value).padStart(2, "0");
      return [minutes, minutes
        ? `UTC${minutes < 0 ? "-" : "+"}${pad(Math.floor(whole / 60))}:${pad(whole % 60)}` : "UTC"];
    }
    let found = this.data.zone[0];
    for (const one of this.data.zone) if (one[0] <= number) found = one;
    return [found[1], found[2]];
  }

  milliseconds(time) {
    return this.data.began[0] * 1000 + Math.floor((this.data.began[1] + time) / 1e6);
  }

  /** Return date and time of day: `["2026-11-22", "07:20:06.541123"]`. */
  moment(time, minutes) {
    const nanoseconds = this.data.began[1] + time;
    const seconds = Math.floor(nanoseconds / SECOND);
    const moment = new Date((this.data.began[0] + seconds + minutes * 60) * 1000);
    if (Number.isNaN(moment.getTime())) return ["", "?"];
    const [date, clock] = moment.toISOString().split("T");
    return [date, `${clock.slice(0, 8)}.${this.fraction(nanoseconds - seconds * SECOND)}`];
  }

  fraction(nanoseconds) {
    return String(Math.round(nanoseconds)).padStart(9, "0").slice(0, this.data.digits);
  }

  span(time) {
    const whole = Math.abs(time), seconds = Math.floor(whole / SECOND);
    return `${time < 0 ? "-" : "+"}${seconds}.${this.fraction(whole - seconds * SECOND)}`;
  }

  /** Return date and time with the zone, and in UTC too where that is another. */
  full(number, time = this.events[number].time) {
    if (!this.data.dated) return `${this.span(time)} s`;
    const text = (zone) => {
      const [minutes, name] = this.offset(number, zone);
      return `${this.moment(time, minutes).join(" ")} ${name}`;
    };
    const chosen = text(this.zone), utc = text("utc");
    return chosen === utc ? utc : `${chosen}\n${utc}`;
  }

  /** Return a time as the column shows it; `before`: the time of the row before, if any. */
  shownTime(number, time, before) {
    if (this.times === "relative") return this.span(time);
    if (this.times === "delta") return this.span(before === null ? 0 : time - before);
    return this.moment(time, this.offset(number)[0])[1];
  }

  heading() {
    if (this.times === "relative") return "seconds";
    return this.times === "delta" ? "since before" : `time (${this.offset(0)[1]})`;
  }

  /** Return nanoseconds since the ladder began of an ISO time such as a message has. */
  since(iso) {
    const found = /^(.*?)(?:\.(\d+))?Z$/.exec(iso ?? "");
    if (!found) return null;
    const seconds = Date.parse(`${found[1]}Z`) / 1000 - this.data.began[0];
    return seconds * SECOND + Number((found[2] ?? "").padEnd(9, "0")) - this.data.began[1];
  }

  ends(event) {
    return `${this.lanes[event.source].title} → ${this.lanes[event.target].title}`;
  }
}

/** Return a latency as people say it. */
function latencyText(milliseconds) {
  if (milliseconds == null) return "";
  if (milliseconds < 10) return `${milliseconds.toFixed(2)} ms`;
  if (milliseconds < 100) return `${milliseconds.toFixed(1)} ms`;
  return milliseconds < 1000 ? `${milliseconds.toFixed(0)} ms` : `${(milliseconds / 1000).toFixed(2)} s`;
}

/** Return the display filter that shows frames in Wireshark. */
function displayFilter(frames) {
  return frames.length === 1 ? `frame.number == ${frames[0]}` : `frame.number in {${frames.join(", ")}}`;
}
