// Panels: figures, explanation, the instruction, the code and the findings beside the timeline.
import { CodePanel } from "./code.mjs";
import { entryOf, lastPart, make, percent, shown, word, worded } from "./dom.mjs";
import { story } from "./tip.mjs";

export class Panels {
  constructor(root, runs, go, story = null) {
    this.root = root;
    this.runs = runs;
    this.told = story; // {name, title, chapters} or null
    this.go = go; // {select(place), codes(run, set), hoverLine(run, line, event), path(what), finding(run, place, waves)}
    this.run = runs[0];
    this.tabs = ["figures", "explain", "instruction", "code", "findings"];
    if (story) this.tabs.unshift(story.name);
    this.bodies = {};
    this.words = runs[0].vocabulary.words;
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
    this.code = new CodePanel(this.bodies.code.body, this.run, this.go);
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
    this.root.dataset.tab = name;
    if (name === "code") this.code.open();
    this.go.opened(name);
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
      table.append(make("tr", {}, this.head(label), cell));
    }
    return table;
  }

  head(label) {
    return make("th", {}, word(label, entryOf(label, this.words)));
  }

  figures() {
    const { body } = this.bodies.figures;
    const { data } = this.run;
    body.append(make("h2", {}, data.title));
    const table = make("table", { class: "story" });
    for (const [label, text] of [...data.facts, ...figureRows(data)]) table.append(make("tr", {}, this.head(label), make("td", {}, ...worded(text, this.words))));
    body.append(table);
    if (data.figures.groups) body.append(make("h3", {}, `Where the clocks go${mark(data.figures, "stalls")}`), this.stallBars(data.figures));
    for (const note of data.notes) body.append(make("p", { class: "hint" }, note));
    if (data.cut_clk < data.clk_total) {
      body.append(make("p", { class: "hint" }, `Shown up to clk ${data.cut_clk} of ${data.clk_total}: the run is longer than a page should be.`));
    }
  }

  /** A button that leads to a line of the source. */
  place(place) {
    if (!place) return "";
    const [file, line] = place;
    return make("button", { class: "link", click: () => this.go.codes(this.run, new Set(this.run.codeOfLine(file, line))) }, this.oneFile() ? `line ${line}` : `${lastPart(file)}:${line}`);
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
    body.append(make("h2", {}, `Why ${shown(explanation.clk)}${doubt} ${explanation.per}${explanation.steady ? `; in steady state ${explanation.steady}` : ""}`));
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
        make("td", { class: "num" }, gain), Math.abs(row.gain) < 0.05 ? "" : barCell(Math.abs(row.gain) / most, row.gain < 0 ? "loss" : "gain")));
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

  /** Marks the lines of an instruction, in the source and in the assembly. */
  mark(run, code, scroll) {
    if (run !== this.run) return;
    this.code.mark(code);
    if (scroll) this.code.showMarked();
  }

  findings() {
    const { body } = this.bodies.findings;
    const { findings } = this.run.data;
    if (!findings.length) body.append(make("p", { class: "hint" }, "Nothing was found."));
    for (const finding of findings) {
      const places = finding.places.flatMap((place) => [
        place.line ? make("button", { class: "link", click: () => this.go.finding(this.run, place, finding.waves) }, `${lastPart(place.file)}:${place.line}`) : lastPart(place.file), " "]);
      const waves = finding.waves.length ? `wave${finding.waves.length > 1 ? "s" : ""} ${finding.waves.join(", ")}` : "";
      body.append(make("div", { class: `finding ${finding.severity}` },
        make("b", {}, `${finding.severity}: ${finding.rule}`), make("p", {}, ...worded(finding.message, this.words)),
        make("p", {}, ...places, waves), ...(finding.fix ? [make("p", {}, ...worded(`fix: ${finding.fix}`, this.words))] : [])));
    }
  }

  /** Stall clocks per wave group, a bar each. */
  stallBars(figures) {
    const { reasons, reason_colours: colours } = this.run.vocabulary;
    const table = make("table", { class: "bars" });
    for (const group of figures.groups) {
      const clocks = group.stalls_per_iteration || group.stalls;
      const total = group.stalls_per_iteration ? group.iteration_clk : Object.values(clocks).reduce((sum, clk) => sum + clk, 0);
      table.append(make("tr", {}, make("th", { colspan: "3" }, `${this.run.names(group.waves)}: ${shown(total)} clk${group.stalls_per_iteration ? " per iteration" : ""}`)));
      for (const [name, clk] of Object.entries(clocks).sort((a, b) => b[1] - a[1])) {
        if (clk <= 0) continue;
        const colour = colours[reasons.indexOf(name)] || "other"; // what is put down to no reason
        table.append(make("tr", {}, make("td", {}, word(name, entryOf(name, this.words))), make("td", { class: "num" }, shown(clk, 0)),
          make("td", { class: "wide" }, make("i", { style: `width:${((100 * clk) / total).toFixed(1)}%;background:var(--${colour})` }))));
      }
    }
    return table;
  }
}

/** "?" for a figure that rests on something unknown, as in the terminal. */
export function mark(figures, name) {
  return figures.unknowns && figures.unknowns.figures[name] ? "?" : "";
}

/** What a kernel is, in a few words: right and clean, or what it is not. */
export function verdictOf(data) {
  if (data.figures.verdict === "good") return "✓ good";
  if (data.figures.verdict === "unchecked") return "? unchecked";
  const count = data.findings.filter((each) => each.severity !== "note").length;
  const { checked, ok } = data.figures.numerics;
  const parts = checked && !ok ? ["wrong numbers"] : [];
  if (count) parts.push(count === 1 ? "1 finding" : `${count} findings`);
  return `✗ ${parts.join(", ") || "bad"}`;
}

/** Key figures of a run's JSON report. */
export function figureRows(data) {
  const { figures } = data;
  if (!figures.kernel) return [];
  const doubt = (name) => mark(figures, name);
  const rows = [["span", `${figures.clk_total}${doubt("clk_total")} clk, ${figures.instructions} instructions`]];
  if (figures.clk_per_iteration !== null) rows.unshift(["clk/iteration", `${shown(figures.clk_per_iteration)}${doubt("clk_per_iteration")}`]);
  const bound = figures.bound_details.binding;
  if (bound) rows.push(["bound", `${shown(figures.bounds[bound])}${doubt(`bounds.${bound}`)} clk: ${bound}`]);
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

export function barCell(share, kind) {
  return make("td", { class: "wide" }, make("i", { style: `width:${(100 * Math.min(1, share)).toFixed(1)}%`, class: kind }));
}
