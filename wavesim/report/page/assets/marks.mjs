// Marks: what is drawn over the lanes: selection, hover, the lines of code chosen, arrows, the cursor.
import { upperBound } from "./run.mjs";
import { Painter } from "./paint.mjs";

export const LEAST_PATH_PX = 60; // a turn of the critical path narrower than this is not drawn

export class MarkedPainter extends Painter {
  marks(marks) {
    const { context, colours } = this;
    context.save();
    context.beginPath();
    context.rect(this.labelWidth, 0, this.width, this.height);
    context.clip();
    if (marks.path) this.runs.forEach((run) => this.criticalPath(run, marks));
    if (marks.codes.size) this.highlight(marks.run, marks.codes);
    for (const place of [marks.hover, marks.selected]) {
      if (!place) continue;
      const wave = place.run.waves[place.position];
      const lane = this.laneOf(place.run, place.position);
      const x = this.x(wave.issue[place.row] + place.run.offset);
      context.strokeStyle = colours.text;
      context.lineWidth = place === marks.selected ? 2.5 : 1.5;
      context.strokeRect(x, lane.y, Math.max(3, (wave.end[place.row] - wave.issue[place.row]) * this.scale), lane.height);
    }
    for (const arrow of marks.arrows) this.arrow(arrow);
    if (marks.cursor !== null) {
      context.fillStyle = colours.cursor;
      context.fillRect(this.x(marks.cursor), 0, Math.max(2, 4 * this.scale), 0.25 * this.unit);
      context.globalAlpha = 0.35;
      context.fillRect(this.x(marks.cursor), 0, Math.max(2, 4 * this.scale), this.height);
      context.globalAlpha = 1;
    }
    context.restore();
  }

  /** The chain that sets the period: a line along the wave that it is in, and down or up where it changes waves. */
  criticalPath(run, marks) {
    const { context, colours } = this;
    const { path } = run;
    if (!path || (path.periods && path.periods * path.period_clk * this.scale < LEAST_PATH_PX)) return; // nothing to be seen
    const links = run.pathIn(this.view.from - run.offset, this.view.to - run.offset);
    let before = null;
    context.lineCap = "butt";
    for (const part of ["edge", "line"]) { // first all in the ground's colour, to stand off the blocks
      context.strokeStyle = part === "edge" ? colours.ground : colours.mark;
      before = null;
      for (const link of links) {
        const lane = this.laneOf(run, link.wave);
        const y = lane.y + 0.5 * lane.height;
        const x0 = this.x(link.start + run.offset);
        const x1 = this.x(link.end + run.offset);
        const dim = marks.cause !== null && marks.cause !== link.cause;
        context.globalAlpha = dim ? 0.3 : 1;
        context.lineWidth = (dim ? 2 : 3.5) + (part === "edge" ? 3 : 0);
        context.beginPath();
        if (before && before.end === link.start && before.wave !== link.wave) {
          const from = this.laneOf(run, before.wave);
          context.moveTo(x0, from.y + 0.5 * from.height);
          context.lineTo(x0, y);
        } else {
          context.moveTo(x0, y);
        }
        context.lineTo(Math.max(x1, x0 + 1), y);
        context.stroke();
        before = link;
      }
    }
    context.globalAlpha = 1;
  }

  highlight(run, codes) {
    this.context.fillStyle = this.colours.text;
    for (const wave of run.waves) {
      const lane = this.laneOf(run, wave.position);
      let before = -10;
      for (let row = upperBound(wave.issue, this.view.from - run.offset); row < wave.issue.length; row += 1) {
        if (wave.issue[row] > this.view.to - run.offset) break;
        if (!codes.has(wave.code[row])) continue;
        const x = this.x(wave.issue[row] + run.offset);
        if (x - before < 2) continue;
        before = x;
        this.context.fillRect(x, lane.y - 2, Math.max(2, 4 * this.scale), 3);
      }
    }
  }

  arrow({ run, position, from, to, kind }) {
    const { context, colours } = this;
    const wave = run.waves[position];
    const lane = this.laneOf(run, position);
    const x0 = this.x(wave.issue[from] + 2 + run.offset);
    const x1 = this.x(wave.issue[to] + 1 + run.offset);
    const y = lane.y + 0.2 * lane.height;
    const lift = Math.min(1.6 * this.unit, 6 + Math.abs(x1 - x0) / 8);
    context.strokeStyle = colours.text;
    context.lineWidth = 1.6;
    context.setLineDash(kind === "data" ? [] : [4, 3]);
    context.beginPath();
    context.moveTo(x0, y);
    context.quadraticCurveTo((x0 + x1) / 2, y - 2 * lift, x1, y);
    context.stroke();
    context.setLineDash([]);
    context.fillStyle = context.strokeStyle;
    context.beginPath();
    context.moveTo(x1, y + 1);
    context.lineTo(x1 - 5, y - 5);
    context.lineTo(x1 + 2, y - 6);
    context.fill();
  }
}
