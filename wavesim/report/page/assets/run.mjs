// Run: one timeline's columns, and the plain questions asked of them. Clocks are shader clocks.

/** The runs of a payload, whose columns are one deflated block of int32, stored as differences. */
export async function readRuns(payload) {
  const packed = Uint8Array.from(atob(payload.columns), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  const data = new Int32Array(await new Response(stream).arrayBuffer());
  const columns = [];
  let at = 0;
  for (const count of payload.counts) {
    const column = data.subarray(at, at + count);
    for (let index = 1; index < count; index += 1) column[index] += column[index - 1];
    columns.push(column);
    at += count;
  }
  return payload.runs.map((run, index) => new Run(run, payload.vocabulary, columns, index));
}

/** The number of entries of a sorted array that are <= value. */
export function upperBound(sorted, value, high = sorted.length) {
  let low = 0;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Rising numbers, neighbours joined: "0-3,8". */
export function ranges(numbers) {
  const runs = [];
  for (const number of numbers) {
    const last = runs.at(-1);
    if (last && last[1] === number - 1) last[1] = number;
    else runs.push([number, number]);
  }
  return runs.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(",");
}

export class Run {
  constructor(data, vocabulary, columns, index) {
    this.data = data;
    this.index = index;
    this.vocabulary = vocabulary;
    this.code = data.code;
    this.hold = vocabulary.reasons.indexOf("hold");
    this.nop = vocabulary.reasons.indexOf("nop");
    this.waves = data.waves.map((wave, position) => this.readWave(wave, position, columns));
    this.busy = data.busy.map((span) => {
      const start = columns[span.start];
      const end = columns[span.clk].map((clk, row) => start[row] + clk);
      return { ...span, start, end, wave: columns[span.wave], row: columns[span.row] };
    });
    this.endClk = Math.min(data.clk_total, data.cut_clk);
    this.head = data.head ?? -1;
    this.offset = 0; // added to this run's clocks on the shared axis
    this.path = data.explanation ? this.readPath(data.explanation.path, columns) : null;
  }

  /** The critical path: its stretches, and the periods in which the run repeats it exactly. */
  readPath(data, columns) {
    const path = { ...data, rows: new Map(data.period_rows), links: [] };
    for (const name of ["wave", "row", "start", "end", "cause", "about_wave", "about_row"]) path[name] = columns[data[name]];
    for (let at = 0; at < path.wave.length; at += 1) {
      path.links.push({
        wave: path.wave[at], row: path.row[at], start: path.start[at], end: path.end[at], cause: path.cause[at],
        about: { position: path.about_wave[at], row: path.about_row[at] },
      });
    }
    const isKept = (wave, row) => row >= 0 && row < this.waves[wave].issue.length; // a long run is cut
    path.links = path.links.filter((link) => isKept(link.wave, link.row) && isKept(link.about.position, link.about.row));
    return path;
  }

  /** Whether the run, `periods` periods later, issues the instructions of the path as in the period shown. */
  repeats(periods) {
    const { path } = this;
    return path.links.every((link) => {
      const { issue } = this.waves[link.wave];
      const at = link.row + periods * (path.rows.get(link.wave) || 0);
      return at >= 0 && at < issue.length && issue[at] - issue[link.row] === periods * path.period_clk;
    });
  }

  /** The path's stretches in clocks [from, to), repeated where the run repeats: [{wave, row, start, end, cause}]. */
  pathIn(from, to) {
    const { path } = this;
    if (!path || !path.links.length) return [];
    const begin = path.links[0].start;
    const end = path.links[path.links.length - 1].end;
    const length = path.periods * path.period_clk;
    const shifts = [0];
    if (length) {
      for (let turn = Math.floor((from - end) / length); turn <= Math.ceil((to - begin) / length) && shifts.length < 400; turn += 1) {
        if (turn && this.repeats(turn * path.periods)) shifts.push(turn);
      }
    }
    const found = [];
    for (const turn of shifts.sort((a, b) => a - b)) {
      const moved = turn * length;
      for (const link of path.links) {
        if (link.end + moved <= from || link.start + moved >= to) continue;
        const row = link.row + turn * path.periods * (path.rows.get(link.wave) || 0);
        found.push({ ...link, row, start: link.start + moved, end: link.end + moved });
      }
    }
    return found;
  }

  readWave(data, position, columns) {
    const issue = columns[data.issue];
    const back = columns[data.attempt];
    const wave = {
      ...data,
      position,
      code: columns[data.code],
      issue,
      attempt: issue.map((clk, row) => clk - back[row]),
      end: columns[data.end].map((clk, row) => issue[row] + clk),
      done: columns[data.done].map((clk, row) => issue[row] + clk),
      stallRow: columns[data.stall_row],
      stallReason: columns[data.stall_reason],
      stallClk: columns[data.stall_clk],
      stallByWave: columns[data.stall_by_wave],
      stallByRow: columns[data.stall_by_row],
    };
    wave.barriers = [];
    wave.code.forEach((code, row) => {
      if (this.code[code].kind === "barrier") wave.barriers.push(row);
    });
    return wave;
  }

  name(position) {
    const wave = this.waves[position];
    const several = this.waves.some((other) => other.workgroup !== this.waves[0].workgroup);
    return several ? `g${wave.workgroup} w${wave.wave}` : `w${wave.wave}`;
  }

  /** Several waves in few words: "waves 0-3", or with the workgroups that have them "g0-3,8 w0". */
  names(waves) {
    if (new Set(this.waves.map((wave) => wave.workgroup)).size === 1) return `wave${waves.length > 1 ? "s" : ""} ${ranges(waves.map((wave) => wave.wave))}`;
    const having = new Map(); // the workgroups by their waves' numbers
    for (const workgroup of new Set(waves.map((wave) => wave.workgroup))) {
      const numbers = ranges(waves.filter((wave) => wave.workgroup === workgroup).map((wave) => wave.wave));
      having.set(numbers, [...(having.get(numbers) || []), workgroup]);
    }
    return [...having].map(([numbers, workgroups]) => `g${ranges(workgroups)} w${numbers}`).join(", ");
  }

  entry(position, row) {
    return this.code[this.waves[position].code[row]];
  }

  /** The last row of a wave that issued at or before clk; -1 before its first. */
  rowAt(position, clk) {
    return upperBound(this.waves[position].issue, clk) - 1;
  }

  /** The stalls before a row: [{reason, start, clk, by}], in time order; by: who is to blame, or null. */
  stalls(position, row) {
    const wave = this.waves[position];
    const found = [];
    let start = row > 0 ? wave.end[row - 1] : wave.first_clk;
    for (let at = upperBound(wave.stallRow, row - 1); wave.stallRow[at] === row; at += 1) {
      const reason = wave.stallReason[at];
      if (reason === this.hold || reason === this.nop) continue;
      const by = wave.stallByWave[at] >= 0 ? { position: wave.stallByWave[at], row: wave.stallByRow[at] } : null;
      found.push({ reason, start, clk: wave.stallClk[at], by });
      start += wave.stallClk[at];
    }
    return found;
  }

  /** What a wave does at clk: {what: "absent" | "finished" | "issue" | "hold" | "wait", row, reason}. */
  state(position, clk) {
    const wave = this.waves[position];
    if (clk < wave.first_clk) return { what: "absent" };
    if (clk >= wave.last_clk) return { what: "finished" };
    const row = this.rowAt(position, clk);
    if (row >= 0 && clk < wave.end[row]) {
      return { what: clk < wave.issue[row] + 4 ? "issue" : "hold", row };
    }
    if (row + 1 >= wave.issue.length) return { what: "wait", row: row + 1, reason: -1 };
    for (const stall of this.stalls(position, row + 1)) {
      if (clk < stall.start + stall.clk) return { what: "wait", row: row + 1, reason: stall.reason };
    }
    return { what: "wait", row: row + 1, reason: -1 };
  }

  /** The clocks at which barriers let their waves go, in order. */
  releases() {
    if (this.released) return this.released;
    this.released = [];
    for (const workgroup of new Set(this.waves.map((wave) => wave.workgroup))) {
      const members = this.waves.filter((wave) => wave.workgroup === workgroup);
      for (let pass = 0; pass < members[0].barriers.length; pass += 1) {
        this.released.push(Math.min(...members.map((wave) => wave.issue[wave.barriers[pass]] ?? Infinity)));
      }
    }
    this.released.sort((a, b) => a - b);
    return this.released;
  }

  /** Issue clocks of the loop head in the wave that ran it most, for stepping by iterations. */
  iterations() {
    if (this.starts) return this.starts;
    let best = [];
    if (this.head < 0) return (this.starts = best);
    for (const wave of this.waves) {
      const starts = [];
      wave.code.forEach((code, row) => {
        if (code === this.head) starts.push(wave.issue[row]);
      });
      if (starts.length > best.length) best = starts;
    }
    this.starts = best; // asked for in every frame
    return best;
  }

  /** Static instructions that come from a source line. */
  codeOfLine(file, line) {
    const found = [];
    this.code.forEach((entry, index) => {
      if (entry.places.some((place) => place[0] === file && place[1] === line)) found.push(index);
    });
    return found;
  }
}
