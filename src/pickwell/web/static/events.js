// What people say, on its way to the store: one at a time, in order, kept in the browser until it is acknowledged.
import { $, Refusal, random, say, send, tab, told, who } from "/static/session.js";

const EVENTS = `pickwell/${told.made}/events/`;
const ALIVE = `pickwell/${told.made}/alive/`;
const BEAT = 2000;
const TRIES = 4; // of what the server fails at: its own fault, not a busy or missing database's

export class Events {
  // `acknowledged(event, answer)` and `refused(event, sentence)` are told what became of each event.
  constructor({ acknowledged, refused }) {
    Object.assign(this, { acknowledged, refused });
    this.waiting = [];
    this.coming = 0; // what `later` has not pushed yet
    this.line = Promise.resolve();
    this.orphans = new Set(); // tabs that are gone
    this.last = 0;
    this.trouble = false;
    this.sending = false;
    this.beat();
    setInterval(() => this.beat(), BEAT);
    this.adopt();
    addEventListener("online", () => this.wake?.());
    addEventListener("pagehide", () => this.leave());
    // A page that comes back from the browser's memory has lost its leases: begin anew.
    addEventListener("pageshow", (shown) => { if (shown.persisted) location.reload(); });
    this.show();
    this.pump();
  }

  get unsent() { return this.waiting.length + this.coming; }

  push(path, body) {
    const event = { path, body: { ...who(), ...body, event: random() } };
    event.key = `${EVENTS}${tab}/${String(this.last++).padStart(9, "0")}`;
    try { localStorage.setItem(event.key, JSON.stringify({ path, body: event.body })); } catch { /* full: memory only */ }
    this.waiting.push(event);
    this.show();
    setTimeout(() => this.pump());
    return event;
  }

  // Lets `act` push an event when it has made it, after those asked for before; it counts as unsent meanwhile.
  later(act) {
    const count = (more) => { this.coming += more; this.show(); };
    count(1);
    this.line = this.line.then(act).catch((error) => say(error.message)).finally(() => count(-1));
  }

  beat() {
    try { localStorage.setItem(ALIVE + tab, Date.now()); } catch { /* no storage, nothing to adopt */ }
  }

  // Takes over what tabs that are gone could not send. Every event is acknowledged once, however often it is sent.
  adopt() {
    let keys = [];
    try { keys = Object.keys(localStorage).filter((key) => key.startsWith(EVENTS)).sort(); } catch { return; }
    for (const key of keys) {
      const owner = key.slice(EVENTS.length).split("/")[0];
      if (owner === tab || Date.now() - Number(localStorage.getItem(ALIVE + owner) ?? 0) < 3 * BEAT) continue;
      try { this.waiting.push({ key, ...JSON.parse(localStorage.getItem(key)) }); } catch { localStorage.removeItem(key); }
      this.orphans.add(owner);
    }
  }

  async pump() {
    if (this.sending) return;
    this.sending = true;
    for (let [pause, failed] = [200, 0]; this.waiting.length;) {
      const event = this.waiting[0];
      try {
        const answer = await send(event.path, event.body);
        this.settle(event, () => this.acknowledged(event, answer));
        [pause, failed] = [200, 0];
      } catch (error) {
        // What the server has judged stays judged; a lost token, a wrong host or a busy server may pass. What it fails
        // at again and again is passed over: those behind it must not wait for ever.
        failed = error instanceof Refusal && error.code === 500 ? failed + 1 : 0;
        const judged = error instanceof Refusal && error.code < 500 && ![401, 408, 421, 429].includes(error.code);
        if (judged || failed === TRIES) {
          const sentence = judged ? error.message : "the server fails at this again and again: it was not saved, go on with the next";
          this.settle(event, () => this.refused(event, sentence));
          failed = 0;
          continue;
        }
        this.trouble = error instanceof Refusal ? error.message : "the server does not answer";
        this.show();
        await new Promise((wake) => { this.wake = wake; setTimeout(wake, pause); });
        pause = Math.min(pause * 1.6, 4000);
      }
    }
    this.sending = false;
    for (const owner of this.orphans) send("/api/release", { ...who(), tab: owner }).catch(() => {});
    this.orphans.clear();
  }

  settle(event, then) {
    this.waiting.shift();
    try { localStorage.removeItem(event.key); } catch { /* it was in memory only */ }
    this.trouble = false;
    this.show();
    then();
  }

  leave() {
    try { localStorage.removeItem(ALIVE + tab); } catch { /* no storage */ }
    if (!this.waiting.length) send("/api/release", who(), { keepalive: true }).catch(() => {});
  }

  show() {
    const [saved, { trouble, unsent }] = [$("saved"), this];
    saved.hidden = false;
    saved.classList.toggle("trouble", Boolean(trouble));
    saved.classList.toggle("done", !trouble && !unsent);
    saved.textContent = trouble ? `${unsent} not saved yet: ${trouble}` : unsent ? `saving ${unsent}` : "all saved";
  }
}
