// Player: steps through the clocks slot by slot and says what every wave does in each.
import { upperBound } from "./run.mjs";
import { make } from "./dom.mjs";

export const SLOT_CLK = 4;
export const SPEEDS = [1, 2, 5, 10, 25, 60];

export class Player {
  constructor(view, root) {
    this.view = view;
    this.root = root;
    this.timer = 0;
    this.speed = 2;
    this.build();
  }

  build() {
    const button = (text, title, act) => make("button", { title, "aria-label": title, click: act }, text);
    this.playButton = button("▶", "play or pause (space)", () => this.toggle());
    this.clock = make("output", { id: "player-clk" }, "clk –");
    this.slower = button("–", "slower", () => this.setSpeed(-1));
    this.rate = make("span", { class: "rate" }, "");
    this.strip = make("div", { id: "player-waves", "aria-live": "off" });
    this.root.replaceChildren(
      make("div", { class: "buttons" },
        button("|◀", "start of the iteration (b)", () => this.toIteration()),
        button("◀", "one slot back (,)", () => this.step(-1)),
        this.playButton,
        button("▶|", "one slot on (.)", () => this.step(1)),
        this.slower, this.rate, button("+", "faster", () => this.setSpeed(1)),
        this.clock,
        button("×", "close the player (Escape)", () => this.stop())),
      this.strip);
    this.setSpeed(0);
  }

  setSpeed(by) {
    this.speed = Math.min(Math.max(this.speed + by, 0), SPEEDS.length - 1);
    this.rate.textContent = `${SPEEDS[this.speed]} slots/s`;
    if (this.timer) {
      this.pause();
      this.play();
    }
  }

  get clk() {
    return this.view.marks.cursor;
  }

  at(clk) {
    const most = this.view.endClk;
    const slot = Math.floor(Math.min(Math.max(clk, 0), most) / SLOT_CLK) * SLOT_CLK;
    this.view.marks.cursor = slot;
    this.clock.textContent = `clk ${slot}`;
    this.describe(slot);
    this.view.reveal(slot);
    return slot < most - SLOT_CLK;
  }

  begin() {
    const place = this.view.marks.selected;
    if (place) return place.run.waves[place.position].issue[place.row] + place.run.offset;
    return Math.max(0, this.view.from + 0.1 * (this.view.to - this.view.from));
  }

  step(slots) {
    this.at(this.clk === null ? this.begin() : this.clk + slots * SLOT_CLK);
  }

  toIteration() {
    const { run } = this.view.marks;
    const starts = run.iterations();
    const clk = (this.clk === null ? this.view.from : this.clk) - run.offset;
    const at = upperBound(starts, clk) - 1;
    this.at(at >= 0 ? starts[at] + run.offset : run.offset);
  }

  toggle() {
    if (this.timer) this.pause();
    else this.play();
  }

  play() {
    if (this.clk === null) this.step(0);
    this.playButton.textContent = "Ⅱ";
    this.timer = setInterval(() => {
      if (!this.at(this.clk + SLOT_CLK)) this.pause();
    }, 1000 / SPEEDS[this.speed]);
  }

  pause() {
    clearInterval(this.timer);
    this.timer = 0;
    this.playButton.textContent = "▶";
  }

  stop() {
    this.pause();
    this.view.marks.cursor = null;
    this.clock.textContent = "clk –";
    this.strip.replaceChildren();
    this.view.redraw();
  }

  describe(clk) {
    const items = [];
    for (const run of this.view.runs) {
      for (const wave of run.waves) {
        const state = run.state(wave.position, clk - run.offset);
        const text = stateText(run, wave.position, state, clk - run.offset);
        items.push(make("div", { class: `state ${state.what}`, style: `border-color:${stateColour(run, wave.position, state)}` }, make("b", {}, run.name(wave.position)), " ", text));
      }
    }
    this.strip.replaceChildren(...items);
  }
}

/** The colour that the state has in the timeline. */
export function stateColour(run, position, state) {
  const { activities, reason_colours: reasons } = run.vocabulary;
  if (state.what === "issue" || state.what === "hold") return `var(--${activities[run.entry(position, state.row).activity]})`;
  return state.what === "wait" ? `var(--${reasons[state.reason] || "other"})` : "transparent";
}

/** What a wave does, in words. */
export function stateText(run, position, state, clk) {
  if (state.what === "absent") return "not started";
  if (state.what === "finished") return "finished";
  if (state.row >= run.waves[position].code.length) return "stuck";
  const { text } = run.entry(position, state.row);
  if (state.what === "issue") return `issues ${text}`;
  if (state.what === "hold") return `still issues ${text}`;
  const stall = run.stalls(position, state.row).find((each) => clk < each.start + each.clk);
  if (!stall) return `before ${text}`;
  const who = stall.by;
  const name = run.vocabulary.reasons[state.reason];
  return `${name}${who ? ` (${who.position === position ? "own" : run.name(who.position)} ${run.entry(who.position, who.row).text})` : ""}, then ${text}`;
}
