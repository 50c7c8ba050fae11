// Link: the view in the address behind "#", so that a bookmark or a reload brings it back.

/** {from, to, run, tab, find, path, select: {position, row}} as text; what is not there is left out. */
export function written(state) {
  const parts = [`clk=${Math.round(state.from)}-${Math.round(state.to)}`];
  if (state.run) parts.push(`run=${state.run}`);
  if (state.tab) parts.push(`tab=${encodeURIComponent(state.tab)}`);
  if (state.select) parts.push(`at=${state.select.position}.${state.select.row}`);
  if (state.path) parts.push("path=1");
  if (state.aligned) parts.push("aligned=1");
  if (state.find) parts.push(`find=${encodeURIComponent(state.find)}`);
  return parts.join("&");
}

/** The state of such a text; what is missing, or makes no sense, is left out. */
export function readLink(text) {
  const state = {};
  for (const part of text.replace(/^#/, "").split("&")) {
    const [name, value = ""] = part.split("=");
    const numbers = value.split(name === "clk" ? /(?<=\d)-/ : ".").map(Number);
    const whole = numbers.length === 2 && numbers.every(Number.isInteger);
    if (name === "clk" && whole && numbers[1] > numbers[0]) [state.from, state.to] = numbers;
    if (name === "at" && whole && numbers.every((each) => each >= 0)) state.select = { position: numbers[0], row: numbers[1] };
    if (name === "run" && /^\d+$/.test(value)) state.run = Number(value);
    if (name === "path" || name === "aligned") state[name] = value === "1";
    if (name === "tab" || name === "find") state[name] = plain(value);
  }
  return state;
}

function plain(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // somebody cut the address short
  }
}
