// View: what part of the clock axis is shown, and what mouse, touch and keys do to it.
import { upperBound } from "./run.mjs";
import { arrows } from "./why.mjs";

export const LEAST_CLK = 32;

export class View {
  constructor(painter, overview, listener) {
    this.painter = painter;
    this.overview = overview;
    this.listener = listener; // {hover(place), select(place), changed()}
    this.runs = painter.runs;
    this.marks = { run: this.runs[0], wave: -1, hover: null, selected: null, arrows: [], codes: new Set(), cursor: null, path: false, cause: null };
    this.from = 0;
    this.to = 1;
    this.frame = 0;
    this.painted = 0;
    this.listen();
  }

  get endClk() {
    return Math.max(...this.runs.map((run) => run.endClk + run.offset));
  }

  get startClk() {
    return Math.min(0, ...this.runs.map((run) => run.offset));
  }

  /** Shows clocks [from, to), moved inside the run and never narrower than LEAST_CLK. */
  show(from, to) {
    const most = this.endClk - this.startClk + 64;
    const width = Math.min(Math.max(to - from, LEAST_CLK), most);
    const middle = (from + to) / 2;
    this.from = Math.min(Math.max(middle - width / 2, this.startClk - 32), Math.max(this.startClk - 32, this.endClk + 32 - width));
    this.to = this.from + width;
    this.redraw();
  }

  zoom(factor, at = (this.from + this.to) / 2) {
    this.show(at - (at - this.from) * factor, at + (this.to - at) * factor);
  }

  pan(share) {
    const clk = share * (this.to - this.from);
    this.show(this.from + clk, this.to + clk);
  }

  /** Moves the view only as far as needed to have clk well inside. */
  reveal(clk) {
    const width = this.to - this.from;
    const isNear = (this.from > this.startClk && clk < this.from + 0.05 * width) || (this.to < this.endClk && clk > this.to - 0.05 * width);
    if (isNear || clk < this.from || clk > this.to) this.show(clk - width / 2, clk + width / 2);
    else this.redraw();
  }

  redraw() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.paint();
    });
  }

  paint() {
    this.painter.paint(this, this.marks);
    this.overview.paint(this);
    this.painted += 1;
    this.listener.changed();
  }

  /** The dynamic instruction under a point of the canvas: the one that issues there, or waits to. */
  placeAt(x, y) {
    const lane = this.painter.laneAt(y);
    if (!lane || x < this.painter.labelWidth) return null;
    const clk = this.painter.clk(x) - (lane.run ? lane.run.offset : 0);
    if (lane.kind === "wave") {
      const state = lane.run.state(lane.position, clk);
      const known = state.row !== undefined && state.row < lane.run.waves[lane.position].code.length;
      return known ? { run: lane.run, position: lane.position, row: state.row } : null;
    }
    if (lane.kind === "busy") {
      const at = upperBound(lane.span.start, clk) - 1;
      if (at < 0 || lane.span.end[at] <= clk) return null;
      return { run: lane.run, position: lane.span.wave[at], row: lane.span.row[at] };
    }
    return null;
  }

  select(place, { reveal = false } = {}) {
    const { marks } = this;
    marks.selected = place;
    marks.codes = new Set();
    if (place) {
      marks.run = place.run;
      marks.wave = place.position;
      marks.codes.add(place.run.waves[place.position].code[place.row]);
    }
    marks.arrows = this.arrowsOf(place);
    if (place && reveal) this.reveal(place.run.waves[place.position].issue[place.row] + place.run.offset);
    this.listener.select(place);
    this.redraw();
  }

  arrowsOf(place) {
    if (!place) return [];
    return arrows(place.run, place.position, place.row).map((arrow) => ({ ...arrow, run: place.run, position: place.position }));
  }

  hover(place, event) {
    const { marks } = this;
    const same = place && marks.hover && place.position === marks.hover.position && place.row === marks.hover.row;
    if (!same) {
      marks.hover = place;
      marks.arrows = [...this.arrowsOf(marks.selected), ...(place ? this.arrowsOf(place) : [])];
      this.redraw();
    }
    this.listener.hover(place, event);
  }

  listen() {
    const canvas = this.painter.canvas;
    let drag = null;
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
        this.pan((event.deltaX || event.deltaY) / this.painter.width);
      } else {
        this.zoom(2 ** (event.deltaY / 300), this.painter.clk(event.offsetX));
      }
    }, { passive: false });
    const touches = new Map(); // pointers that are down: two of them pinch
    const apart = () => {
      const [one, other] = [...touches.values()];
      return { clk: this.painter.clk((one.x + other.x) / 2), px: Math.max(20, Math.abs(one.x - other.x)) };
    };
    let pinch = null;
    canvas.addEventListener("pointerdown", (event) => {
      canvas.focus({ preventScroll: true });
      canvas.setPointerCapture(event.pointerId);
      touches.set(event.pointerId, { x: event.offsetX });
      drag = { x: event.clientX, from: this.from, to: this.to, moved: touches.size > 1 };
      pinch = touches.size === 2 ? { ...apart(), from: this.from, to: this.to } : null;
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!drag) {
        this.hover(this.placeAt(event.offsetX, event.offsetY), event);
        return;
      }
      if (touches.has(event.pointerId)) touches.set(event.pointerId, { x: event.offsetX });
      if (pinch && touches.size === 2) {
        const factor = pinch.px / apart().px;
        this.show(pinch.clk - (pinch.clk - pinch.from) * factor, pinch.clk + (pinch.to - pinch.clk) * factor);
        return;
      }
      const clk = (event.clientX - drag.x) / this.painter.scale;
      drag.moved = drag.moved || Math.abs(event.clientX - drag.x) > 3;
      if (drag.moved) this.show(drag.from - clk, drag.to - clk);
    });
    const letGo = (event) => {
      touches.delete(event.pointerId);
      if (!touches.size) drag = pinch = null;
    };
    canvas.addEventListener("pointerup", (event) => {
      if (drag && !drag.moved) this.select(this.placeAt(event.offsetX, event.offsetY));
      letGo(event);
    });
    canvas.addEventListener("pointercancel", letGo);
    canvas.addEventListener("pointerleave", () => this.hover(null, null));
    canvas.addEventListener("dblclick", (event) => this.zoom(0.4, this.painter.clk(event.offsetX)));
    this.overview.listen((clk) => {
      const half = (this.to - this.from) / 2;
      this.show(clk - half, clk + half);
    });
  }

  /** Next or previous instruction of the selected wave, or the same place in the next wave. */
  step(rows, waves = 0) {
    const place = this.marks.selected;
    if (!place) {
      const run = this.marks.run;
      const row = Math.max(0, run.rowAt(0, this.from - run.offset) + 1);
      this.select({ run, position: 0, row: Math.min(row, run.waves[0].code.length - 1) }, { reveal: true });
      return;
    }
    const { run } = place;
    let { position, row } = place;
    if (waves) {
      const clk = run.waves[position].issue[row];
      position = (position + waves + run.waves.length) % run.waves.length;
      row = Math.max(0, run.rowAt(position, clk));
    }
    row = Math.min(Math.max(row + rows, 0), run.waves[position].code.length - 1);
    this.select({ run, position, row }, { reveal: true });
  }

  /** One iteration of the loop, the first that begins after the view's start moved by `by`. */
  iteration(by = 0) {
    const { run } = this.marks;
    const starts = run.iterations();
    if (starts.length < 2) return;
    const now = upperBound(starts, this.from - run.offset + 16) - 1;
    const at = Math.min(Math.max(now + by, 0), starts.length - 2);
    this.show(starts[at] + run.offset - 8, starts[at + 1] + run.offset + 8);
  }
}

