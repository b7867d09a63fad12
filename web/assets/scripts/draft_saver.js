// Keeps one file of a draft on the server while it is worked on, for an editor in the page. Two coordinators lose nothing: a save made from an older version
// than the last stands aside on the server, and this says whose was first.
//
//   const file = await openFile("/drafts/…", "processes/x.bpmn");        // { text, version }
//   const saver = new DraftSaver({ draft, path, csrf, version: file.version, read: async () => text, say: (state, details) => … });
//   saver.touch();                                                        // after each change
//
// `say` is called with: "changed" · "saving" · "saved" { at } · "conflict" { who, at, message } · "line" (no answer: tried again by itself) ·
// "refused" { message, status } (not tried again before the next change) · "newer" { version, who, at } (a colleague's, while nothing is unsaved here).
const QUIET = 900;
const LONGEST = 5000;

export async function openFile(draft, path) {
  const answer = await fetch(`${draft}/content/${path}`, { cache: "no-store" });
  if (!answer.ok) throw new Error(String(answer.status));
  return { text: await answer.text(), version: Number(answer.headers.get("masar-version")) };
}

export class DraftSaver {
  constructor({ draft, path, csrf, version, read, say }) {
    Object.assign(this, { draft, path, csrf, version, read, say });
    this.conflict = null; // { who, at, message, aside, version } while one's own stands aside
    this.turn = 0; // counts changes: what is saved is unsaved again when one came meanwhile
    this.kept = 0;
    window.addEventListener("beforeunload", (event) => {
      if (this.unsaved) event.preventDefault();
    });
    document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && this.unsaved && this.save());
  }

  get unsaved() {
    return this.turn !== this.kept;
  }

  touch() {
    this.turn += 1;
    this.since ??= performance.now();
    this.say("changed", {});
    this.later(Math.max(0, Math.min(QUIET, LONGEST - (performance.now() - this.since))));
  }

  later(delay) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.save(), delay);
  }

  /** Saves now; one at a time, since each is made from the version that the former's answer named. */
  async save() {
    clearTimeout(this.timer);
    if (this.sending || !this.unsaved) return this.sending;
    this.sending = this.send().finally(() => (this.sending = null));
    await this.sending;
  }

  async send() {
    const turn = this.turn;
    this.since = null;
    this.say("saving", {});
    let answer, told;
    try {
      answer = await this.post(`files/${this.path}`, { version: this.version, content: await this.read() });
      told = (answer.headers.get("content-type") ?? "").startsWith("application/json") ? await answer.json() : {};
    } catch {
      this.say("line", {});
      return this.later(LONGEST);
    }
    if (answer.ok) {
      this.kept = turn;
      this.version = told.version;
      this.say("saved", { at: new Date() });
    } else if (told.aside) {
      this.kept = turn; // on the server too, beside the other
      this.conflict = { who: told.who, at: new Date(told.at), message: told.message, aside: told.aside, version: told.version };
      this.say("conflict", this.conflict);
    } else if (answer.status >= 500) {
      this.say("line", {});
      return this.later(LONGEST);
    } else {
      this.say("refused", { message: told.message ?? "", status: answer.status });
      return undefined;
    }
    if (this.unsaved) this.later(QUIET);
    return undefined;
  }

  /** After a conflict: what stands aside becomes the file's next version. False when a third one came meanwhile. */
  async takeMine() {
    await this.save();
    const { aside, version } = this.conflict;
    const answer = await this.post(`asides/${aside}`, { act: "take", version });
    if (!answer.ok) return false;
    this.version = (await openFile(this.draft, this.path)).version;
    this.conflict = null;
    this.say("saved", { at: new Date() });
    return true;
  }

  /** After a conflict, or when a newer one was heard of: the file as it is now. One's own goes on standing aside in the draft. */
  async takeTheirs() {
    const file = await openFile(this.draft, this.path);
    this.conflict = null;
    this.version = file.version;
    this.kept = this.turn;
    this.say("saved", { at: new Date() });
    return file.text;
  }

  /** What another answer of the server said of the file's last version. */
  heard({ version, who, at }) {
    if (version > this.version && !this.unsaved && !this.sending && !this.conflict) this.say("newer", { version, who, at: new Date(at) });
  }

  post(place, fields) {
    const body = new FormData();
    for (const [name, value] of Object.entries({ csrf: this.csrf, ...fields })) body.append(name, value);
    return fetch(`${this.draft}/${place}`, { method: "POST", body, headers: { accept: "application/json" } });
  }
}
