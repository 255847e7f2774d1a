// The messages behind the arrows. They lie as JSON in the document, some hundred to an element; an
// element is read when someone asks for a message in it.

/** Say whether the document has messages, those of this ladder or of all in it. */
const withMessages = () => document.querySelector("script.xl-details") !== null;

class Messages {
  constructor() {
    this.found = null;
    this.texts = new Map();
  }

  places() {
    if (!this.found) {
      this.found = new Map();
      for (const element of document.querySelectorAll("script.xl-details")) {
        const part = { element, records: null };
        for (const row of element.dataset.rows.split(" ")) this.found.set(Number(row), part);
      }
    }
    return this.found;
  }

  has(row) {
    return this.places().has(row);
  }

  /** Return the message of a row, or null where the page does not have it. */
  get(row) {
    const part = this.places().get(row);
    if (!part) return null;
    part.records ??= JSON.parse(part.element.textContent);
    return part.records[row] ?? null;
  }

  /** Return what a search looks through, in small letters. */
  text(row) {
    let text = this.texts.get(row);
    if (text === undefined) {
      const message = this.get(row);
      text = message ? messageLines(message).join("\n").toLowerCase() : "";
      this.texts.set(row, text);
    }
    return text;
  }
}

/** Return a message as it was on the wire, as far as the page has it. */
function messageLines(message) {
  const headers = message.headers.map(([name, value]) => `${name}: ${value}`);
  return [message.start ?? "", ...headers, "", ...(message.body ?? "").split("\n")];
}

/** Return a message as lines to compare: the XML an element a line. */
function comparedLines(message) {
  const root = message.document?.root;
  if (!root) return messageLines(message);
  const lines = messageLines({ ...message, body: "" });
  const write = ([name, attributes, text, children], depth) => {
    const given = Object.entries(attributes).map(([key, value]) => ` ${key}="${value}"`).join("");
    const indent = "  ".repeat(depth);
    lines.push(`${indent}<${name}${given}>${text ?? ""}`);
    children.forEach((child) => write(child, depth + 1));
  };
  write(root, 0);
  return lines;
}
