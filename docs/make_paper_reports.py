"""Write docs/papers/ from the results of all paper studies: `python docs/make_paper_reports.py`.

Trains nothing: what is not in --runs has no report. `synthbench study run NAME` trains a study.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from PIL import Image

from synthbench.papers.report.gallery import write_gallery_as_markdown
from synthbench.papers.report.several import all_reports


def main() -> None:
    """Read what is kept, and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="of `study run`")
    options = parser.parse_args()
    reports = all_reports(
        options.runs, lambda name, error: print(f"{name}: {error}", file=sys.stderr)
    )
    out = Path(__file__).parent / "papers"
    write_gallery_as_markdown(reports, out)
    for picture in sorted(out.glob("*/*.png")):
        shrink(picture)


def shrink(picture: Path) -> None:
    """Write it with as few colours as a plot has: a repository keeps every version."""
    few = Image.open(picture).convert("RGB").quantize(96, dither=Image.Dither.NONE)
    few.save(picture, optimize=True)


if __name__ == "__main__":
    main()
