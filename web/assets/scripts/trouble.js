// When the line or the server fails, the page stays as it is, with the typing, and says so in the region named for it.
export function startTrouble() {
  const say = (name, address) => {
    const region = document.getElementById("trouble");
    if (!region) return;
    const sentence = document.createElement("p");
    sentence.textContent = region.dataset[name];
    if (address) {
      const link = document.createElement("a");
      link.href = address;
      link.textContent = region.dataset.signin;
      sentence.append(" ", link);
    }
    const box = document.createElement("div");
    box.className = "notice notice-late";
    box.append(sentence);
    region.replaceChildren(box);
  };
  document.addEventListener("htmx:sendError", () => say("line"));
  document.addEventListener("htmx:timeout", () => say("line"));
  document.addEventListener("htmx:responseError", (event) => {
    if (event.detail.xhr.status === 401) say("expired", `/signin?next=${encodeURIComponent(location.pathname)}`);
    else say(event.detail.xhr.status === 403 ? "forbidden" : "fault");
  });
  // What was said of an act stands until the next act: what the page asks by itself (always by GET) takes nothing away.
  document.addEventListener("htmx:beforeRequest", (event) => event.detail.requestConfig.verb !== "get" && document.getElementById("trouble")?.replaceChildren());
}
