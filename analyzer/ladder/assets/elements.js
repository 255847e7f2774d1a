// Elements are made here, and only here: every text goes in as text, never as markup.

/** Return a new element; `on…` properties are listeners, true and false are bare attributes. */
function make(tag, properties, ...children) {
  const made = document.createElement(tag);
  for (const [key, value] of Object.entries(properties ?? {})) {
    if (value === false || value == null) continue;
    if (key === "class") made.className = value;
    else if (typeof value === "function") made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.flat(Infinity).filter((child) => child != null && child !== false));
  return made;
}

function button(text, title, act, properties) {
  return make("button", { type: "button", title, onclick: act, ...properties }, text);
}

/** Return a number and its noun: `1 row`, `2 rows`. */
function count(number, noun) {
  return `${number.toLocaleString("en-GB")} ${noun}${number === 1 ? "" : "s"}`;
}

/** Copy a text; a page that was opened as a file may not use the clipboard, but may copy. */
async function copy(text, announce) {
  let done = true;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = make("textarea", { class: "xl-vh", "aria-hidden": "true" });
    area.value = text;
    const focused = document.activeElement;
    document.body.append(area);
    area.select();
    done = document.execCommand("copy");
    area.remove();
    focused?.focus({ preventScroll: true });
  }
  announce(done ? "Copied." : "The browser did not let the page copy.");
}

/** Return a function that acts when it has not been called for so many milliseconds. */
function later(milliseconds, act) {
  let timer = 0;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(act, milliseconds, ...given);
  };
}

/** Return a function that acts at most once a frame. */
function perFrame(act) {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      act();
    });
  };
}
