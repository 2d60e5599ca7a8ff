// Alarms: which are on, and of one everything that helps to understand it.
import {Chart} from "./chart.js";
import {ask} from "./client.js";
import {el, facts, keyed, state, tree} from "./dom.js";
import {time} from "./format.js";
import {address, here, refilter, refiltered} from "./location.js";

const WIDE = window.matchMedia("(min-width: 1001px)");
const STATES = [["", "All"], ["ALARM", "In ALARM"], ["INSUFFICIENT_DATA", "No data"], ["OK", "OK"]];

export function alarms(main, page) {
  const chips = el("div", {class: "chips"});
  const search = el("input", {type: "search", placeholder: "Search by id or title", "aria-label": "Search alarms",
    oninput: (event) => refilter({q: event.target.value})});
  const rows = el("ul", {class: "rows"});
  const none = el("p", {class: "empty", hidden: true}, "No alarm matches.");
  const split = el("div", {class: "split"});
  const list = el("section", {class: "card list", "aria-label": "Alarms"}, rows, none);
  const detail = el("section", {class: "detail", "aria-label": "The chosen alarm"});
  split.append(list, detail);
  main.append(el("div", {class: "bar"}, el("h1", {}, "Alarms"), chips, el("div", {class: "search"}, search)), split);
  let chart = null;
  let shown = null;

  function row(alarm) {
    const incident = alarm.composite ? "incident" : alarm.severity;
    return el("li", {}, el("a", {href: address("alarms", alarm.id, Object.fromEntries(here().filters)),
      "aria-current": alarm.current ? "true" : null},
      el("strong", {}, alarm.title), el("span", {class: "right"}, state(alarm.state)),
      el("span", {class: "meta"}, `${alarm.id} · ${incident}`),
      el("span", {class: "right meta"}, alarm.value ? `${alarm.value} / ${alarm.threshold}` : "")));
  }

  function build(alarm) {
    chart?.close();
    chart = null;
    const place = {why: el("div", {class: "card"}), chart: el("div", {class: "card"}), changes: el("div", {class: "card"})};
    detail.replaceChildren(
      el("a", {class: "back", href: address("alarms", "", Object.fromEntries(here().filters))}, "← All alarms"),
      ...(alarm.chart ? [place.why, place.chart, place.changes] : [place.why, place.changes]),
      el("div", {class: "card runbook"}, el("h3", {}, `What to do: ${alarm.runbook.heading}`),
        alarm.runbook.content.length ? tree(alarm.runbook.content, 4) : el("p", {class: "reason"}, "The runbook has no such section.")));
    if (alarm.chart) {
      place.chart.append(el("h3", {}, "What is compared with the threshold"));
      chart = new Chart(place.chart, alarm.title);
      place.words = el("p", {class: "reason"});
      place.chart.append(place.words);
    }
    return place;
  }

  function update(place, alarm) {
    place.why.replaceChildren(
      el("div", {class: "head"}, el("h2", {}, alarm.title), state(alarm.state)),
      el("p", {class: "quiet"}, alarm.impact),
      el("p", {}, el("strong", {}, "Why: "), alarm.why),
      facts([["Rule", alarm.rule], ["Since", alarm.since ? time(Date.parse(alarm.since) / 1000) : "the session began"],
        ["Severity", alarm.severity], ["Incident", alarm.incident ? el("a", {href: address("alarms", alarm.incident)}, alarm.incident) : null],
        ["Suppressed", alarm.suppressed], ["Id", el("code", {}, alarm.id)]]),
      el("h3", {class: "spaced"}, alarm.composite ? "Combinations" : "What it reads"), covers(alarm));
    if (alarm.chart && chart) {
      const {times, values, threshold, threshold_words: words, side, unit} = alarm.chart;
      const to = times.at(-1) ?? page.session.now;
      chart.show({times, unit, series: [{label: "value", values, draw: "line", step: 60, palette: "blue"}],
        markers: [{value: threshold, label: words, kind: alarm.severity === "page" ? "error" : "warning"}],
        marks: [], whole: true, begun: alarm.chart.begun, from: Math.max(times[0] ?? to - 3600, to - 10800), to: to + 60});
      place.words.textContent = alarm.chart.reason ?? [`Dashed: the threshold. It counts as bad when ${side} ${words}.`,
        times[0] < alarm.chart.begun ? "Gray: before the session, where all is taken for healthy." : ""].join(" ");
    }
    place.changes.replaceChildren(el("h3", {}, "Timeline"), alarm.changes.length
      ? el("div", {class: "scroll"}, el("table", {}, el("thead", {}, el("tr", {}, ["At", "State", "Notified", "Reason"].map((name) => el("th", {}, name)))),
        el("tbody", {}, alarm.changes.map((change) => el("tr", {}, el("td", {class: "fixed"}, time(change.at)), el("td", {}, state(change.state)),
          el("td", {}, change.notified ? "yes" : "no"), el("td", {}, change.reason))))))
      : el("p", {class: "reason"}, "It has not changed its state in this session."));
  }

  function covers(alarm) {
    if (!alarm.composite) {
      return el("ul", {class: "parts"}, alarm.covers.map((part) => el("li", {}, el("code", {}, part.metric), `${part.statistic} of ${part.of || "the API"}`)));
    }
    return el("ul", {class: "parts"}, alarm.covers.map((group) => el("li", {},
      ...group.parts.flatMap((part, place) => [place ? el("span", {class: "quiet"}, "and") : "", el("a", {href: address("alarms", part.id)}, part.id), state(part.state)]),
      group.unless.length ? el("span", {class: "quiet"}, `unless ${group.unless.join(", ")}`) : null)));
  }

  return {
    close: () => chart?.close(),
    async refresh({key, filters}, what) {
      if (!["place", "everything", "alarms", "timeline"].some((part) => what.includes(part))) return;
      const {alarms: all, judged} = await ask("alarms");
      const wanted = filters.get("state") ?? "";
      const query = (filters.get("q") ?? "").toLowerCase();
      if (document.activeElement !== search) search.value = filters.get("q") ?? "";
      chips.replaceChildren(...STATES.map(([name, words]) => el("a", {href: refiltered({state: name}),
        "aria-current": name === wanted ? "true" : null},
        `${words} ${all.filter((alarm) => !name || alarm.state === name).length}`)));
      const matching = all.filter((alarm) => (!wanted || alarm.state === wanted) && `${alarm.id} ${alarm.title}`.toLowerCase().includes(query));
      keyed(rows, matching.map((alarm) => ({...alarm, current: alarm.id === (key || (WIDE.matches && matching[0].id)), reason: "", filters: filters.toString()})), (alarm) => alarm.id, row);
      none.hidden = matching.length > 0;
      split.classList.toggle("chosen", Boolean(key));
      // Where there is room, the first is open: it is the worst.
      const chosen = key || (WIDE.matches && matching[0]?.id);
      if (!chosen) {
        chart?.close();
        chart = null;
        shown = null;
        detail.replaceChildren(el("div", {class: "card"}, el("p", {class: "empty"},
          `Choose an alarm to see why it is in its state. Judged at ${time(judged)}, every minute.`)));
        return;
      }
      const alarm = await ask(`alarms/${encodeURIComponent(chosen)}`);
      if (shown?.id !== alarm.id) shown = {id: alarm.id, place: build(alarm)};
      update(shown.place, alarm);
    },
  };
}

