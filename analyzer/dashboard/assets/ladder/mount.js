// Where the page puts a ladder. It may put it elsewhere after a click, or for a moment nowhere: the
// ladder itself lives on, with where it was scrolled to and what was hidden in it.

const ROOMS = 8; // ladders that live on
const rooms = (globalThis.xccosLadders ??= new Map());

const isDark = (host) => {
  const probe = make("span", {});
  probe.style.color = getComputedStyle(host).getPropertyValue("--st-background-color").trim();
  document.body.append(probe);
  const [r, g, b] = (getComputedStyle(probe).color.match(/\d+(\.\d+)?/g) ?? [255, 255, 255]).map(Number);
  probe.remove();
  return 0.299 * r + 0.587 * g + 0.114 * b < 128;
};

/** Make room for a ladder; those that are not in the page go first. */
function roomOf(name) {
  const room = rooms.get(name) ?? {};
  rooms.delete(name);
  rooms.set(name, room);
  for (const [other, one] of rooms) if (rooms.size > ROOMS && !one.board?.section.isConnected) rooms.delete(other);
  return room;
}

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const end = data.indexOf(10), bytes = data.subarray(end + 1); // "NAME", a line feed, the ladder
  const room = roomOf(new TextDecoder().decode(data.subarray(0, end)));
  const root = parentElement.querySelector(".xl-root");
  room.board ??= new Board(bytes);
  const { board } = room;
  if (board.stamp !== stampOf(bytes)) board.build(bytes, board);
  board.attach(root, (value) => setTriggerValue("go", value), isDark(parentElement.host ?? parentElement));
  if (room.told?.stamp === board.stamp) board.tell(room.told);
}
