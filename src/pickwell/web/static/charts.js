// Charts drawn as SVG; colours come from the style sheet.
import { svg } from "/static/session.js";

const round = (value) => Math.round(value * 10) / 10;

// Accuracy with its interval, or another metric, against labels. `points`: {labels, value, low, high}.
export function curve(place, points, metric) {
  if (!points.length) return place.replaceChildren("Measured for the first time when a model has been trained.");
  const width = Math.max(280, place.clientWidth);
  const height = Math.min(320, Math.max(200, width * 0.4));
  const [left, right, top, bottom] = [46, 18, 12, 40];
  const most = Math.max(...points.map((p) => p.labels)) * 1.04;
  const least = Math.max(0, Math.floor((Math.min(...points.map((p) => p.low ?? p.value)) - 0.02) * 10) / 10);
  const highest = Math.min(1, Math.ceil((Math.max(...points.map((p) => p.high ?? p.value)) + 0.02) * 10) / 10);
  const x = (labels) => round(left + (labels / most) * (width - left - right));
  const y = (share) => round(top + ((highest - share) / (highest - least || 1)) * (height - top - bottom));
  const last = points.at(-1);
  const summary = `${metric} ${last.value.toFixed(3)} with ${last.labels} labels, after ${points.length} fits.`;
  const chart = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": summary });
  for (const share of ticks(least, highest, 5)) {
    chart.append(svg("line", { class: "rule", x1: left, x2: width - right, y1: y(share), y2: y(share) }));
    chart.append(svg("text", { x: left - 8, y: y(share) + 4, "text-anchor": "end" }, share.toFixed(2)));
  }
  for (const labels of ticks(0, most, Math.max(3, Math.floor(width / 130)))) {
    chart.append(svg("text", { x: x(labels), y: height - bottom + 20, "text-anchor": "middle" }, String(labels)));
  }
  chart.append(svg("text", { x: width - right, y: height - 4, "text-anchor": "end" }, "labels"));
  const banded = points.filter((p) => p.low !== null);
  if (banded.length > 1) {
    const up = banded.map((p) => `${x(p.labels)},${y(p.high)}`);
    const down = [...banded].reverse().map((p) => `${x(p.labels)},${y(p.low)}`);
    chart.append(svg("polygon", { class: "band", points: [...up, ...down].join(" ") }));
  }
  chart.append(svg("polyline", { class: "line", points: points.map((p) => `${x(p.labels)},${y(p.value)}`).join(" ") }));
  for (const p of points) {
    if (p.low !== null && banded.length === 1) chart.append(svg("line", { class: "line", x1: x(p.labels), x2: x(p.labels), y1: y(p.low), y2: y(p.high) }));
    const said = `${p.value.toFixed(3)}${p.low === null ? "" : ` (${p.low.toFixed(3)} to ${p.high.toFixed(3)})`} with ${p.labels} labels, on ${p.measured} images`;
    chart.append(svg("circle", { class: "point", cx: x(p.labels), cy: y(p.value), r: 4 }, svg("title", {}, said)));
  }
  return place.replaceChildren(chart);
}

function ticks(low, high, about) {
  const rough = (high - low) / about;
  const unit = 10 ** Math.floor(Math.log10(rough || 1));
  const step = [1, 2, 5, 10].map((n) => n * unit).find((n) => n >= rough) ?? unit;
  const found = [];
  for (let value = Math.ceil(low / step) * step; value <= high + step * 1e-6; value += step) found.push(Number(value.toFixed(10)));
  return found;
}

// Two histograms of equal bins over [0, 1], each scaled to its own sum.
export function histograms(place, series) {
  const width = Math.max(240, place.clientWidth || 300);
  const [height, bottom] = [120, 20];
  const shares = series.map(({ counts }) => { const sum = counts.reduce((a, b) => a + b, 0) || 1; return counts.map((n) => n / sum); });
  const most = Math.max(...shares.flat(), 1e-9);
  const bins = shares[0].length;
  const chart = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": series.map((one) => one.name).join(" and ") });
  shares.forEach((counts, which) => counts.forEach((share, bin) => {
    const wide = width / bins / series.length;
    const high = (share / most) * (height - bottom - 4);
    chart.append(svg("rect", { class: `bar-${which}`, x: round(bin * (width / bins) + which * wide), y: round(height - bottom - high), width: round(wide - 0.6), height: round(high) }));
  }));
  chart.append(svg("text", { x: 0, y: height - 4 }, "0"), svg("text", { x: width, y: height - 4, "text-anchor": "end" }, "1"));
  place.append(chart);
}
