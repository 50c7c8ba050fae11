"use strict";
const data = JSON.parse(document.getElementById("payload").textContent);
const columns = [...data.axes.map((axis) => axis.name), ...data.figures.map((figure) => figure.name), "verdict", "error"];
const at = Object.fromEntries(columns.map((name, place) => [name, place]));
const figures = Object.fromEntries(data.figures.map((figure) => [figure.name, figure]));
const colours = ["mfma", "lds-read", "wait-lgkm", "barrier", "wait-vm", "global", "lds-write", "other"];
const BEST = "", SHOWN_ROWS = 1000;
const state = { rows: data.page.rows, columns: data.page.columns, figure: data.page.figure, x: data.page.front[0],
  y: data.page.front[1], pinned: {}, sort: null, falling: false };

function element(tag, attributes = {}, ...children) {
  const drawing = ["svg", "g", "circle", "path", "line", "text", "title"].includes(tag);
  const made = drawing ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}
function fill(id, ...children) { document.getElementById(id).replaceChildren(...children); }
const isNumber = (value) => typeof value === "number";
function shown(value) {
  if (value === null) return "-";
  if (!isNumber(value)) return String(value);
  if (Number.isInteger(value)) return String(value);
  return Math.abs(value) < 10 ? String(Number(value.toPrecision(3))) : String(Number(value.toFixed(1)));
}
function described(row) {
  return data.axes.map((axis) => `${axis.name} ${shown(row[at[axis.name]])}`).join(", ");
}
const better = (name, one, other) => figures[name].better === "less" ? one < other : one > other;
const direction = (name) => ({ less: "less is better", more: "more is better" })[figures[name].better] || "";
function titled(name) {
  return [figures[name].label, direction(name)].filter(Boolean).join(", ");
}

function chosenRows() {
  return data.rows.filter((row) => data.axes.every((axis) => {
    const pin = state.pinned[axis.name];
    return pin === undefined || row[at[axis.name]] === axis.values[pin];
  }));
}

function choice(label, values, selected, change) {
  const select = element("select", { "aria-label": label });
  for (const [value, text] of values) select.append(element("option", { value }, text));
  select.value = selected;
  select.addEventListener("change", () => { change(select.value); draw(); });
  return element("label", {}, label, select);
}

function drawChoices() {
  const axes = data.axes.map((axis) => [axis.name, axis.name]);
  const names = data.figures.map((figure) => [figure.name, figure.name]);
  const numeric = names.filter(([name]) => figures[name].better);
  const made = [
    choice("rows", axes, state.rows, (value) => { state.rows = value; }),
    choice("columns", axes, state.columns, (value) => { state.columns = value; }),
    choice("figure", names, state.figure, (value) => { state.figure = value; }),
  ];
  if (numeric.length) {
    made.push(choice("front, across", numeric, state.x, (value) => { state.x = value; }));
    made.push(choice("front, up", numeric, state.y, (value) => { state.y = value; }));
  }
  for (const axis of data.axes) {
    if (axis.values.length < 2) continue;
    const values = [[BEST, "all"], ...axis.values.map((value, index) => [String(index), shown(value)])];
    const pin = state.pinned[axis.name];
    made.push(choice(`only ${axis.name}`, values, pin === undefined ? BEST : String(pin), (value) => {
      if (value === BEST) delete state.pinned[axis.name]; else state.pinned[axis.name] = Number(value);
    }));
  }
  fill("choices", ...made);
}

function bestOf(rows, name) {
  let best = null;
  for (const row of rows) {
    const value = row[at[name]];
    if (value !== null && (best === null || better(name, value, best[at[name]]))) best = row;
  }
  return best;
}

