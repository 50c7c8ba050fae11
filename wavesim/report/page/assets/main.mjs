// Main: puts the page together, and the keys.
import { readRuns, upperBound } from "./run.mjs";
import { clocksByCode, nextPlace, placeBefore } from "./clocks.mjs";
import { matching } from "./find.mjs";
import { readLink, written } from "./link.mjs";
import { entryOf, make, percent, shown, word, worded } from "./dom.mjs";
import { Tip, lineStory, story } from "./tip.mjs";
import { readColours } from "./paint.mjs";
import { MarkedPainter } from "./marks.mjs";
import { Overview, View } from "./view.mjs";
import { splitter } from "./split.mjs";
import { Panels, mark, verdictOf } from "./panels.mjs";
import { Player } from "./player.mjs";

export const HELP = [
  ["wheel, + −", "zoom"], ["drag, shift+wheel, a d", "pan"], ["0 or Home", "whole run"], ["i", "one iteration"],
  ["[ ]", "iteration before, after"], ["← →", "instruction before, after"], ["↑ ↓", "other wave"],
  ["f", "zoom to the selected instruction"], ["/", "search; Enter, shift+Enter: next, before"], ["space", "play"], [", .", "one slot back, on"],
  ["b", "player to the iteration's start"], ["1 … 6", "panel"], ["h", "hottest lines first"], ["c", "critical path"], ["g", "align two runs at start or iteration"],
  ["t", "light or dark"], ["> <", "larger, smaller"], ["Escape", "let go"], ["?", "this help"],
];

const NARROW_PX = 900; // up to this width everything stands in one column
const SAY_AFTER_MS = 100;
const LINK_AFTER_MS = 250; // browsers allow some hundred changes of the address in half a minute

