// Paint: the lanes of waves, pipes and ports on a canvas, at any zoom.
import { upperBound } from "./run.mjs";
import { LEAST_BIN_CLK, Levels } from "./levels.mjs";

export const SEPARATE_FROM_PX = 5; // a slot at least this wide is drawn as a block of its own
export const TEXT_FROM_PX = 34; // a block at least this wide gets its opcode written in
export const FLIGHT_FROM_SCALE = 0.2; // pixels per clock from which data in flight is drawn

/** Lanes of all runs from top to bottom: [{kind, run, ...}], with y and height filled in. */
export function layLanes(runs, unit, stretched = 1) {
  const lanes = [];
  const wave = 1.15 * unit * stretched;
  const busy = 0.55 * unit * stretched;
  for (const run of runs) {
    lanes.push({ kind: "title", run, height: 1.1 * unit });
    const simds = [...new Set(run.waves.map((wave) => wave.simd))].sort((a, b) => a - b);
    const find = (resource, index) => run.busy.find((span) => span.resource === resource && span.index === index);
    simds.forEach((simd, place) => {
      for (const each of run.waves) {
        if (each.simd === simd) lanes.push({ kind: "wave", run, position: each.position, height: wave });
      }
      const pipe = find("mfma", simd);
      if (pipe) lanes.push({ kind: "busy", run, span: pipe, label: `pipe ${simd}`, height: busy });
      const endsPair = place + 1 === simds.length || simds[place + 1] >> 1 !== simd >> 1;
      const port = endsPair && find("lds_port", simd >> 1);
      if (port) {
        const label = `LDS ${2 * (simd >> 1)},${2 * (simd >> 1) + 1}`;
        lanes.push({ kind: "busy", run, span: port, label, height: busy, gap: 0.35 * unit });
      }
    });
    const array = find("lds_array", 0);
    if (array) lanes.push({ kind: "busy", run, span: array, label: "LDS array", height: busy, gap: 0.35 * unit });
  }
  let y = 1.3 * unit; // the ruler
  for (const lane of lanes) {
    lane.y = y;
    y += lane.height + (lane.gap || 0.15 * unit);
  }
  lanes.total = y + 0.4 * unit;
  lanes.rows = 0; // of pixels: what a wave issues, and what it waits for
  for (const lane of lanes) {
    lane.row = lanes.rows;
    lanes.rows += { title: 0, busy: 1, wave: 2 }[lane.kind];
  }
  return lanes;
}

/** Colours from the style sheet, so that light, dark and print share one list. */
export function readColours(vocabulary) {
  const style = getComputedStyle(document.documentElement);
  const get = (name) => style.getPropertyValue(name).trim();
  return {
    activity: vocabulary.activities.map((name) => get(`--${name}`)),
    reason: vocabulary.reason_colours.map((name) => get(`--${name}`)),
    text: get("--text"),
    faint: get("--faint"),
    line: get("--line"),
    ground: get("--ground"),
    lane: get("--lane"),
    mark: get("--mark"),
    cursor: get("--cursor"),
  };
}

