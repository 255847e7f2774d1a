// From columns to the records that the model stands on (analyzer.ladder.html_data has the same).

const STAMP = 16;
const KINDS = ["request", "response", "connection", "hole", "finding", "remark"];
const TONES = ["plain", "good", "doubtful", "bad"];
const HEATS = ["quick", "slow", "very-slow"];
const BACK = { reply: "command", copy: "post", answer: "request" };
const CALL = "\x01"; // stands for the Call-ID in the words of an arrow

/** Return the digest that the bytes of a ladder begin with. */
const stampOf = (bytes) => String.fromCharCode(...bytes.subarray(0, STAMP));

/** Return a ladder from its bytes. */
function unpacked(bytes) {
  const data = JSON.parse(new TextDecoder().decode(bytes.subarray(STAMP)));
  const { strings, columns: column, ways, rest } = data;
  const text = (number) => (number < 0 ? undefined : strings[number]);
  let time = 0;
  data.events = column.kind.map((kind, number) => {
    time += column.time[number];
    const more = rest[number] ?? {}, frame = column.frame[number], row = column.row[number];
    const call = text(column.call[number]), heat = column.heat[number], answer = more.answer;
    const event = {
      label: text(column.label[number]) ?? "", text: (text(column.text[number]) ?? "").replaceAll(CALL, call ?? ""),
      time, tone: TONES[column.tone[number]], frames: more.frames ?? (frame < 0 ? [] : [frame]),
    };
    if (kind > 2) {
      const first = column.source[number], last = column.target[number];
      return Object.assign(event, { note: KINDS[kind], lanes: first < 0 ? [] : [first, last] });
    }
    return Object.assign(event, {
      kind: KINDS[kind], source: column.source[number], target: column.target[number], via: ways[column.via[number]] ?? [],
      frame, rows: more.rows ?? (row < 0 ? [] : [row]), heat: heat ? HEATS[heat] : undefined,
      status: column.status[number] || undefined, code: text(column.code[number]),
      latency: column.latency[number] < 0 ? undefined : column.latency[number], latencyOf: text(column.latencyOf[number]),
      call, method: text(column.method[number]), marks: more.marks, count: more.count, hops: (more.hops ?? [])
        .map(([at, seen, source, target, when]) => ({ row: at, frame: seen, source, target, time: when })),
      answer: answer && { row: answer[0], frame: answer[1], status: answer[2], text: answer[3], latency: answer[4] },
    });
  });
  data.groups = data.groups.map(([first, last, name, status, detail, continued]) => ({
    first, last, name: text(name), status: text(status), detail: text(detail) ?? "", continued: Boolean(continued),
  }));
  data.brackets = data.brackets.map(([first, last, kind, heat, latency]) => ({ first, last, kind, heat, latency }));
  data.zone = [[0, 0, "UTC"]];
  data.times = data.dated ? "absolute" : "relative";
  link(data);
  return data;
}

/** Say of every event what belongs to it: what brackets tie, and what a latency is measured from. */
function link({ events, brackets }) {
  const after = (latency) => (latency == null ? "" : `after ${latencyText(latency)}`);
  const join = (first, last, kind, words) => {
    if (first === last) return;
    const put = (one, other, what) => {
      const links = (events[one].links ??= []);
      if (!links.some(([known]) => known === other)) links.push([other, what, words]);
    };
    put(first, last, kind);
    put(last, first, BACK[kind]);
  };
  const byFrame = new Map();
  events.forEach((event, number) => {
    if (!event.note) byFrame.set(event.frame, byFrame.has(event.frame) ? -1 : number);
  });
  brackets.forEach((one) => join(one.first, one.last, one.kind, after(one.latency)));
  events.forEach((event, number) => {
    const named = / in frame (\d+)$/.exec(event.latencyOf ?? "");
    const first = named ? byFrame.get(Number(named[1])) ?? -1 : -1;
    if (first >= 0 && first < number) join(first, number, event.status ? "answer" : "reply", after(event.latency));
  });
  for (const event of events) event.links?.sort((one, other) => one[0] - other[0]);
}

const TRACKS = 4, LONGEST = 300; // as analyzer.ladder.html_links

/** The brackets that are drawn beside the rows: on a track each, the copies of a post on one. */
class Brackets {
  constructor(brackets) {
    const together = new Map();
    for (const one of brackets) {
      if (one.first >= one.last || one.last > one.first + LONGEST) continue;
      const key = `${one.kind} ${one.first}`, line = together.get(key) ?? { first: one.first, last: one.last, stops: new Map(), heat: 0 };
      line.last = Math.max(line.last, one.last);
      line.heat = Math.max(line.heat, one.heat);
      line.stops.set(one.last, one.heat);
      together.set(key, line);
    }
    this.tracks = Array.from({ length: TRACKS }, () => []);
    for (const line of [...together.values()].sort((one, other) => one.first - other.first)) {
      const track = this.tracks.find((lines) => !lines.length || lines.at(-1).last < line.first);
      if (track) track.push(line);
    }
  }

  /** Return the classes of the lines to draw beside an event. */
  of(number) {
    return this.tracks.flatMap((lines, track) => {
      let low = 0, high = lines.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (lines[middle].last < number) low = middle + 1;
        else high = middle;
      }
      const line = lines[low];
      if (!line || line.first > number) return [];
      const part = number === line.first ? "first" : number === line.last ? "last" : line.stops.has(number) ? "stop" : "on";
      return [`br b${track} ${part} ${HEATS[line.stops.get(number) ?? line.heat]}`];
    });
  }
}
