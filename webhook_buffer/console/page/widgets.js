// One widget of a dashboard: made once, then shown new data.
import {Chart, lineColor, last, markerColor, swatch} from "./chart.js";
import {el, state, tree} from "./dom.js";
import {address} from "./location.js";
import {plain, quantity, time} from "./format.js";

// Of more lines than this, the legend has those that are not zero all the time.
const MANY = 8;
const COLUMNS = 12;
// Columns of each widget, by how many of them have those that lack something beside them.
const BESIDE = {1: 8, 2: 4, 3: 3};

/** {title, widgets} of each section of a dashboard; widgets of no group share one with those beside them. */
export function sections(widgets) {
  const made = [];
  for (const widget of widgets) {
    const open = made.at(-1);
    if (widget.type === "group") made.push({title: widget.title, widgets: widget.widgets, closed: true});
    else if (open && !open.closed) open.widgets.push(widget);
    else made.push({title: "", widgets: [widget]});
  }
  return made;
}

/** The widgets that stand side by side. */
function rows(widgets) {
  const made = [];
  let room = 0;
  for (const widget of widgets) {
    if (widget.width > room) {
      made.push([]);
      room = COLUMNS;
    }
    made.at(-1).push(widget);
    room -= widget.width;
  }
  return made;
}

/** The grid of a section's widgets; those that say why they have nothing share a column beside the others. */
export function arranged(widgets, make) {
  return el("div", {class: "widgets"}, rows(widgets).map((row) => {
    const parts = row.map((widget) => ({element: make(widget).element, width: widget.width, lacks: Boolean(widget.reason)}));
    const there = parts.filter((part) => !part.lacks);
    const width = BESIDE[there.length];
    if (there.length === parts.length || !width) return parts.map((part) => part.element);
    for (const part of there) part.element.classList.replace(`w${part.width}`, `w${width}`);
    const lacking = parts.filter((part) => part.lacks).map((part) => part.element);
    return [...there.map((part) => part.element),
      el("div", {class: `lacking w${COLUMNS - width * there.length}`}, lacking)];
  }));
}

/** {element, show(data), close()} of a widget. */
export function widget(data, zoom) {
  const element = el("article", {class: `widget card w${data.width} ${data.type === "free_text" ? "note" : data.type}`});
  const links = el("span", {class: "links"});
  const title = data.title || data.links?.length ? el("div", {class: "title"}, el("h3", {}, data.title), links) : null;
  const body = el("div", {});
  const note = el("p", {class: "reason", hidden: true});
  element.append(...[title, body, note].filter(Boolean));
  const make = {timeseries, query_value: number, slo, note: text, free_text: text, alarms: alarmGrid,
    list_stream: stream, log_stream: stream, event_stream: stream, event_timeline: stream, toplist: table, query_table: table,
    change: table, treemap: table, sunburst: table, distribution: timeseries, heatmap: timeseries}[data.type];
  const inner = data.reason || !make ? null : make(body, data, zoom);
  return {
    element,
    close: () => inner?.close?.(),
    show(now) {
      // A picture in a file has no view that a link within the page could lead to.
      links.replaceChildren(...(now.links ?? []).filter((link) => zoom || !link.href.startsWith("#")).map((link) =>
        el("a", {href: link.href, "aria-label": `${link.label} of ${now.title}`,
          ...(link.href.startsWith("#") ? {} : {rel: "noreferrer noopener", target: "_blank"})}, link.label)));
      const words = now.reason ?? now.empty ?? now.missing ?? "";
      note.textContent = words;
      note.hidden = !words;
      body.hidden = Boolean(now.reason ?? now.empty);
      if (inner && !body.hidden) inner.show(now);
    },
  };
}

function timeseries(body, data, zoom) {
  const chart = new Chart(body, data.title, zoom);
  const legend = el("ul", {class: "legend"});
  body.append(legend);
  return {
    close: () => chart.close(),
    show(now) {
      chart.show(now);
      const lines = now.series.map((line, place) => [line, lineColor(line, place)]);
      const listed = lines.length > MANY ? lines.filter(([line]) => line.values.some(Boolean)) : lines;
      legend.replaceChildren(
        ...listed.map(([line, color]) => el("li", {}, swatch(color), line.label,
          el("b", {}, quantity(last(line.values), now.unit)))),
        ...now.markers.map((marker) => el("li", {}, swatch(markerColor(marker), true), marker.label)));
    },
  };
}

const PALETTES = {white_on_red: "bad", white_on_yellow: "warn", white_on_green: "good",
  red_on_white: "bad", yellow_on_white: "warn", green_on_white: "good",
  black_on_light_red: "bad", black_on_light_yellow: "warn", black_on_light_green: "good"};
const WORDS = {bad: "alert", warn: "warning", good: "good"};

function number(body) {
  return {
    show(now) {
      const kind = PALETTES[now.palette];
      body.replaceChildren(el("p", {class: `big ${kind ?? ""}`}, shown(now.value, now.unit, now.precision),
        el("small", {}, [kind ? `${WORDS[kind]} · ` : "", now.caption].join(""))));
    },
  };
}

function shown(value, unit, precision) {
  if (unit === "percent" && value > 99 && value < 100) return `${value.toFixed(Math.max(2, precision ?? 2))} %`;
  return quantity(value, unit);
}

function slo(body) {
  return {
    show(now) {
      const left = Math.max(0, Math.min(100, now.left));
      const fill = el("i", {});
      fill.style.width = `${left}%`;
      body.replaceChildren(
        el("p", {class: `big ${now.left < 0 ? "bad" : "good"}`}, `${plain(now.left)} %`,
          el("small", {}, `of the error budget left · ${plain(now.value, 5)} % good, target ${now.target} % · since ${time(now.since, true)}`)),
        el("div", {class: `meter ${now.left <= 0 ? "bad" : ""}`}, fill));
    },
  };
}

function text(body, data) {
  body.append(...tree(data.content));
  return {show() {}};
}

function stream(body, data) {
  const list = el("ul", {class: "stream", tabindex: "0", "aria-label": data.title});
  body.append(list);
  return {
    show(now) {
      list.replaceChildren(...now.lines.map((line) => el("li", {},
        el("span", {class: "quiet"}, time(line.at)), line.level ? state(line.level) : el("span", {}),
        el("span", {}, el("strong", {}, line.source), line.text === line.level ? "" : ` ${line.text}`))));
    },
  };
}

function table(body) {
  return {
    show(now) {
      body.replaceChildren(el("table", {}, el("tbody", {}, now.rows.map((row) =>
        el("tr", {}, el("td", {}, row.label), el("td", {class: "number"}, quantity(row.value, row.unit)))))));
    },
  };
}

function alarmGrid(body, data, zoom) {
  return {
    show(now) {
      body.replaceChildren(el("div", {class: "alarm-grid"}, now.rows.map((row) =>
        el("span", {}, state(row.state), " ", zoom && row.id ? el("a", {href: address("alarms", row.id)}, row.id) : row.id ?? row.alarm))));
    },
  };
}
