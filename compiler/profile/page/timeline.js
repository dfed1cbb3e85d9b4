// One run, as it went: a slice for every launch. Dragging looks closer, a button goes back.

const TIMELINE = { width: 1046, height: 92, top: 26, slice: 40 };

function niceStep(length) {
  const power = 10 ** Math.floor(Math.log10(length));
  return power * [1, 2, 5, 10].find((factor) => factor * power >= length);
}

function drawTimeline(from, to) {
  const { width, height, top, slice } = TIMELINE;
  const x = (seconds) => ((seconds - from) / (to - from)) * width;
  const parts = [];
  const step = niceStep((to - from) / 8);
  for (let tick = Math.ceil(from / step) * step; tick <= to; tick += step)
    parts.push(line(x(tick), 16, x(tick), height - 18) + text(Math.min(x(tick) + 3, width - 40), height - 4, amount(tick, "s"), "start", "soft"));
  for (const [number, start, seconds] of data.timeline.slices) {
    if (start + seconds < from || start > to) continue;
    const kernel = kernels[launches[number].kernel];
    const left = Math.max(0, x(start)), wide = Math.max(0.6, Math.min(width, x(start + seconds)) - left);
    const name = launches[number].name, letters = Math.floor((wide - 8) / 6.6);
    parts.push(`<rect x="${left.toFixed(2)}" y="${top}" width="${wide.toFixed(2)}" height="${slice}" data-kernel="${kernel.number}" ` +
      `style="fill:${colorOf(kernel)};fill-opacity:.75"><title>${escaped(`${name}\n${titleOf(kernel, seconds)}`)}</title></rect>`);
    if (letters >= 5)
      parts.push(`<g style="pointer-events:none">${text(left + 4, top + slice / 2 + 4, shortened(name, letters))}</g>`);
  }
  const closer = from > 0 || to < data.timeline.seconds;
  document.getElementById("timeline").innerHTML =
    svg(width, height, parts) + `<figcaption>${keys()}. Drag along the run to look closer. ` +
    (closer ? "<button>the whole run</button>" : "") + "</figcaption>";
}

function timeline() {
  const figure = document.getElementById("timeline");
  let shown = [0, data.timeline.seconds], begun = null;
  const at = (event) => {
    const box = figure.querySelector("svg").getBoundingClientRect();
    return shown[0] + Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)) * (shown[1] - shown[0]);
  };
  const show = (from, to) => drawTimeline(...(shown = [from, to]));
  figure.addEventListener("pointerdown", (event) => {
    if (event.target.closest("svg")) begun = at(event), event.preventDefault();
  });
  document.addEventListener("pointerup", (event) => {
    if (begun === null) return;
    const ends = [begun, at(event)].sort((a, b) => a - b);
    begun = null;
    if (ends[1] - ends[0] > (shown[1] - shown[0]) / 100) show(...ends);
  });
  figure.addEventListener("click", (event) => {
    if (event.target.closest("button")) show(0, data.timeline.seconds);
  });
  show(...shown);
}
