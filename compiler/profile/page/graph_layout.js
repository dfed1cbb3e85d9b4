// Where the nodes of a graph stand: in layers, each below all that it needs, with edges that skip layers led
// beside the nodes between (Sugiyama's method).

const GRAPH = { node: 250, high: 44, lane: 22, gap: 24, layer: 92 };

// Edges are {from, to}, positions in `count` nodes. Gives x, y of the nodes' middles, points on the way of every
// edge, and the size of all.
function layOut(count, edges) {
  const layers = [], cells = [];
  const addCell = (layer, width, node = -1) => {
    cells.push({ layer, width, node, above: [], below: [], x: 0 });
    (layers[layer] ??= []).push(cells.length - 1);
    return cells.length - 1;
  };
  const depths = depthsOf(count, edges);
  for (let node = 0; node < count; ++node) addCell(depths[node], GRAPH.node, node);
  const ways = edges.map(({ from, to }) => {
    const way = [from];
    for (let layer = depths[from] + 1; layer < depths[to]; ++layer) way.push(addCell(layer, GRAPH.lane));
    way.push(to);
    for (let i = 1; i < way.length; ++i) {
      cells[way[i - 1]].below.push(way[i]);
      cells[way[i]].above.push(way[i - 1]);
    }
    return way;
  });
  place(layers, cells);
  const least = Math.min(...cells.map((cell) => cell.x - cell.width / 2));
  for (const cell of cells) cell.x += GRAPH.gap - least;
  return {
    nodes: cells.slice(0, count).map((cell) => ({ x: cell.x, y: yOf(cell.layer) })),
    ways: ways.map((way) => way.map((cell) => ({ x: cells[cell].x, y: yOf(cells[cell].layer) }))),
    width: Math.max(...cells.map((cell) => cell.x + cell.width / 2)) + GRAPH.gap,
    height: yOf(layers.length - 1) + GRAPH.layer / 2,
  };
}

const yOf = (layer) => GRAPH.layer * layer + GRAPH.layer / 2;

// The longest way to each node; edges have no circles.
function depthsOf(count, edges) {
  const depths = Array(count).fill(0), waiting = Array(count).fill(0), below = Array.from({ length: count }, () => []);
  for (const { from, to } of edges) ++waiting[to], below[from].push(to);
  const ready = [...waiting.keys()].filter((node) => waiting[node] === 0);
  while (ready.length > 0) {
    const node = ready.shift();
    for (const next of below[node]) {
      depths[next] = Math.max(depths[next], depths[node] + 1);
      if (--waiting[next] === 0) ready.push(next);
    }
  }
  return depths;
}

// Down and up some times: every layer in the order of what it hangs on, as near below or above it as there is
// room.
function place(layers, cells) {
  for (const layer of layers) spread(layer, cells, (cell, index) => index * (GRAPH.node + GRAPH.gap));
  const mean = (list) => list.reduce((sum, cell) => sum + cells[cell].x, 0) / list.length;
  for (let round = 0; round < 8; ++round) {
    const [order, near] = round % 2 === 0 ? [layers, "above"] : [[...layers].reverse(), "below"];
    for (const layer of order)
      spread(layer, cells, (cell) => (cells[cell][near].length > 0 ? mean(cells[cell][near]) : cells[cell].x));
  }
}

// Sorts a layer by where its cells want to be, and moves those apart that would overlap.
function spread(layer, cells, wanted) {
  const wants = new Map(layer.map((cell, index) => [cell, wanted(cell, index)]));
  layer.sort((a, b) => wants.get(a) - wants.get(b) || a - b);
  // Runs of cells that touch, each where its cells want to be on average.
  const runs = [];
  for (const cell of layer) {
    const width = cells[cell].width + GRAPH.gap;
    let run = { cells: [cell], width, at: wants.get(cell) - width / 2 };
    while (runs.length > 0 && runs.at(-1).at + runs.at(-1).width > run.at) {
      const before = runs.pop(), count = before.cells.length + run.cells.length;
      const at = (before.at * before.cells.length + (run.at - before.width) * run.cells.length) / count;
      run = { cells: [...before.cells, ...run.cells], width: before.width + run.width, at };
    }
    runs.push(run);
  }
  for (const run of runs) {
    let at = run.at;
    for (const cell of run.cells) {
      cells[cell].x = at + (cells[cell].width + GRAPH.gap) / 2;
      at += cells[cell].width + GRAPH.gap;
    }
  }
}
