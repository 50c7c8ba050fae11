// Code: source and assembly side by side, each line with its clocks by reason, the hottest loop in view.
import { clocksByCode, clocksOf, hottestLoop } from "./clocks.mjs";
import { lastPart, make, percent } from "./dom.mjs";
import { splitter } from "./split.mjs";

/** The lines of a file, or of the assembly (file null): [{key, number, text, codes, label}]. */
export function codeLines(run, file) {
  if (file !== null) {
    const codes = new Map();
    run.code.forEach((entry, code) => {
      for (const [name, line] of entry.places) {
        if (name === file) codes.set(line, [...(codes.get(line) || []), code]);
      }
    });
    return run.data.files[file].map((text, at) => ({ key: `${file}:${at + 1}`, number: at + 1, text, codes: codes.get(at + 1) || [] }));
  }
  const lines = [];
  run.code.forEach((entry, code) => {
    const label = run.data.labels[String(code)];
    if (label) lines.push({ key: `label:${code}`, number: "", text: `${label}:`, codes: [] });
    lines.push({ key: `code:${code}`, number: code, text: `  ${entry.text}`, codes: [code] });
  });
  return lines;
}

/** Lines with their clocks, in order or those with most clocks first (then without those that cost nothing). */
export function timedLines(run, lines, hottestFirst) {
  const timed = lines.map((line) => ({ ...line, sum: clocksOf(run, line.codes) }));
  return hottestFirst ? timed.filter((line) => line.sum.clk).sort((a, b) => b.sum.clk - a.sum.clk) : timed;
}

/** The worst finding at each line of the source or assembly: Map key -> {severity, message}. */
export function findingsByLine(findings) {
  const found = new Map();
  const rank = ["note", "warning", "error"];
  for (const finding of findings) {
    for (const place of finding.places) {
      for (let each = place; each; each = each.source) {
        const key = `${each.file}:${each.line}`;
        const before = found.get(key);
        if (!before || rank.indexOf(finding.severity) > rank.indexOf(before.severity)) found.set(key, finding);
      }
    }
  }
  return found;
}

export class CodePanel {
  /** go: {codes(run, set), hoverLine(run, line, event or null)}. */
  constructor(root, run, go) {
    this.root = root;
    this.run = run;
    this.go = go;
    this.hottestFirst = false;
    this.keys = []; // of the lines that are marked
    this.marked = [];
    this.found = new Set();
    this.lines = null; // made when they are first looked at: a kernel may have thousands
    this.whole = clocksByCode(run).reduce((sum, cell) => sum + cell.clk, 0);
    this.loop = hottestLoop(run);
    this.findings = findingsByLine(run.data.findings);
    this.files = Object.keys(run.data.files);
    this.file = this.files[0] ?? null;
    this.build();
  }

  build() {
    this.order = make("button", { id: "order", "aria-pressed": "false", click: () => this.sort(!this.hottestFirst) }, "hottest first");
    const tools = make("div", { class: "code-tools" }, this.order);
    if (this.loop) {
      const share = percent(clocksOf(this.run, this.loopCodes()).clk / (this.whole || 1));
      tools.append(make("button", { id: "to-loop", click: () => this.showLoop() }, `hottest loop: ${share} of the clocks`));
    }
    if (this.files.length > 1) {
      const choice = make("select", { "aria-label": "file", change: () => this.choose(choice.value) }, ...this.files.map((name) => make("option", { value: name }, lastPart(name))));
      tools.append(choice);
      this.choice = choice;
    }
    this.source = make("div", { class: "listing", id: "source" });
    this.assembly = make("div", { class: "listing", id: "assembly" });
    const columns = make("div", { class: "columns" });
    columns.append(
      ...(this.file === null ? [] : [this.source, splitter("source and assembly", {
        size: () => this.assembly.getBoundingClientRect().width,
        whole: () => columns.getBoundingClientRect().width,
        set: (px) => (px === null ? columns.style.removeProperty("--second") : columns.style.setProperty("--second", `${px}px`)),
      })]),
      this.assembly,
    );
    columns.classList.toggle("single", this.file === null);
    this.root.replaceChildren(tools, columns);
    if (this.file === null) tools.append(make("span", { class: "hint" }, "No source file is known here."));
  }

  /** The panel is opened: at what is marked, or at the hottest loop. */
  open() {
    if (!this.lines) this.fill();
    if (this.marked.length) this.showMarked();
    else if (!this.opened) this.showLoop();
    this.opened = true;
  }

  loopCodes() {
    return this.loop ? Array.from({ length: this.loop.to - this.loop.from + 1 }, (_, at) => this.loop.from + at) : [];
  }

  choose(file) {
    this.file = file;
    if (this.choice) this.choice.value = file;
    if (this.lines) this.fill();
  }

