// Made: a run of two waves by hand, as the page reads it from its payload.
import { Run } from "../../../wavesim/report/page/assets/run.mjs";

export const VOCABULARY = {
  reasons: ["barrier", "lgkmcnt", "hold", "nop", "lds_queue"],
  reason_colours: ["barrier", "wait-lgkm", "other", "other", "queue"],
  activities: ["mfma", "lds-read", "alu", "wait-lgkm"],
  words: { MFMA: "An instruction.", lgkmcnt: "A counter.", "s_barrier": "Holds a wave.", issue: "Slots.", wave: "64 lanes." },
};

const entry = (text, activity, more = {}) => ({
  text, activity, kind: "salu", places: [], reads: [], writes: [], lgkm: 0, vm: 0, wait_lgkm: null, wait_vm: null, comment: "", ...more,
});

export const CODE = [
  entry("s_mov_b32 s0, 0", 2, { places: [["k.s", 1]] }),
  entry("ds_read_b32 v1, v0", 1, { places: [["k.s", 2]], writes: ["v1"], lgkm: 1 }),
  entry("s_waitcnt lgkmcnt(0)", 3, { places: [["k.s", 3]], wait_lgkm: 0 }),
  entry("v_mfma_f32 a0, v1", 0, { places: [["k.s", 4]], reads: ["v1"] }),
  entry("s_cbranch_scc1 again", 2, { places: [["k.s", 4]] }),
];

/** waves: [{code, issue, end, stalls: [[row, reason, clk, by wave, by row]]}]. */
export function made(waves, { labels = { 1: "again" }, findings = [] } = {}) {
  const columns = [];
  const add = (values) => columns.push(Int32Array.from(values)) - 1;
  const data = {
    code: CODE, labels, findings, busy: [], clk_total: 1000, cut_clk: 1000, head: 1, explanation: null,
    files: { "k.s": ["s_mov_b32 s0, 0", "ds_read_b32", "wait", "mfma and branch"] },
    waves: waves.map(({ code, issue, end, stalls = [] }, wave) => ({
      wave, workgroup: 0, simd: wave, slot: 0, first_clk: 0, last_clk: end[end.length - 1],
      code: add(code), attempt: add(issue.map(() => 0)), issue: add(issue), end: add(end.map((clk, row) => clk - issue[row])), done: add(issue.map(() => 0)),
      stall_row: add(stalls.map((each) => each[0])), stall_reason: add(stalls.map((each) => each[1])), stall_clk: add(stalls.map((each) => each[2])),
      stall_by_wave: add(stalls.map((each) => each[3] ?? -1)), stall_by_row: add(stalls.map((each) => each[4] ?? -1)),
    })),
  };
  return new Run(data, VOCABULARY, columns, 0);
}

/** Two turns of a loop in each wave. The wait of wave 0 costs 8 + 12 clk, for its own read and for wave 1's. */
export const twoWaves = () => made([
  {
    code: [0, 1, 2, 3, 4, 1, 2, 3, 4], issue: [0, 4, 28, 32, 36, 40, 44, 48, 56], end: [4, 8, 32, 36, 40, 44, 48, 56, 60],
    stalls: [[2, 1, 8, 0, 1], [2, 4, 12, 1, 1], [7, 2, 4]],
  },
  { code: [0, 1, 2, 3, 4], issue: [0, 16, 20, 24, 28], end: [4, 20, 24, 28, 32], stalls: [[1, 4, 8, 0, 1], [1, 4, 4, 0, 0]] },
]);
