// The frame of the page: which view is shown, the session's clock, pausing, what is said on top.
import {ask, listen, post} from "./client.js";
import {el} from "./dom.js";
import {duration, time} from "./format.js";
import {here} from "./location.js";
import {alarms} from "./alarms.js";
import {boards} from "./boards.js";
import {drills} from "./drills.js";
import {logs, traces} from "./explore.js";
import {inbox} from "./inbox.js";
import {runbook} from "./runbook.js";
import {webhooks} from "./webhooks.js";

const VIEWS = {
  dashboards: ["Dashboards", boards],
  alarms: ["Alarms", alarms],
  inbox: ["Inbox", inbox],
  webhooks: ["Webhooks", webhooks],
  drills: ["Drills", drills],
};
// Views that links lead to, and no tab.
const FURTHER = {runbook: ["Runbook", runbook], logs: ["Log lines", logs], traces: ["Traces", traces]};
const main = document.getElementById("main");
const speed = document.getElementById("pace");
const banner = document.getElementById("banner");
const page = {paused: false, connected: true, session: null};
let view = null;
let shown = "";
let showing = false;
const due = new Set();

function tabs() {
  const counts = {alarms: page.session?.alarms_on, webhooks: page.session?.retrying};
  const words = {alarms: "in ALARM", webhooks: "retrying"};
  document.getElementById("tabs").replaceChildren(...Object.entries(VIEWS).map(([name, [title]]) =>
    el("a", {href: `#/${name}`, "aria-current": here().view === name ? "page" : null}, title,
      counts[name] ? el("span", {class: "count", title: words[name]}, String(counts[name])) : null)));
}

function say(text) {
  if (banner.textContent !== text) banner.textContent = text;
  banner.hidden = !text;
}

async function route() {
  const place = here();
  const [title, make] = VIEWS[place.view] ?? FURTHER[place.view] ?? VIEWS.dashboards;
  document.title = `${title} · webhook buffer`;
  tabs();
  if (shown !== place.view) {
    view?.close?.();
    shown = place.view;
    main.replaceChildren();
    view = make(main, page);
  }
  await refresh(["place"]);
}

async function refresh(what) {
  try {
    const hash = location.hash;
    await view.refresh(here(), what);
    main.dataset.shown = hash;
    if (!page.paused && page.connected) say(said());
  } catch (error) {
    say(error.message);
  }
}

// From so many seconds on the two clocks are shown apart.
const AHEAD = 60;

function said() {
  return [page.session?.notice, clocks()].filter(Boolean).join(" ");
}

/** Which clock the times of a view are of, where a drill has made the session's run ahead. */
function clocks() {
  const ahead = page.session?.ahead ?? 0;
  if (ahead < AHEAD) return "";
  const {view: shown} = here();
  const lead = `${duration(ahead)} ahead of the wall clock, because a drill ran faster`;
  if (["inbox", "webhooks"].includes(shown)) return `Times here are wall-clock time. Dashboards and alarms show session time: ${lead}.`;
  return ["dashboards", "alarms", "logs"].includes(shown) ? `Times here are session time: ${lead}. The inbox and webhooks show wall-clock time.` : "";
}

async function session() {
  try {
    page.session = await ask("session");
  } catch (error) {
    say(error.message);
    return;
  }
  const {service, environment, pace, now, ahead, endpoint} = page.session;
  document.getElementById("service").textContent = service;
  document.getElementById("environment").textContent = environment;
  const lead = ahead < AHEAD ? "" : ` (${duration(ahead)} ahead)`;
  const rate = pace === 60 ? "" : ` · 1 minute = ${pace} s`;
  document.getElementById("clock").textContent = `${lead ? "Session time " : ""}${time(now)}${lead}${rate}`;
  speed.hidden = !endpoint;
  if (document.activeElement !== speed) speed.value = String(pace);
  tabs();
}

speed.addEventListener("change", async () => {
  try {
    await post("pace", {pace: Number(speed.value)});
  } catch (error) {
    speed.value = String(page.session.pace);
    say(error.message);
  }
  speed.blur();
});

/** Shows what changed at once, and gathers what changes meanwhile; a view may show it more seldom. */
async function changed(what) {
  if (page.paused) return;
  what.forEach((part) => due.add(part));
  if (showing) return;
  showing = true;
  while (due.size) {
    const all = [...due];
    due.clear();
    await Promise.all([refresh(all), session()]);
  }
  showing = false;
}

function connected(yes) {
  if (yes === page.connected) return;
  page.connected = yes;
  if (yes) {
    say("");
    changed(["everything"]);
  } else if (!page.paused) say("The connection to the console is broken. Trying again …");
}

const pause = document.getElementById("pause");
pause.addEventListener("click", () => {
  page.paused = !page.paused;
  pause.setAttribute("aria-pressed", String(page.paused));
  pause.textContent = page.paused ? "Paused" : "Pause";
  say(page.paused ? "The view is paused; the session goes on." : "");
  if (!page.paused) changed(["everything"]);
});
window.addEventListener("hashchange", route);
await session();
await route();
listen(changed, connected);
