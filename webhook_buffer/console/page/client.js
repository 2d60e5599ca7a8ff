// The server: answers as JSON, and events that say what changed.

/** An answer; throws an Error with the server's own words. */
export async function ask(path, options = {}) {
  let reply;
  try {
    reply = await fetch(`api/${path}`, {...options, cache: "no-store"});
  } catch {
    throw new Error("The console does not answer. Is it running? webhook-buffer console");
  }
  const document = await reply.json().catch(() => ({}));
  if (!reply.ok) throw new Error(document.error ?? `The console answered ${reply.status}.`);
  return document;
}

export function post(path, document) {
  return ask(path, {
    method: "POST",
    headers: {"Content-Type": "application/json"},
    body: JSON.stringify(document),
  });
}

export function stop(path) {
  return ask(path, {method: "DELETE", headers: {"Content-Type": "application/json"}, body: "{}"});
}

/** Calls changed(what) for each event, and connected(bool); the browser resumes by itself. */
export function listen(changed, connected) {
  const source = new EventSource("api/events");
  source.addEventListener("open", () => connected(true));
  source.addEventListener("error", () => connected(false));
  source.addEventListener("changed", (event) => {
    const what = JSON.parse(event.data);
    if (what.length) changed(what);
  });
  return source;
}
