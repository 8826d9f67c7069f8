"""Files of paper studies: what they say, and where a mistake in one stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthbench.errors import ConfigurationError
from synthbench.plan.paper_study import read_paper_study

FILE = """\
title = "Plateaus"
paper = "Nobody 2022"
summary = "They last."
departures = "smaller n"

[grids.sizes]
tasks = ["sparse-parity n=[6,8]"]
models = ["mlp"]
protocol = { seeds = 4, budget = "1k" }

[grids.sizes.full]
tasks = ["sparse-parity n=[60,80]"]
protocol = { seeds = 8 }

[grids.widths]
says = "narrow ones"
tasks = "sparse-parity n=8"
models = ["mlp width=[2,4]"]

[[figures]]
grid = "sizes"
kind = "scaling"
caption = "A line."

[[claims]]
name = "lasts"
says = "It lasts."
source = "Figure 1"
grid = ["sizes", "widths"]
quantity = "median(plateau)"
holds = "> 0.5"
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "plateaus.toml"
    path.write_text(text)
    return path


def test_a_file_is_a_paper_study(tmp_path: Path) -> None:
    study = read_paper_study(written(tmp_path, FILE))
    assert (study.name, study.departures) == ("plateaus", ("smaller n",))
    sizes, widths = study.grids["sizes"], study.grids["widths"]
    assert sizes.small.tasks == ("sparse-parity n=[6,8]",)
    assert sizes.full.tasks == ("sparse-parity n=[60,80]",)
    # What the paper's size does not say is as in the small one.
    assert sizes.full.models == ("mlp",)
    assert dict(sizes.full.protocol) == {"seeds": "8", "budget": "1k"}
    assert widths.full == widths.small and widths.says == "narrow ones"
    assert study.grids_of(study.claims[0]) == ("sizes", "widths")
    assert study.grids_of(study.figures[0]) == ("sizes",)


def test_the_only_grid_need_not_be_named(tmp_path: Path) -> None:
    text = FILE.replace('grid = "sizes"\n', "").replace('grid = ["sizes", "widths"]\n', "")
    start, end = text.index("[grids.widths]"), text.index("[[figures]]")
    study = read_paper_study(written(tmp_path, text[:start] + text[end:]))
    assert study.grids_of(study.claims[0]) == study.grids_of(study.figures[0]) == ("sizes",)


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("title =", "titel =", 1, 'titel: a paper study has no such key; did you mean "title"?'),
        ('summary = "They last."\n', "", 1, 'it needs the key "summary"'),
        ('models = ["mlp"]', 'modles = ["mlp"]', 8, "modles: a grid has no such key; did you mean"),
        ('models = ["mlp"]', 'name = "x"', 8, "grids.sizes.name: a grid has none"),
        ('says = "narrow', 'say = "narrow', 16, 'has no such key; did you mean "says"? (keys'),
        ("sizes.full]", "sizes.fulll]", 11, "grids.sizes.fulll: a grid has no such key; did you"),
        ('tasks = ["sparse-parity n=[60', 'says = ["', 12, "sizes.full.says: a grid has no"),
        ('tasks = ["sparse-parity n=[60', 'grids = ["', 12, "sizes.full.grids: a grid has no"),
        ("protocol = { seeds = 8 }", "seeds = 8", 13, "protocol: protocol = { seeds = ... }"),
        ('models = ["mlp"]', 'measurements = "a"', 7, "tasks: a grid that is measured has no such"),
        ('budget = "1k"', 'bugdet = "1k"', 9, "grids.sizes.protocol.bugdet: "),
        ("seeds = 8", "seeds = 0", 13, "grids.sizes.full.protocol.seeds: "),
        ("says = \"narrow ones\"", "says = 3", 16, "grids.widths.says: "),
        ("[grids.sizes]", "[grids.Sizes]", 6, "grids.Sizes: a grid's name is lower-case words"),
        ('kind = "scaling"', "kind = 3", 22, "figures.kind: input should be a valid string"),
        ('kind = "scaling"', 'knid = "scaling"', 22, "knid: there is no such key; did you mean"),
        ('caption = "A line."', 'caption = ""\nxs = 1', 24, "figures.xs: there is no such key"),
        ('grid = "sizes"\n', "", 20, "figures: name its grid (grids: sizes, widths)"),
        ('grid = "sizes"\n', 'grid = "size"\n', 21, 'figures.grid: there is no grid "size"; did'),
        ('name = "lasts"', 'name = "It lasts"', 26, 'claims.name: "It lasts" is no name: lower-'),
        ('title =', 'name = "../x"\ntitle =', 1, 'name: "../x" is no name: lower-case words and'),
        ("[[claims]]", "[claims]", 25, "claims: write each as [[claims]]"),
        ("[[figures]]", "[figures]", 20, "figures: write each as [[figures]]"),
        ('grid = "sizes"\n', 'grid = ["sizes", "widths"]\n', 21, "a figure is of one grid; write"),
        ('"widths"]', '"width"]', 29, 'claims.grid: there is no grid "width"; did you mean'),
        ('holds = "> 0.5"', "", 25, 'claims: it needs the key "holds"'),
        ('title = "P', 'title = P', 1, "this is not TOML"),
    ],
)  # fmt: skip
def test_mistakes_name_their_line(old, new, line, message, tmp_path: Path) -> None:
    assert old in FILE
    path = written(tmp_path, FILE.replace(old, new, 1))
    with pytest.raises(ConfigurationError) as refused:
        read_paper_study(path)
    where, _, said = str(refused.value).partition(": ")
    assert where == f"{path}:{line}", refused.value
    assert message in said


def test_a_file_whose_name_is_none_is_to_give_one(tmp_path: Path) -> None:
    path = tmp_path / "My Study.toml"
    path.write_text(FILE)
    with pytest.raises(
        ConfigurationError, match=r'called as its file, and "My Study" is no name.*`'
    ):
        read_paper_study(path)
    path.write_text(f'name = "my-study"\n{FILE}')
    assert read_paper_study(path).name == "my-study"


def test_two_claims_of_one_name(tmp_path: Path) -> None:
    claim = FILE[FILE.index("[[claims]]") :]
    with pytest.raises(ConfigurationError, match=r"33: claims\.name: another claim is called"):
        read_paper_study(written(tmp_path, FILE + claim))
