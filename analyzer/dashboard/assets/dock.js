// Escape goes where the server says: it closes the docked message.

const TYPED = "input, textarea, select, [contenteditable], [role=combobox], [role=listbox], [role=dialog]";

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const before = parentElement.xccosEscape;
  if (before) document.removeEventListener("keydown", before);
  const listen = (event) => {
    if (event.key !== "Escape" || event.defaultPrevented) return;
    // Where something is typed, or a list or dialog is open, Escape belongs to that.
    const target = event.composedPath()[0];
    if (target instanceof Element && target.closest(TYPED)) return;
    setTriggerValue("go", data);
  };
  parentElement.xccosEscape = listen;
  document.addEventListener("keydown", listen);
  return () => document.removeEventListener("keydown", listen);
}