/** What the strip counts of a run: its matrix pipes, or where none is used, its waves as they issue. */
export function shownInStrip(run) {
  const pipes = run.busy.filter((span) => span.resource === "mfma" && span.start.length);
  if (pipes.length) return { spans: pipes, activity: 0 };
  return { spans: run.waves.map((wave) => ({ start: wave.issue, end: wave.end })), activity: -1 };
}

/** The whole run in one strip: busy share of the matrix pipes, or of the waves, and the part that is shown. */
export class Overview {
  constructor(canvas, runs, painter) {
    this.canvas = canvas;
    this.runs = runs;
    this.painter = painter;
    this.image = null;
  }

  resize() {
    const ratio = window.devicePixelRatio || 1;
    this.width = Math.max(200, this.canvas.parentElement.clientWidth);
    this.height = 26;
    this.canvas.width = Math.round(this.width * ratio);
    this.canvas.height = Math.round(this.height * ratio);
    this.canvas.style.width = `${this.width}px`;
    this.canvas.style.height = `${this.height}px`;
    this.context = this.canvas.getContext("2d", { alpha: false });
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.image = null;
  }

  shares(view) {
    const columns = Math.ceil(this.width);
    const shares = this.runs.map((run) => {
      const sums = new Float64Array(columns);
      const shown = shownInStrip(run);
      for (const { start, end } of shown.spans) {
        for (let at = 0; at < start.length; at += 1) {
          const x0 = this.x(view, start[at] + run.offset);
          const x1 = this.x(view, end[at] + run.offset);
          for (let x = Math.max(0, Math.floor(x0)); x <= x1 && x < columns; x += 1) {
            sums[x] += Math.max(0, Math.min(x1, x + 1) - Math.max(x0, x)) / shown.spans.length;
          }
        }
      }
      return { sums, activity: shown.activity };
    });
    return shares;
  }

  /** The strip without the mark of what is shown: it changes only with the size and the colours. */
  drawn(view) {
    const { colours } = this.painter;
    const image = document.createElement("canvas");
    image.width = this.canvas.width;
    image.height = this.canvas.height;
    const context = image.getContext("2d");
    context.scale(image.width / this.width, image.height / this.height);
    context.fillStyle = colours.lane;
    context.fillRect(0, 0, this.width, this.height);
    const all = this.shares(view);
    const each = this.height / all.length;
    all.forEach(({ sums, activity }, index) => {
      context.fillStyle = activity < 0 ? colours.faint : colours.activity[activity];
      for (let x = 0; x < sums.length; x += 1) {
        const height = Math.min(1, sums[x]) * (each - 1);
        context.fillRect(x, (index + 1) * each - height, 1, height);
      }
    });
    this.drawnWith = colours;
    return image;
  }

  x(view, clk) {
    return ((clk - view.startClk) / (view.endClk - view.startClk || 1)) * this.width;
  }

  paint(view) {
    const { context, painter } = this;
    const { colours } = painter;
    if (!this.image || this.drawnWith !== colours) this.image = this.drawn(view);
    context.drawImage(this.image, 0, 0, this.width, this.height);
    context.strokeStyle = colours.text;
    context.lineWidth = 2;
    const x0 = this.x(view, view.from);
    context.strokeRect(x0, 1, Math.max(3, this.x(view, view.to) - x0), this.height - 2);
    this.view = view;
  }

  listen(centre) {
    const go = (event) => {
      const clk = this.view.startClk + (event.offsetX / this.width) * (this.view.endClk - this.view.startClk);
      centre(clk);
    };
    this.canvas.addEventListener("pointerdown", (event) => {
      this.canvas.setPointerCapture(event.pointerId);
      go(event);
    });
    this.canvas.addEventListener("pointermove", (event) => {
      if (event.buttons) go(event);
    });
  }
}
