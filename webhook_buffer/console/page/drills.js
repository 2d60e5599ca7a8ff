// Drills: a failure caused on purpose, watched, and judged.
import {ask, post, stop} from "./client.js";
import {el} from "./dom.js";
import {duration} from "./format.js";
import {address} from "./location.js";

const PACES = [[3, "1 minute = 3 s"], [15, "1 minute = 15 s"], [60, "real time"]];

export function drills(main) {
  const pace = el("select", {"aria-label": "Pace"}, PACES.map(([seconds, words]) => el("option", {value: seconds}, words)));
  const current = el("section", {class: "card", hidden: true, "aria-label": "The drill that runs, or ran last", "aria-live": "polite"});
  const list = el("tbody", {});
  const said = el("p", {class: "empty", hidden: true});
  const table = el("div", {class: "card scroll"}, el("table", {}, el("thead", {}, el("tr", {},
    ["Failure", "Must fire", ""].map((name) => el("th", {}, name)))), list), said);
  main.append(el("div", {class: "bar"}, el("h1", {}, "Drills"), el("label", {}, "Pace", pace)), current, table);
  let timer = null;
  let digest = "";

  async function act(doing) {
    said.hidden = true;
    try {
      show(await doing());
    } catch (error) {
      said.hidden = false;
      said.textContent = error.message;
    }
  }

  function show({drills: all, current: now, reason}) {
    const running = Boolean(now && !now.over);
    if (reason) {
      said.hidden = false;
      said.textContent = reason;
    }
    const made = JSON.stringify([all, running]);
    if (made !== digest) {
      digest = made;
      list.replaceChildren(...all.map((drill) => row(drill, running)));
    }
    current.hidden = !now;
    if (now) current.replaceChildren(...card(now));
    clearTimeout(timer);
    if (running) timer = setTimeout(() => act(() => ask("drills")), 500);
  }

  function row(drill, running) {
    const lacking = Object.entries(drill.lacking);
    const fires = drill.expects.map(({signal, minutes}) => el("li", {}, el("a", {href: address("alarms", signal)}, signal), ` within ${minutes} min`));
    const button = el("button", {type: "button", disabled: running || lacking.length > 0, "aria-label": `Run ${drill.name}`,
      onclick: () => act(() => post(`drills/${drill.name}`, {pace: Number(pace.value)}))}, "Run");
    return el("tr", {}, el("td", {}, el("strong", {}, drill.name), el("div", {class: "quiet"}, drill.title),
      drill.why ? el("div", {class: "quiet"}, `At least ${drill.least_pace} s a minute: ${drill.why}.`) : null),
    el("td", {}, el("ul", {class: "parts"}, fires, lacking.map(([signal, why]) => el("li", {class: "quiet"}, `${signal}: ${why}`)))),
    el("td", {class: "number"}, button));
  }

  function card(now) {
    const verdict = now.verdict;
    const outcome = !now.over ? el("span", {class: "state warning"}, now.stopping ? "stopping" : "running")
      : now.failed ? el("span", {class: "state alarm"}, "no verdict") : verdict.skipped ? el("span", {class: "state"}, "skipped")
        : el("span", {class: `state ${verdict.passed ? "ok" : "alarm"}`}, verdict.passed ? "passed" : "failed");
    const speed = now.pace === 60 ? "real time" : `1 minute = ${now.pace} s`;
    const took = verdict ? verdict.took : Date.now() / 1000 - now.begun;
    return [
      el("div", {class: "head"}, el("h2", {}, now.name), outcome,
        now.over || now.elsewhere ? null : el("button", {type: "button", disabled: now.stopping, onclick: () => act(() => stop("drills/current"))}, "Stop")),
      el("p", {class: "quiet"}, `${now.over ? "" : `${now.doing} · `}${speed} · ${duration(took)}`),
      now.failed ? el("p", {}, now.failed) : null,
      verdict?.skipped ? el("p", {}, verdict.skipped) : null,
      verdict ? el("ul", {class: "parts"}, verdict.claims.map((claim) => el("li", {},
        el("span", {class: `state ${claim.holds ? "ok" : "alarm"}`}, claim.holds ? "holds" : "fails"), claim.what, el("span", {class: "quiet"}, claim.seen)))) : null,
      verdict?.notified.length ? el("div", {}, el("h3", {class: "spaced"}, "Who was notified"), el("ul", {class: "parts"}, verdict.notified.map((notification) =>
        el("li", {}, el("span", {class: "quiet"}, `${notification.minute.toFixed(1)} min`), el("a", {href: address("inbox")}, notification.channel), notification.title)))) : null,
    ].filter(Boolean);
  }

  return {
    close: () => clearTimeout(timer),
    async refresh(_, what) {
      if (["place", "everything"].some((part) => what.includes(part))) show(await ask("drills"));
    },
  };
}
