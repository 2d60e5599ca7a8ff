// The record's indexes: what came before the session, or is too old for it, found when somebody asks.
import {ask} from "./client.js";
import {el, state} from "./dom.js";
import {time} from "./format.js";
import {address, here} from "./location.js";

/** A button that searches the record for what stands in the filters, and what that found. */
export function record() {
  const rows = el("ul", {class: "rows"});
  const said = el("p", {class: "reason", role: "status"});
  const button = el("button", {type: "button", onclick: search}, "Search the record");
  const hint = el("p", {class: "reason"}, "Searches by group:, delivery: or message id cover all time, any other the time chosen; status: and attempts: filter the result.");
  const element = el("section", {"aria-label": "Search of the record"}, button, hint, said, rows);
  let asked = "";

  async function search() {
    const {filters} = here();
    asked = wanted(filters);
    button.disabled = true;
    try {
      const found = await ask(`record?${asked}`);
      said.textContent = found.reason ?? words(found);
      rows.replaceChildren(...found.webhooks.map(row));
    } catch (error) {
      said.textContent = error.message;
      rows.replaceChildren();
    }
    button.disabled = false;
  }

  return {
    element,
    /** Forgets what was found once the filters ask for something else. */
    changed(filters) {
      if (asked === wanted(filters)) return;
      asked = wanted(filters);
      said.textContent = "";
      rows.replaceChildren();
    },
  };
}

function wanted(filters) {
  return new URLSearchParams({q: filters.get("q") ?? "", minutes: filters.get("minutes") ?? ""}).toString();
}

function words(found) {
  const count = found.webhooks.length;
  const of = found.minutes ? ` from the last ${found.minutes} minutes` : "";
  const only = found.more ? ` Only the latest ${found.read}${of} were read.` : "";
  return `${count ? `${count} recorded${of}.` : `No recorded webhook${of} matches.`}${only}`;
}

function row(one) {
  return el("li", {}, el("a", {href: address("webhooks", one.id, Object.fromEntries(here().filters))},
    el("strong", {}, one.id), el("span", {class: "right"}, state(one.state)),
    el("span", {class: "meta"}, `${one.group}${one.delivery ? ` · ${one.delivery}` : ""}`),
    el("span", {class: "right meta"}, [`${one.attempts} ${one.attempts === 1 ? "attempt" : "attempts"}`, one.status, time(one.queued)].filter(Boolean).join(" · "))));
}
