// Labelling one image after another: the next of the round, those before it, and what undo takes back.
import { Pace, noteDialog, showName } from "/static/beside.js";
import { Events } from "/static/events.js";
import { Pictures } from "/static/pictures.js";
import { RoundPicks, askButton, showIdle } from "/static/round.js";
import { $, ask, element, say, who } from "/static/session.js";

export const STRIP = 14; // thumbnails of what was said last

export class OneByOne {
  // `page` does what differs: show(again) puts the current image on the stage, clear() takes it away, describe() says
  // what is known of it, image(entry) and words(entry) are for the strip, rate(milliseconds) for the pace; fetched are
  // the pictures of the next `ahead` and the last `near`. `picks` is what RoundPicks takes.
  constructor(page, picks = {}) {
    this.page = page;
    this.history = []; // what was said, oldest first: {pick, kind, and what the page adds}; its event if at another page
    this.actions = []; // what undo takes back: {entry, before}; before a correction the entry was as `before`
    this.looking = null; // the place in history that is shown; null: the next image
    this.pictures = new Pictures();
    this.pace = new Pace(page.rate);
    this.events = new Events({
      acknowledged: (event, answer) => {
        if (event.path === "/api/undo") this.undone(event, answer.items);
        page.acknowledged?.(event);
        if (answer.closed) this.round.fill();
      },
      refused: ({ path, body }, sentence) => {
        say(sentence);
        if (path !== "/api/remark") this.forget(body.item ?? body.items?.[0]);
      },
    });
    this.round = new RoundPicks({
      events: this.events,
      arrived: () => { if (this.looking === null) page.show(); this.prefetch(); },
      idle: (status, trouble) => { if (this.looking === null) this.rest(status, trouble); },
      ...picks,
    });
    this.moves = {
      back: () => this.browse(-1), forward: () => this.browse(1), leave: () => this.leave(),
      help: () => { $("help").showModal(); $("help").scrollTop = 0; }, // the button that gets the focus is at its end
      flag: () => this.remark({ flag: !this.current()?.flag }),
      note: noteDialog(() => this.current(), (note) => this.remark({ note })),
    };
    askButton($("wait-ask"));
    this.remember();
  }

  // What was said before this page was opened.
  async remember() {
    const { entries } = await ask(`/api/history?limit=${STRIP}&annotator=${encodeURIComponent(who().annotator)}`).catch(() => ({ entries: [] }));
    if (this.history.length) return;
    this.history.push(...entries.map(({ kind, label, event, ...pick }) => ({ pick, kind, label, event })));
    this.showStrip();
  }

  get entry() { return this.looking === null ? null : this.history[this.looking]; }

  current() { return this.looking === null ? this.round.waiting[0] : this.entry.pick; }

  // What was said of the current image, if anything was; `answer` words an answer.
  verdict(answer) {
    const { entry } = this;
    if (!entry) return [];
    return [entry.kind === "answer" ? answer(entry) : entry.kind === "skip" ? "you skipped it" : "you took it out"];
  }

  // Keeps what is said of the current image, and goes on; `send(entry, before)` tells it.
  decide(said, send) {
    const entry = this.entry ?? { pick: this.current() };
    const before = this.entry && { ...entry };
    Object.assign(entry, said);
    this.actions.push({ entry, before });
    send(entry, before);
    if (before) this.looking = this.looking + 1 < this.history.length ? this.looking + 1 : null;
    else {
      this.history.push(entry);
      this.pace.said();
      this.round.decide(entry.pick);
    }
    this.announce(entry);
    this.next();
  }

  // Tells those who do not see the page what was said, and what comes next.
  announce({ pick, kind, label }) {
    const said = { answer: label ?? "saved", skip: "skipped", ignore: "taken out" }[kind];
    $("announced").textContent = `${pick.name}: ${said}. ${this.current() ? `Next: ${this.current().name}` : "No image is left here"}`;
  }

  next() {
    if (this.current()) this.page.show(true);
    else {
      this.rest(null, "");
      this.showStrip();
      this.round.look().catch(() => {});
    }
  }

  // What is to be taken back next; null where nothing is known of it here.
  last() {
    const entry = this.history.findLast((one) => !one.leaving);
    return this.actions.pop() ?? (entry ? { entry, before: null } : null);
  }

  // The same where nothing is known: of what was said before all that this page knows.
  async earlier() {
    while (this.events.unsent) await new Promise((wake) => setTimeout(wake, 50));
    await this.remember();
    return this.last();
  }

  // Has the server take it back: what was said at another page it must be told by name.
  undo({ entry, before }) {
    this.events.push("/api/undo", before ? {} : { of: entry.event }).entry = entry;
  }

  takeBack({ entry, before }) {
    const at = this.history.indexOf(entry);
    this.looking = before && at;
    if (before) Object.assign(entry, before);
    else {
      this.history.splice(at, 1);
      this.pace.tookBack();
      this.round.giveBack(entry.pick);
    }
    this.page.show(true);
  }

  // The server has the last word on what was taken back.
  undone({ entry }, items) {
    if (entry && items.includes(entry.pick.item)) return;
    if (!items.length) say("That was taken back already.");
    if (entry || items.length) location.reload();
  }

  // Drops what the server has refused.
  forget(item) {
    const entry = this.history.find((one) => one.pick.item === item);
    if (!entry) return;
    this.history.splice(this.history.indexOf(entry), 1);
    this.actions = this.actions.filter((one) => one.entry !== entry);
    this.leave();
    this.showStrip();
  }

  browse(step) {
    const at = (this.looking ?? this.history.length) + step;
    if (at < 0 || at > this.history.length) return;
    this.looking = at === this.history.length ? null : at;
    this.next();
  }

  leave() {
    if (this.looking === null) return;
    this.looking = null;
    this.next();
  }

  remark(changes) {
    const pick = this.current();
    if (!pick) return;
    Object.assign(pick, changes);
    this.events.push("/api/remark", { item: pick.item, flag: Boolean(pick.flag), note: pick.note ?? "" });
    this.page.describe();
  }

  rest(status, trouble) {
    if (this.current()) return;
    this.page.clear();
    $("stage").hidden = true;
    $("wait").hidden = false;
    $("why").textContent = "";
    showName("");
    if (status || trouble) showIdle(status, trouble);
    if (status) {
      this.round.round = status.round;
      if (!status.round) $("done").value = 1;
    }
    this.pace.show(this.round.round);
  }

  prefetch() {
    const [pick, { ahead, near }] = [this.current(), this.page];
    if (!pick) return;
    const items = (picks) => picks.map((one) => one.item);
    const past = this.history.slice(this.history.length - near).map((entry) => entry.pick);
    this.pictures.want(items(this.round.waiting.slice(0, ahead)), items([...past, pick]));
  }

  showStrip() {
    $("strip").replaceChildren(...this.history.slice(-STRIP).map((entry) => {
      const said = entry.kind === "answer" ? this.page.words(entry) : entry.kind === "skip" ? "skipped" : "out";
      const facts = { type: "button", title: entry.pick.name, "aria-current": String(entry === this.entry) };
      const button = element("button", facts, this.page.image(entry), element("span", { dir: "auto" }, said));
      button.addEventListener("click", () => { button.blur(); this.looking = this.history.indexOf(entry); this.page.show(); });
      return element("li", {}, button);
    }));
    $("strip").scrollLeft = $("strip").scrollWidth;
  }

  // Shows what stands around the image, and fetches those that follow.
  showAround() {
    this.prefetch();
    this.showStrip();
    this.pace.show(this.round.round);
  }
}
