// Webhooks: what retries and why, found by any id, and one of them in full.
import {ask, post} from "./client.js";
import {el, facts, keyed, state} from "./dom.js";
import {bytes, duration, time} from "./format.js";
import {address, here, refilter, refiltered} from "./location.js";
import {record} from "./record.js";

const TIMES = [["", "any time"], ["15", "15 minutes"], ["60", "1 hour"], ["1440", "24 hours"]];
const STATES = [["", "All"], ["retrying", "Retrying"], ["queued", "Queued"], ["parked", "Parked"], ["dropped", "Dropped"], ["delivered", "Delivered"], ["consumed", "Consumed"]];

// States that have a filter only while a webhook is in them.
const SELDOM = ["parked", "dropped", "consumed"];
// Why a webhook was parked. Source: docs/runbook.md, "webhook-parked".
const PARKED = {refused: "the backend refused it", age: "the backend did not take it for too long",
  behind: "it follows another one of its group", unreadable: "it can't be read"};

export function webhooks(main) {
  const chips = el("div", {class: "chips"});
  const search = el("input", {type: "search", "aria-label": "Search webhooks", placeholder: "id, group, path, status:503, attempts:>3",
    oninput: (event) => refilter({q: event.target.value})});
  const within = el("select", {"aria-label": "Received within", onchange: (event) => refilter({minutes: event.target.value})},
    TIMES.map(([minutes, words]) => el("option", {value: minutes}, words)));
  const rows = el("ul", {class: "rows"});
  const none = el("p", {class: "empty", hidden: true});
  const split = el("div", {class: "split"});
  const blocked = el("section", {class: "card", hidden: true, "aria-label": "Groups that wait"});
  const detail = el("section", {class: "detail", "aria-label": "The chosen webhook"});
  const recorded = record();
  const list = el("section", {class: "card list", "aria-label": "Webhooks"}, rows, none, recorded.element);
  split.append(list, detail);
  const sender = form();
  main.append(el("div", {class: "bar"}, el("h1", {}, "Webhooks"), chips, el("div", {class: "search"}, search), el("label", {}, "Received within", within), sender.element), blocked, split);
  blocked.style.marginBottom = "16px";

  function row(webhook) {
    const outcome = webhook.status ? `${webhook.status}` : webhook.error ?? "";
    return el("li", {}, el("a", {href: address("webhooks", webhook.id, Object.fromEntries(here().filters)),
      "aria-current": webhook.current ? "true" : null},
      el("strong", {}, `${webhook.method} ${webhook.path}`), el("span", {class: "right"}, state(webhook.state)),
      el("span", {class: "meta"}, `${webhook.group}${webhook.delivery ? ` · ${webhook.delivery}` : ""}`),
      el("span", {class: "right meta"}, waiting(webhook) || [outcome, time(webhook.queued ?? webhook.delivered)].filter(Boolean).join(" · "))));
  }

  return {
    close: () => sender.close(),
    async refresh({key, filters}, what) {
      if (!["place", "everything", "session"].some((part) => what.includes(part))) return;
      const wanted = filters.get("state") ?? "";
      recorded.changed(filters);
      if (document.activeElement !== search) search.value = filters.get("q") ?? "";
      within.value = filters.get("minutes") ?? "";
      const asked = new URLSearchParams({q: filters.get("q") ?? "", state: wanted, minutes: filters.get("minutes") ?? ""});
      const [answer, {groups}] = await Promise.all([ask(`webhooks?${asked}`), ask("groups")]);
      const all = Object.values(answer.counts).reduce((sum, count) => sum + count, 0);
      chips.replaceChildren(...STATES.filter(([name]) => !SELDOM.includes(name) || answer.counts[name]).map(([name, words]) =>
        el("a", {href: refiltered({state: name}), "aria-current": name === wanted ? "true" : null}, `${words} ${name ? answer.counts[name] : all}`)));
      keyed(rows, answer.webhooks.map((webhook) => ({...webhook, current: webhook.id === key, in: waiting(webhook)})), (webhook) => webhook.id, row);
      none.hidden = answer.webhooks.length > 0 && !answer.more;
      none.textContent = answer.more ? `${answer.more} more; search to see them.`
        : all || filters.get("q") || filters.get("minutes") || wanted ? "No webhook matches." : "No webhook has come yet. Send one of GitHub's examples.";
      show(groups.filter((group) => group.blocked_by));
      split.classList.toggle("chosen", Boolean(key));
      split.classList.toggle("alone", !key);
      detail.hidden = !key;
      if (key) await open(key);
    },
  };

  function show(groups) {
    blocked.hidden = !groups.length;
    if (!groups.length) return;
    blocked.replaceChildren(el("h3", {}, groups.length === 1 ? "1 group is blocked" : `${groups.length} groups are blocked`),
      el("div", {class: "scroll"}, el("table", {class: "lines"}, el("thead", {}, el("tr", {}, ["Group", "Blocked by", "Outcome", "Attempts", "Waiting", "For", "Next attempt"].map((name) => el("th", {}, name)))),
        el("tbody", {}, groups.slice(0, 8).map((group) => el("tr", {}, el("td", {}, el("a", {href: address("webhooks", "", {q: `group:${group.group}`})}, group.group)),
          el("td", {}, el("a", {href: address("webhooks", group.blocked_by)}, group.blocked_by.slice(0, 8))), el("td", {}, String(group.status ?? group.error ?? "")),
          el("td", {}, String(group.attempts)), el("td", {}, String(group.waiting)), el("td", {}, group.since ? duration(Date.now() / 1000 - group.since) : ""),
          el("td", {}, group.held ? "once it is released" : next(group.next_attempt))))))));
  }

  async function open(key) {
    const back = el("a", {class: "back", href: address("webhooks", "", Object.fromEntries(here().filters))}, "← All webhooks");
    let webhook;
    try {
      webhook = await ask(`webhooks/${encodeURIComponent(key)}`);
    } catch (error) {
      detail.replaceChildren(back, el("div", {class: "card"}, el("p", {class: "empty"}, error.message)));
      return;
    }
    const digest = JSON.stringify([webhook, next(webhook.next_attempt)]);
    if (detail.digest === digest && detail.children.length) return;
    detail.digest = digest;
    const scrolled = detail.scrollTop;
    detail.replaceChildren(back, ...full(webhook));
    detail.scrollTop = scrolled;
  }
}

