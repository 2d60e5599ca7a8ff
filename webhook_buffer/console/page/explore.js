// Log lines that match a search, and traces: what the links of dashboards lead to.
import {ask} from "./client.js";
import {el, state} from "./dom.js";
import {here, refilter} from "./location.js";
import {time} from "./format.js";

export function logs(main) {
  const search = el("input", {type: "search", "aria-label": "Search log lines", placeholder: "@level:WARNING functionname:…",
    oninput: (event) => refilter({q: event.target.value})});
  const within = el("span", {class: "quiet"});
  const list = el("ul", {class: "stream whole", tabindex: "0", "aria-label": "Log lines"});
  const none = el("p", {class: "empty", hidden: true});
  main.append(el("div", {class: "bar"}, el("h1", {}, "Log lines"), within, el("div", {class: "search"}, search)),
    el("section", {class: "card"}, list, none));
  return {
    async refresh({filters}, what) {
      if (!["place", "everything", "session"].some((part) => what.includes(part))) return;
      const [from, to] = [filters.get("from"), filters.get("to")];
      if (document.activeElement !== search) search.value = filters.get("q") ?? "";
      within.textContent = from && to ? `${time(Number(from), true)} – ${time(Number(to), true)}` : "";
      const asked = new URLSearchParams({q: filters.get("q") ?? "", from: from ?? "", to: to ?? ""});
      const {lines, more} = await ask(`logs?${asked}`);
      list.replaceChildren(...lines.map((line) => el("li", {}, el("span", {class: "quiet"}, time(line.at)),
        line.level ? state(line.level) : el("span", {}), el("span", {}, el("strong", {}, line.source), " ", el("code", {}, line.text)))));
      none.hidden = lines.length > 0 && !more;
      none.textContent = more ? "Older lines match, too; narrow the search to see them." : "No log line in this time range matches.";
    },
  };
}

export function traces(main) {
  const asked = el("code", {});
  main.append(el("div", {class: "bar"}, el("h1", {}, "Traces")),
    el("section", {class: "card"}, el("p", {}, "A session does not keep traces. Datadog's trace explorer finds them by:"), el("pre", {}, asked)));
  return {
    async refresh() {
      asked.textContent = here().filters.get("q") ?? "";
    },
  };
}
