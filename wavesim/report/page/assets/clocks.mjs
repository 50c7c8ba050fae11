// Clocks: what each line of the code costs, by reason, and the loop where most of it goes.
import { upperBound } from "./run.mjs";

/** Per static instruction {issues, clk, own, waits: Map reason -> clk}. A wave's clocks since its last instruction count
    for the one that waits; own are those in which it issues: clk = own + the waits. Computed once for a run. */
export function clocksByCode(run) {
  if (run.clocks) return run.clocks;
  run.clocks = run.code.map(() => ({ issues: 0, clk: 0, own: 0, waits: new Map() }));
  for (const wave of run.waves) {
    let before = wave.first_clk;
    for (let row = 0; row < wave.code.length; row += 1) {
      const cell = run.clocks[wave.code[row]];
      cell.issues += 1;
      cell.clk += wave.end[row] - before;
      cell.own += wave.end[row] - before;
      before = wave.end[row];
    }
    for (let at = 0; at < wave.stallRow.length; at += 1) {
      const reason = wave.stallReason[at];
      if (reason === run.hold || reason === run.nop) continue; // slots of the instruction itself
      const cell = run.clocks[wave.code[wave.stallRow[at]]];
      cell.waits.set(reason, (cell.waits.get(reason) || 0) + wave.stallClk[at]);
      cell.own -= wave.stallClk[at];
    }
  }
  return run.clocks;
}

/** The clocks of several static instructions together: {issues, clk, parts}, parts by colour with most clocks first:
    [{colour, clk, reasons: [[name, clk]]}]; the reason of own clocks is "issue". */
export function clocksOf(run, codes) {
  const clocks = clocksByCode(run);
  const sum = { issues: 0, clk: 0 };
  const parts = new Map();
  const add = (colour, name, clk) => {
    if (!clk) return;
    const part = parts.get(colour) || { colour, clk: 0, reasons: new Map() };
    parts.set(colour, part);
    part.clk += clk;
    part.reasons.set(name, (part.reasons.get(name) || 0) + clk);
  };
  for (const code of codes) {
    const cell = clocks[code];
    sum.issues += cell.issues;
    sum.clk += cell.clk;
    add(run.vocabulary.activities[run.code[code].activity], "issue", cell.own);
    for (const [reason, clk] of cell.waits) add(run.vocabulary.reason_colours[reason], run.vocabulary.reasons[reason], clk);
  }
  const most = (a, b) => b[1] - a[1];
  sum.parts = [...parts.values()].sort((a, b) => b.clk - a.clk).map((part) => ({ ...part, reasons: [...part.reasons].sort(most) }));
  return sum;
}

/** For whom these instructions waited: [{code, reason, clk}] by the instruction to blame, most clocks first. */
export function blamedFor(run, codes) {
  const chosen = new Set(codes);
  const found = new Map();
  for (const wave of run.waves) {
    for (let at = 0; at < wave.stallRow.length; at += 1) {
      const by = wave.stallByWave[at];
      if (by < 0 || !chosen.has(wave.code[wave.stallRow[at]])) continue;
      const reason = wave.stallReason[at];
      if (reason === run.hold || reason === run.nop) continue;
      const code = run.waves[by].code[wave.stallByRow[at]];
      const key = `${reason} ${code}`;
      const sum = found.get(key) || { code, reason, clk: 0 };
      sum.clk += wave.stallClk[at];
      found.set(key, sum);
    }
  }
  return [...found.values()].sort((a, b) => b.clk - a.clk);
}

/** The loops that waves ran: [{from, to, clk}] in the order of the code; a loop goes from the target of a backward step
    to where that step was made. */
export function loops(run) {
  const ends = new Map();
  for (const wave of run.waves) {
    for (let row = 1; row < wave.code.length; row += 1) {
      if (wave.code[row] <= wave.code[row - 1]) ends.set(wave.code[row], Math.max(ends.get(wave.code[row]) ?? -1, wave.code[row - 1]));
    }
  }
  const clocks = clocksByCode(run);
  const clk = (from, to) => clocks.slice(from, to + 1).reduce((sum, cell) => sum + cell.clk, 0);
  return [...ends].sort((a, b) => a[0] - b[0]).map(([from, to]) => ({ from, to, clk: clk(from, to) }));
}

/** Of the loops that hold no other one, that with most clocks; null without a loop. */
export function hottestLoop(run) {
  const all = loops(run);
  const inner = all.filter((one) => !all.some((other) => other !== one && other.from >= one.from && other.to <= one.to));
  return inner.sort((a, b) => b.clk - a.clk)[0] || null;
}

/** The first place at or after a clock where one of the instructions issues, in the given waves or in any: {position, row},
    or null. */
export function nextPlace(run, codes, clk, waves = []) {
  let best = null;
  for (const wave of run.waves) {
    if (waves.length && !waves.includes(wave.wave)) continue;
    for (let row = upperBound(wave.issue, clk - 1); row < wave.code.length; row += 1) {
      if (best && wave.issue[row] >= run.waves[best.position].issue[best.row]) break;
      if (!codes.has(wave.code[row])) continue;
      best = { position: wave.position, row };
      break;
    }
  }
  return best;
}

/** The last such place before a clock. */
export function placeBefore(run, codes, clk) {
  let best = null;
  for (const wave of run.waves) {
    for (let row = upperBound(wave.issue, clk - 1) - 1; row >= 0; row -= 1) {
      if (best && wave.issue[row] <= run.waves[best.position].issue[best.row]) break;
      if (!codes.has(wave.code[row])) continue;
      best = { position: wave.position, row };
      break;
    }
  }
  return best;
}