function waiting(webhook) {
  if (webhook.state === "parked") return PARKED[webhook.parked] ?? webhook.parked;
  if (webhook.state !== "retrying") return "";
  return `${webhook.attempts} ${webhook.attempts === 1 ? "attempt" : "attempts"} · ${webhook.next_attempt ? `next ${next(webhook.next_attempt)}` : "in progress"}`;
}

function next(at) {
  if (!at) return "";
  const left = at - Date.now() / 1000;
  return left > 0 ? `in ${Math.ceil(left)} s` : "now";
}

function full(webhook) {
  const request = webhook.request;
  return [
    el("div", {class: "card"}, el("div", {class: "head"}, el("h2", {}, webhook.method ? `${webhook.method} ${webhook.path}` : "A recorded webhook"), state(webhook.state)),
      facts([["Message id", el("code", {}, webhook.id)], ["Sender's delivery id", webhook.delivery ? el("code", {}, webhook.delivery) : null],
        ["Group", el("a", {href: address("webhooks", webhook.id, {q: `group:${webhook.group}`})}, webhook.group)], ["Received", time(webhook.queued)],
        ["Delivered", webhook.delivered ? `${time(webhook.delivered)}, ${duration(webhook.delivered - (webhook.queued ?? webhook.delivered))} later` : null],
        ["Next attempt", next(webhook.next_attempt) || null], ["Parked", webhook.parked ? PARKED[webhook.parked] ?? webhook.parked : null],
        ["Dropped", webhook.state === "dropped" ? "by a person; it will not be delivered" : null],
        ["To deliver it", webhook.release ? el("code", {}, webhook.release) : null],
        ["Waits for", webhook.waits_for ? el("a", {href: address("webhooks", webhook.waits_for)}, "the one before it in its group") : null],
        ["Body", webhook.bytes === null ? null : bytes(webhook.bytes)]])),
    el("div", {class: "card"}, el("h3", {}, "Attempts"), webhook.attempted.length ? el("div", {class: "scroll"}, el("table", {},
      el("thead", {}, el("tr", {}, ["No.", "At", "Outcome", "Took"].map((name) => el("th", {}, name)))),
      el("tbody", {}, [...webhook.attempted].reverse().map((attempt) => el("tr", {}, el("td", {}, String(attempt.number)), el("td", {class: "fixed"}, time(attempt.at)),
        el("td", {}, attempt.status ? String(attempt.status) : attempt.error ?? ""), el("td", {}, attempt.took_ms === null ? "" : duration(attempt.took_ms / 1000)))))))
      : el("p", {class: "reason"}, "It has not been attempted yet.")),
    el("div", {class: "card"}, el("h3", {}, "Request, as received"), webhook.withheld ? asking(webhook.id) : request ? [headers(Object.entries(request.headers ?? {})), body(request)]
      : el("p", {class: "reason"}, "The record has its request from the first attempt on.")),
    webhook.received.length ? el("div", {class: "card"}, el("h3", {}, "As the faux backend received it"), ...webhook.received.slice(-1).map((each) =>
      [el("p", {class: "quiet"}, `${each.method} ${each.target} at ${time(each.at)} · answered ${each.status ?? "nothing"} · ${bytes(each.bytes)} · sha256 ${each.sha256.slice(0, 16)}…`),
        headers(Object.entries(each.headers))]).flat()) : null,
    el("div", {class: "card"}, el("h3", {}, "Log lines"), webhook.lines.length ? el("ul", {class: "stream", tabindex: "0", "aria-label": "Log lines"}, webhook.lines.map((line) =>
      el("li", {}, el("span", {class: "quiet"}, time(line.at)), state(line.level), el("span", {}, el("strong", {}, `${line.function} ${line.event}`), " ", el("code", {}, line.text)))))
      : el("p", {class: "reason"}, "No line of it is kept in this session.")),
  ].filter(Boolean);
}

