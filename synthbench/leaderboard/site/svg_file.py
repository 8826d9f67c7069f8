"""A chart as a file of its own: with its colours and its legend, and nothing that runs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files

from markupsafe import escape

from synthbench.leaderboard.site.svg import HEIGHT, WIDTH, Picture

ROW, MARGIN = 18, 8
"""Height of a line of the legend, and space around the picture."""
NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
COLOUR = re.compile(r"--(\w+): light-dark\((#\w+), #\w+\);")
DASHES = {"d1": "7 3", "d2": "9 3 2 3", "d3": "2 3"}
PLAIN = """\
text{{font:12.5px sans-serif;fill:{soft}}}
.mid{{text-anchor:middle}} .end{{text-anchor:end}} .name{{fill:{ink}}} .level-name{{font-size:11px}}
.axis{{fill:none;stroke:{soft}}} .grid{{stroke:{grid}}}
.level{{stroke:{soft};stroke-width:1.2;stroke-dasharray:1.5 3.5;stroke-linecap:round}}
.line{{fill:none;stroke:{soft};stroke-width:2;stroke-linejoin:round}}
.band{{fill:{soft};opacity:{band}}}
.point{{fill:{soft};fill-opacity:.35;stroke:{soft};stroke-width:1.4}}
.front-line{{stroke-width:1.2}}"""
OWN = """\
.line.{css}{{stroke:{colour}}} .band.{css}{{fill:{colour}}}
.point.{css}{{fill:{colour};stroke:{colour}}}"""
LAST = ".point.front{fill-opacity:1} .point.censored{fill:#fff;fill-opacity:1;stroke-width:1.8}"


def svg_file(picture: Picture, legend: Sequence[tuple[str, str]]) -> str:
    """The whole file, as it looks on the light page; legend: classes of a line and its name."""
    height = HEIGHT + ROW * len(legend) + 2 * MARGIN
    width = WIDTH + 2 * MARGIN
    rows = "".join(
        f'<path class="line {css}" d="M6 {y}H34"/><text class="name" x="42" y="{y + 4}">'
        f"{escape(name)}</text>"
        for (css, name), y in (
            (item, HEIGHT + ROW // 2 + ROW * index) for index, item in enumerate(legend)
        )
    )
    content = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="{-MARGIN} {-MARGIN} {width} {height}">'
        f"<title>{escape(picture.title)}</title><style>{_style(picture.is_crowded)}</style>"
        f'<rect x="{-MARGIN}" y="{-MARGIN}" width="{width}" height="{height}" fill="#fff"/>'
        f"{picture.frame.svg}{''.join(picture.marks)}{rows}</svg>\n"
    )
    # What XML has no way to write would make the file unreadable as a whole.
    return NOT_XML.sub("\ufffd", content)


@lru_cache(maxsize=2)
def _style(crowded: bool) -> str:
    """Rules without variables, which few programs but browsers know; colours of the style sheet."""
    sheet = (files("synthbench.leaderboard.site") / "assets" / "site.css").read_text("utf-8")
    colours = dict(COLOUR.findall(sheet))
    own = {name: colours[name] for name in colours if re.fullmatch(r"c\d", name)}
    rules = [PLAIN.format(**colours, band=".06" if crowded else ".13")]
    rules += [OWN.format(css=css, colour=colour) for css, colour in own.items()]
    rules.append(OWN.format(css="beside", colour=colours["ink"]))
    rules += [f".line.{css}{{stroke-dasharray:{dash}}}" for css, dash in DASHES.items()]
    rules += [".line.beside{stroke-dasharray:5 3;stroke-width:1.7}", LAST]
    return "\n".join(rules)
