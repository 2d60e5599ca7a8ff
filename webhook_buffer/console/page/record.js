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
      const answer = await ask(`record?${asked}`);
      said.textContent = answer.reason ?? words(answer);
      rows.replaceChildren(...answer.webhooks.map(row));
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

function words(answer) {
  const count = answer.webhooks.length;
  const of = answer.minutes ? ` from the last ${answer.minutes} minutes` : "";
  const only = answer.more ? ` Only the latest ${answer.read}${of} were read.` : "";
  return `${count ? `${count} recorded${of}.` : `No recorded webhook${of} matches.`}${only}`;
}

function row(webhook) {
  return el("li", {}, el("a", {href: address("webhooks", webhook.id, Object.fromEntries(here().filters))},
    el("strong", {}, webhook.id), el("span", {class: "right"}, state(webhook.state)),
    el("span", {class: "meta"}, `${webhook.group}${webhook.delivery ? ` · ${webhook.delivery}` : ""}`),
    el("span", {class: "right meta"}, [`${webhook.attempts} ${webhook.attempts === 1 ? "attempt" : "attempts"}`, webhook.status, time(webhook.queued)].filter(Boolean).join(" · "))));
}
