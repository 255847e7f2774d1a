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

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const root = parentElement.querySelector(".xd");
  const host = parentElement.host || parentElement;
  root.dataset.theme = isDark(host) ? "dark" : "light";

  if (root.dataset.shown !== data) {
    const focused = parentElement.activeElement && parentElement.activeElement.getAttribute("href");
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
    const again = focused && root.querySelector(`[href="${CSS.escape(focused)}"]`);
    if (again) again.focus({ preventScroll: true });
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
      if (href.startsWith("?")) setTriggerValue("go", href);
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
