"""The results as one HTML page that needs nothing else: bars of R, bars of shares, rooflines."""

import html
import math
import pathlib

import compiling
import report
from subject import GROUPS

COLORS = {"matrix product": "--a", "convolution": "--b", "depthwise": "--c", "attention": "--d", "rows": "--e", "pointwise": "--f"}

STYLE = "\n" + (pathlib.Path(__file__).resolve().parent.parent / "compiler/page/style.css").read_text()

WIDTH, LEFT, ROW = 1040, 330, 18


def svg(height, parts):
    return f'<svg viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" role="img">{"".join(parts)}</svg>'


def text(x, y, words, anchor="start", kind=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{kind}">{html.escape(str(words))}</text>'


def line(x0, y0, x1, y1, kind="axis", style=""):
    return f'<line x1="{x0:.1f}" y1="{y0:.1f}" x2="{x1:.1f}" y2="{y1:.1f}" class="{kind}" style="{style}"/>'


def dot(x, y, color, title, radius=4.0, hollow=False):
    fill = f"fill:var(--page);stroke:var({color})" if hollow else f"fill:var({color});fill-opacity:.75"
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" style="{fill}"><title>{html.escape(title)}</title></circle>'


def label(row):
    return f"{row['name']}, {report.threads(row['threads'])}"


def bars(rows, place, base, ticks, figure, extra=lambda row: []):
    """A bar for every row from `base` to its figure; `place` gives the x of a figure; `extra` more dots, with titles."""
    height = ROW * len(rows) + 26
    parts = [line(place(tick), 4, place(tick), height - 22, "one" if tick == base else "axis") +
             text(place(tick), height - 6, f"{tick:g}", "middle", "soft") for tick in ticks]
    for number, row in enumerate(rows):
        y, (low, middle, high), color = number * ROW + 12, figure(row), "--good" if figure(row)[1] >= 1 or base == 0 else "--bad"
        start, end = sorted((place(base), place(middle)))
        parts.append(text(LEFT - 8, y + 4, label(row), "end"))
        parts.append(f'<rect x="{start:.1f}" y="{y - 5}" width="{max(end - start, 1):.1f}" height="10" rx="2" '
                     f'style="fill:var({color})"><title>{html.escape(label(row))}: {middle:.2f} ({low:.2f}-{high:.2f})</title></rect>')
        parts.append(line(place(low), y, place(high), y, "one"))
        parts += [dot(place(value), y, "--soft", title, 3.5, True) for value, title in extra(row)]
        parts.append(text(WIDTH - 4, y + 4, f"{middle:.2f}", "end"))
    return svg(height, parts)


def ratio_bars(title, rows):
    rows = [row for row in rows if report.best(row)]
    if not rows:
        return ""
    most = max(4, *(found[1] for row in rows for found in row["ratio"].values()))
    ticks = [tick for tick in (0.5, 1, 2, 4, 8, 16, 32, 64) if tick <= 2 * most]

    def place(ratio):
        return LEFT + 50 + (WIDTH - LEFT - 110) * math.log(max(ratio, 0.5) / 0.5) / math.log(ticks[-1] / 0.5)

    def others(row):
        return [(found[1], f"{report.peer_name(name)} {found[1]:.2f}") for name, found in row["ratio"].items()
                if name != report.best(row)[0]]

    return (f"<h3>{title}: time of the fastest peer over ours</h3><figure>"
            + bars(rows, place, 1, ticks, lambda row: report.best(row)[1], others)
            + "<figcaption>Right of 1 Weft is faster. Rings are the other peers; the thin line reaches from quartile to quartile."
            "</figcaption></figure>")


def share_bars(group, rows):
    if not rows:
        return ""
    return (f"<h3>{group.capitalize()}: share of the limit</h3><figure>"
            + bars(rows, lambda share: LEFT + (WIDTH - LEFT - 60) * min(share, 1.2) / 1.2, 0, [0, 0.25, 0.5, 0.75, 1],
                   lambda row: row["share"]) + "</figure>")


def roofline(threads, reached, rows):
    rows = [row for row in rows if row["threads"] == threads and row["flops"] and row["bytes"]]
    if not rows or "memory" not in reached:
        return ""
    speeds, wide = [report.gflops(row) for row in rows], [row["flops"] / row["bytes"] for row in rows]
    x0, x1 = min(*wide, 0.5) / 1.5, max(*wide, 50) * 1.5
    y0, y1 = min(speeds) / 1.5, reached["fma"] * 1.6

    def x(intensity):
        return 60 + (WIDTH - 80) * math.log(intensity / x0) / math.log(x1 / x0)

    def y(speed):
        return 420 - 400 * math.log(max(speed, y0) / y0) / math.log(y1 / y0)

    parts = [line(x(x0), y(reached["fma"]), x(x1), y(reached["fma"]), "one"),
             text(x(x1), y(reached["fma"]) - 6, f"multiply-adds, {reached['fma']:.0f} GFLOP/s", "end")]
    for level in ("l1", "l2", "l3", "memory"):
        low, high = max(x0, y0 / reached[level]), min(x1, reached["fma"] / reached[level])
        if low < high:
            parts.append(line(x(low), y(low * reached[level]), x(high), y(high * reached[level]), "axis", "stroke-width:1.5"))
            parts.append(text(x(low) + 4, y(low * reached[level]) - 4, f"{level} {reached[level]:.0f} GB/s", kind="soft"))
    for power in range(-2, 5):
        if x0 < 10.0 ** power < x1:
            parts.append(text(x(10.0 ** power), 440, f"{10.0 ** power:g}", "middle", "soft"))
        if y0 < 10.0 ** power < y1:
            parts.append(text(50, y(10.0 ** power) + 4, f"{10.0 ** power:g}", "end", "soft"))
    parts += [dot(x(intensity), y(speed), COLORS.get(row["group"], "--soft"), f"{row['group']} {row['name']}: {speed:.0f} GFLOP/s")
              for row, speed, intensity in zip(rows, speeds, wide)]
    keys = "".join(f'<span class="key" style="background:var({COLORS[group]})"></span>{group}' for group in COLORS
                   if any(row["group"] == group for row in rows))
    return (f"<h3>Roofline, {report.threads(threads)}</h3><figure>{svg(450, parts)}"
            f"<figcaption>GFLOP/s over operations per byte of operands and results. {keys}</figcaption></figure>")


def table(lines):
    cells = [[html.escape(cell.strip().replace("**", "")) for cell in each.strip("|").split("|")] for each in lines]
    head = "".join(f"<th>{cell}</th>" for cell in cells[0])
    return f"<table><tr>{head}</tr>" + "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in each) + "</tr>"
                                               for each in cells[2:]) + "</table>"


