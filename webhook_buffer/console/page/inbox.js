// The inbox: each notification as its recipient sees it.
import {ask} from "./client.js";
import {el, facts, keyed, link, state} from "./dom.js";
import {time} from "./format.js";
import {address, here, refiltered} from "./location.js";

const WIDE = window.matchMedia("(min-width: 1001px)");
const KINDS = {slack: "Slack", email: "Email", pagerduty: "PagerDuty", https: "HTTPS", sentry: "Sentry"};

export function inbox(main) {
  const chips = el("div", {class: "chips"});
  const rows = el("ul", {class: "rows"});
  const none = el("p", {class: "empty", hidden: true}, "Nobody has been notified of anything yet. To see how it looks: webhook-buffer alarms drill backend-down");
  const split = el("div", {class: "split"});
  const detail = el("section", {class: "detail", "aria-label": "The chosen notification"});
  split.append(el("section", {class: "card list", "aria-label": "Notifications"}, rows, none), detail);
  main.append(el("div", {class: "bar"}, el("h1", {}, "Inbox"), chips), split);

  function row(notification) {
    return el("li", {}, el("a", {href: address("inbox", notification.key, Object.fromEntries(here().filters)),
      "aria-current": notification.current ? "true" : null},
      el("strong", {}, headline(notification)), el("span", {class: "right"}, state(notification.kind === "sentry" ? String(notification.content.level ?? "error").toUpperCase() : notification.recovered ? "OK" : "ALARM")),
      el("span", {class: "meta"}, recipient(notification)),
      el("span", {class: "right meta"}, time(notification.at))));
  }

  return {
    async refresh({key, filters}, what) {
      if (!["place", "everything", "inbox"].some((part) => what.includes(part))) return;
      const {notifications, reason} = await ask("inbox");
      const wanted = filters.get("kind") ?? "";
      const every = notifications.map((notification) => ({...notification, key: `${notification.at}-${notification.channel}`}));
      const kinds = [["", "All"], ...Object.entries(KINDS).filter(([kind]) => every.some((notification) => notification.kind === kind))];
      chips.replaceChildren(...kinds.map(([kind, words]) => el("a", {href: refiltered({kind}), "aria-current": kind === wanted ? "true" : null},
        `${words} ${every.filter((notification) => !kind || notification.kind === kind).length}`)));
      const matching = every.filter((notification) => !wanted || notification.kind === wanted);
      keyed(rows, matching.map((notification) => ({...notification, current: notification.key === (key || (WIDE.matches && matching[0].key))})), (notification) => notification.key, row);
      none.hidden = matching.length > 0;
      if (reason) none.textContent = reason;
      const notification = every.find((each) => each.key === key) ?? (WIDE.matches ? matching[0] : undefined);
      split.classList.toggle("chosen", Boolean(notification && key));
      split.classList.toggle("alone", !matching.length);
      detail.hidden = !matching.length;
      detail.replaceChildren(
        el("a", {class: "back", href: address("inbox", "", Object.fromEntries(filters))}, "← All notifications"),
        el("div", {class: "card"}, notification ? [el("p", {class: "quiet"}, `${recipient(notification)} · ${time(notification.at)}`), seen(notification)]
          : el("p", {class: "empty"}, "Choose a notification to read it.")));
      if (!notification) detail.firstElementChild.remove();
    },
  };
}

/** The kind of a channel, and its name where that says more. */
function recipient({kind, channel}) {
  const shown = KINDS[kind] ?? kind;
  return channel === kind ? shown : `${shown} · ${channel}`;
}

function headline({kind, content}) {
  if (kind === "slack") return content.blocks?.find((block) => block.type === "header")?.text?.text ?? content.text ?? "";
  if (kind === "email") return content.subject ?? "";
  if (kind === "pagerduty") return content.payload?.summary ?? `${content.event_action}: ${content.dedup_key}`;
  if (kind === "sentry") return failure(content).title;
  return content.summary ?? content.title ?? content.alarm ?? "";
}

function seen({kind, content}) {
  const made = {slack, email, pagerduty, sentry}[kind];
  return made ? made(content) : json(content);
}

