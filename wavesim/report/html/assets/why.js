"use strict";
// Why: who held what a waiting instruction wanted, and the chain from a load to its wait to its use.

const SEARCH_ROWS = 4000;

/** The wait that lets row's data be used: the first that allows no more outstanding than came after it. */
function coveringWait(run, position, row) {
  const entry = run.entry(position, row);
  const counter = entry.lgkm ? "lgkm" : entry.vm ? "vm" : "";
  if (!counter) return -1;
  let after = 0;
  const last = Math.min(run.waves[position].code.length, row + SEARCH_ROWS);
  for (let next = row + 1; next < last; next += 1) {
    const other = run.entry(position, next);
    const allowed = other[`wait_${counter}`];
    if (allowed !== null && allowed <= after) return next;
    after += other[counter];
  }
  return -1;
}

/** The first later row of the wave that reads a register which row writes; -1 if it is overwritten first. */
function firstUse(run, position, row) {
  const written = new Set(run.entry(position, row).writes);
  if (!written.size) return -1;
  const last = Math.min(run.waves[position].code.length, row + SEARCH_ROWS);
  for (let next = row + 1; next < last; next += 1) {
    const other = run.entry(position, next);
    if (other.reads.some((register) => written.has(register))) return next;
    for (const register of other.writes) written.delete(register);
    if (!written.size) return -1;
  }
  return -1;
}

/** The rows that wrote what row reads, nearest first, without repeats. */
function producers(run, position, row) {
  const wanted = new Set(run.entry(position, row).reads);
  const found = [];
  for (let back = row - 1; back >= 0 && back > row - SEARCH_ROWS && wanted.size; back -= 1) {
    const writes = run.entry(position, back).writes;
    if (!writes.some((register) => wanted.has(register))) continue;
    found.push(back);
    for (const register of writes) wanted.delete(register);
  }
  return found;
}

/** Arrows of an instruction: [{from: row, to: row, kind}] within its wave. */
function arrows(run, position, row) {
  const found = [];
  const load = (from) => {
    const wait = coveringWait(run, position, from);
    const use = firstUse(run, position, from);
    if (wait >= 0) found.push({ from, to: wait, kind: "data" });
    if (use >= 0) found.push({ from: wait >= 0 && wait < use ? wait : from, to: use, kind: "use" });
  };
  const entry = run.entry(position, row);
  if (entry.lgkm || entry.vm) {
    load(row);
  } else {
    for (const producer of producers(run, position, row).slice(0, 8)) {
      const made = run.entry(position, producer);
      if (made.lgkm || made.vm) {
        const wait = coveringWait(run, position, producer);
        found.push({ from: producer, to: wait >= 0 && wait < row ? wait : row, kind: "data" });
        if (wait >= 0 && wait < row) found.push({ from: wait, to: row, kind: "use" });
      } else {
        found.push({ from: producer, to: row, kind: "use" });
      }
    }
    const use = firstUse(run, position, row);
    if (use >= 0) found.push({ from: row, to: use, kind: "use" });
  }
  const unique = new Map(found.map((arrow) => [`${arrow.from}-${arrow.to}`, arrow]));
  return [...unique.values()];
}

/** The load for which a wait waited: of those it covers, the one whose data came last. */
function awaited(run, position, row, counter) {
  const wave = run.waves[position];
  let skip = run.entry(position, row)[`wait_${counter}`] ?? 0;
  let best = -1;
  for (let back = row - 1, seen = 0; back >= 0 && seen < 64; back -= 1) {
    if (!run.entry(position, back)[counter]) continue;
    if (skip > 0) {
      skip -= 1;
      continue;
    }
    seen += 1;
    if (best < 0 || wave.done[back] > wave.done[best]) best = back;
  }
  return best >= 0 ? { position, row: best } : null;
}

/** The wave that came last to a barrier, and its row there. */
function lastArrival(run, position, row) {
  const wave = run.waves[position];
  const pass = wave.barriers.indexOf(row);
  let best = null;
  for (const other of run.waves) {
    if (other.workgroup !== wave.workgroup || pass >= other.barriers.length) continue;
    const at = other.barriers[pass];
    if (!best || other.attempt[at] > run.waves[best.position].attempt[best.row]) {
      best = { position: other.position, row: at };
    }
  }
  return best;
}

