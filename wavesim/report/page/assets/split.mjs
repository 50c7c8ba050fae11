// Split: a bar between two parts that sets how large the second one is, by drag, by keys, or by double click as it was.
import { make } from "./dom.mjs";

export const LEAST_PART_PX = 180;
export const KEY_STEP_PX = 24;

/** A size that leaves both parts room. */
export const fitting = (size, whole) => Math.max(LEAST_PART_PX, Math.min(size, whole - LEAST_PART_PX));

/** The bar. size(): the second part's now; whole(): of both; set(px or null): null is as it was. */
export function splitter(label, { size, whole, set }) {
  const bar = make("div", { class: "splitter", role: "separator", "aria-orientation": "vertical", "aria-label": label, tabindex: "0", title: "drag; double click: as it was" });
  let from = null;
  bar.addEventListener("pointerdown", (event) => {
    bar.setPointerCapture(event.pointerId);
    from = { x: event.clientX, size: size() };
    event.preventDefault();
  });
  bar.addEventListener("pointermove", (event) => from && set(fitting(from.size + from.x - event.clientX, whole())));
  bar.addEventListener("pointerup", () => (from = null));
  bar.addEventListener("pointercancel", () => (from = null));
  bar.addEventListener("dblclick", () => set(null));
  bar.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: KEY_STEP_PX, ArrowRight: -KEY_STEP_PX }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    set(fitting(size() + step, whole()));
  });
  return bar;
}
