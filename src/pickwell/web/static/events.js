// What people say, on its way to the store: one at a time, in order, kept in the browser until it is acknowledged.
import { Refusal, random, send, tab, told, who } from "/static/session.js";

const EVENTS = `pickwell/${told.made}/events/`;
const ALIVE = `pickwell/${told.made}/alive/`;
const BEAT = 2000;

export class Events {
  // `acknowledged(event, answer)`, `refused(event, sentence)` and `changed(waiting, trouble)` are told what happens.
  constructor({ acknowledged = () => {}, refused = () => {}, changed = () => {} }) {
    Object.assign(this, { acknowledged, refused, changed });
    this.waiting = [];
    this.orphans = new Set();
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
    this.pump();
  }

  push(path, body) {
    const event = { path, body: { ...who(), ...body, event: random() } };
    event.key = `${EVENTS}${tab}/${String(this.last++).padStart(9, "0")}`;
    try { localStorage.setItem(event.key, JSON.stringify({ path, body: event.body })); } catch { /* full: memory only */ }
    this.waiting.push(event);
    this.changed(this.waiting.length, this.trouble);
    setTimeout(() => this.pump());
    return event;
  }

  beat() {
    try { localStorage.setItem(ALIVE + tab, Date.now()); } catch { /* no storage, nothing to adopt */ }
  }

  // Takes over what tabs that are gone could not send. Every event is acknowledged once, however often it is sent.
  adopt() {
    let keys = [];
    try { keys = Object.keys(localStorage).filter((key) => key.startsWith(EVENTS)).sort(); } catch { return; }
    this.orphans = new Set();
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
    for (let pause = 200; this.waiting.length;) {
      const event = this.waiting[0];
      try {
        const answer = await send(event.path, event.body);
        this.waiting.shift();
        this.settle(event, () => this.acknowledged(event, answer));
        pause = 200;
      } catch (error) {
        // What the server has judged stays judged; a lost token, a wrong host or a busy server may pass.
        if (error instanceof Refusal && error.code < 500 && ![401, 408, 421, 429].includes(error.code)) {
          this.waiting.shift();
          this.settle(event, () => this.refused(event, error.message));
          continue;
        }
        this.trouble = error instanceof Refusal ? error.message : "the server does not answer";
        this.changed(this.waiting.length, this.trouble);
        await new Promise((wake) => { this.wake = wake; setTimeout(wake, pause); });
        pause = Math.min(pause * 1.6, 4000);
      }
    }
    this.sending = false;
    for (const owner of this.orphans) send("/api/release", { ...who(), tab: owner }).catch(() => {});
    this.orphans.clear();
  }

  settle(event, then) {
    try { localStorage.removeItem(event.key); } catch { /* it was in memory only */ }
    this.trouble = false;
    this.changed(this.waiting.length, false);
    then();
  }

  leave() {
    try { localStorage.removeItem(ALIVE + tab); } catch { /* no storage */ }
    if (!this.waiting.length) send("/api/release", who(), { keepalive: true }).catch(() => {});
  }
}

const saved = document.getElementById("saved");
export function showSaved(waiting, trouble) {
  saved.hidden = false;
  saved.classList.toggle("trouble", Boolean(trouble));
  saved.classList.toggle("done", !trouble && !waiting);
  saved.textContent = trouble ? `${waiting} not saved yet: ${trouble}` : waiting ? `saving ${waiting}` : "all saved";
}
