// What somebody chose in a ladder: search, times, lanes. The address of the page has it, so that
// whoever gets the address sees the same. What is as always is not in it.

const SETTLED = 400; // milliseconds without a change before the address is told: nobody wants each letter in it
const NAMES_CUT = 1500; // characters of a list of names; of more lanes nobody sends an address
const SEARCH_CUT = 200;

const plainName = (name) => name.replaceAll(",", " ").trim();
const listOf = (names) => [...new Set(names.map(plainName))].filter(Boolean).join(",");
const namesIn = (list) => new Set((list ?? "").split(",").filter(Boolean));
const alike = (one, other) => JSON.stringify(Object.entries(one).sort()) === JSON.stringify(Object.entries(other).sort());

/** Return how a ladder is shown before anybody chose anything. */
function usualLook(data) {
  return {
    times: data.times,
    together: data.lanes.filter((lane) => lane.kind === "client").length > CLIENTS,
    // Of sessions that run at once every other row would be the head of a step that goes on.
    heads: data.groups.filter((group) => group.continued).length * 4 <= data.events.length,
  };
}

/** Return what was chosen, by the keys of the address. */
function lookOf(model) {
  const usual = usualLook(model.data), look = {};
  look.find = model.query.slice(0, SEARCH_CUT);
  look.only = model.only && model.query ? "matches" : "";
  look.times = model.times === usual.times ? "" : model.times;
  look.clients = model.together === usual.together ? "" : model.together ? "one" : "each";
  look.heads = model.heads === usual.heads ? "" : model.heads ? "shown" : "hidden";
  const hidden = listOf(model.lanes.flatMap((lane, number) => model.hiddenLanes.has(number) ? lane.title : []));
  const shown = listOf(model.lanes.flatMap((lane, number) => model.hiddenLanes.has(number) ? [] : lane.title));
  if (hidden) look[shown && shown.length < hidden.length ? "lanes" : "nolanes"] = shown && shown.length < hidden.length ? shown : hidden;
  look.nokinds = listOf([...model.hiddenMethods]);
  return Object.fromEntries(Object.entries(look).filter(([, value]) => value && value.length <= NAMES_CUT));
}

/** Have a model show what an address says; names that this ladder does not have are passed over. */
function takeLook(model, look) {
  const usual = usualLook(model.data);
  model.times = model.modes.includes(look.times) ? look.times : usual.times;
  model.together = look.clients ? look.clients === "one" : usual.together;
  model.heads = look.heads ? look.heads === "shown" : usual.heads;
  if (!model.heads) model.closed.clear();
  const only = namesIn(look.lanes), without = namesIn(look.nolanes), kinds = namesIn(look.nokinds);
  const names = model.lanes.map((lane) => plainName(lane.title));
  const known = names.some((name) => only.has(name));
  const hides = (name) => without.has(name) || (known && !only.has(name));
  model.hiddenLanes = new Set(names.every(hides) ? [] : names.flatMap((name, lane) => hides(name) ? lane : []));
  model.hiddenMethods = new Set(kinds.size ? model.methods().flatMap(([name]) => kinds.has(plainName(name)) ? name : []) : []);
  model.search((look.find ?? "").slice(0, SEARCH_CUT));
  model.only = look.only === "matches" && Boolean(model.query);
}
