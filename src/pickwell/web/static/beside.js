// What stands beside the image that is labelled or drawn on: facts, notes, what was said last, and the pace.
import { $, duration } from "/static/session.js";

// What the image is called and why it is asked, in a line, after what is said of it `first`; `size` if it matters here.
export function showFacts(pick, first = [], size = "") {
  const drawn = pick.held_out ? "drawn at random, to measure on" : pick.drawn && "drawn at random";
  const facts = [
    ...first, pick.rank && `rank ${pick.rank} of round ${pick.round}`, drawn || (Number.isFinite(pick.score) && `score ${pick.score.toFixed(3)}`),
    size, pick.flag && "flagged", pick.note && `note: ${pick.note}`,
  ];
  $("why").textContent = facts.filter(Boolean).join(" · ");
  showName(pick.name);
}

// The name of the image on the stage, for those who see it and those who hear it; "" for none.
export function showName(name) {
  $("name").textContent = name;
  $("stage").setAttribute("aria-label", name);
}

// The dialog for notes about the image that `current()` gives; `keep(note)` is told what was written.
export function noteDialog(current, keep) {
  $("note").addEventListener("close", () => { if ($("note").returnValue === "keep") keep($("note-text").value); });
  $("note-text").addEventListener("keydown", (press) => {
    if (press.key === "Enter" && (press.ctrlKey || press.metaKey)) $("note").close("keep");
  });
  return () => {
    if (!current()) return;
    $("note-text").value = current().note ?? "";
    $("note").returnValue = "";
    $("note").showModal();
  };
}

// How far the round is and how fast it goes; `rate(milliseconds)` words the time that one image takes.
export class Pace {
  constructor(rate) {
    this.rate = rate;
    this.presses = [];
  }

  said() { this.presses.push(performance.now()); }

  tookBack() { this.presses.pop(); }

  show(round) {
    const recent = this.presses.slice(-20);
    const took = recent.length > 2 ? (recent.at(-1) - recent[0]) / (recent.length - 1) : 0;
    const speed = took ? [this.rate(took)] : [];
    if (took && round && round.done < round.total) speed.push(`${duration(((round.total - round.done) * took) / 1000)} left`);
    if (round) $("done").value = Math.min(1, round.done / round.total);
    const far = round ? [`${Math.min(round.done, round.total)} of ${round.total} in round ${round.number}`] : [];
    $("pace").textContent = [...far, speed.join(" · ")].join("\n");
  }
}
