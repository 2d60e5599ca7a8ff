// Elements, made without parsing any HTML: data only ever becomes text.

const ALLOWED = new Set(["p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "pre", "code",
  "em", "strong", "a", "blockquote", "table", "thead", "tbody", "tr", "th", "td", "hr", "br", "s"]);
// A link may lead to the web, within the page, or nowhere.
const LINK = /^(https?:\/\/|#)/;

/** An element with attributes, properties that begin with "on", and children; null ones left out. */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return element;
}

/** The elements of a tree that the server made of Markdown. */
export function tree(nodes, heading = 3) {
  return nodes.map((node) => {
    if (typeof node === "string") return document.createTextNode(node);
    let [tag, attributes, children] = node;
    if (!ALLOWED.has(tag)) return document.createTextNode("");
    if (/^h\d$/.test(tag)) tag = `h${Math.min(6, heading)}`;
    if (tag === "a") return link(attributes.href, tree(children, heading));
    return el(tag, {}, tree(children, heading));
  });
}

/** A link where its target is one; else its content. */
export function link(href, content) {
  if (!href || !LINK.test(href)) return el("span", {}, content);
  if (href.startsWith("#")) return el("a", {href: `#/runbook/${encodeURIComponent(href.slice(1))}`}, content);
  return el("a", {href, rel: "noreferrer noopener", target: "_blank"}, content);
}

/** A state as color and word. */
export function state(word) {
  const kinds = {ALARM: "alarm", OK: "ok", INSUFFICIENT_DATA: "warning", retrying: "warning", parked: "warning",
    delivered: "ok", queued: "", consumed: "", ERROR: "alarm", WARNING: "warning"};
  const words = {INSUFFICIENT_DATA: "NO DATA"};
  return el("span", {class: `state ${kinds[word] ?? ""}`}, words[word] ?? String(word));
}

/** Makes a list's children those of items, and keeps the elements of items that are the same. */
export function keyed(parent, items, keyOf, make) {
  const before = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  const focused = document.activeElement;
  const after = items.map((item) => {
    const key = String(keyOf(item));
    const digest = JSON.stringify(item);
    const old = before.get(key);
    if (old && old.digest === digest) return old;
    const made = make(item);
    made.dataset.key = key;
    made.digest = digest;
    if (old && old.contains(focused)) made.refocus = true;
    return made;
  });
  after.forEach((child, place) => {
    if (parent.children[place] !== child) parent.insertBefore(child, parent.children[place] ?? null);
  });
  while (parent.children.length > after.length) parent.lastElementChild.remove();
  for (const child of after.filter((child) => child.refocus)) {
    delete child.refocus;
    child.querySelector("a, button")?.focus({preventScroll: true});
  }
}

export function facts(pairs) {
  return el("dl", {class: "facts"}, pairs
    .filter(([, value]) => value !== null && value !== undefined && value !== "")
    .map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
}
