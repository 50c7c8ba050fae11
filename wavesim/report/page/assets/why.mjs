// Why: whom the engine blames for a wait, and the chain from a load to its wait to its use.

export const SEARCH_ROWS = 4000;

/** The wait that lets row's data be used: the first that allows no more outstanding than came after it. */
export function coveringWait(run, position, row) {
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
export function firstUse(run, position, row) {
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
export function producers(run, position, row) {
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
export function arrows(run, position, row) {
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

/** Words for a wait: where nobody is to blame, and before whoever is. */
export const PLAIN_WORDS = {
  branch: ["fetch restarts after a branch", "fetch restarts after"],
  fetch: ["the next 32 bytes of code are not there yet", "code not there yet after"],
  dependency: ["gap after an earlier instruction of the wave", "gap after"],
  barrier: ["barrier; its release", "barrier; the last to arrive is"],
  lgkmcnt: ["waits for data", "waits for the data of"],
  vmcnt: ["waits for data", "waits for the data of"],
  counter_full: ["the counter cannot count one more", "the counter cannot count one more before the return of"],
  matrix_pipe: ["matrix pipe busy", "matrix pipe busy with"],
  mfma_coissue: ["kept out by an MFMA, or the reverse", "kept out by"],
  valu_busy: ["VALU held", "VALU held by"],
  lds_hold: ["LDS port taken by the data of a write", "LDS port taken by the write data of"],
  lds_queue: ["LDS queue full", "LDS queue full; longest in it is"],
  vmem_queue: ["global-memory queue", "global-memory queue full; longest in it is"],
  arbitration: ["the slot went to another wave", "the slot went to"],
  port: ["the shared port went to another SIMD", "the shared port went to"],
  hold: ["further slots of the same issue", "further slots of"],
  nop: ["sleeps", "sleeps after"],
};

/** Culprits that are named; more are counted. */
export const MOST_NAMED = 3;

/** The stalls before a row, summed by reason, those with most clocks first: [{reason, name, clk, by}], where by is
    whom the engine blames, summed by wave and instruction: [{position, row, clk}]. */
export function waits(run, position, row) {
  const found = new Map();
  for (const { reason, clk, by } of run.stalls(position, row)) {
    const sum = found.get(reason) || { reason, name: run.vocabulary.reasons[reason], clk: 0, by: new Map() };
    found.set(reason, sum);
    sum.clk += clk;
    if (!by) continue;
    const key = `${by.position} ${run.waves[by.position].code[by.row]}`;
    const culprit = sum.by.get(key) || { ...by, clk: 0 };
    culprit.clk += clk;
    sum.by.set(key, culprit);
  }
  const most = (a, b) => b.clk - a.clk;
  return [...found.values()].sort(most).map((sum) => ({ ...sum, by: [...sum.by.values()].sort(most) }));
}

/** Lines that say why a row waited, one a reason: [{text, name, clk, holder}]; holder is to blame for most of it. */
export function why(run, position, row) {
  return waits(run, position, row).map(({ name, clk, by }) => {
    const [alone, before] = PLAIN_WORDS[name] || [name, name];
    const whose = (who) => `${who.position === position ? "its own" : run.name(who.position)} ${run.entry(who.position, who.row).text}`;
    const each = by.slice(0, MOST_NAMED).map((who) => (by.length > 1 ? `${whose(who)} (${who.clk})` : whose(who)));
    if (by.length > MOST_NAMED) each.push(`${by.length - MOST_NAMED} more`);
    const text = by.length ? `${before} ${each.join(", ")}` : alone;
    return { text, name, clk, holder: by.length ? { position: by[0].position, row: by[0].row } : null };
  });
}