/** Black or white, whichever stands out more on a colour #rrggbb (relative luminance of WCAG 2). */
export function inkOn(colour) {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const share = parseInt(colour.slice(at, at + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 ? "#000000" : "#ffffff";
}

/** Fills intervals in time order; what is narrower than a pixel is summed and its largest class shown. */
export class ColumnFill {
  constructor(classes, draw) {
    this.draw = draw; // (class, x, width)
    this.sums = new Float64Array(classes);
    this.column = -1;
    this.pending = null;
  }

  put(from, to, which) {
    const first = Math.floor(from);
    const last = Math.floor(to);
    if (first !== this.column) this.flush(first);
    if (first === last) {
      this.sums[which] += to - from;
      return;
    }
    this.sums[which] += first + 1 - from;
    this.flush(last);
    if (last > first + 1) this.rectangle(which, first + 1, last - first - 1);
    this.sums[which] += to - last;
  }

  flush(next) {
    if (this.column >= 0) {
      let best = -1;
      for (let which = 0; which < this.sums.length; which += 1) {
        if (this.sums[which] > 0 && (best < 0 || this.sums[which] > this.sums[best])) best = which;
      }
      if (best >= 0) this.rectangle(best, this.column, 1);
      this.sums.fill(0);
    }
    this.column = next;
  }

  rectangle(which, x, width) {
    const last = this.pending;
    if (last && last.which === which && last.x + last.width === x) {
      last.width += width;
      return;
    }
    this.finishPending();
    this.pending = { which, x, width };
  }

  finishPending() {
    if (this.pending) this.draw(this.pending.which, this.pending.x, this.pending.width);
    this.pending = null;
  }

  finish() {
    this.flush(-1);
    this.finishPending();
  }
}

/** A text that fits into so many letters; one that is cut says so. */
export function shortened(text, letters) {
  return text.length <= letters ? text : `${text.slice(0, letters - 1)}…`;
}

/** Rows of pixels, one beneath the other, that are stretched into lanes: of thousands of blocks a frame is a few images. */
export class Rows {
  constructor(canvas, width, count) {
    Object.assign(canvas, { width, height: count });
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.image = this.context.createImageData(width, count);
    this.pixels = new Uint32Array(this.image.data.buffer);
    this.width = width;
  }

  /** Fills [x, x + width) of a row, as far as it goes. */
  fill(row, x, width, pixel) {
    const from = Math.max(0, x);
    const to = Math.min(this.width, x + width);
    if (to > from) this.pixels.fill(pixel, row * this.width + from, row * this.width + to);
  }

  /** Calls put() to fill the rows anew, and makes them ready to be drawn. */
  fillAll(put) {
    this.pixels.fill(0);
    put();
    this.context.putImageData(this.image, 0, 0);
  }
}

/** A colour #rrggbb as a pixel of an image, in this machine's order of bytes. */
export function pixelOf(colour) {
  const bytes = Uint8Array.of(...[1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16)), 255);
  return new Uint32Array(bytes.buffer)[0];
}

/** put(from, to, class) for what a wave does in its rows [first, last), in time order: an activity, or classes + a reason. */
export function waveIntervals(run, wave, first, last, classes, put) {
  let stall = upperBound(wave.stallRow, first - 1);
  let clk = first > 0 ? wave.end[first - 1] : wave.first_clk;
  for (let row = first; row < last; row += 1) {
    for (; wave.stallRow[stall] === row; stall += 1) {
      const reason = wave.stallReason[stall];
      if (reason === run.hold || reason === run.nop) continue;
      put(clk, clk + wave.stallClk[stall], classes + reason);
      clk += wave.stallClk[stall];
    }
    put(wave.issue[row], wave.end[row], run.code[wave.code[row]].activity);
    clk = wave.end[row];
  }
}

export class Painter {
  constructor(canvas, runs, vocabulary) {
    this.canvas = canvas;
    this.runs = runs;
    this.vocabulary = vocabulary;
    this.context = canvas.getContext("2d", { alpha: false });
    this.unit = 18;
    this.stretched = 1; // lanes are this much higher than their letters need
    this.refresh();
  }

  refresh() {
    this.colours = readColours(this.vocabulary);
    this.pixels = [...this.colours.activity, ...this.colours.reason].map(pixelOf);
    this.lanes = layLanes(this.runs, this.unit, this.stretched);
    this.labelWidth = Math.round(4.6 * this.unit);
    this.smallFont = `${Math.round(0.55 * this.unit)}px ui-monospace, "DejaVu Sans Mono", monospace`;
    this.font = `${Math.round(0.68 * this.unit)}px ui-monospace, "DejaVu Sans Mono", monospace`;
  }

  /** The unit (line height in pixels) and the lanes' height with which they fill a given height, within reason. */
  fit(height, most = 30) {
    this.unit = Math.min(Math.max((this.unit * height) / this.lanes.total, 14), most);
    this.refresh();
    this.stretched = Math.min(Math.max(height / this.lanes.total, 1), 1.6);
    this.refresh();
  }

  resize() {
    const ratio = window.devicePixelRatio || 1;
    this.width = Math.max(200, this.canvas.parentElement.clientWidth);
    this.height = Math.ceil(this.lanes.total);
    this.canvas.style.height = `${this.height}px`;
    this.canvas.style.width = `${this.width}px`;
    this.canvas.width = Math.round(this.width * ratio);
    this.canvas.height = Math.round(this.height * ratio);
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.context.imageSmoothingEnabled = false;
    this.rows = new Rows(document.createElement("canvas"), this.width - this.labelWidth, this.lanes.rows);
  }

  /** Draws everything between clocks view.from and view.to of the shared axis. */
  paint(view, marks) {
    const { context, colours } = this;
    this.view = view;
    this.scale = (this.width - this.labelWidth) / (view.to - view.from);
    context.fillStyle = colours.ground;
    context.fillRect(0, 0, this.width, this.height);
    context.font = this.font;
    context.textBaseline = "middle";
    this.ruler();
    for (const lane of this.lanes) {
      if (lane.kind === "wave") this.label(lane, lane.run.name(lane.position), colours.text, marks.wave === lane.position && marks.run === lane.run);
      else if (lane.kind === "busy") this.label(lane, lane.label, colours.faint);
      else this.label(lane, lane.run.data.title, colours.text);
    }
    this.rows.fillAll(() => {
      for (const lane of this.lanes) {
        if (lane.kind === "wave") this.waveRows(lane);
        else if (lane.kind === "busy") this.busyRow(lane);
      }
    });
    context.save();
    context.beginPath();
    context.rect(this.labelWidth, 0, this.width, this.height);
    context.clip();
    for (const lane of this.lanes) {
      if (lane.kind === "wave") this.waveLane(lane);
      else if (lane.kind === "busy") this.busyLane(lane);
    }
    context.restore();
    for (const run of this.runs) this.barrierLines(run);
    this.marks(marks);
  }

  x(clk) {
    return this.labelWidth + (clk - this.view.from) * this.scale;
  }

  clk(x) {
    return this.view.from + (x - this.labelWidth) / this.scale;
  }

  label(lane, text, colour, isChosen = false) {
    this.context.font = `${isChosen ? "bold " : ""}${lane.kind === "busy" ? this.smallFont : this.font}`;
    if (lane.kind === "title") { // not through the ruler's lines
      this.context.fillStyle = this.colours.ground;
      this.context.fillRect(0, lane.y, this.context.measureText(text).width + 8, lane.height);
    }
    this.context.fillStyle = colour;
    this.context.fillText(text, 4, lane.y + lane.height / 2);
  }

  ruler() {
    const { context, view, colours } = this;
    const about = (view.to - view.from) / Math.max(2, this.width / 110);
    const power = 10 ** Math.floor(Math.log10(about));
    const step = Math.max(4, [1, 2, 5, 10].map((factor) => factor * power).find((value) => value >= about));
    context.fillStyle = colours.faint;
    context.fillText("clk", 4, 0.6 * this.unit);
    for (let clk = Math.ceil(view.from / step) * step; clk <= view.to; clk += step) {
      const x = Math.round(this.x(clk));
      context.fillStyle = colours.line;
      context.fillRect(x, 1.1 * this.unit, 1, this.height);
      context.fillStyle = colours.faint;
      const said = String(Math.round(clk));
      if (x + 3 + context.measureText(said).width <= this.width) context.fillText(said, x + 3, 0.6 * this.unit);
    }
  }

  /** The rows of a wave: above what it issues, which fills its lane, below what it waits for. */
  waveRows(lane) {
    const { colours, rows, pixels, labelWidth } = this;
    const { run, position, row } = lane;
    const wave = run.waves[position];
    const from = this.view.from - run.offset;
    const to = this.view.to - run.offset;
    const classes = colours.activity.length;
    const fill = new ColumnFill(pixels.length, (which, x, width) => rows.fill(row + (which >= classes), x - labelWidth, width, pixels[which]));
    const put = (begin, end, which) => {
      if (end > from && begin < to) fill.put(this.x(Math.max(begin, from - 8) + run.offset), this.x(Math.min(end, to + 8) + run.offset), which);
    };
    const level = this.levelsOf(wave, run, pixels.length, (each) => waveIntervals(run, wave, 0, wave.issue.length, classes, each));
    if (level) Levels.stretches(level, from, to, put);
    else {
      lane.first = Math.max(0, upperBound(wave.end, from) - 1);
      lane.last = Math.min(wave.issue.length, upperBound(wave.issue, to) + 1);
      waveIntervals(run, wave, lane.first, lane.last, classes, put);
    }
    lane.single = !level;
    fill.finish();
  }

  /** Stretches a row over [y, y + height) of the lanes. */
  stretch(row, y, height) {
    const { width, canvas } = this.rows;
    this.context.drawImage(canvas, 0, row, width, 1, this.labelWidth, y, width, height);
  }

  waveLane(lane) {
    const { context, colours, scale } = this;
    const { run, position, y, height, first, last } = lane;
    const wave = run.waves[position];
    const begin = Math.max(this.view.from, wave.first_clk + run.offset);
    const end = Math.min(this.view.to, wave.last_clk + run.offset);
    context.fillStyle = colours.lane;
    if (end > begin) context.fillRect(this.x(begin), y, (end - begin) * scale, height);
    this.stretch(lane.row, y, height - 2);
    this.stretch(lane.row + 1, y + 0.3 * height, 0.4 * height);
    if (!lane.single) return;
    this.inFlight(run, wave, first, last, y + height - 2);
    if (4 * scale >= SEPARATE_FROM_PX) this.separate(run, wave, first, last, lane);
    context.font = this.font;
    for (let row = first; row < last; row += 1) {
      const width = (wave.end[row] - wave.issue[row]) * scale;
      if (width < TEXT_FROM_PX) continue;
      context.fillStyle = inkOn(colours.activity[run.code[wave.code[row]].activity]);
      context.fillText(shortened(run.code[wave.code[row]].text, Math.floor((width - 6) / (0.41 * this.unit))), this.x(wave.issue[row] + run.offset) + 3, y + height / 2 - 1);
    }
  }

  /** The level of detail that suits the zoom, of a wave or a busy unit; null where its intervals are drawn one by one. */
  levelsOf(owner, run, classes, each) {
    if (1 / this.scale < LEAST_BIN_CLK) return null;
    owner.levels ||= new Levels(run.endClk, classes, each);
    return owner.levels.at(1 / this.scale);
  }

  /** A hair of ground before each block, so that neighbours of one class can be told apart. */
  separate(run, wave, first, last, { y, height }) {
    this.context.fillStyle = this.colours.lane;
    for (let row = first; row < last; row += 1) {
      this.context.fillRect(this.x(wave.issue[row] + run.offset), y, 1, height - 2);
    }
  }

  /** Thin lines below a wave's lane: loads whose data have not come back yet. */
  inFlight(run, wave, first, last, y) {
    if (this.scale < FLIGHT_FROM_SCALE) return;
    for (let row = Math.max(0, first - 200); row < last; row += 1) {
      const entry = run.code[wave.code[row]];
      if (!(entry.lgkm || entry.vm) || wave.done[row] <= wave.issue[row]) continue;
      this.context.fillStyle = this.colours.activity[entry.activity];
      const x = this.x(wave.issue[row] + run.offset);
      this.context.fillRect(x, y, (wave.done[row] - wave.issue[row]) * this.scale, 2);
    }
  }

  busyRow({ run, span, row }) {
    const { colours, rows, pixels, labelWidth } = this;
    const idle = colours.activity.length;
    const fill = new ColumnFill(idle + 1, (which, x, width) => {
      if (which !== idle) rows.fill(row, x - labelWidth, width, pixels[which]);
    });
    const from = this.view.from - run.offset;
    const to = this.view.to - run.offset;
    const activity = (at) => (run.entry(span.wave[at], span.row[at]) || { activity: 0 }).activity;
    const level = this.levelsOf(span, run, idle, (each) => {
      let before = 0;
      for (let at = 0; at < span.start.length; at += 1) {
        if (span.end[at] > before) each(Math.max(span.start[at], before), span.end[at], activity(at));
        before = Math.max(before, span.end[at]);
      }
    });
    let before = from;
    const put = (begin, end, which) => {
      const start = Math.max(begin, before);
      const stop = Math.min(end, to);
      if (start > before) fill.put(this.x(before + run.offset), this.x(start + run.offset), idle);
      if (stop > start) fill.put(this.x(start + run.offset), this.x(stop + run.offset), which);
      before = Math.max(before, stop);
    };
    if (level) Levels.stretches(level, from, to, put);
    else for (let at = Math.max(0, upperBound(span.end, from)); at < span.start.length && span.start[at] < to; at += 1) put(span.start[at], span.end[at], activity(at));
    fill.finish();
  }

  busyLane(lane) {
    const { context, colours } = this;
    const { run, span, y, height } = lane;
    context.fillStyle = colours.lane;
    context.fillRect(this.labelWidth, y, this.width, height);
    this.stretch(lane.row, y, height);
    if (this.scale * 16 < 26) return;
    context.font = this.smallFont;
    const to = this.view.to - run.offset;
    for (let at = upperBound(span.end, this.view.from - run.offset); at < span.start.length && span.start[at] < to; at += 1) {
      if ((span.end[at] - span.start[at]) * this.scale < 26) continue;
      const entry = run.entry(span.wave[at], span.row[at]);
      context.fillStyle = inkOn(colours.activity[entry ? entry.activity : 0]);
      context.fillText(run.name(span.wave[at]), this.x(span.start[at] + run.offset) + 3, y + height / 2);
    }
  }

  barrierLines(run) {
    const { context } = this;
    const lanes = this.lanes.filter((lane) => lane.run === run && lane.kind === "wave");
    if (!lanes.length) return;
    const top = lanes[0].y;
    const bottom = lanes[lanes.length - 1].y + lanes[lanes.length - 1].height;
    context.strokeStyle = this.colours.activity[this.vocabulary.activities.indexOf("barrier")];
    context.setLineDash([3, 3]);
    let before = -100;
    const releases = run.releases();
    for (let at = upperBound(releases, this.view.from - run.offset - 1); at < releases.length && releases[at] <= this.view.to - run.offset; at += 1) {
      const clk = releases[at];
      const x = Math.round(this.x(clk + run.offset)) + 0.5;
      if (x < this.labelWidth || x > this.width || x - before < 6) continue;
      before = x;
      context.beginPath();
      context.moveTo(x, top);
      context.lineTo(x, bottom);
      context.stroke();
    }
    context.setLineDash([]);
  }

  laneOf(run, position) {
    return this.lanes.find((lane) => lane.kind === "wave" && lane.run === run && lane.position === position);
  }

  laneAt(y) {
    return this.lanes.find((lane) => y >= lane.y && y < lane.y + lane.height);
  }
}
