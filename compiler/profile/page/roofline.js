// Operations in a second over operations per byte, both in powers of ten; the limits are this machine's.

const ROOF = { width: 1046, height: 460, left: 64, right: 1030, top: 14, bottom: 424 };

function roofline() {
  const limits = data.limits.at(-1);
  const points = kernels
    .filter((kernel) => kernel.flops > 0 && kernel.bytes > 0 && kernel.measured_seconds > 0)
    .map((kernel) => ({ kernel, wide: kernel.flops / kernel.bytes, speed: kernel.flops / kernel.measured_seconds }))
    .sort((a, b) => b.kernel.measured_seconds - a.kernel.measured_seconds);
  const figure = document.getElementById("roofline");
  if (points.length === 0) {
    figure.innerHTML = "<p>No kernel has floating-point operations.</p>";
    return;
  }
  const x0 = Math.min(0.5, ...points.map((point) => point.wide)) / 1.5, x1 = Math.max(50, ...points.map((point) => point.wide)) * 1.5;
  const y0 = Math.min(...points.map((point) => point.speed)) / 1.6, y1 = Math.max(limits.flops, ...points.map((point) => point.speed)) * 1.6;
  const along = (value, low, high) => Math.log(value / low) / Math.log(high / low);
  const x = (wide) => ROOF.left + (ROOF.right - ROOF.left) * along(wide, x0, x1);
  const y = (speed) => ROOF.bottom - (ROOF.bottom - ROOF.top) * along(Math.max(speed, y0), y0, y1);
  const taken = [];
  const parts = [...axes(x0, x1, y0, y1, x, y), ...roofs(limits, x0, x1, y0, x, y, taken)];
  const whole = data.method.measured_seconds;
  const dots = points.map(({ kernel, wide, speed }) => {
    const size = 3.5 + 12 * Math.sqrt(kernel.measured_seconds / whole);
    taken.push({ x: x(wide), y: y(speed), wide: size, high: size });
    return `<circle cx="${x(wide).toFixed(1)}" cy="${y(speed).toFixed(1)}" r="${size.toFixed(1)}" data-kernel="${kernel.number}" ` +
      `style="fill:${colorOf(kernel)};fill-opacity:.7"><title>${escaped(`${titleOf(kernel)}\n${amount(speed, "FLOP/s")}`)}</title></circle>`;
  });
  const named = points.slice(0, 8).map(({ kernel, wide, speed }) => pointLabel(kernel.name, x(wide), y(speed), taken));
  const others = kernels.length - points.length;
  figure.innerHTML = svg(ROOF.width, ROOF.height, [...parts, ...dots, ...named]) +
    `<figcaption>FLOP/s over operations per byte of operands and results; the larger a point, the more of the time. ${keys()}` +
    (others > 0 ? `. ${others} without floating-point operations, or not run, ${others === 1 ? "is" : "are"} in the table only` : "") +
    ".</figcaption>";
}

function axes(x0, x1, y0, y1, x, y) {
  const parts = [line(ROOF.left, ROOF.bottom, ROOF.right, ROOF.bottom), line(ROOF.left, ROOF.top, ROOF.left, ROOF.bottom)];
  for (let power = -4; power < 16; ++power) {
    const value = 10 ** power;
    if (value > x0 && value < x1) parts.push(line(x(value), ROOF.bottom, x(value), ROOF.bottom + 5) + text(x(value), ROOF.bottom + 20, value, "middle", "soft"));
    if (value > y0 && value < y1) parts.push(line(ROOF.left - 5, y(value), ROOF.left, y(value)) + text(ROOF.left - 8, y(value) + 4, amount(value, ""), "end", "soft"));
  }
  return parts;
}

function roofs(limits, x0, x1, y0, x, y, taken) {
  const name = `multiply-adds, ${amount(limits.flops, "FLOP/s")}`;
  taken.push({ x: x(x1) - 95, y: y(limits.flops) - 10, wide: 95, high: 7 });
  const parts = [line(x(Math.max(x0, limits.flops / Math.max(...Object.values(limits.bandwidth)))), y(limits.flops), x(x1), y(limits.flops), "one"),
    text(x(x1), y(limits.flops) - 6, name, "end")];
  for (const [level, speed] of Object.entries(limits.bandwidth)) {
    const low = Math.max(x0, y0 / speed), high = Math.min(x1, limits.flops / speed);
    if (low >= high) continue;
    parts.push(line(x(low), y(low * speed), x(high), y(high * speed), "axis", "stroke-width:1.5"));
    // Along the roof, over its beginning.
    const angle = (Math.atan2(y(high * speed) - y(low * speed), x(high) - x(low)) * 180) / Math.PI;
    const words = `${level} ${amount(speed, "B/s")}`, at = `${(x(low) + 6).toFixed(1)} ${(y(low * speed) - 5).toFixed(1)}`;
    parts.push(`<text class="soft halo" transform="translate(${at}) rotate(${angle.toFixed(1)})">${escaped(words)}</text>`);
    for (let part = 0; part < 110; part += 12) {
      const turn = (angle * Math.PI) / 180;
      taken.push({ x: x(low) + 6 + part * Math.cos(turn), y: y(low * speed) - 9 + part * Math.sin(turn), wide: 7, high: 7 });
    }
  }
  return parts;
}

// A name beside its point, where it covers neither names nor points; left out where there is no room.
function pointLabel(name, x, y, taken) {
  const words = shortened(name, 28), wide = words.length * 3.3, high = 7;
  for (const far of [16, 26, 38]) {
    for (const [right, down] of [[1, 0], [-1, 0], [0, -1], [0, 1], [1, -1], [-1, -1], [1, 1], [-1, 1]]) {
      const box = { x: x + right * (wide + (down === 0 ? far : 4)), y: y + down * far, wide, high };
      const inside = box.x - wide > ROOF.left && box.x + wide < ROOF.right && box.y - high > ROOF.top && box.y + high < ROOF.bottom;
      const free = taken.every((other) => Math.abs(other.x - box.x) > other.wide + wide || Math.abs(other.y - box.y) > other.high + high);
      if (!inside || !free) continue;
      taken.push(box);
      return `<g style="pointer-events:none">${text(box.x, box.y + 4, words, "middle", "halo")}</g>`;
    }
  }
  return "";
}
