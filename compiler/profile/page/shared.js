// What the parts of the page share: the data, amounts in words, SVG.

const data = JSON.parse(document.getElementById("data").textContent);
const { kernels, launches } = data.method;
kernels.forEach((kernel, number) => {
  kernel.number = number;
  for (const launch of kernel.launches) launches[launch].kernel = number;
});

const COLORS = {
  contraction: "--a", gather: "--b", depthwise: "--c", attention: "--d", row_reduction: "--e", pointwise: "--f", recurrence: "--g",
  copy: "--h",
};
const colorOf = (kernel) => `var(${COLORS[kernel.class] ?? "--soft"})`;

// Three digits and a prefix: "12.3 MB".
function amount(value, unit) {
  if (value === null) return "";
  const prefixes = ["n", "u", "m", "", "k", "M", "G", "T"];
  let prefix = 3;
  if (value > 0) {
    for (; value >= 999.5 && prefix < 7; ++prefix) value /= 1000;
    for (; value < 0.9995 && prefix > 0 && unit === "s"; --prefix) value *= 1000;
  }
  const digits = value === 0 || value >= 99.95 || (prefix === 3 && unit !== "s") ? 0 : value >= 9.995 ? 1 : 2;
  return `${value.toFixed(digits)} ${prefixes[prefix]}${unit}`;
}

const percent = (share) => (share === null ? "" : `${(100 * share).toFixed(share < 0.0995 ? 1 : 0)} %`);
const shortPlace = (place) => place.slice(place.lastIndexOf("/") + 1);
const linesOf = (kernel) => kernel.lines.map(shortPlace).join(", ");

const escaped = (text) =>
  String(text).replace(/[&<>"]/g, (letter) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[letter]);

// The end of a name says most: what it is called in its model.
const shortened = (text, most) => (text.length <= most ? text : `…${text.slice(text.length - most + 1)}`);

function titleOf(kernel, seconds = kernel.measured_seconds) {
  const parts = [kernel.name, `${kernel.class}, ${linesOf(kernel)}`];
  if (seconds !== null) parts.push(`measured ${amount(seconds, "s")}`);
  if (kernel.share_of_limit !== null) parts.push(`${percent(kernel.share_of_limit)} of the limit (${kernel.limit})`);
  return parts.join("\n");
}

const text = (x, y, words, anchor = "start", kind = "") =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}" class="${kind}">${escaped(words)}</text>`;
const line = (x0, y0, x1, y1, kind = "axis", style = "") =>
  `<line x1="${x0.toFixed(1)}" y1="${y0.toFixed(1)}" x2="${x1.toFixed(1)}" y2="${y1.toFixed(1)}" class="${kind}" style="${style}"/>`;
const svg = (width, height, parts) =>
  `<svg viewBox="0 0 ${width.toFixed(0)} ${height.toFixed(0)}" width="${width.toFixed(0)}" height="${height.toFixed(0)}" role="img">` +
  `${parts.join("")}</svg>`;

const keys = () =>
  [...new Set(kernels.map((kernel) => kernel.class))]
    .map((name) => `<span class="key" style="background:var(${COLORS[name] ?? "--soft"})"></span>${escaped(name)}`)
    .join("");

// What belongs to the kernel under the mouse is lit everywhere.
document.addEventListener("mouseover", (event) => {
  const chosen = event.target.closest("[data-kernel]")?.dataset.kernel;
  for (const element of document.querySelectorAll("[data-kernel]")) element.classList.toggle("lit", element.dataset.kernel === chosen);
});
