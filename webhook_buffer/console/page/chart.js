// Charts over time: uPlot, with thresholds, marks, a tooltip, and the arrow keys in place of a mouse.
import uPlot from "./uplot/uPlot.esm.js";
import {el} from "./dom.js";
import {quantity, time} from "./format.js";

const SEQUENCE = ["blue", "orange", "teal", "purple", "green", "brown"];
const PALETTES = {
  green: "green", blue: "blue", orange: "orange", red: "red", purple: "purple", warm: "brown",
  gray: "gray", grey: "gray", cool: "blue",
};
// CloudWatch's dashboards name the colors themselves: those of monitoring/model/dashboards.py.
const HEX = {
  "#2ca02c": "green", "#1f77b4": "blue", "#ff7f0e": "orange", "#d62728": "red",
  "#9467bd": "purple", "#8c564b": "brown", "#7f7f7f": "gray",
};
const KINDS = {error: "red", warning: "orange", ok: "green", info: "blue"};
// Steps of an axis of time that are round in minutes, hours and days; seconds.
const SECONDS = [.001, .002, .005, .01, .02, .05, .1, .2, .5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900,
  1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 432000, 864000];
const HEIGHT = 168;
const charts = new Set();

export function color(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** The name of a line's color. */
export function lineColor(line, place) {
  return HEX[line.color] ?? PALETTES[line.palette] ?? SEQUENCE[place % SEQUENCE.length];
}

export function markerColor(marker) {
  return HEX[marker.color] ?? KINDS[marker.kind] ?? "gray";
}

window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  for (const chart of charts) chart.redraw();
});

export class Chart {
  /** A chart in an element; zoom(from, to) is called when a stretch is selected. */
  constructor(parent, label, zoom = null) {
    this.box = el("div", {class: "plot", tabindex: "0", role: "img", "aria-label": label});
    this.tip = el("div", {class: "tip", hidden: true});
    this.box.append(this.tip);
    parent.append(this.box);
    this.label = label;
    this.zoom = zoom;
    this.shape = "";
    this.plot = null;
    this.box.addEventListener("keydown", (event) => this.step(event));
    this.box.addEventListener("blur", () => this.plot?.setCursor({left: -10, top: -10}));
    this.resized = new ResizeObserver(() => this.resize());
    this.resized.observe(this.box);
    charts.add(this);
  }

  close() {
    this.resized.disconnect();
    this.plot?.destroy();
    charts.delete(this);
  }

  /** Shows data: {times, series: [{label, values, draw, step, palette}], unit, markers, marks, from, to}. */
  show(data) {
    this.data = data;
    this.lines = data.series.map((line, place) => ({...line, name: lineColor(line, place)}));
    this.stacked = this.lines.length > 0 && this.lines.every((line) => line.draw === "bars");
    this.drawn = this.columns();
    this.reach = this.extent();
    this.described();
    const shape = JSON.stringify([this.lines.map((line) => [line.label, line.name, line.draw, line.step > 60]), data.unit]);
    if (shape !== this.shape || !this.plot) {
      this.shape = shape;
      this.plot?.destroy();
      this.plot = new uPlot(this.options(), this.drawn, this.box);
    } else {
      this.plot.setData(this.drawn);
    }
  }

  redraw() {
    this.plot?.redraw(true, true);
  }

  resize() {
    const width = this.box.clientWidth;
    if (this.plot && width && this.plot.width !== width) this.plot.setSize({width, height: HEIGHT});
  }

  described() {
    const newest = this.lines.map((line) => `${line.label} ${quantity(last(line.values), this.data.unit)}`);
    this.box.setAttribute("aria-label", `${this.label}: ${newest.join(", ") || "no lines"}`);
  }

  /** Columns as they are drawn: bars stacked, the highest first, so that lower ones cover it. */
  columns() {
    const {times} = this.data;
    if (!this.stacked) return [times, ...this.lines.map((line) => line.values)];
    const sums = times.map(() => 0);
    const columns = this.lines.map((line) => line.values.map((value, place) => {
      if (value === null) return null;
      sums[place] += value;
      return value === 0 ? null : sums[place];
    }));
    return [times, ...columns.reverse()];
  }

  options() {
    const drawn = this.stacked ? [...this.lines].reverse() : this.lines;
    const bars = uPlot.paths.bars({size: [0.86, 48], align: 1, radius: 0.08});
    const axis = {
      stroke: () => color("quiet"), grid: {stroke: () => color("grid"), width: 1},
      ticks: {show: false}, font: "11px system-ui, sans-serif",
    };
    return {
      width: this.box.clientWidth || 400,
      height: HEIGHT,
      padding: [10, 18, 0, 0],
      cursor: {
        y: false, points: {size: 6}, drag: {x: Boolean(this.zoom), y: false, setScale: false},
        sync: {key: "charts"},
      },
      legend: {show: false},
      scales: {
        x: {time: true, range: () => [this.data.from, this.data.to]},
        y: {range: () => this.reach},
      },
      axes: [
        {...axis, size: 26, gap: 4, values: (_, splits) => splits.map((at) => time(at, true).split(" ").pop()), space: 70},
        {...axis, size: 56, gap: 6, ...(this.data.unit === "second" ? {incrs: SECONDS} : {}), values: (_, splits) => splits.map((value) => quantity(value, this.data.unit)), space: 32},
      ],
      series: [{}, ...drawn.map((line) => ({
        label: line.label,
        stroke: () => color(line.name),
        width: line.draw === "bars" ? 0 : 1.5,
        fill: line.draw === "bars" ? () => color(line.name) : undefined,
        paths: line.draw === "bars" ? bars : undefined,
        points: line.draw === "bars" ? {show: false} : {size: 4, fill: () => color(line.name)},
        spanGaps: line.step > 60,
      }))],
      hooks: {
        drawClear: [() => this.prelude()],
        draw: [() => this.across()],
        setCursor: [() => this.point()],
        setSelect: [(plot) => this.select(plot)],
      },
    };
  }