  sort(hottestFirst) {
    this.hottestFirst = hottestFirst;
    this.order.setAttribute("aria-pressed", String(hottestFirst));
    this.fill();
    if (!hottestFirst) this.showLoop();
  }

  fill() {
    this.lines = new Map();
    const columns = [[this.assembly, null, "#"]];
    if (this.file !== null) columns.unshift([this.source, this.file, "line"]);
    const inLoop = new Set(this.loopCodes());
    for (const [pane, file, number] of columns) {
      const lines = timedLines(this.run, codeLines(this.run, file), this.hottestFirst);
      const most = Math.max(1, ...lines.map((line) => line.sum.clk));
      const head = make("div", { class: "line head" }, make("span", { class: "num" }, number), make("span", {}, "clocks"), make("span", { class: "num" }, "%"),
        make("span", {}, file === null ? "assembly" : lastPart(file)));
      pane.replaceChildren(head, ...lines.map((line) => this.line(line, most, line.codes.some((code) => inLoop.has(code)))));
      pane.scrollTop = 0;
    }
    this.markFound(this.found);
    this.markKeys(this.keys);
  }

  line(line, most, isLoop) {
    const { sum, codes } = line;
    const stack = make("span", { class: "stack" }, ...sum.parts.map((part) => make("i", { style: `width:${((100 * part.clk) / most).toFixed(2)}%;background:var(--${part.colour})` })));
    const share = sum.clk ? (100 * sum.clk) / (this.whole || 1) : 0;
    const element = make("div", { class: "line" }, make("span", { class: "num" }, String(line.number)), stack,
      make("span", { class: "num" }, share >= 0.05 ? share.toFixed(1) : ""), make("span", { class: "code" }, line.text));
    element.classList.toggle("loop", isLoop);
    const finding = this.findings.get(line.key);
    if (finding) element.classList.add("with-finding", finding.severity);
    if (codes.length) this.enliven(element, { ...line, finding });
    else if (finding) element.title = `${finding.severity}: ${finding.message}`;
    this.lines.set(line.key, element);
    return element;
  }

  enliven(element, line) {
    element.classList.add("live");
    element.tabIndex = 0;
    const act = () => this.go.codes(this.run, new Set(line.codes));
    element.addEventListener("click", act);
    element.addEventListener("keydown", (event) => event.key === "Enter" && act());
    let isHovered = false;
    element.addEventListener("mousemove", (event) => {
      if (isHovered || !(event.movementX || event.movementY)) return; // a line that came to lie under the pointer
      isHovered = true;
      this.go.hoverLine(this.run, line, event);
    });
    element.addEventListener("mouseleave", () => {
      if (isHovered) this.go.hoverLine(this.run, line, null);
      isHovered = false;
    });
  }

  /** Marks the lines of an instruction in both columns. */
  mark(code) {
    if (code === null) this.markKeys([]);
    else this.markKeys([`code:${code}`, ...this.run.code[code].places.map(([file, line]) => `${file}:${line}`)]);
  }

  markKeys(keys) {
    for (const line of this.marked) line.classList.remove("marked");
    this.keys = keys;
    this.marked = this.lines ? keys.map((key) => this.lines.get(key)).filter(Boolean) : [];
    for (const line of this.marked) line.classList.add("marked");
  }

  /** Shows a place of the source, whether or not an instruction came from it; false if its file is not here. */
  showPlace(file, line) {
    if (!this.files.includes(file)) return false;
    if (this.file !== file) this.choose(file);
    if (this.hottestFirst && !this.lines.has(`${file}:${line}`)) this.sort(false);
    this.markKeys([`${file}:${line}`, ...this.run.codeOfLine(file, line).map((code) => `code:${code}`)]);
    this.showMarked();
    return true;
  }

  markFound(codes) {
    this.found = codes;
    for (const line of this.root.querySelectorAll(".line.found")) line.classList.remove("found");
    for (const code of codes) {
      for (const key of [`code:${code}`, ...this.run.code[code].places.map(([file, line]) => `${file}:${line}`)]) this.lines?.get(key)?.classList.add("found");
    }
  }

  showMarked() {
    for (const pane of [this.source, this.assembly]) inView(pane, this.marked.find((line) => line.parentElement === pane));
  }

  showLoop() {
    if (!this.loop || this.hottestFirst) return;
    inView(this.assembly, this.lines.get(`label:${this.loop.from}`) || this.lines.get(`code:${this.loop.from}`), 0.1);
    const hottest = [...this.source.querySelectorAll(".line.loop")][0];
    inView(this.source, hottest, 0.1);
  }
}

/** Scrolls a pane so that a line stands at a share of its height. */
function inView(pane, line, share = 0.4) {
  if (!line || !pane.clientHeight) return;
  pane.scrollTop = line.offsetTop - pane.offsetTop - share * pane.clientHeight;
}
