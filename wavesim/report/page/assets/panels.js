"use strict";
// Panels: the instruction, the listing, the figures and the findings beside the timeline.
// Kernel text comes from files of others: it only ever becomes text nodes, never markup.

/** make("td", {class: "num"}, "12", node, ...): an element with attributes and children. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

const shown = (value, digits = 1) => (Number.isInteger(value) ? String(value) : value.toFixed(digits));
const percent = (share) => `${(100 * share).toFixed(1)} %`;
const lastPart = (path) => path.split("/").pop();

/** The instruction's story as [label, text, holder] rows. */
function story(run, position, row) {
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

class Panels {
  constructor(root, runs, go, story = null) {
    this.root = root;
    this.runs = runs;
    this.told = story; // {name, title, chapters} or null
    this.go = go; // {select(place), codes(run, set, go), path(what)}
    this.run = runs[0];
    this.tabs = ["figures", "explain", "instruction", "source", "assembly", "findings"];
    if (story) this.tabs.unshift(story.name);
    this.bodies = {};
    this.lines = new Map();
    this.build();
  }

  build() {
    const bar = make("div", { class: "tabs", role: "tablist" });
    this.root.replaceChildren(bar);
    for (const [index, name] of this.tabs.entries()) {
      const body = make("section", { id: `tab-${name}`, role: "tabpanel" });
      const title = name === "findings" ? `findings ${this.run.data.findings.length}` : name;
      const button = make("button", { role: "tab", title: `${index + 1}`, click: () => this.open(name) }, title);
      bar.append(button);
      this.bodies[name] = { body, button };
      this.root.append(body);
    }
    if (this.told) this.tell(this.told);
    this.figures();
    this.explain();
    this.instruction(null);
    this.source();
    this.assembly();
    this.findings();
    this.open(this.current || this.tabs[0]);
  }

  /** What the runs of the page are there to show. */
  tell({ name, title, chapters }) {
    const { body } = this.bodies[name];
    body.append(make("h2", {}, title));
    for (const { heading, sentences, table, listing } of chapters) {
      if (heading) body.append(make("h3", {}, heading));
      if (table.length) {
        const [head, ...rows] = table;
        const cells = (row, tag) => make("tr", {}, ...row.map((text, column) => make(tag, column ? { class: "num" } : {}, text)));
        body.append(make("table", { class: "told" }, cells(head, "th"), ...rows.map((row) => cells(row, "td"))));
      }
      for (const text of sentences) body.append(make("p", {}, text));
      if (listing.length) body.append(make("pre", { class: "listing" }, listing.join("\n")));
    }
  }

  open(name) {
    this.current = name;
    for (const [other, { body, button }] of Object.entries(this.bodies)) {
      body.hidden = other !== name;
      button.setAttribute("aria-selected", String(other === name));
    }
    if (name === "explain" && this.run.path && !this.pathShown) {
      this.pathShown = true; // once by itself, then as the reader has it
      this.go.path({ on: true });
    }
    this.showMarked();
  }

  use(run) {
    if (run === this.run) return;
    this.run = run;
    this.build();
  }

  instruction(place) {
    const { body } = this.bodies.instruction;
    body.replaceChildren();
    if (!place) {
      body.append(make("p", { class: "hint" }, "Click an instruction in the timeline, or press ← → ↑ ↓ to walk from one to the next."));
      return;
    }
    const { run, position, row } = place;
    body.append(make("h3", { class: "code" }, run.entry(position, row).text), this.storyTable(run, position, row));
  }

  storyTable(run, position, row) {
    const table = make("table", { class: "story" });
    for (const [label, text, holder] of story(run, position, row)) {
      const cell = make("td", {}, text);
      if (holder) {
        cell.append(" ", make("button", { class: "link", click: () => this.go.select({ run, ...holder }) }, "go"));
      }
      table.append(make("tr", {}, make("th", {}, label), cell));
    }
    return table;
  }

  figures() {
    const { body } = this.bodies.figures;
    const { data } = this.run;
    body.append(make("h2", {}, data.title));
    const table = make("table", { class: "story" });
    for (const [label, text] of [...data.facts, ...figureRows(data)]) table.append(make("tr", {}, make("th", {}, label), make("td", {}, text)));
    body.append(table);
    if (data.explanation) {
      body.append(make("h3", {}, "In short"), ...data.explanation.summary.map((text) => make("p", {}, text)),
        make("p", {}, make("button", { class: "link", click: () => this.open("explain") }, "explain: path, what-ifs, advice")));
    }
    if (data.figures.groups) body.append(make("h3", {}, `Where the clocks go${mark(data.figures, "stalls")}`), stallBars(data.figures));
    for (const note of data.notes) body.append(make("p", { class: "hint" }, note));
    if (data.cut_clk < data.clk_total) {
      body.append(make("p", { class: "hint" }, `Shown up to clk ${data.cut_clk} of ${data.clk_total}: the run is longer than a page should be.`));
    }
  }

  /** A button that leads to a line of the source. */
  place(place) {
    if (!place) return "";
    const [file, line] = place;
    return make("button", { class: "link", click: () => this.go.codes(this.run, new Set(this.run.codeOfLine(file, line)), true) }, this.oneFile() ? `line ${line}` : `${lastPart(file)}:${line}`);
  }

  oneFile() {
    return Object.keys(this.run.data.files).length === 1;
  }

  explain() {
    const { body } = this.bodies.explain;
    const { explanation, figures } = this.run.data;
    if (!explanation) {
      const why = this.run.data.notes.find((note) => note.startsWith("not explained"));
      body.append(make("p", { class: "hint" }, why || (figures.kernel ? "Written with --no-explain." : "A replay is not explained.")));
      return;
    }
    const doubt = mark(figures, "clk_per_iteration");
    body.append(make("h2", {}, `Why ${shown(explanation.clk)}${doubt} ${explanation.per}${explanation.steady ? `; in steady state ${explanation.steady}` : ""}`), ...explanation.summary.map((text) => make("p", {}, text)));
    if (doubt) body.append(make("p", { class: "hint" }, "?: rests on something that is not known; the figures' notes say on what."));
    const { path } = this.run;
    const whole = path.causes.reduce((sum, [, clk]) => sum + clk, 0) || 1;
    const causes = make("table", { class: "bars" });
    path.causes.forEach(([name, clk], cause) => {
      const button = make("button", { class: "link", click: () => this.go.path({ run: this.run, on: true, cause }) }, name);
      causes.append(make("tr", {}, make("td", {}, button), make("td", { class: "num" }, shown(clk)), make("td", { class: "num" }, `${((100 * clk) / whole).toFixed(0)} %`), barCell(clk / whole, "critical")));
    });
    causes.append(make("tr", {}, make("td", {}, "total"), make("td", { class: "num" }, `${shown(whole)}${doubt}`)));
    body.append(make("h3", {}, "Critical path"), make("p", { class: "hint" }, `The chain of waits that sets the time, in ${explanation.path_per}. A cause shows its part in the timeline; c shows or hides the chain.`), causes, this.chain(path));
    if (explanation.ladder.length) body.append(make("h3", {}, `What if: ${explanation.per}, gain`), this.ladder(explanation, doubt));
    body.append(make("h3", {}, `Advice: ${explanation.advice.length ? "each was simulated and checked" : "none"}`));
    if (!explanation.advice.length) body.append(make("p", {}, `None of ${explanation.tried} edits tried saves a slot.`));
    body.append(make("ol", {}, ...explanation.advice.map((each) => make("li", {}, each.text, make("div", {},
      make("b", {}, `saves ${each.exact ? "" : "about "}${shown(each.gain)}${doubt} ${explanation.per}`), ` (${shown(each.clk)} left); ${each.checked} `, ...each.places.flatMap((place) => [this.place(place), " "]))))));
    if (explanation.exposed.length) body.append(make("h3", {}, "Exposed latency: clk at the wait"), this.exposed(explanation.exposed));
    if (explanation.strong.length) {
      body.append(make("h3", {}, "Waits stronger than needed"));
      for (const each of explanation.strong) body.append(make("p", {}, this.place(each.place), ` ${each.written}: ${each.enough} is enough; ${each.clk >= 1 ? `costs ${shown(each.clk)} ${explanation.per}` : "costs nothing here"}`));
    }
  }

  /** The chain's steps in order of time; neighbours of one wave, line and cause are one step. */
  chain(path) {
    const steps = [];
    for (const link of path.links) {
      const entry = this.run.entry(link.about.position, link.about.row);
      const last = steps[steps.length - 1];
      if (last && last.wave === link.wave && last.cause === link.cause && last.entry === entry) last.clk += link.end - link.start;
      else steps.push({ wave: link.wave, cause: link.cause, entry, clk: link.end - link.start, link });
    }
    const table = make("table", { class: "story chain" });
    for (const step of steps.slice(0, 200)) {
      const go = make("button", { class: "link", click: () => this.go.path({ run: this.run, on: true, link: step.link }) }, step.entry.text.split(" ")[0]);
      table.append(make("tr", {}, make("td", { class: "num" }, String(step.clk)), make("td", {}, this.run.name(step.wave)), make("td", {}, go), make("td", {}, path.causes[step.cause][0])));
    }
    return make("details", {}, make("summary", {}, `its ${steps.length} steps: clk, wave, instruction, what is waited for`), table);
  }

  ladder(explanation, doubt) {
    const most = Math.max(...explanation.ladder.map((row) => Math.abs(row.gain)), 1);
    const table = make("table", { class: "bars" });
    for (const row of explanation.ladder) {
      const gain = row.gain > 0 ? `−${shown(row.gain)}` : row.gain < 0 ? `+${shown(-row.gain)}` : "0";
      table.append(make("tr", { title: `${explanation.see} ${row.name}` }, make("td", {}, row.text), make("td", { class: "num" }, `${row.signs}${shown(row.clk)}${doubt}`),
        make("td", { class: "num" }, gain), barCell(Math.abs(row.gain) / most, row.gain < 0 ? "loss" : "gain")));
    }
    const means = explanation.signs.map((text) => ` ${text}.`).join("");
    const said = make("p", { class: "hint" }, `Each row was simulated.${means} To see one: `, make("span", { class: "code command" }, `${explanation.see} ${explanation.ladder[0].name}`));
    return make("div", {}, table, said);
  }

  exposed(loads) {
    const table = make("table", { class: "bars loads" });
    table.append(make("tr", {}, ...["load", "returns", "wait", "exposed", "hidden by"].map((name) => make("th", {}, name))));
    for (const each of loads) {
      const hidden = each.clk < 0.5;
      const [low, high] = each.latency;
      table.append(make("tr", {}, make("td", {}, this.place(each.place), ` ${each.loads} × ${each.opcode}`), make("td", { class: "num" }, low === high ? String(low) : `${low}–${high}`),
        make("td", {}, this.place(each.wait)), make("td", { class: "num" }, hidden ? "hidden" : shown(each.clk)), make("td", {}, each.mfmas && !hidden ? `${each.mfmas} more MFMA${each.mfmas > 1 ? "s" : ""}` : "")));
    }
    return table;
  }

  source() {
    const { body } = this.bodies.source;
    const names = Object.keys(this.run.data.files);
    this.lines.clear();
    if (!names.length) body.append(make("p", { class: "hint" }, "No source file is known here; see the assembly."));
    const clocks = this.run.clocksByCode();
    const total = clocks.reduce((sum, cell) => sum + cell.clk, 0) || 1;
    for (const name of names) {
      const costs = new Map();
      this.run.code.forEach((entry, index) => {
        const place = entry.places.find((each) => each[0] === name);
        if (place) costs.set(place[1], (costs.get(place[1]) || 0) + clocks[index].clk);
      });
      body.append(make("h3", {}, lastPart(name)), this.listing(this.run.data.files[name].map((text, index) => ({
        key: `${name}:${index + 1}`,
        number: index + 1,
        text,
        share: (costs.get(index + 1) || 0) / total,
        codes: costs.has(index + 1) ? () => this.run.codeOfLine(name, index + 1) : null,
      }))));
    }
  }

  assembly() {
    const clocks = this.run.clocksByCode();
    const total = clocks.reduce((sum, cell) => sum + cell.clk, 0) || 1;
    const rows = [];
    this.run.code.forEach((entry, index) => {
      const label = this.run.data.labels[String(index)];
      if (label) rows.push({ key: `label:${index}`, number: "", text: `${label}:`, share: 0, codes: null });
      rows.push({
        key: `code:${index}`,
        number: clocks[index].issues || "",
        text: `  ${entry.text}`,
        share: clocks[index].clk / total,
        codes: () => [index],
      });
    });
    this.bodies.assembly.body.append(make("p", { class: "hint" }, "How often issued; bar: share of all waves' clocks, waiting included."), this.listing(rows));
  }

  listing(rows) {
    const most = Math.max(...rows.map((row) => row.share), 1e-9);
    return make("div", { class: "listing" }, ...rows.map((row) => {
      const line = make("div", { class: row.codes ? "line live" : "line" },
        make("span", { class: "num" }, String(row.number)),
        make("span", { class: "bar", title: row.share ? percent(row.share) : "" }, make("i", { style: `width:${((100 * row.share) / most).toFixed(1)}%` })),
        make("span", { class: "code" }, row.text));
      if (row.codes) {
        line.tabIndex = 0;
        const act = () => this.go.codes(this.run, new Set(row.codes()), true);
        line.addEventListener("click", act);
        line.addEventListener("keydown", (event) => event.key === "Enter" && act());
        line.addEventListener("mouseenter", () => this.go.codes(this.run, new Set(row.codes()), false));
      }
      this.lines.set(row.key, line);
      return line;
    }));
  }

  /** Marks the lines of an instruction, in the source and in the assembly. */
  mark(run, code, scroll) {
    for (const line of this.marked || []) line.classList.remove("marked");
    this.marked = [];
    if (code === null || run !== this.run) return;
    const keys = [`code:${code}`, ...run.code[code].places.map(([file, line]) => `${file}:${line}`)];
    for (const key of keys) {
      const line = this.lines.get(key);
      if (!line) continue;
      line.classList.add("marked");
      this.marked.push(line);
    }
    if (scroll) this.showMarked();
  }

  showMarked() {
    const line = (this.marked || []).find((each) => each.offsetParent);
    if (line) line.scrollIntoView({ block: "center" });
  }

  findings() {
    const { body } = this.bodies.findings;
    const { findings } = this.run.data;
    if (!findings.length) body.append(make("p", { class: "hint" }, "Nothing was found."));
    for (const finding of findings) {
      const places = finding.places.map((place) => make("button", {
        class: "link",
        click: () => {
          const codes = this.run.codeOfLine(place.file, place.line);
          this.go.codes(this.run, new Set(codes), true);
        },
      }, `${lastPart(place.file)}:${place.line}`));
      body.append(make("div", { class: `finding ${finding.severity}` },
        make("b", {}, `${finding.severity}: ${finding.rule}`), make("p", {}, finding.message),
        make("p", {}, ...places.flatMap((place) => [place, " "]), finding.waves.length ? `wave${finding.waves.length > 1 ? "s" : ""} ${finding.waves.join(", ")}` : ""),
        ...(finding.fix ? [make("p", {}, `fix: ${finding.fix}`)] : [])));
    }
  }
}

/** "?" for a figure that rests on something unknown, as in the terminal. */
function mark(figures, name) {
  return figures.unknowns && figures.unknowns.figures[name] ? "?" : "";
}

/** What a kernel is, in a few words: right and clean, or what it is not. */
function verdictOf(data) {
  if (data.figures.verdict === "good") return "✓ good";
  if (data.figures.verdict === "unchecked") return "? unchecked";
  const count = data.findings.filter((each) => each.severity !== "note").length;
  const { checked, ok } = data.figures.numerics;
  const parts = checked && !ok ? ["wrong numbers"] : [];
  if (count) parts.push(count === 1 ? "1 finding" : `${count} findings`);
  return `✗ ${parts.join(", ") || "bad"}`;
}

/** Key figures of a run's JSON report. */
function figureRows(data) {
  const { figures } = data;
  if (!figures.kernel) return [];
  const doubt = (name) => mark(figures, name);
  const rows = [["verdict", verdictOf(data).slice(2)], ["span", `${figures.clk_total}${doubt("clk_total")} clk, ${figures.instructions} instructions`]];
  if (figures.clk_per_iteration !== null) rows.unshift(["clk/iteration", `${shown(figures.clk_per_iteration)}${doubt("clk_per_iteration")}`]);
  const bound = figures.bound_details.binding;
  if (bound) rows.push(["bound", `${shown(figures.bounds[bound])}${doubt(`bounds.${bound}`)} clk: ${bound}`]);
  if (figures.diagnosis) rows.unshift(["diagnosis", figures.diagnosis]);
  rows.push(...data.shares);
  if (figures.tflops !== null) rows.push(["TFLOP/s", `${shown(figures.tflops)}${doubt("tflops")} at ${figures.clock_ghz} GHz`]);
  const numbers = figures.numerics;
  rows.push(["numbers", numbers.checked ? (numbers.ok ? `right, max rel error ${numbers.max_rel_error.toExponential(1)}` : numbers.message) : "not checked"]);
  for (const place of numbers.wrong.slice(0, 8)) {
    const [first] = place.first;
    const got = !first.stored ? "is never stored" : first.got === null ? "is not a number" : `is ${Number(first.got.toPrecision(6))}`;
    rows.push([place.wave === null ? "no wave" : `wave ${place.wave}`,
      `${place.wrong} of ${place.of} wrong, rows ${place.rows.join("-")}, columns ${place.columns.join("-")}; [${first.row}, ${first.column}] ${got}`]);
  }
  return rows;
}

/** Stall clocks per wave group, a bar each. */
function stallBars(figures) {
  const table = make("table", { class: "bars" });
  for (const group of figures.groups) {
    const clocks = group.stalls_per_iteration || group.stalls;
    const total = group.stalls_per_iteration ? group.iteration_clk : Object.values(clocks).reduce((sum, clk) => sum + clk, 0);
    const names = group.waves.map((wave) => wave.wave).join(", ");
    table.append(make("tr", {}, make("th", { colspan: "3" }, `wave${group.waves.length > 1 ? "s" : ""} ${names}: ${shown(total)} clk${group.stalls_per_iteration ? " per iteration" : ""}`)));
    for (const [name, clk] of Object.entries(clocks).sort((a, b) => b[1] - a[1])) {
      if (clk <= 0) continue;
      table.append(make("tr", {}, make("td", {}, name), make("td", { class: "num" }, shown(clk, 0)),
        make("td", { class: "wide" }, make("i", { class: `reason-${name}`, style: `width:${((100 * clk) / total).toFixed(1)}%` }))));
    }
  }
  return table;
}

function barCell(share, kind) {
  return make("td", { class: "wide" }, make("i", { style: `width:${(100 * Math.min(1, share)).toFixed(1)}%`, class: kind }));
}