/** The use of a shared resource that covers clk. */
function busyWith(run, resource, index, clk) {
  const span = run.busy.find((each) => each.resource === resource && each.index === index);
  if (!span) return null;
  const at = upperBound(span.start, clk) - 1;
  return at >= 0 && span.end[at] > clk ? { position: span.wave[at], row: span.row[at] } : null;
}

/** Another wave that issued in [from, to) in the same category, on the SIMDs that `near` accepts. */
function rival(run, position, row, from, to, near) {
  const category = run.entry(position, row).category;
  for (const other of run.waves) {
    if (other.position === position || !near(other)) continue;
    for (let at = Math.max(run.rowAt(other.position, from - 1), 0); other.issue[at] < to; at += 1) {
      if (other.issue[at] >= from && run.entry(other.position, at).category === category) {
        return { position: other.position, row: at };
      }
    }
  }
  return null;
}

/** The instruction that issued last on a SIMD at or before clk. */
function lastIssue(run, simd, clk, kinds) {
  let best = null;
  for (const other of run.waves) {
    if (other.simd !== simd) continue;
    for (let at = run.rowAt(other.position, clk), tries = 0; at >= 0 && tries < 16; at -= 1, tries += 1) {
      if (!kinds.includes(run.entry(other.position, at).category)) continue;
      if (!best || other.issue[at] > run.waves[best.position].issue[best.row]) best = { position: other.position, row: at };
      break;
    }
  }
  return best;
}

/** Who held what a stall waited for: {position, row} or null. */
function holder(run, position, row, stall) {
  const wave = run.waves[position];
  const pair = wave.simd >> 1;
  switch (run.vocabulary.reasons[stall.reason]) {
    case "lgkmcnt":
      return awaited(run, position, row, "lgkm");
    case "vmcnt":
      return awaited(run, position, row, "vm");
    case "barrier":
      return lastArrival(run, position, row);
    case "matrix_pipe":
      return busyWith(run, "mfma", wave.simd, stall.start);
    case "lds_hold":
    case "lds_queue":
      return busyWith(run, "lds_port", pair, stall.start) || busyWith(run, "lds_array", 0, stall.start);
    case "arbitration":
      return rival(run, position, row, stall.start, stall.start + stall.clk, (other) => other.simd === wave.simd);
    case "port":
      return rival(run, position, row, stall.start, stall.start + stall.clk, (other) => other.simd !== wave.simd);
    case "mfma_coissue":
      return lastIssue(run, wave.simd, stall.start, ["mfma", "valu"]);
    case "valu_busy":
      return lastIssue(run, wave.simd, stall.start, ["valu"]);
    case "dependency":
      return row > 0 ? { position, row: row - 1 } : null;
    default:
      return null;
  }
}

const PLAIN_WORDS = {
  branch: "fetch restarts after a branch",
  fetch: "the next 32 bytes of code are not there yet",
  dependency: "gap after",
  barrier: "barrier; the last to arrive is",
  lgkmcnt: "waits for the data of",
  vmcnt: "waits for the data of",
  counter_full: "the counter cannot count one more",
  matrix_pipe: "matrix pipe busy with",
  mfma_coissue: "kept out by",
  valu_busy: "VALU held by",
  lds_hold: "LDS port taken by the write data of",
  lds_queue: "LDS queue full; in service",
  vmem_queue: "global-memory queue full",
  arbitration: "the slot went to",
  port: "the shared port went to",
  hold: "further slots of the same issue",
  nop: "sleeps",
};

/** Lines that say why a row waited: [{text, clk, holder}]. */
function why(run, position, row) {
  return run.stalls(position, row).map((stall) => {
    const name = run.vocabulary.reasons[stall.reason];
    const who = holder(run, position, row, stall);
    let text = PLAIN_WORDS[name] || name;
    if (who) text += ` ${who.position === position ? "its own" : run.name(who.position)} ${run.entry(who.position, who.row).text}`;
    return { text, name, clk: stall.clk, holder: who };
  });
}