def machine_part(run, found, runs):
    newest = [rows[-1] for rows in found.values()]
    by_group = {group: [row for row in newest if row["group"] == group] for group in GROUPS}
    parts = [f"<h2>{html.escape(run['machine'])}, {run['features']}</h2><p>{run['cores']} processors; last run {run['run']}</p>",
             table(report.summary(newest))]
    whole = ("network", "tolerance", "system", "operator")
    parts.append(ratio_bars("R", [row for group in whole for row in by_group[group]]))
    parts += [roofline(int(threads), reached, newest) for threads, reached in run["limits"].items()]
    for group, rows in by_group.items():
        parts.append(share_bars(group, [row for row in rows if "share" in row]))
        if group not in whole:
            parts.append(ratio_bars(f"{group.capitalize()}, R", rows))
    compiled = compiling.newest(runs)
    if compiled:
        parts += ["<h3>Compiling</h3>", table([*compiling.TITLE, compiling.line(compiled)])]
    return "".join(parts)


def page(machines):
    return ('<!DOCTYPE html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
            f"<title>Weft: performance</title><style>{STYLE}</style><h1>Weft: performance</h1>"
            "<p>Made by benchmarks/run.py from what stands in benchmarks/results; docs/performance.md has the tables.</p>"
            + "".join(machine_part(*each) for each in machines) + "</html>\n")
