// Levels: what a lane mostly does in bins of clocks, coarser and coarser, so that a far view costs no more than a near one.

export const LEAST_BIN_CLK = 32;
export const MOST_BINS = 1 << 14;
export const NOTHING = 255;

export class Levels {
  /** each(put) calls put(from, to, class) for intervals of clocks that do not overlap, from 0 to endClk. */
  constructor(endClk, classes, each) {
    let bin = LEAST_BIN_CLK;
    while (endClk / bin > MOST_BINS) bin *= 2;
    let count = Math.floor(endClk / bin) + 1;
    let sums = new Float32Array(count * classes);
    each((from, to, which) => {
      for (let at = Math.max(0, Math.floor(from / bin)); at < count && at * bin < to; at += 1) {
        sums[at * classes + which] += Math.min(to, (at + 1) * bin) - Math.max(from, at * bin);
      }
    });
    this.levels = [];
    for (;;) {
      this.levels.push({ bin, classes: Levels.largest(sums, count, classes) });
      if (count <= 64) break;
      const half = (count + 1) >> 1;
      const next = new Float32Array(half * classes);
      for (let at = 0; at < count * classes; at += 1) next[((Math.floor(at / classes) >> 1) * classes) + (at % classes)] += sums[at];
      [bin, count, sums] = [2 * bin, half, next];
    }
  }

  static largest(sums, count, classes) {
    const found = new Uint8Array(count).fill(NOTHING);
    for (let at = 0; at < count; at += 1) {
      let best = 0;
      for (let which = 0; which < classes; which += 1) {
        if (sums[at * classes + which] > best) {
          best = sums[at * classes + which];
          found[at] = which;
        }
      }
    }
    return found;
  }

  /** The coarsest level whose bins are no wider than clkPerPixel; null if even the finest are wider. */
  at(clkPerPixel) {
    let found = null;
    for (const level of this.levels) if (level.bin <= clkPerPixel) found = level;
    return found;
  }

  /** put(from, to, class) for the stretches of a level between two clocks. */
  static stretches({ bin, classes }, from, to, put) {
    const last = Math.min(classes.length, Math.ceil(to / bin));
    let at = Math.max(0, Math.floor(from / bin));
    while (at < last) {
      const which = classes[at];
      const begin = at;
      while (at < last && classes[at] === which) at += 1;
      if (which !== NOTHING) put(begin * bin, at * bin, which);
    }
  }
}