export class App {
  constructor(payload, runs) {
    this.payload = payload;
    this.runs = runs;
    const $ = (id) => document.getElementById(id);
    this.painter = new MarkedPainter($("timeline"), runs, payload.vocabulary);
    this.overview = new Overview($("overview"), runs, this.painter);
    this.tip = new Tip($("tip"));
    this.status = $("status");
    this.view = new View(this.painter, this.overview, this);
    this.panels = new Panels($("panels"), runs, this.actions(), payload.story);
    this.player = new Player(this.view, $("player"));
    this.aligned = false;
    this.kept = new Set(); // instructions that are marked, see keep
    this.legend($("legend"));
    this.header($("runs"));
    this.search($("find"));
    this.split($("stage"), $("panels"));
    $("theme").addEventListener("click", () => this.theme());
    $("help-button").addEventListener("click", () => this.help());
    $("path").hidden = !runs.some((run) => run.path && run.path.links.length);
    $("path").addEventListener("click", () => this.showPath());
    $("align").hidden = runs.length < 2;
    $("align").addEventListener("click", () => this.align());
    $("help-list").append(...HELP.map(([key, text]) => make("div", {}, make("kbd", {}, key), ` ${text}`)));
    window.addEventListener("resize", () => this.layout());
    window.addEventListener("keydown", (event) => this.key(event));
    window.addEventListener("hashchange", () => this.restore(readLink(location.hash)));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.recolour());
    this.words();
    this.painter.fit(this.room(), innerWidth > NARROW_PX ? 26 : 16);
    this.layout();
    this.begin();
    const state = readLink(location.hash);
    if (payload.story && runs.length > 1 && state.aligned === undefined) this.align();
    this.restore(state);
    this.view.paint();
  }

  /** What the panels may do. */
  actions() {
    return {
      select: (place) => this.view.select(place, { reveal: true }),
      codes: (...what) => this.showCodes(...what),
      path: (...what) => this.showPath(...what),
      finding: (...what) => this.showFinding(...what),
      hoverLine: (...what) => this.hoverLine(...what),
      opened: () => {
        if (this.panels) this.layout();
      },
    };
  }

  /** Height for the lanes, what stands above and below left out. */
  room() {
    const used = document.querySelector("header").getBoundingClientRect().height + 150;
    return innerWidth > NARROW_PX ? Math.max(0.45 * innerHeight, innerHeight - used) : 0.45 * innerHeight;
  }

  /** The first view: an iteration of the steady state, or the whole run. */
  begin() {
    const { from_clk: from, to_clk: to } = this.runs[0].data;
    this.view.show(0, this.view.endClk);
    const starts = this.runs[0].iterations();
    if (starts.length > 3) {
      const middle = starts.findIndex((clk) => clk >= from);
      const at = Math.min(Math.max(middle, 1), starts.length - 3);
      this.view.show(starts[at] - 16, starts[at + 1] + 16);
    } else if (to > from) {
      this.view.show(from, to);
    }
  }

  header(root) {
    this.chips = this.runs.map((run) => {
      const { first, facts, figures, clk_per_iteration: clk, title } = run.data;
      const chip = make("section", { class: "chip" }, make("button", { class: "title", click: () => this.choose(run) }, title));
      if (!first) {
        const said = [...(clk ? [`${shown(clk)} clk/iteration`] : []), ...facts.slice(0, 1).map((fact) => fact.join(" "))];
        chip.append(make("div", {}, said.join(", ")));
        return chip;
      }
      const rows = first.rows.map(([label, text]) => this.firstRow(run, label, text));
      const doubt = mark(figures, "clk_per_iteration");
      rows.push(this.firstRow(run, "next", ""));
      const short = make("span", { class: "short" }, clk ? `${shown(clk)}${doubt} clk/iteration` : `${figures.clk_total} clk`, " ", make("span", { class: `verdict ${first.verdict}` }, verdictOf(run.data)));
      const fold = make("details", { class: "first" }, make("summary", {}, make("b", {}, title), short), make("dl", {}, ...rows.flat()));
      fold.open = this.runs.length === 1 || innerWidth > NARROW_PX;
      fold.addEventListener("toggle", () => this.layout());
      chip.replaceChildren(fold);
      chip.addEventListener("click", () => this.choose(run));
      return chip;
    });
    root.append(...this.chips);
    root.parentElement.classList.toggle("several", this.runs.length > 1); // the tools in a row of their own
    this.choose(this.runs[0]);
  }

  /** A line of the first screen; below the speed a bar of what is possible. */
  firstRow(run, label, text) {
    const { words } = this.payload.vocabulary;
    const { first } = run.data;
    const term = make("dt", {}, word(label, entryOf(label === "why" ? "diagnosis" : label, words)));
    if (label === "next") return [term, make("dd", {}, ...this.whereNext(run))];
    const said = make("dd", {}, ...worded(text, words));
    if (label === "verdict") said.className = `verdict ${first.verdict}`;
    if (label === "speed" && first.reached) {
      const share = `width:${(100 * first.reached.share).toFixed(1)}%`;
      said.className = "speed";
      said.replaceChildren(make("span", {}, ...said.childNodes), make("span", {}, make("span", { class: "gauge" }, make("i", { style: share })), " ", ...worded(first.reached.said, words)));
    }
    return [term, said];
  }

  whereNext(run) {
    const { data } = run;
    const link = (tab, text) => make("button", { class: "link", click: (event) => {
      event.stopPropagation();
      this.choose(run);
      this.panels.open(tab);
    } }, text);
    const links = [link("code", "the lines that cost most"), link("figures", "all figures")];
    if (data.explanation) links.unshift(link("explain", "critical path, what-ifs, advice"));
    if (data.findings.length) links.unshift(link("findings", data.findings.length === 1 ? "1 finding" : `${data.findings.length} findings`));
    return links.flatMap((each, at) => (at ? ["; ", each] : [each]));
  }

  choose(run) {
    this.chips.forEach((chip, index) => chip.setAttribute("aria-current", String(this.runs[index] === run && this.runs.length > 1)));
    this.view.marks.run = run;
    this.panels.use(run);
  }

  legend(root) {
    for (const [name, meaning] of this.payload.vocabulary.legend) root.append(make("span", {}, make("i", { class: "swatch", style: `background: var(--${name})` }), ...worded(meaning, this.payload.vocabulary.words)));
    root.append(make("span", {}, "full height: issues; half: waits; line below: data in flight"));
  }

  /** Words of the glossary explain themselves, wherever they stand. */
  words() {
    const of = (event) => event.target instanceof Element && event.target.closest("[data-entry]");
    const say = (event) => {
      const element = of(event);
      if (element) this.tip.explain(element, element.dataset.entry);
      else if (event.type === "click") this.tip.hide();
    };
    document.addEventListener("mouseover", say);
    document.addEventListener("focusin", say);
    document.addEventListener("click", say);
    for (const name of ["mouseout", "focusout"]) document.addEventListener(name, (event) => of(event) && this.tip.hide());
  }

  /** The bar between timeline and panels. A panel keeps the width that it was given. */
  split(stage, panels) {
    this.widths = {};
    const bar = splitter("timeline and panels", {
      size: () => panels.getBoundingClientRect().width,
      whole: () => stage.parentElement.getBoundingClientRect().width,
      set: (px) => {
        this.widths[this.panels.current === "code" ? "code" : "other"] = px;
        this.layout();
      },
    });
    stage.after(bar);
  }

  layout() {
    const main = document.querySelector("main");
    main.dataset.tab = this.panels.current;
    const px = this.widths && this.widths[this.panels.current === "code" ? "code" : "other"];
    if (px) main.style.setProperty("--side", `${px}px`);
    else main.style.removeProperty("--side");
    this.painter.refresh();
    this.painter.resize();
    this.overview.resize();
    this.view.redraw();
  }

  recolour() {
    this.painter.colours = readColours(this.payload.vocabulary);
    this.view.redraw();
  }

  theme() {
    const dark = getComputedStyle(document.documentElement).colorScheme.includes("dark");
    document.documentElement.dataset.theme = dark ? "light" : "dark";
    this.recolour();
  }

  help() {
    const box = document.getElementById("help");
    box.hidden = !box.hidden;
  }

  search(field) {
    this.field = field;
    this.foundText = document.getElementById("found");
    field.addEventListener("input", () => this.find(field.value, 0));
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.find(field.value, event.shiftKey ? -1 : 1);
      if (event.key === "Escape") {
        field.value = "";
        this.find("", 0);
        field.blur();
      }
      event.stopPropagation(); // letters are no keys of the page here
    });
  }

  /** Marks the instructions that hold the words; goes to the next or previous place where one issues. */
  find(text, step) {
    const { run, selected } = this.view.marks;
    const codes = new Set(matching(run, text));
    this.panels.code.markFound(codes);
    const issued = [...codes].reduce((sum, code) => sum + clocksByCode(run)[code].issues, 0);
    this.foundText.textContent = text ? `${codes.size} line${codes.size === 1 ? "" : "s"}, issued ${issued} times` : "";
    if (step && codes.size) {
      const here = selected && selected.run === run ? run.waves[selected.position].issue[selected.row] : this.view.from - run.offset;
      const next = step > 0 ? nextPlace(run, codes, here + 1) : placeBefore(run, codes, here);
      if (next) this.view.select({ run, ...next }, { reveal: true });
    }
    this.keep(codes);
  }

  /** Two runs on one axis: from their first clock, or with an iteration of each at the same clock. */
  align() {
    this.aligned = !this.aligned;
    const base = this.runs[0].iterations();
    for (const run of this.runs.slice(1)) {
      const own = run.iterations();
      const middle = (starts) => starts[Math.floor(starts.length / 2)] || 0;
      run.offset = this.aligned ? middle(base) - middle(own) : 0;
    }
    this.overview.image = null;
    const at = base[Math.floor(base.length / 2)] || 0;
    const width = this.view.to - this.view.from;
    if (this.aligned) this.view.show(at - 0.05 * width, at + 0.95 * width);
    document.getElementById("align").textContent = this.aligned ? "align at start" : "align iterations";
    this.view.redraw();
  }

  /** Draws or hides the critical path; a cause lets its links stand out; a link is gone to. */
  showPath({ run = null, on = !this.view.marks.path, cause = null, link = null } = {}) {
    this.view.marks.path = on;
    this.view.marks.cause = cause;
    if (run) this.choose(run);
    document.getElementById("path").setAttribute("aria-pressed", String(on));
    if (link) {
      const width = this.view.to - this.view.from;
      const middle = (link.start + link.end) / 2 + run.offset;
      if (link.start + run.offset < this.view.from || link.end + run.offset > this.view.to) this.view.show(middle - width / 2, middle + width / 2);
      this.view.select({ run, ...link.about });
    }
    this.view.redraw();
  }

  /** A place of a finding: its line in the code, and where one of its waves first issues it. */
  showFinding(run, place, waves) {
    this.choose(run);
    const at = place.source || place;
    const codes = new Set(run.codeOfLine(at.file, at.line));
    const first = nextPlace(run, codes, 0, waves) || nextPlace(run, codes, 0);
    if (first) this.view.select({ run, ...first }, { reveal: true });
    this.panels.open("code");
    const isShown = this.panels.code.showPlace(at.file, at.line);
    this.keep(codes);
    this.note = first ? "" : isShown ? "no wave issued this line" : `${at.file} is not in this page`;
  }

  /** While the view moves, what is shown is said some times a second: each time the browser lays out the page. */
  changed() {
    this.sayTimer ||= setTimeout(() => {
      this.sayTimer = 0;
      this.say();
    }, SAY_AFTER_MS);
    if (!this.linked) return;
    clearTimeout(this.linkTimer);
    this.linkTimer = setTimeout(() => this.writeLink(), LINK_AFTER_MS);
  }

  say() {
    const { view } = this;
    const iterations = view.marks.run.iterations();
    const at = upperBound(iterations, view.from - view.marks.run.offset);
    const place = iterations.length ? `, iteration ${at} of ${iterations.length}` : "";
    const note = this.note ? `; ${this.note}` : "";
    this.status.textContent = `clk ${Math.round(view.from)} to ${Math.round(view.to)} (${Math.round(view.to - view.from)})${place}${note}`;
  }

  writeLink() {
    const { view, panels, runs } = this;
    const { selected } = view.marks;
    const text = written({
      from: view.from, to: view.to, run: runs.indexOf(view.marks.run), tab: panels.current, find: this.field.value,
      path: view.marks.path, aligned: this.aligned, select: selected && { position: selected.position, row: selected.row },
    });
    this.link = `#${text}`;
    try {
      history.replaceState(null, "", this.link);
    } catch {
      this.linked = false; // inside a notebook there is no address to keep
    }
  }

  /** The view of a link; what it does not name stays as it is. */
  restore(state) {
    const { view, panels } = this;
    this.linked = true;
    if (location.hash && location.hash === this.link) return;
    const run = this.runs[state.run] || view.marks.run;
    if (run !== view.marks.run) this.choose(run);
    if (state.aligned !== undefined && state.aligned !== this.aligned && this.runs.length > 1) this.align();
    const at = state.select;
    if (at && run.waves[at.position] && at.row < run.waves[at.position].code.length) view.select({ run, ...at });
    if (panels.tabs.includes(state.tab)) panels.open(state.tab);
    if (state.path !== undefined && run.path) this.showPath({ on: state.path });
    if (state.find) {
      this.field.value = state.find;
      this.find(state.find, 0);
    }
    if (state.to > state.from) view.show(state.from, state.to);
  }

  hover(place, event) {
    if (!place || !event) {
      this.tip.hide();
      this.panels.mark(this.view.marks.run, this.selectedCode(), false);
      return;
    }
    const { run, position, row } = place;
    this.tip.show({ x: event.clientX, y: event.clientY }, run.entry(position, row).text, story(run, position, row));
    this.panels.mark(run, run.waves[position].code[row], false);
  }

  selectedCode() {
    const place = this.view.marks.selected;
    return place ? place.run.waves[place.position].code[place.row] : null;
  }

  select(place) {
    this.note = "";
    this.kept = this.view.marks.codes;
    if (place) this.choose(place.run);
    this.panels.instruction(place);
    if (place && ["figures", this.panels.told && this.panels.told.name].includes(this.panels.current)) this.panels.open("instruction");
    this.panels.mark(place ? place.run : this.view.marks.run, this.selectedCode(), true);
  }

  /** Marks where static instructions run, and goes to the next place where one does. */
  showCodes(run, codes) {
    const { marks, from } = this.view;
    marks.run = run;
    const chosen = marks.selected && marks.selected.run === run && codes.has(this.selectedCode()) ? marks.selected : null;
    const here = chosen ? run.waves[chosen.position].issue[chosen.row] : from - run.offset;
    const next = nextPlace(run, codes, here + 1) || nextPlace(run, codes, 0);
    if (next) this.view.select({ run, ...next }, { reveal: true });
    this.keep(codes);
  }

  /** Instructions that stay marked until others are. */
  keep(codes) {
    this.kept = codes;
    this.view.marks.codes = codes;
    this.view.redraw();
  }

  /** A line of the code that is pointed at: what it costs, and where it runs, for as long as it is. */
  hoverLine(run, line, event) {
    this.view.marks.codes = event ? new Set(line.codes) : this.kept;
    this.view.redraw();
    if (!event || !(line.sum.clk || line.finding)) {
      this.tip.hide();
      return;
    }
    const whole = clocksByCode(run).reduce((sum, cell) => sum + cell.clk, 0);
    const found = line.finding ? [[line.finding.severity, line.finding.message]] : [];
    this.tip.show({ x: event.clientX, y: event.clientY }, line.text.trim(), [...found, ...lineStory(run, line.codes, whole)]);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target instanceof HTMLSelectElement) return;
    const { view, player } = this;
    const actions = {
      "+": () => view.zoom(0.6), "=": () => view.zoom(0.6), "-": () => view.zoom(1.6),
      a: () => view.pan(-0.25), d: () => view.pan(0.25), 0: () => view.show(view.startClk, view.endClk), Home: () => view.show(view.startClk, view.endClk),
      i: () => view.iteration(), "[": () => view.iteration(-1), "]": () => view.iteration(1),
      ArrowLeft: () => view.step(-1), ArrowRight: () => view.step(1), ArrowUp: () => view.step(0, -1), ArrowDown: () => view.step(0, 1),
      f: () => this.focusSelected(), " ": () => player.toggle(), ",": () => player.step(-1), ".": () => player.step(1), b: () => player.toIteration(),
      t: () => this.theme(), c: () => this.showPath(), g: () => this.runs.length > 1 && this.align(), "?": () => this.help(),
      ">": () => this.size(1.15), "<": () => this.size(1 / 1.15), Escape: () => this.letGo(),
      "/": () => this.field.focus(), h: () => this.hottest(),
    };
    const tab = this.panels.tabs[Number(event.key) - 1];
    const action = actions[event.key] || (tab && (() => this.panels.open(tab)));
    const inButton = (event.target instanceof HTMLButtonElement || event.target.tagName === "SUMMARY") && event.key === " ";
    if (!action || inButton) return;
    event.preventDefault();
    action();
  }

  hottest() {
    this.panels.open("code");
    this.panels.code.sort(!this.panels.code.hottestFirst);
  }

  focusSelected() {
    const place = this.view.marks.selected;
    if (!place) return;
    const clk = place.run.waves[place.position].issue[place.row] + place.run.offset;
    this.view.show(clk - 100, clk + 200);
  }

  size(factor) {
    this.painter.unit = Math.min(Math.max(this.painter.unit * factor, 10), 48);
    this.fontPx = Math.min(Math.max((this.fontPx || 14) * factor, 9), 36);
    document.documentElement.style.fontSize = `${this.fontPx}px`;
    this.layout();
  }

  letGo() {
    document.getElementById("help").hidden = true;
    this.tip.hide();
    this.player.stop();
    this.view.select(null);
  }
}

/** Reads the page's data and starts. */
async function start() {
  const payload = JSON.parse(document.getElementById("payload").textContent);
  window.wavesim = new App(payload, await readRuns(payload));
  document.documentElement.dataset.ready = "true";
}

start().catch((error) => {
  document.getElementById("status").textContent = `This page needs a browser of 2023 or later: ${error}`;
  console.error(error);
});
