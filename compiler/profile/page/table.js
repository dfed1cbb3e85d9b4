// All kernels; a click on a heading sorts by it, once more the other way round.

const speed = (part, kernel) => (kernel[part] && kernel.measured_seconds ? kernel[part] / kernel.measured_seconds : null);

// Heading, what is sorted by, what is shown in HTML, whether it is a number.
const COLUMNS = [
  ["kernel", (kernel) => kernel.name, nameCell, false],
  ["class", (kernel) => kernel.class, (kernel) => escaped(kernel.class), false],
  ["calls", (kernel) => kernel.calls, (kernel) => (kernel.calls === null ? "" : +kernel.calls.toFixed(1)), true],
  ["time", (kernel) => kernel.measured_seconds, (kernel) => amount(kernel.measured_seconds, "s"), true],
  ["share", (kernel) => kernel.share_of_time, (kernel) => percent(kernel.share_of_time), true],
  ["limit", (kernel) => kernel.limit_seconds, (kernel) => amount(kernel.limit_seconds, "s"), true],
  ["reached", (kernel) => kernel.share_of_limit, (kernel) => percent(kernel.share_of_limit), true],
  ["by", (kernel) => kernel.limit, (kernel) => kernel.limit ?? "", false],
  ["FLOP", (kernel) => kernel.flops, (kernel) => amount(kernel.flops, ""), true],
  ["bytes", (kernel) => kernel.bytes, (kernel) => amount(kernel.bytes, "B"), true],
  ["FLOP/s", (kernel) => speed("flops", kernel), (kernel) => amount(speed("flops", kernel), ""), true],
  ["B/s", (kernel) => speed("bytes", kernel), (kernel) => amount(speed("bytes", kernel), "B"), true],
];

// Its equations with what is fused into them and their lines, other launches, and why it was cut here.
function nameCell(kernel) {
  const equations = kernel.equations.map((each) =>
    each.path + (each.fused.length > 0 ? ` with ${[...new Set(each.fused.map((part) => part.path))].join(", ")}` : ""));
  const others = kernel.launches.slice(1).map((launch) => launches[launch].name).filter((name) => name !== kernel.name);
  const parts = [linesOf(kernel)];
  if (equations.length > 1 || equations[0] !== kernel.name) parts.push(equations.join("; "));
  if (others.length > 0) parts.push(`as well for ${others.join(", ")}`);
  for (const because of new Set(kernel.apart.map((each) => each.because)))
    parts.push(`apart from ${kernel.apart.filter((each) => each.because === because).map((each) => each.from).join(", ")}: ${because}`);
  return `${escaped(kernel.name)}<br>${parts.map((part) => `<span class="soft">${escaped(part)}</span>`).join("<br>")}`;
}

function drawTable(column, down) {
  const by = COLUMNS[column][1];
  const before = (a, b) => (a === null ? (b === null ? 0 : 1) : b === null ? -1 : (a < b ? -1 : a > b ? 1 : 0) * (down ? -1 : 1));
  const rows = [...kernels].sort((a, b) => before(by(a), by(b)) || a.number - b.number);
  const head = COLUMNS.map(([name, , , number], index) =>
    `<th data-by="${index}" class="${number ? "number" : ""}">${name}${index === column ? (down ? " ▾" : " ▴") : ""}</th>`);
  const lines = rows.map((kernel) => `<tr data-kernel="${kernel.number}">${COLUMNS.map(([, , shown, number], index) =>
    `<td class="${number ? "number" : index === 0 ? "name" : ""}">${shown(kernel)}</td>`).join("")}</tr>`);
  document.getElementById("table").innerHTML = `<table><tr>${head.join("")}</tr>${lines.join("")}</table>`;
}

function table() {
  let column = 3, down = true;
  drawTable(column, down);
  document.getElementById("table").addEventListener("click", (event) => {
    const heading = event.target.closest("th[data-by]");
    if (!heading) return;
    const chosen = +heading.dataset.by;
    down = chosen === column ? !down : COLUMNS[chosen][3];
    column = chosen;
    drawTable(column, down);
  });
}
