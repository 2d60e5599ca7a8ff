// One section of the runbook: what a link of a notification or a dashboard leads to.
import {ask} from "./client.js";
import {el, tree} from "./dom.js";
import {address} from "./location.js";

export function runbook(main) {
  const title = el("h1", {});
  const alarm = el("a", {class: "button"}, "Its alarm");
  const content = el("article", {class: "card runbook"});
  main.append(el("div", {class: "bar"}, title, alarm), content);
  return {
    async refresh({key}, what) {
      if (!what.includes("place")) return;
      const section = await ask(`runbook/${encodeURIComponent(key)}`);
      title.textContent = `Runbook: ${section.heading}`;
      alarm.hidden = !section.alarm;
      alarm.href = address("alarms", section.alarm ?? "");
      content.replaceChildren(...tree(section.content, 2));
    },
  };
}
