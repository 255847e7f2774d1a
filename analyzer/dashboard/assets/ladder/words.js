// What a screen reader says of a row, and the signs beside what colours say
// (analyzer.ladder.html_words has the same for pages without this list).

const TONE_SIGNS = { bad: "✕", doubtful: "!" };
const TONE_WORDS = { bad: "problem", doubtful: "doubtful" };
const HEAT_SIGNS = { slow: "▲", "very-slow": "▲▲" };
const HEAT_WORDS = { slow: "slow", "very-slow": "very slow" };
const NOTE_SIGNS = { hole: "⌇", finding: "⚑", remark: "i" };
const STATUS_SIGNS = {
  ok: "✓", slow: "▲", failed: "✕", retried: "↻", "out-of-order": "⇅", missing: "∅", "not-applicable": "-", "not-captured": "⋯",
};
const SPOKEN = 120, LABEL = 60;

function cut(text, length) {
  return text.length <= length ? text : `${text.slice(0, Math.max(0, length - 1))}…`;
}

function noteWords(note) {
  const label = cut(note.label, SPOKEN);
  return label.toLowerCase().startsWith(note.note) ? label : `${note.note}: ${label}`;
}

/** Return `09:14:02.120 user1 to Channel, INFO join, answered after 480 ms`. */
function spoken(model, number) {
  const event = model.events[number], time = model.clock(number);
  if (event.note) return `${time} ${noteWords(event)}`;
  const { lanes } = model, { answer } = event;
  const since = event.latencyOf ? ` since ${event.latencyOf}` : "";
  const waits = (event.links ?? []).filter(([, kind, text]) => /^(reply|answer|copy)$/.test(kind) && text).slice(0, 1);
  return [
    `${time} ${lanes[event.source].title} to ${lanes[event.target].title}`, cut(event.label, SPOKEN),
    TONE_WORDS[event.tone], ...(event.marks ?? []),
    answer && `answered ${answer.text}${answer.latency == null ? "" : ` after ${latencyText(answer.latency)}`}`,
    ...waits.map(([, kind, text]) => `${kind === "copy" ? "copied" : "answered"} ${text}`),
    event.latency == null ? "" : `${latencyText(event.latency)}${since}`,
    HEAT_WORDS[event.heat], `frame ${event.frame}`,
  ].filter(Boolean).join(", ");
}

/** Return what more than one message an arrow stands for: `×3 · → 200 OK · +2 hops`. */
function foldedWords(event) {
  return [
    event.count > 1 && !event.label.includes("×") ? `×${event.count}` : "",
    event.answer ? `→ ${event.answer.text}` : "",
    event.hops?.length ? `+${count(event.hops.length, "hop")}` : "",
  ].filter(Boolean).join(" · ");
}
