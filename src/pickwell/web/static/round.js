// The picks of the open round that this tab holds: fetched ahead, renewed, and what there is to do when none is left.
import { ask, duration, say, send, told, who } from "/static/session.js";

const AHEAD = 24;

export class RoundPicks {
  // `arrived()` is called when picks came, `idle(status)` while there are none.
  constructor({ arrived, idle, unsent, least = 24, ahead = AHEAD }) {
    Object.assign(this, { arrived, idle, unsent, least, ahead });
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
      // What is on its way is not in the server's count yet: ask when it has arrived, if the next image can wait for that.
      for (let tries = 10; this.waiting.length && this.unsent() && tries; tries--) await new Promise((wake) => setTimeout(wake, 50));
      const [said, unsent] = [this.said, this.unsent()];
      // The server counts what this tab holds, answers that it has not heard of yet among them.
      const n = Math.min(200, this.waiting.length + this.unsent() + this.ahead);
      const { picks, round } = await send("/api/next", { ...who(), n });
      const own = this.round?.number === round?.number && (unsent || this.said !== said);
      this.round = own && round ? { ...round, done: this.round.done } : round;
      const known = new Set(this.waiting.map((pick) => pick.item));
      const fresh = picks.filter((pick) => !known.has(pick.item) && this.decided.get(pick.item) !== pick.round);
      // A score that was drawn tells nobody why an image is asked.
      for (const pick of fresh) pick.drawn = round?.strategy === "random";
      this.waiting.push(...fresh);
      if (fresh.length) this.arrived();
      else if (!this.waiting.length) await this.look();
      this.exhausted = !fresh.length;
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

  take(item) {
    this.waiting = this.waiting.filter((pick) => pick.item !== item);
    if (!this.waiting.length || (this.waiting.length < this.least && !this.exhausted)) this.fill();
  }

  decide(pick) {
    this.decided.set(pick.item, pick.round);
    this.said += 1;
    this.take(pick.item);
  }

  giveBack(pick) {
    this.decided.delete(pick.item);
    this.said += 1;
    this.waiting = [pick, ...this.waiting.filter((other) => other.item !== pick.item)];
  }

  async beat() {
    if (!this.waiting.length) return;
    try {
      const { held } = await send("/api/heartbeat", who());
      // After a long sleep the leases are gone: what others have taken meanwhile must not be shown.
      if (held < this.waiting.length && !this.unsent()) {
        this.waiting = [];
        await this.fill();
        this.arrived();
      }
    } catch { /* the queue says that the server does not answer */ }
  }
}

const $ = (id) => document.getElementById(id);

export function showIdle(status, trouble) {
  const bar = $("wait-bar");
  const button = $("wait-ask");
  bar.hidden = button.hidden = true;
  if (!status) return words("The server does not answer", `${trouble}. What you labelled is kept in this browser.`);
  const { round, loop } = status;
  if (loop.running || (loop.doing && !round)) {
    bar.hidden = false;
    if (loop.doing) bar.value = loop.doing.done / loop.doing.total;
    else bar.removeAttribute("value");
    const left = loop.doing?.seconds_left ? `, about ${duration(loop.doing.seconds_left)} left` : "";
    return words("The next images are being picked", `${sentence(loop.doing?.what ?? "starting")}${left}. They appear here by themselves.`);
  }
  if (round && round.overlap > 1 && round.done < round.total) {
    const disputed = round.disputed ? ` ${round.disputed} of them are disputed: somebody decides at Decide.` : "";
    return words("You have answered all you can", `${round.total - round.done} of round ${round.number} wait for other people: each is answered by ${round.overlap}.${disputed}`);
  }
  if (round && round.done < round.total) {
    return words("The others have the last images", `${round.total - round.done} of round ${round.number} are with other people, or in another tab. Those of a tab that is gone come back within ${duration(told.lease)}.`);
  }
  if (loop.error) {
    button.hidden = false;
    return words("The next images could not be picked", loop.error);
  }
  if (!loop.left) return words("Everything is labelled", "No image is left to ask for.");
  button.hidden = loop.when !== "hand";
  return words("This round is done", loop.when === "hand" ? "Pick the next images when you like." : "The next images follow.");
}

const sentence = (words) => words[0].toUpperCase() + words.slice(1);

function words(title, text) {
  $("wait-title").textContent = title;
  $("wait-text").textContent = text;
}

export function askButton(button) {
  button.addEventListener("click", () => {
    send("/api/rounds", who()).then(() => { button.hidden = true; }, (error) => say(error.message));
  });
}
