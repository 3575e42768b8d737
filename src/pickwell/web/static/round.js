// The picks of the open round that this tab holds: fetched ahead, renewed, and what there is to do when none is left.
import { $, ask, duration, say, send, told, who } from "/static/session.js";

export class RoundPicks {
  // `arrived()` is called when picks came, `idle(status, trouble)` while there are none.
  constructor({ events, arrived, idle, least = 24, ahead = 24 }) {
    Object.assign(this, { events, arrived, idle, least, ahead });
    this.low = least; // so few are waiting when more are fetched
    this.waiting = [];
    this.decided = new Map();
    this.round = null;
    this.busy = false;
    this.said = 0; // decisions and what was taken back of them
    setInterval(() => this.beat(), (told.lease * 1000) / 4);
    this.fill();
  }

  async fill() {
    if (this.busy) return;
    this.busy = true;
    try {
      // What is on its way is not in the server's count yet: ask when it has arrived, if the next images suffice until then.
      for (let tries = 3; this.waiting.length > 2 && this.events.unsent && tries; tries--) await new Promise((wake) => setTimeout(wake, 50));
      const { said, events: { unsent } } = this;
      // The server counts what this tab holds, answers that it has not heard of yet among them.
      const n = Math.min(200, this.waiting.length + unsent + this.ahead);
      const { picks, round } = await send("/api/next", { ...who(), n });
      const own = this.round?.number === round?.number && (unsent || this.said !== said);
      this.round = own && round ? { ...round, done: this.round.done } : round;
      const known = new Set(this.waiting.map((pick) => pick.item));
      const fresh = picks.filter((pick) => !known.has(pick.item) && this.decided.get(pick.item) !== pick.round);
      // A score that was drawn tells nobody why an image is asked.
      for (const pick of fresh) pick.drawn = round?.strategy === "random";
      this.waiting.push(...fresh);
      // A part of a small round is filled up again after each image; where there was nothing, at half of it.
      this.low = Math.min(this.least, fresh.length ? this.waiting.length : Math.floor(this.waiting.length / 2));
      if (fresh.length) this.arrived();
      else if (!this.waiting.length) await this.look();
    } catch (error) {
      if (!this.waiting.length) this.idle(null, error.message);
      setTimeout(() => this.fill(), 1500);
    } finally {
      this.busy = false;
    }
  }

  async look() {
    clearTimeout(this.timer);
    const status = await ask("/api/status");
    this.idle(status, "");
    this.timer = setTimeout(() => this.fill(), 1500);
  }

  decide(pick) {
    this.decided.set(pick.item, pick.round);
    this.count(1);
    this.waiting = this.waiting.filter((other) => other.item !== pick.item);
    if (!this.waiting.length || this.waiting.length < this.low) this.fill();
  }

  giveBack(pick) {
    this.decided.delete(pick.item);
    this.count(-1);
    this.waiting = [pick, ...this.waiting.filter((other) => other.item !== pick.item)];
  }

  count(more) {
    this.said += 1;
    if (this.round) this.round.done += more;
  }

  async beat() {
    if (!this.waiting.length) return;
    try {
      const { held } = await send("/api/heartbeat", who());
      // After a long sleep the leases are gone: what others have taken meanwhile must not be shown.
      if (held < this.waiting.length && !this.events.unsent) {
        this.waiting = [];
        await this.fill();
        this.arrived();
      }
    } catch { /* the queue says that the server does not answer */ }
  }
}

export function showIdle(status, trouble) {
  const bar = $("wait-bar");
  const button = $("wait-ask");
  bar.hidden = button.hidden = true;
  if (!status) return showWait("The server does not answer", `${trouble}. What you labelled is kept in this browser.`);
  const { round, loop } = status;
  if (loop.running || (loop.doing && !round)) {
    const left = showProgress(bar, loop.doing);
    button.hidden = loop.running || loop.when !== "hand"; // a first round need not wait for images to be encoded
    return showWait("The next images are being picked", `${sentence(loop.doing?.what ?? "starting")}${left}. They appear here by themselves.`);
  }
  if (round && round.overlap > 1 && round.done < round.total) {
    const disputed = round.disputed ? ` ${round.disputed} of them are disputed: somebody decides at Decide.` : "";
    return showWait("You have answered all you can", `${round.total - round.done} of round ${round.number} wait for other people: each is answered by ${round.overlap}.${disputed}`);
  }
  if (round && round.done < round.total) {
    return showWait("The others have the last images", `${round.total - round.done} of round ${round.number} are with other people, or in another tab. Those of a tab that is gone come back within ${duration(told.lease)}.`);
  }
  if (loop.error) {
    button.hidden = false;
    return showWait("The next images could not be picked", loop.error);
  }
  if (!loop.left) return showWait("Everything is labelled", "No image is left to ask for.");
  button.hidden = loop.when !== "hand";
  return showWait("This round is done", loop.when === "hand" ? "Pick the next images when you like." : "The next images follow.");
}

// Shows how far a fit is, and returns how long it takes yet, in words.
export function showProgress(bar, doing) {
  bar.hidden = false;
  if (doing) bar.value = doing.done / doing.total;
  else bar.removeAttribute("value");
  return doing?.seconds_left ? `, about ${duration(doing.seconds_left)} left` : "";
}

const sentence = (words) => words[0].toUpperCase() + words.slice(1);

export function showWait(title, text) {
  $("wait").hidden = false;
  $("wait-title").textContent = title;
  $("wait-text").textContent = text;
}

export function askButton(button) {
  button.addEventListener("click", () => {
    send("/api/rounds", who()).then(() => { button.hidden = true; }, (error) => say(error.message));
  });
}