/** A button that reads the request, which is not shown before somebody wants it. */
function asking(id) {
  const place = el("div", {});
  place.append(el("p", {class: "reason"}, "Headers and body may hold people's data. They are read from the record table when you press this."),
    el("button", {type: "button", onclick: async () => {
      try {
        const {request} = await ask(`webhooks/${encodeURIComponent(id)}/request`);
        place.replaceChildren(...(request ? [headers(Object.entries(request.headers ?? {})), body(request)] : [el("p", {class: "reason"}, "The record has none.")]));
      } catch (error) {
        place.replaceChildren(el("p", {class: "reason"}, error.message));
      }
    }}, "Show headers and body"));
  return place;
}

function headers(pairs) {
  return el("div", {class: "scroll"}, el("table", {}, el("tbody", {}, pairs.map(([name, value]) =>
    el("tr", {}, el("th", {scope: "row"}, name), el("td", {}, el("code", {}, value)))))));
}

function body(request) {
  const text = request.body ?? "";
  if (request.isBase64Encoded) return el("p", {class: "reason"}, `A binary body of about ${bytes(Math.floor(text.length * 0.75))}.`);
  let shown = text;
  try {
    shown = JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    // Not JSON: shown as it is.
  }
  const cut = shown.length > 20000;
  return el("pre", {}, cut ? `${shown.slice(0, 20000)}\n…` : shown || "(empty)");
}

function form() {
  const choice = el("select", {"aria-label": "GitHub example"});
  const button = el("button", {type: "button", class: "primary"}, "Send");
  const said = el("span", {class: "quiet", role: "status"});
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      const {status, answer} = await post("webhooks", {example: choice.value});
      said.replaceChildren(answer.message_id ? el("a", {href: address("webhooks", answer.message_id)}, `${status}: follow it`) : `${status}`);
    } catch (error) {
      said.textContent = error.message;
    }
    button.disabled = false;
  });
  const element = el("div", {class: "bar send", hidden: true}, el("label", {}, "Example", choice), button, said);
  element.style.margin = "0";
  ask("examples").then(({examples}) => {
    choice.replaceChildren(...examples.map((name) => el("option", {value: name}, name)));
    choice.value = "push";
    element.hidden = !examples.length;
  }).catch(() => {});
  return {element, close() {}};
}
