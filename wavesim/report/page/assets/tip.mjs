// Tip: what is said of an instruction, and the box beside the pointer, never larger than the view.
import { why, coveringWait, firstUse } from "./why.mjs";
import { blamedFor, clocksOf } from "./clocks.mjs";
import { lastPart, make, percent } from "./dom.mjs";

export const TIP_GAP_PX = 16;
export const TIP_EDGE_PX = 4;

/** The instruction's story as [label, text, holder] rows. */
export function story(run, position, row) {
  const wave = run.waves[position];
  const entry = run.entry(position, row);
  const rows = [
    ["wave", `${run.name(position)} on SIMD ${wave.simd}, workgroup ${wave.workgroup}; instruction ${row}`],
    ["issue", `clk ${wave.issue[row]}${wave.attempt[row] < wave.issue[row] ? `, attempted at ${wave.attempt[row]}` : ""}`],
    ["goes on", `clk ${wave.end[row]}`],
  ];
  if (wave.done[row] > wave.issue[row]) rows.push([entry.kind === "mfma" ? "result" : "data", `clk ${wave.done[row]}, ${wave.done[row] - wave.issue[row]} after its issue`]);
  const reasons = why(run, position, row);
  if (!reasons.length) rows.push(["waited", "not at all"]);
  for (const reason of reasons) rows.push([reason.name, `${reason.clk} clk: ${reason.text}`, reason.holder]);
  const wait = coveringWait(run, position, row);
  if (wait >= 0) rows.push(["its wait", `${run.entry(position, wait).text}, issues at clk ${wave.issue[wait]}`, { position, row: wait }]);
  const use = firstUse(run, position, row);
  if (use >= 0) rows.push(["first use", `${run.entry(position, use).text} at clk ${wave.issue[use]}`, { position, row: use }]);
  if (entry.places.length) rows.push(["place", entry.places.map(([file, line]) => `${lastPart(file)}:${line}`).join(", ")]);
  return rows;
}

/** What a line of the code costs in the whole run, as [label, text] rows: its clocks by reason, and who is to blame. */
export function lineStory(run, codes, whole) {
  const sum = clocksOf(run, codes);
  const rows = [["issued", `${sum.issues} times`], ["clocks", `${sum.clk}, ${percent(sum.clk / (whole || 1))} of all waves' clocks`]];
  const blamed = blamedFor(run, codes);
  for (const part of sum.parts) {
    for (const [name, clk] of part.reasons) {
      const by = blamed.filter((each) => run.vocabulary.reasons[each.reason] === name);
      const named = by.slice(0, 2).map((each) => `${run.code[each.code].text} (${each.clk})`);
      if (by.length > 2) named.push(`${by.length - 2} more`);
      rows.push([name, `${clk} clk${named.length ? `: because of ${named.join(", ")}` : ""}`]);
    }
  }
  return rows;
}

/** Where a box goes beside a pointer, so that it stays in the view: {x, y}. */
export function placed(pointer, box, view) {
  const most = (size, room) => Math.max(TIP_EDGE_PX, room - size - TIP_EDGE_PX);
  const beside = (at, size, room) => (at + TIP_GAP_PX + size > room - TIP_EDGE_PX && at - TIP_GAP_PX - size >= TIP_EDGE_PX ? at - TIP_GAP_PX - size : at + TIP_GAP_PX);
  return {
    x: Math.min(beside(pointer.x, box.width, view.width), most(box.width, view.width)),
    y: Math.min(beside(pointer.y, box.height, view.height), most(box.height, view.height)),
  };
}

export class Tip {
  constructor(element) {
    this.element = element;
  }

  show(pointer, title, rows) {
    this.element.replaceChildren(make("b", { class: "code" }, title), ...rows.map(([label, text]) => make("div", {}, make("span", {}, label), make("p", {}, text))));
    this.place(pointer);
  }

  /** An entry of the glossary, below its word. */
  explain(element, entry) {
    const box = element.getBoundingClientRect();
    this.element.replaceChildren(make("b", {}, element.textContent), ...entry.split("\n\n").map((text) => make("p", {}, text)));
    this.place({ x: box.left - TIP_GAP_PX, y: box.bottom - TIP_GAP_PX + 4 });
  }

  place(pointer) {
    this.element.hidden = false;
    const { x, y } = placed(pointer, this.element.getBoundingClientRect(), { width: innerWidth, height: innerHeight });
    this.element.style.transform = `translate(${x}px, ${y}px)`;
  }

  hide() {
    this.element.hidden = true;
  }
}