function drawMap(rows) {
  const across = data.axes.find((axis) => axis.name === state.columns), down = data.axes.find((axis) => axis.name === state.rows);
  const values = (axis) => [...new Set(rows.map((row) => row[at[axis.name]]))];
  const heads = values(across), sides = values(down), cells = new Map();
  for (const row of rows) {
    const key = JSON.stringify([row[at[down.name]], row[at[across.name]]]);
    if (!cells.has(key)) cells.set(key, []);
    cells.get(key).push(row);
  }
  const best = new Map([...cells].map(([key, members]) => [key, bestOf(members, state.figure)]));
  const numbers = [...best.values()].filter((row) => row).map((row) => row[at[state.figure]]).filter(isNumber);
  const low = Math.min(...numbers), high = Math.max(...numbers), least = figures[state.figure].better === "less";
  const table = element("table", { class: "heat" });
  table.append(element("thead", {}, element("tr", {}, element("th", {}, `${down.name} \\ ${across.name}`),
    ...heads.map((value) => element("th", { scope: "col" }, shown(value))))));
  const body = element("tbody");
  for (const side of sides) {
    const line = element("tr", {}, element("th", { scope: "row" }, shown(side)));
    for (const head of heads) {
      const key = JSON.stringify([side, head]), members = cells.get(key), row = best.get(key);
      const cell = element("td");
      if (row) {
        const value = row[at[state.figure]];
        cell.append(shown(value));
        cell.title = described(row) + (members.length > 1 ? `; the best of ${members.length} runs` : "");
        if (isNumber(value) && figures[state.figure].better) {
          const share = high > low ? (least ? high - value : value - low) / (high - low) : 1;
          cell.style.background = `color-mix(in srgb, var(--mfma) ${Math.round(55 * share)}%, var(--lane))`;
          if (value === (least ? low : high)) cell.className = "best";
        }
      } else if (members) {
        cell.append("failed");
        cell.className = "failed";
        cell.title = members[0][at.error] || "no such figure";
      }
      line.append(cell);
    }
    body.append(line);
  }
  table.append(body);
  fill("map", table);
  fill("map-title", titled(state.figure));
  const others = data.axes.filter((axis) => axis !== across && axis !== down && axis.values.length > 1 && state.pinned[axis.name] === undefined);
  fill("map-hint", others.length ? `The best over ${others.map((axis) => axis.name).join(", ")}. A field's tip says where.` : "");
}

function frontOf(rows) {
  const points = rows.filter((row) => isNumber(row[at[state.x]]) && isNumber(row[at[state.y]]));
  const order = (name) => (one, other) => (figures[name].better === "less" ? 1 : -1) * (one[at[name]] - other[at[name]]);
  const sorted = [...points].sort((one, other) => order(state.x)(one, other) || order(state.y)(one, other));
  const front = [];
  for (const row of sorted) {
    if (!front.length || better(state.y, row[at[state.y]], front.at(-1)[at[state.y]])) front.push(row);
  }
  return [points, front];
}

function ticks(low, high) {
  const raw = (high - low) / 5 || 1, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= raw);
  const found = [];
  for (let value = Math.ceil(low / step) * step; value <= high + step / 1e6; value += step) found.push(Number(value.toPrecision(12)));
  return found;
}

