// What is selected, apart from the ladder: small, so that the ladder itself is not sent again.

const rooms = (globalThis.xccosLadders ??= new Map());

export default function ({ data }) {
  const room = rooms.get(data.name) ?? {};
  rooms.set(data.name, room);
  room.told = data;
  if (room.board?.stamp === data.stamp) room.board.tell(data);
}