  /** From zero up to the data, and to thresholds that are near it. */
  extent() {
    let low = 0;
    let top = 0;
    for (const column of this.drawn.slice(1)) {
      for (const value of column) {
        if (value > top) top = value;
        else if (value < low) low = value;
      }
    }
    const values = this.data.markers.map((marker) => marker.value);
    const near = values.filter((value) => value > 0 && (this.data.whole || value <= (top ? top * 4 : 10)));
    const reach = Math.max(top, ...near);
    return [low, reach ? reach * 1.1 : 1];
  }

  /** What lies before a session's beginning, in gray: it was made up. */
  prelude() {
    const {ctx, bbox} = this.plot;
    if (!(this.data.begun > this.data.from)) return;
    const end = Math.min(bbox.left + bbox.width, this.plot.valToPos(this.data.begun, "x", true));
    ctx.save();
    ctx.fillStyle = color("raised");
    ctx.fillRect(bbox.left, bbox.top, end - bbox.left, bbox.height);
    ctx.restore();
  }

  /** Thresholds as dashed lines, and marks as dotted ones. */
  across() {
    const {ctx, bbox} = this.plot;
    ctx.save();
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([5 * devicePixelRatio, 4 * devicePixelRatio]);
    for (const marker of this.data.markers) {
      const y = Math.round(this.plot.valToPos(marker.value, "y", true));
      if (y < bbox.top || y > bbox.top + bbox.height) continue;
      ctx.strokeStyle = color(markerColor(marker));
      stroke(ctx, bbox.left, y, bbox.left + bbox.width, y);
    }
    ctx.setLineDash([2 * devicePixelRatio, 3 * devicePixelRatio]);
    for (const mark of this.data.marks ?? []) {
      const x = Math.round(this.plot.valToPos(mark.at, "x", true));
      if (x < bbox.left || x > bbox.left + bbox.width) continue;
      ctx.strokeStyle = color(mark.kind === "alarm" ? "alarm" : "quiet");
      stroke(ctx, x, bbox.top, x, bbox.top + bbox.height);
    }
    ctx.restore();
  }

  /** The tooltip beside the cursor. */
  point() {
    const {idx, left} = this.plot.cursor;
    const over = document.activeElement === this.box || this.box.matches(":hover");
    this.tip.hidden = idx === null || idx === undefined || left < 0 || !over;
    if (this.tip.hidden) return;
    const at = this.data.times[idx];
    const marks = (this.data.marks ?? []).filter((mark) => Math.abs(mark.at - at) <= 90);
    this.tip.replaceChildren(
      el("div", {}, el("strong", {}, time(at, true))),
      ...this.lines.map((line) => el("div", {}, swatch(line.name), line.label,
        el("b", {}, quantity(line.values[idx], this.data.unit)))),
      ...marks.map((mark) => el("div", {}, `${mark.kind === "alarm" ? "ALARM: " : ""}${mark.text}`)),
    );
    const room = this.box.clientWidth - this.tip.offsetWidth - 4;
    const wanted = left + 56 + 12;
    this.tip.style.left = `${Math.max(0, wanted > room ? left + 56 - this.tip.offsetWidth - 12 : wanted)}px`;
    this.tip.style.top = "4px";
  }

  select(plot) {
    const {left, width} = plot.select;
    if (this.zoom && width > 8) {
      this.zoom(Math.floor(plot.posToVal(left, "x")), Math.ceil(plot.posToVal(left + width, "x")));
    }
    plot.setSelect({left: 0, width: 0, top: 0, height: 0}, false);
  }

  /** The arrow keys move the cursor from value to value. */
  step(event) {
    const moves = {ArrowLeft: -1, ArrowRight: 1};
    if (!this.plot || !(event.key in moves)) return;
    event.preventDefault();
    const last = this.data.times.length - 1;
    const from = this.plot.cursor.idx ?? last + 1;
    const place = Math.min(last, Math.max(0, from + moves[event.key]));
    this.plot.setCursor({left: this.plot.valToPos(this.data.times[place], "x"), top: 20});
  }
}

function stroke(ctx, x1, y1, x2, y2) {
  ctx.beginPath();
  ctx.moveTo(x1, y1);
  ctx.lineTo(x2, y2);
  ctx.stroke();
}

export function swatch(name, across = false) {
  const made = el("i", {class: across ? "swatch across" : "swatch", "aria-hidden": "true"});
  made.style[across ? "borderTopColor" : "background"] = `var(--${name})`;
  return made;
}

export function last(values) {
  for (let place = values.length - 1; place >= 0; place -= 1) {
    if (values[place] !== null) return values[place];
  }
  return null;
}