function drawFront(rows) {
  const [points, front] = frontOf(rows);
  fill("front-title", points.length ? `Pareto front: ${figures[state.x].label} and ${figures[state.y].label}` : "Pareto front: no figures");
  if (!points.length) { fill("front"); fill("front-legend"); fill("front-hint"); return front; }
  const width = 720, height = 420, left = 70, right = 20, top = 14, bottom = 50;
  const scale = (name, from, to) => {
    const values = points.map((row) => row[at[name]]);
    const least = values.reduce((a, b) => Math.min(a, b)), most = values.reduce((a, b) => Math.max(a, b));
    const margin = (most - least) * 0.06 || Math.abs(most) * 0.05 || 1;
    const low = least - margin, high = most + margin;
    return { at: (value) => from + (value - low) / (high - low) * (to - from), ticks: ticks(low, high) };
  };
  const x = scale(state.x, left, width - right), y = scale(state.y, height - bottom, top);
  const svg = element("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": "Pareto front" });
  for (const value of x.ticks) {
    svg.append(element("line", { class: "axis", x1: x.at(value), x2: x.at(value), y1: top, y2: height - bottom }));
    svg.append(element("text", { x: x.at(value), y: height - bottom + 16, "text-anchor": "middle" }, shown(value)));
  }
  for (const value of y.ticks) {
    svg.append(element("line", { class: "axis", x1: left, x2: width - right, y1: y.at(value), y2: y.at(value) }));
    svg.append(element("text", { x: left - 8, y: y.at(value) + 4, "text-anchor": "end" }, shown(value)));
  }
  svg.append(element("text", { x: (left + width - right) / 2, y: height - 10, "text-anchor": "middle" }, titled(state.x)));
  svg.append(element("text", { x: 0, y: 0, "text-anchor": "middle", transform: `translate(16 ${(top + height - bottom) / 2}) rotate(-90)` }, titled(state.y)));
  svg.append(element("path", { class: "line", d: front.map((row, place) => `${place ? "L" : "M"}${x.at(row[at[state.x]])} ${y.at(row[at[state.y]])}`).join(" ") }));
  const axis = data.axes.find((each) => each.name === state.rows);
  const groups = [...new Set(points.map((row) => row[at[axis.name]]))];
  const colour = (value) => `var(--${colours[Math.min(groups.indexOf(value), colours.length - 1)]})`;
  const on = new Set(front);
  for (const row of [...points.filter((each) => !on.has(each)), ...front]) {
    const dot = element("circle", { class: on.has(row) ? "dot on" : "dot", cx: x.at(row[at[state.x]]), cy: y.at(row[at[state.y]]), r: on.has(row) ? 7 : 5 });
    dot.style.fill = colour(row[at[axis.name]]);
    dot.append(element("title", {}, `${described(row)}: ${state.x} ${shown(row[at[state.x]])}, ${state.y} ${shown(row[at[state.y]])}`));
    svg.append(dot);
  }
  fill("front", svg);
  const named = groups.length > colours.length ? [...groups.slice(0, colours.length - 1), "others"] : groups;
  fill("front-legend", ...named.map((value, place) => {
    const swatch = element("span", { class: "swatch" });
    swatch.style.background = `var(--${colours[place]})`;
    return element("span", {}, swatch, shown(value));
  }));
  fill("front-hint", `On the front: ${front.length} of ${points.length} runs. No other run is as good in one figure and better in the other.`);
  return front;
}

function drawTable(rows, front) {
  const on = new Set(front), place = state.sort === null ? -1 : at[state.sort];
  const compare = (one, other) => isNumber(one) && isNumber(other) ? one - other : String(one ?? "").localeCompare(String(other ?? ""));
  const sorted = place < 0 ? rows : [...rows].sort((one, other) => (state.falling ? -1 : 1) * compare(one[place], other[place]));
  const textual = columns.map((name, index) => !rows.some((row) => isNumber(row[index])));
  const table = element("table", { class: "grid" });
  table.append(element("thead", {}, element("tr", {}, ...columns.map((name, index) => {
    const button = element("button", {}, name + (state.sort === name ? (state.falling ? " ▾" : " ▴") : ""));
    button.addEventListener("click", () => {
      state.falling = state.sort === name && !state.falling;
      state.sort = name;
      draw();
    });
    return element("th", { scope: "col", class: textual[index] ? "text" : "" }, button);
  }))));
  table.append(element("tbody", {}, ...sorted.slice(0, SHOWN_ROWS).map((row) => element("tr", { class: on.has(row) ? "on" : "" },
    ...row.map((value, index) => element("td", { class: columns[index] === "error" ? "text error" : textual[index] ? "text" : "" }, value === "" ? "" : shown(value)))))));
  fill("table", table);
  fill("table-hint", [`${Math.min(rows.length, SHOWN_ROWS)} of ${data.rows.length} runs`, "on the front: marked at the left"].join("; "));
}

function draw() {
  const rows = chosenRows();
  drawChoices();
  drawMap(rows);
  drawTable(rows, drawFront(rows));
}

document.getElementById("count").textContent = `${data.rows.length} runs`;
document.getElementById("theme").addEventListener("click", () => {
  const root = document.documentElement, dark = matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = (root.dataset.theme || (dark ? "dark" : "light")) === "dark" ? "light" : "dark";
});
draw();
