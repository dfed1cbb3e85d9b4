// The launches of a run and the tensors they hand to each other. How full a node is says its share of the time.

// More launches than these are not told apart: those that compute the same equations are one node.
const MOST_LAUNCHES = 100;

function graph() {
  const merged = launches.length > MOST_LAUNCHES;
  const inputs = [...new Set(launches.flatMap((launch) => launch.operands.filter(isInput).map((operand) => operand.name)))];
  const nodes = nodesOf(merged), places = new Map();
  nodes.forEach((node, index) => node.launches.forEach((launch) => places.set(launch.number, inputs.length + index)));
  const edges = edgesOf(nodes, inputs, places);
  const { nodes: at, ways, width, height } = layOut(inputs.length + nodes.length, edges.map(downward));
  const parts = ways.map((way, number) => edgeOf(way, edges[number]));
  inputs.forEach((name, index) => parts.push(inputNode(at[index], name)));
  const most = Math.max(...nodes.map((node) => node.seconds));
  nodes.forEach((node, index) => parts.push(launchNode(at[inputs.length + index], node, most)));
  document.getElementById("graph").innerHTML =
    `<div class="scroll">${svg(width, height, [...parts, ...edgeLabels(ways, edges)])}</div><figcaption>A node is ` +
    `${merged ? "an equation with all its launches" : "a launch"}, an edge what it reads of another, in bytes of one run; weights are ` +
    "left out. Red is the share of the time, against the largest. Over an edge: why both are not one kernel.</figcaption>";
  const scroll = document.querySelector("#graph .scroll");
  scroll.scrollLeft = (at[0]?.x ?? 0) - scroll.clientWidth / 2;
}

const isInput = (operand) => operand.kind === "input" && operand.name !== "";

// Launches that a run makes.
function nodesOf(merged) {
  const nodes = new Map();
  launches.forEach((launch, index) => {
    if (launch.calls === 0) return;
    const key = merged ? launch.name : index;
    if (!nodes.has(key)) nodes.set(key, { kernel: kernels[launch.kernel], launches: [], seconds: 0, calls: 0 });
    const node = nodes.get(key);
    node.launches.push(launch);
    node.seconds += launch.measured_seconds ?? 0;
    node.calls += launch.calls ?? 0;
  });
  return [...nodes.values()];
}

// One for all that a node hands to another.
function edgesOf(nodes, inputs, places) {
  const edges = new Map();
  nodes.forEach((node, index) => {
    const to = inputs.length + index;
    for (const operand of node.launches.flatMap((launch) => launch.operands)) {
      const from = isInput(operand) ? inputs.indexOf(operand.name) : places.get(operand.from);
      if (from === undefined || from === to) continue;
      const key = `${from} ${to}`;
      if (!edges.has(key)) edges.set(key, { from, to, name: operand.name, bytes: 0, because: apartFrom(node.kernel, operand) });
      edges.get(key).bytes += operand.bytes ?? 0;
    }
  });
  for (const edge of edges.values()) {
    edge.label = edge.bytes > 0 ? amount(edge.bytes, "B") : "";
    edge.title = `${edge.name}: ${edge.label}\n${edge.because}`;
  }
  return [...edges.values()];
}

// Of nodes that stand for several launches, each may read of the other: layers follow the first launches.
const downward = ({ from, to }) => (from < to ? { from, to } : { from: to, to: from });

const apartFrom = (kernel, operand) => (kernel.apart.find((each) => each.from === operand.name) ?? { because: "" }).because;

function edgeOf(way, { title }) {
  const begin = way[0], end = way.at(-1), half = GRAPH.high / 2;
  const points = [{ x: begin.x, y: begin.y + half }, ...way.slice(1, -1), { x: end.x, y: end.y - half }];
  let path = `M${points[0].x.toFixed(1)} ${points[0].y.toFixed(1)}`;
  for (let i = 1; i < points.length; ++i) {
    const a = points[i - 1], b = points[i], middle = ((a.y + b.y) / 2).toFixed(1);
    path += `C${a.x.toFixed(1)} ${middle} ${b.x.toFixed(1)} ${middle} ${b.x.toFixed(1)} ${b.y.toFixed(1)}`;
  }
  return `<path class="edge" d="${path}"><title>${escaped(title)}</title></path>`;
}

// Above the node that an edge ends in; of edges that end in one side by side, left out where they would overlap.
function edgeLabels(ways, edges) {
  const taken = [];
  return ways.map((way, number) => {
    if (edges[number].label === "") return "";
    const before = way.at(-2), end = way.at(-1), wide = edges[number].label.length * 6 + 8;
    for (const part of [0.5, 0.62, 0.4, 0.72]) {
      const top = end.y - GRAPH.layer + GRAPH.high / 2, room = GRAPH.layer - GRAPH.high;
      const y = top + room * part, bend = part * part * (3 - 2 * part), x = before.x + (end.x - before.x) * bend;
      if (taken.some((box) => Math.abs(box.x - x) < (box.wide + wide) / 2 && Math.abs(box.y - y) < 13)) continue;
      taken.push({ x, y, wide });
      return text(x, y + 4, edges[number].label, "middle", "soft halo");
    }
    return "";
  });
}

function inputNode({ x, y }, name) {
  return `<rect class="node" x="${x - GRAPH.node / 4}" y="${y - 14}" width="${GRAPH.node / 2}" height="28" rx="14"/>` +
    text(x, y + 4, shortened(name, 17), "middle");
}

function launchNode({ x, y }, { kernel, launches: own, seconds, calls }, most) {
  const left = x - GRAPH.node / 2, top = y - GRAPH.high / 2, full = most > 0 ? (GRAPH.node * seconds) / most : 0;
  const place = kernel.lines.length > 0 ? shortPlace(kernel.lines[0]) : kernel.class, times = Math.round(calls);
  const words = `${shortened(place, 22)}, ${amount(seconds, "s")}${times > 1 ? `, ${times} calls` : ""}`;
  return `<g><title>${escaped(`${own[0].name}\n${titleOf(kernel, seconds)}`)}</title>` +
    `<rect class="node" x="${left}" y="${top}" width="${GRAPH.node}" height="${GRAPH.high}" rx="4" data-kernel="${kernel.number}"/>` +
    `<rect class="share" x="${left}" y="${top}" width="${full.toFixed(1)}" height="${GRAPH.high}" rx="4" style="pointer-events:none"/>` +
    `<rect x="${left}" y="${top}" width="5" height="${GRAPH.high}" style="fill:${colorOf(kernel)}"/>` +
    text(left + 12, y - 4, shortened(own[0].name, 34)) + text(left + 12, y + 13, words, "start", "soft") + "</g>";
}
