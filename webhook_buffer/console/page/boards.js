// Dashboards: the same JSON that is published, with the session's numbers.
import {ask} from "./client.js";
import {el} from "./dom.js";
import {address, here, refilter, refiltered} from "./location.js";
import {duration, time} from "./format.js";
import {arranged, sections, widget} from "./widgets.js";

const RANGES = [[900, "15 minutes"], [3600, "1 hour"], [10800, "3 hours"], [43200, "12 hours"], [86400, "24 hours"]];
// Between two redraws while the session goes on, milliseconds.
const SELDOM = 2000;

export function boards(main, page) {
  const choice = el("select", {"aria-label": "Dashboard", onchange: (event) => {
    location.hash = address("dashboards", event.target.value, Object.fromEntries(here().filters));
  }});
  const range = el("select", {"aria-label": "Time range", onchange: (event) => {
    refilter({range: event.target.value, from: null, to: null});
  }});
  range.append(...RANGES.map(([seconds, words]) => el("option", {value: seconds}, words)));
  const title = el("h1", {});
  const about = el("span", {class: "quiet"});
  const zoomed = el("span", {});
  const grid = el("div", {class: "board"});
  main.append(el("div", {class: "bar"}, title, about, el("label", {}, "Dashboard", choice),
    el("label", {}, "Last", range), zoomed), grid);
  let parts = [];
  let structure = "";
  let drawn = 0;
  let listed = null;

  function zoom(from, to) {
    refilter({from: String(from), to: String(Math.max(to, from + 120)), range: null});
  }

  function build(board) {
    parts.forEach((part) => part.close?.());
    parts = [];
    grid.replaceChildren(...sections(board.widgets).map((titled) => section(titled)));
  }

  function section({title, widgets}) {
    return el("section", {}, title ? el("h2", {}, title) : null, arranged(widgets, (spec) => {
      const part = widget(spec, zoom);
      parts.push(part);
      return part;
    }));
  }

  return {
    close: () => parts.forEach((part) => part.close?.()),
    async refresh({key, filters}, what) {
      const moved = what.includes("place") || what.includes("everything");
      if (!moved && (performance.now() - drawn < SELDOM || filters.get("to"))) return;
      drawn = performance.now();
      listed ??= (await ask("boards")).boards;
      if (choice.children.length !== listed.length) {
        choice.replaceChildren(...listed.map((entry) => el("option", {value: entry.key}, `${entry.title.replace(/^Webhook buffer — /, "")} (${entry.of})`)));
      }
      const chosen = key || listed[0].key;
      choice.value = chosen;
      const seconds = Number(filters.get("range") || 3600);
      range.value = String(seconds);
      const session = page.session ?? await ask("session");
      // A session that is younger than the range fills the charts all the same.
      const from = Number(filters.get("from")) || Math.max(Math.floor(session.now) - seconds, Math.min(session.start, session.now - 300) - 60);
      const asked = new URLSearchParams({from: String(Math.floor(from))});
      if (filters.get("to")) asked.set("to", filters.get("to"));
      const board = await ask(`boards/${encodeURIComponent(chosen)}?${asked}`);
      title.textContent = board.title.replace(/^Webhook buffer — /, "").replace(/^./, (letter) => letter.toUpperCase());
      about.textContent = board.variables.map((variable) => `${variable.name}: ${variable.value}`).join(" · ");
      zoomed.replaceChildren(...(filters.get("from") ? [
        el("span", {class: "quiet"}, `${time(board.from, true)} – ${time(board.to, true)} (${duration(board.to - board.from)}) `),
        el("a", {href: refiltered({from: null, to: null})}, "Back to now")] : []));
      const widgets = board.widgets.flatMap((spec) => spec.type === "group" ? spec.widgets : [spec]);
      const made = JSON.stringify([chosen, widgets.map((spec) => [spec.type, spec.title, Boolean(spec.reason)])]);
      if (made !== structure) {
        structure = made;
        build(board);
      }
      widgets.forEach((spec, place) => parts[place].show({...spec, from: board.from, to: board.to, marks: board.marks}));
    },
  };
}
