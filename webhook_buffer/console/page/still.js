// A dashboard as one file: the same widgets, with the numbers that stand in it.
import {el, tree} from "./dom.js";
import {time} from "./format.js";
import {address} from "./location.js";
import {arranged, sections, widget} from "./widgets.js";

/** A section of the runbook, where the link to it leads that in the console opens a view. */
function section({heading, content}) {
  return el("article", {class: "card runbook", id: address("runbook", heading).slice(1)}, el("h3", {}, heading), tree(content, 4));
}

export function still(board) {
  const parts = [];
  const cell = (data) => {
    const part = widget(data, null);
    parts.push([part, data]);
    return part;
  };
  document.title = board.title;
  document.body.append(el("main", {},
    el("div", {class: "bar"}, el("h1", {}, board.title.replace(/^./, (letter) => letter.toUpperCase())),
      el("span", {class: "quiet"}, `${board.about} ${time(board.from, true)} – ${time(board.to, true)}`)),
    el("div", {class: "board"}, sections(board.widgets).map((section) => el("section", {},
      section.title ? el("h2", {}, section.title) : null,
      arranged(section.widgets, cell)))),
    board.runbook?.length ? el("section", {class: "sections"}, el("h2", {}, "Runbook"), board.runbook.map(section)) : null));
  for (const [part, data] of parts) part.show({...data, from: board.from, to: board.to, marks: board.marks});
  // Whoever takes a picture reads how high it has to be.
  const measure = () => { document.documentElement.dataset.height = String(document.body.scrollHeight); };
  measure();
  requestAnimationFrame(measure);
}
