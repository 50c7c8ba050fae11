// Dom: elements, numbers, and words of the glossary.
// Kernel text comes from files of others: it only ever becomes text nodes, never markup.

/** make("td", {class: "num"}, "12", node, ...): an element with attributes and children. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

export const shown = (value, digits = 1) => (Number.isInteger(value) ? String(value) : value.toFixed(digits));
export const percent = (share) => `${(100 * share).toFixed(1)} %`;
export const lastPart = (path) => path.split("/").pop();

/** Words of the glossary in a sentence: [[text, entry or null]], each where it stands first. An English word such as
    "issue" is none there. */
export function pieces(text, words) {
  const special = Object.keys(words).filter((name) => /[A-Z_/-]|\s|cnt$|^clk$/.test(name)).sort((a, b) => b.length - a.length);
  if (!special.length) return [[text, null]];
  const escaped = special.map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  const pattern = new RegExp(`(?<![\\w./-])(${escaped.join("|")})(s?)(?![\\w./-]*\\w)`, "g");
  const found = [];
  const explained = new Set();
  let at = 0;
  for (const match of text.matchAll(pattern)) {
    if (explained.has(words[match[1]])) continue;
    explained.add(words[match[1]]);
    if (match.index > at) found.push([text.slice(at, match.index), null]);
    found.push([match[0], words[match[1]]]);
    at = match.index + match[0].length;
  }
  if (at < text.length) found.push([text.slice(at), null]);
  return found;
}

/** The entry of a label: of the whole of it, in the singular, or with small letters. */
export function entryOf(label, words) {
  return words[label] ?? words[label.replace(/s$/, "")] ?? words[label.toLowerCase()] ?? null;
}

/** A word that explains itself when it is pointed at, focused or tapped. */
export function word(text, entry) {
  return entry ? make("span", { class: "word", tabindex: "0", "data-entry": entry }, text) : text;
}

/** A sentence with its words of the glossary. */
export const worded = (text, words) => pieces(text, words).map(([piece, entry]) => word(piece, entry));
