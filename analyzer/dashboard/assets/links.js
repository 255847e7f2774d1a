// Markup from the server, whose links change what is selected instead of loading the page anew.
// The markup is made by the server element by element: nothing of a capture is in it but as text.

const plain = (event) =>
  event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;

const isDark = (host) => {
  const colour = getComputedStyle(host).getPropertyValue("--st-background-color").trim();
  const probe = document.createElement("span");
  probe.style.color = colour;
  document.body.appendChild(probe);
  const [r, g, b] = (getComputedStyle(probe).color.match(/\d+(\.\d+)?/g) || [255, 255, 255]).map(Number);
  probe.remove();
  return 0.299 * r + 0.587 * g + 0.114 * b < 128;
};

const step = (from, by) => {
  const rows = [...from.closest("tbody").rows].filter((row) => row.offsetParent !== null);
  const next = rows[rows.indexOf(from.closest("tr")) + by];
  const target = next && next.querySelector("a, button, summary");
  if (target) target.focus();
};

// What was followed last, in which part, and when: a page that is laid out anew (the dock opens or
// closes beside it) makes the part anew, and the focus of a keyboard would be lost with the old one.
const LATE_MS = 10_000;
// The part before goes, with the focus, only after the new one is there.
const AGAIN_MS = [0, 100, 400, 1000];
const focusable = "a[href], button, summary";
let followed = null;
let outside = null;

const part = (host) => [...((host.closest("[class*=st-key-]") || host).classList)].find((one) => one.startsWith("st-key-")) || "";

const place = (root, element) => {
  const words = element.textContent;
  const alike = [...root.querySelectorAll(focusable)].filter((one) => one.textContent === words);
  return { words, nth: alike.indexOf(element), href: element.getAttribute("href") };
};

// The same words in the same place, then the same address: an address has what is selected in it,
// so that the address of a link changes with a click on it.
const find = (root, { words, nth, href }) => {
  const alike = [...root.querySelectorAll(focusable)].filter((one) => one.textContent === words);
  return alike[nth] || alike[0] || (href && root.querySelector(`[href="${CSS.escape(href)}"]`));
};

const remember = (host, root, element) => {
  followed = { part: part(host), at: performance.now(), ...place(root, element) };
  if (!host.closest(".st-key-dock")) outside = followed;
};

const refocus = (host, root) => {
  if (document.activeElement && document.activeElement !== document.body) return;
  if (!followed || performance.now() - followed.at > LATE_MS) return;
  const mine = part(host);
  const closed = !document.querySelector(".st-key-dock");
  const wanted = [followed, closed ? outside : null].find((one) => one && one.part === mine);
  const target = wanted && find(root, wanted);
  if (target) target.focus({ preventScroll: true });
};

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const root = parentElement.querySelector(".xd");
  const host = parentElement.host || parentElement;
  root.dataset.theme = isDark(host) ? "dark" : "light";

  if (root.dataset.shown !== data) {
    const active = parentElement.activeElement;
    const focused = active && root.contains(active) ? place(root, active) : null;
    const open = [...root.querySelectorAll("details[id]")].map((one) => [one.id, one.open]);
    const places = [...root.querySelectorAll(".scroll[id]")].map((one) => [one.id, one.scrollTop]);
    root.innerHTML = data;
    root.dataset.shown = data;
    for (const [id, was] of open) {
      const one = root.querySelector(`#${CSS.escape(id)}`);
      if (one) one.open = was;
    }
    for (const [id, top] of places) {
      const one = root.querySelector(`#${CSS.escape(id)}`);
      if (one) one.scrollTop = top;
    }
    const again = focused && find(root, focused);
    if (again) again.focus({ preventScroll: true });
    else for (const wait of AGAIN_MS) setTimeout(() => root.isConnected && refocus(host, root), wait);
    const selected = root.querySelector("[data-selected]");
    if (selected && selected.dataset.selected !== "still") selected.scrollIntoView({ block: "nearest" });
  }

  const copy = async (button) => {
    const words = button.textContent;
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.textContent = "copied";
    } catch {
      button.textContent = "not allowed by the browser";
    }
    setTimeout(() => { button.textContent = words; }, 1500);
  };

  root.onclick = (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) {
      copy(button);
      return;
    }
    const link = event.target.closest("a[href]");
    if (link) {
      const href = link.getAttribute("href");
      if (!plain(event)) return;
      event.preventDefault();
      if (href.startsWith("?")) {
        remember(host, root, link);
        setTriggerValue("go", href);
      }
      else if (href.startsWith("#")) {
        const target = root.querySelector(`#${CSS.escape(href.slice(1))}`);
        if (target) target.scrollIntoView({ block: "start" });
      }
      return;
    }
    const row = event.target.closest("tr[data-href]");
    if (row && plain(event) && !String(window.getSelection())) setTriggerValue("go", row.dataset.href);
  };

  root.onkeydown = (event) => {
    const row = event.target.closest("table[data-keys] tbody tr");
    if (!row || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      step(event.target, event.key === "ArrowDown" ? 1 : -1);
    }
  };
}
