// When the line or the server fails, the page stays as it is, with the typing, and says so in the region named for it.
export const NOBODY_THERE = new Set([502, 503, 504]); // what stands before the server answers in its place
const region = () => document.getElementById("trouble");

export const clear = () => region()?.replaceChildren();

// Says the sentence `name` of the region, of what `about` names, with a link where there is an address; the box it stands in.
export function say(name, address = "", about = "", look = "notice-late") {
  if (!region()) return document.createElement("div");
  const sentence = document.createElement("p");
  sentence.textContent = region().dataset[name].replace("{name}", about);
  if (address) {
    const link = document.createElement("a");
    link.href = address;
    link.textContent = name === "expired" ? region().dataset.signin : region().dataset.open;
    sentence.append(" ", link);
  }
  const box = document.createElement("div");
  box.className = `notice ${look}`;
  box.append(sentence);
  region().replaceChildren(box);
  return box;
}

export const expired = () => say("expired", `/signin?next=${encodeURIComponent(location.pathname)}`);

export function startTrouble() {
  document.addEventListener("htmx:sendError", () => say("line"));
  document.addEventListener("htmx:timeout", () => say("line"));
  document.addEventListener("htmx:responseError", (event) => {
    if (event.detail.xhr.status === 401) expired();
    else say(event.detail.xhr.status === 403 ? "forbidden" : "fault");
  });
  // What was said of an act stands until the next act: what the page asks by itself (always by GET) takes nothing away.
  document.addEventListener("htmx:beforeRequest", (event) => event.detail.requestConfig.verb !== "get" && clear());
}
