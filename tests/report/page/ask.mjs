// Ask: node ask.mjs PAGE -> JSON of what the page's own modules say of its runs, for the truth tests in Python.
import { readFileSync } from "node:fs";
import { readRuns } from "../../../wavesim/report/page/assets/run.mjs";
import { blamedFor, clocksByCode, hottestLoop } from "../../../wavesim/report/page/assets/clocks.mjs";
import { waits } from "../../../wavesim/report/page/assets/why.mjs";

const page = readFileSync(process.argv[2], "utf-8");
const payload = JSON.parse(page.match(/<script type="application\/json" id="payload">(.*?)<\/script>/s)[1]);
const runs = await readRuns(payload);
const said = runs.map((run) => ({
  clocks: clocksByCode(run).map((cell) => ({ issues: cell.issues, clk: cell.clk, own: cell.own, waits: Object.fromEntries([...cell.waits].map(([reason, clk]) => [run.vocabulary.reasons[reason], clk])) })),
  blamed: run.code.map((_, code) => blamedFor(run, [code]).map((each) => [run.vocabulary.reasons[each.reason], each.code, each.clk])),
  waits: run.waves.map((wave) => [...wave.code.slice(0, 500)].map((_, row) => waits(run, wave.position, row).reduce((sum, each) => sum + each.clk, 0))),
  loop: hottestLoop(run),
}));
console.log(JSON.stringify(said));