/** Source: Slack's reference, "Block Kit" and "Formatting text". */
function slack(content) {
  const blocks = content.blocks ?? [{type: "section", text: {text: content.text ?? ""}}];
  return el("div", {class: "slack"}, el("span", {class: "avatar", "aria-hidden": "true"}, "W"), el("div", {},
    el("p", {}, el("strong", {}, "Webhook buffer"), " ", el("span", {class: "chip"}, "APP")),
    blocks.map((block) => block.type === "header" ? el("h3", {}, unescaped(block.text?.text ?? ""))
      : block.type === "divider" ? el("hr", {})
        : el("p", {}, mrkdwn([block.text?.text, ...(block.fields ?? block.elements ?? []).map((part) => part.text)].filter((part) => typeof part === "string").join("\n"))))));
}

const MARKUP = /\*([^*\n]+)\*|`([^`\n]+)`|<([^|>\n]+)(?:\|([^>\n]+))?>/g;

function mrkdwn(text) {
  const parts = [];
  let position = 0;
  for (const match of text.matchAll(MARKUP)) {
    parts.push(unescaped(text.slice(position, match.index)));
    if (match[1]) parts.push(el("strong", {}, unescaped(match[1])));
    else if (match[2]) parts.push(el("code", {}, unescaped(match[2])));
    else parts.push(link(unescaped(match[3]), unescaped(match[4] ?? match[3])));
    position = match.index + match[0].length;
  }
  return [...parts, unescaped(text.slice(position))];
}

function unescaped(text) {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}

function email({subject, text}) {
  return el("div", {class: "mail"}, facts([["From", "AWS Notifications"], ["Subject", el("strong", {}, subject)]]), el("pre", {}, text));
}

function pagerduty(content) {
  const payload = content.payload ?? {};
  const details = Object.entries(payload.custom_details ?? {}).map(([name, value]) =>
    [name, Array.isArray(value) ? el("ol", {}, value.map((step) => el("li", {}, String(step)))) : String(value)]);
  return el("div", {}, el("div", {class: "head"}, el("h2", {}, payload.summary ?? content.dedup_key),
    state(content.event_action === "resolve" ? "OK" : "ALARM")),
  facts([["Event", content.event_action], ["Severity", payload.severity], ["Source", payload.source],
    ["Component", payload.component], ["Incident key", el("code", {}, content.dedup_key)], ...details]),
  el("p", {}, (content.links ?? []).map((target) => [link(target.href, target.text), " "]).flat()));
}

/** What Sentry calls an event: its exception, or its message. */
function failure(content) {
  const thrown = listed(content.exception?.values).at(-1);
  const message = content.logentry?.message ?? content.message ?? "";
  return {title: String(thrown?.type ?? message), text: String(thrown ? thrown.value ?? "" : ""), thrown};
}

function listed(value) {
  return Array.isArray(value) ? value.filter((item) => item && typeof item === "object") : [];
}

/** Source: Sentry's developer documentation, "Event Payloads", and what its issue page shows. */
function sentry(content) {
  const {title, text, thrown} = failure(content);
  const frames = listed(thrown?.stacktrace?.frames).slice(-50).reverse();
  const tags = Object.entries(content.tags ?? {}).map(([name, value]) => [name, el("code", {}, String(value))]);
  return el("div", {}, el("div", {class: "head"}, el("h2", {}, title), state(String(content.level ?? "error").toUpperCase())),
    text ? el("p", {}, text) : null,
    facts([["Event", el("code", {}, String(content.event_id ?? ""))], ["Environment", content.environment], ["Release", content.release],
      ["Server", content.server_name], ["Transaction", content.transaction]].map(([name, value]) =>
      [name, value instanceof Node || value === null || value === undefined ? value : String(value)])),
    tags.length ? [el("h3", {class: "spaced"}, "Tags"), facts(tags)] : null,
    frames.length ? [el("h3", {class: "spaced"}, "Stack trace, the newest call first"), el("ol", {class: "frames"}, frames.map((frame) => el("li", {},
      el("code", {}, `${frame.filename ?? frame.module ?? "?"}:${frame.lineno ?? "?"}`), " in ", el("strong", {}, String(frame.function ?? "?")),
      frame.context_line ? el("pre", {}, String(frame.context_line).trim()) : null)))] : null);
}

function json(content) {
  const {steps, links, ...rest} = content;
  const simple = Object.entries(rest).filter(([, value]) => value === null || typeof value !== "object");
  return el("div", {}, facts(simple.map(([name, value]) => [name, value === null ? "null" : String(value)])),
    el("h3", {class: "spaced"}, "As it was posted"), el("pre", {}, JSON.stringify({steps, links, ...rest}, null, 2)));
}
