// Where the page is: "#/alarms/backend-down?state=ALARM". Filters live here, so that a reload keeps them.

export function here() {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  const [view, ...rest] = path.split("/").map(decodeURIComponent);
  return {view: view || "dashboards", key: rest.join("/"), filters: new URLSearchParams(query ?? "")};
}

/** The address of a view with these filters; null ones are left out. */
export function address(view, key = "", filters = {}) {
  const kept = new URLSearchParams();
  for (const [name, value] of Object.entries(filters)) if (value) kept.set(name, value);
  const query = kept.toString();
  return `#/${view}${key ? `/${encodeURIComponent(key)}` : ""}${query ? `?${query}` : ""}`;
}

/** The present place with other filters. */
export function refiltered(changes) {
  const {view, key, filters} = here();
  return address(view, key, {...Object.fromEntries(filters), ...changes});
}

/** Changes filters without a new entry in the history. */
export function refilter(changes) {
  history.replaceState(null, "", refiltered(changes));
  window.dispatchEvent(new HashChangeEvent("hashchange"));
}
