"use strict";
// Main: puts the page together, and the keys.

const HELP = [
  ["wheel, + −", "zoom"], ["drag, shift+wheel, a d", "pan"], ["0 or Home", "whole run"], ["i", "one iteration"],
  ["[ ]", "iteration before, after"], ["← →", "instruction before, after"], ["↑ ↓", "other wave"],
  ["f", "zoom to the selected instruction"], ["space", "play"], [", .", "one slot back, on"], ["b", "player to the iteration's start"],
  ["1 … 7", "panel"], ["c", "critical path"], ["g", "align two runs at start or iteration"], ["t", "light or dark"], ["> <", "larger, smaller"],
  ["Escape", "let go"], ["?", "this help"],
];

class App {
  constructor({ payload, runs }) {
    this.payload = payload;
    this.runs = runs;
    const $ = (id) => document.getElementById(id);
    this.painter = new MarkedPainter($("timeline"), runs, payload.vocabulary);
    this.overview = new Overview($("overview"), runs, this.painter);
    this.tip = $("tip");
    this.status = $("status");
    this.view = new View(this.painter, this.overview, this);
    this.panels = new Panels($("panels"), runs, { select: (place) => this.view.select(place, { reveal: true }), codes: (...what) => this.showCodes(...what), path: (...what) => this.showPath(...what) }, payload.story);
    this.player = new Player(this.view, $("player"));
    this.aligned = false;
    this.legend($("legend"));
    this.header($("runs"));
    $("theme").addEventListener("click", () => this.theme());
    $("help-button").addEventListener("click", () => this.help());
    $("path").hidden = !runs.some((run) => run.path && run.path.links.length);
    $("path").addEventListener("click", () => this.showPath());
    $("align").hidden = runs.length < 2;
    $("align").addEventListener("click", () => this.align());
    $("help-list").append(...HELP.map(([key, text]) => make("div", {}, make("kbd", {}, key), ` ${text}`)));
    window.addEventListener("resize", () => this.layout());
    window.addEventListener("keydown", (event) => this.key(event));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.recolour());
    this.painter.fit(innerWidth > 900 ? Math.max(0.55 * innerHeight, innerHeight - 230) : 0.55 * innerHeight);
    this.layout();
    const { from_clk: from, to_clk: to } = runs[0].data;
    this.view.show(0, this.view.endClk);
    const starts = runs[0].iterations();
    if (starts.length > 3) {
      const middle = starts.findIndex((clk) => clk >= from);
      const at = Math.min(Math.max(middle, 1), starts.length - 3);
      this.view.show(starts[at] - 16, starts[at + 1] + 16);
    } else if (to > from) {
      this.view.show(from, to);
    }
    if (payload.story && runs.length > 1) this.align();
    this.view.paint();
  }

  header(root) {
    this.chips = this.runs.map((run) => {
      const figures = run.data.figures;
      const chip = make("button", { class: "chip", click: () => this.choose(run) }, make("b", {}, run.data.title));
      if (run.data.clk_per_iteration) chip.append(make("span", {}, `${shown(run.data.clk_per_iteration)}${figures.kernel ? mark(figures, "clk_per_iteration") : ""} clk/iteration`));
      for (const [label, text] of run.data.facts.slice(0, 1)) chip.append(make("span", {}, `${label} ${text}`));
      if (figures.kernel) {
        chip.append(make("span", {}, `MFMA ${percent(figures.mfma_busy)}${mark(figures, "mfma_busy")}`));
        if (figures.overlap.hidden !== null) chip.append(make("span", {}, `LDS hidden ${percent(figures.overlap.hidden)}${mark(figures, "overlap")}`));
        chip.append(make("span", { class: figures.verdict }, verdictOf(run.data)));
      }
      return chip;
    });
    root.append(...this.chips);
    this.choose(this.runs[0]);
  }

  choose(run) {
    this.chips.forEach((chip, index) => chip.setAttribute("aria-pressed", String(this.runs[index] === run)));
    this.view.marks.run = run;
    this.panels.use(run);
  }

  legend(root) {
    const { activities, meanings } = this.payload.vocabulary;
    activities.forEach((name, index) => {
      if (meanings[index]) root.append(make("span", {}, make("i", { class: "swatch", style: `background: var(--${name})` }), meanings[index]));
    });
    root.append(make("span", {}, "full height: issues; half: waits; line below: data in flight"));
  }

  layout() {
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

  changed() {
    const { view } = this;
    const iterations = view.marks.run.iterations();
    const at = upperBound(iterations, view.from - view.marks.run.offset);
    const place = iterations.length ? `, iteration ${at} of ${iterations.length}` : "";
    this.status.textContent = `clk ${Math.round(view.from)} to ${Math.round(view.to)} (${Math.round(view.to - view.from)})${place}`;
  }

  hover(place, event) {
    if (!place || !event) {
      this.tip.hidden = true;
      this.panels.mark(this.view.marks.run, this.selectedCode(), false);
      return;
    }
    const { run, position, row } = place;
    this.tip.replaceChildren(make("b", { class: "code" }, run.entry(position, row).text),
      ...story(run, position, row).map(([label, text]) => make("div", {}, make("span", {}, label), text)));
    this.tip.hidden = false;
    const box = this.tip.getBoundingClientRect();
    const x = event.clientX + 16 + box.width > innerWidth ? event.clientX - 16 - box.width : event.clientX + 16;
    const y = Math.min(event.clientY + 16, innerHeight - box.height - 8);
    this.tip.style.transform = `translate(${Math.max(4, x)}px, ${Math.max(4, y)}px)`;
    this.panels.mark(run, run.waves[position].code[row], false);
  }

  selectedCode() {
    const place = this.view.marks.selected;
    return place ? place.run.waves[place.position].code[place.row] : null;
  }

  select(place) {
    if (place) this.choose(place.run);
    this.panels.instruction(place);
    if (place && ["figures", this.panels.told && this.panels.told.name].includes(this.panels.current)) this.panels.open("instruction");
    this.panels.mark(place ? place.run : this.runs[0], this.selectedCode(), true);
  }

  /** Shows where static instructions run; with `go` also moves to the next place where one does. */
  showCodes(run, codes, go) {
    this.view.marks.run = run;
    this.view.marks.codes = codes;
    if (go) {
      const from = this.view.from - run.offset;
      let best = null;
      for (const wave of run.waves) {
        for (let row = upperBound(wave.issue, from); row < wave.code.length; row += 1) {
          if (!codes.has(wave.code[row])) continue;
          if (!best || wave.issue[row] < run.waves[best.position].issue[best.row]) best = { run, position: wave.position, row };
          break;
        }
      }
      if (best) this.view.select(best, { reveal: true });
      this.view.marks.codes = codes;
    }
    this.view.redraw();
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { view, player } = this;
    const actions = {
      "+": () => view.zoom(0.6), "=": () => view.zoom(0.6), "-": () => view.zoom(1.6),
      a: () => view.pan(-0.25), d: () => view.pan(0.25), 0: () => view.show(view.startClk, view.endClk), Home: () => view.show(view.startClk, view.endClk),
      i: () => view.iteration(), "[": () => view.iteration(-1), "]": () => view.iteration(1),
      ArrowLeft: () => view.step(-1), ArrowRight: () => view.step(1), ArrowUp: () => view.step(0, -1), ArrowDown: () => view.step(0, 1),
      f: () => this.focusSelected(), " ": () => player.toggle(), ",": () => player.step(-1), ".": () => player.step(1), b: () => player.toIteration(),
      t: () => this.theme(), c: () => this.showPath(), g: () => this.runs.length > 1 && this.align(), "?": () => this.help(),
      ">": () => this.size(1.15), "<": () => this.size(1 / 1.15), Escape: () => this.letGo(),
    };
    const tab = this.panels.tabs[Number(event.key) - 1];
    const action = actions[event.key] || (tab && (() => this.panels.open(tab)));
    const inButton = event.target instanceof HTMLButtonElement && event.key === " ";
    if (!action || inButton) return;
    event.preventDefault();
    action();
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
    this.player.stop();
    this.view.select(null);
  }
}

readPayload().then((loaded) => {
  window.wavesim = new App(loaded);
  document.documentElement.dataset.ready = "true";
}).catch((error) => {
  document.getElementById("status").textContent = `This page needs a browser of 2023 or later: ${error}`;
  console.error(error);
});
