"""Reports: every claim, every figure, nothing of a study's text as markup."""

from __future__ import annotations

import posixpath
import re
from dataclasses import replace
from html.parser import HTMLParser
from math import nan
from pathlib import Path
from struct import pack

import pytest

import synthbench as sb
from synthbench.claims.judging import judge
from synthbench.errors import ConfigurationError, SynthbenchError
from synthbench.leaderboard.site import Section, build_site
from synthbench.papers.judging import judged
from synthbench.papers.kept import KeptStudy, kept_study
from synthbench.papers.report import several
from synthbench.papers.report.content import Report, report_content
from synthbench.papers.report.gallery import gallery_markdown, gallery_pages, write_gallery
from synthbench.papers.report.pages import report_html, report_markdown, write_report
from synthbench.papers.report.pictures import drawn_figures
from synthbench.plan.paper_study import PaperStudy
from tests.papers.stand_in import StandInJudge
from tests.papers.test_wording import undecided

pytestmark = pytest.mark.usefixtures("stand_in_claims")


@pytest.fixture(scope="module")
def report(study: PaperStudy, runs: Path) -> Report:
    """Drawn once; it is only read."""
    return report_content(kept_study(study, runs), "plateaus.toml", StandInJudge())


@pytest.fixture(scope="module")
def undrawn(study: PaperStudy) -> PaperStudy:
    """The study without its figures, which take longest."""
    return study.model_copy(update={"figures": ()})


class Elements(HTMLParser):
    """Names of the elements of a page, the classes of some, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.classes: list[tuple[str, str]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append(tag)
        self.classes += [(tag, value) for name, value in attrs if name == "class"]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_claims_come_in_the_order_of_the_file_on_each_grid(report: Report) -> None:
    assert [(row.claim.name, row.grid, row.verdict) for row in report.claims] == [
        ("holds", "sizes", "holds"),
        ("holds", "released", "holds"),
        ("best", "sizes", "holds for the best seed only"),
        ("fails", "sizes", "does not hold"),
        ("undecided", "released", "undecided"),
    ]
    row = report.claims[-1]
    assert (row.value, row.interval, row.seeds) == ("0.93", "[0.86, 0.98]", 4)
    assert row.remark == "about 64 seeds would tell"
    assert report.counts == [
        ("✓", "holds", 2), ("◐", "holds for the best seed only", 1),
        ("✗", "does not hold", 1), ("?", "undecided", 1),
    ]  # fmt: skip


def test_the_confidence_is_that_of_all_claims_together(kept: KeptStudy) -> None:
    judge = StandInJudge()
    judged(kept, judge)
    shares = {tuple(names): confidence for names, confidence in judge.asked}
    # Five judgements, three of them on one grid: 3 and 2 hundredths of error.
    assert shares == {
        ("holds", "best", "fails"): pytest.approx(0.97),
        ("holds", "undecided"): pytest.approx(0.98),
    }


def test_a_claim_about_what_is_missing_leaves_the_others_judged(
    undrawn: PaperStudy, runs: Path
) -> None:
    study = undrawn
    whole, judge = kept_study(study, runs), StandInJudge()
    claims = tuple(
        claim.model_copy(update={"name": "missing"}) if claim.name == "fails" else claim
        for claim in study.claims
    )
    changed = study.model_copy(update={"claims": claims})
    # Where everything is run, what cannot be judged is a mistake of the study's.
    with pytest.raises(
        ConfigurationError, match=r"plateaus.toml:61: claims.quantity: no replica meets"
    ):
        judged(KeptStudy(changed, whole.grids), judge)
    partly = kept_study(study, runs, full=True)
    found = judged(KeptStudy(changed, partly.grids), judge)
    assert [each.judgement is None for each in found] == [False, False, False, True, False]
    assert found[3].absent == "not all is run: no replica meets n == 40"
    assert [each.part for each in found] == ["2 of 3 cells", "", "2 of 3 cells", "", ""]
    shown = report_content(partly, "plateaus", StandInJudge()).claims[0]
    assert (shown.verdict, shown.remark) == ("holds", "by 2 of 3 cells")


def real_judge(claims, results, confidence):
    """That of `synthbench.claims`, in whose place these tests have another."""
    return judge(claims, results, confidence=confidence)


def asking(study: PaperStudy, quantity: str) -> PaperStudy:
    """With another quantity in place of the last claim's."""
    last = study.claims[-1].model_copy(update={"quantity": quantity})
    return study.model_copy(update={"claims": (last,)})


@pytest.mark.parametrize(
    ("quantity", "message"),
    [
        ("median(plateu)", 'no column "plateu"; did you mean "plateau"'),
        ("share(n > 'a')", "is a text, not a number"),
        ("exponent(median(time), by=n)", '"n" has not two values'),
    ],
)
def test_what_cannot_be_judged_is_named_with_its_line(
    quantity: str, message: str, undrawn: PaperStudy, runs: Path
) -> None:
    """Of cells with fewer seeds than are asked for too: more would not have the column."""
    study = asking(undrawn, quantity)
    grids = {
        name: grid.model_copy(update={"small": grid.small.changed({"protocol": {"seeds": "5"}})})
        for name, grid in study.grids.items()
    }
    for asked in (study, study.model_copy(update={"grids": grids})):
        with pytest.raises(
            SynthbenchError, match=rf"plateaus.toml:\d+: claims.quantity: .*{message}"
        ):
            judged(kept_study(asked, runs), real_judge)


def test_what_cannot_be_drawn_is_named_with_its_line(study: PaperStudy, runs: Path) -> None:
    figure = study.figures[1].model_copy(update={"where": "m == 6"})
    changed = study.model_copy(update={"figures": (study.figures[2], figure)})
    with pytest.raises(SynthbenchError, match=r'plateaus.toml:\d+: figures: no column "m"'):
        drawn_figures(kept_study(changed, runs))


def test_a_condition_that_no_replica_meets_is_no_mistake(undrawn: PaperStudy, runs: Path) -> None:
    """No seed may have got there: the other claims have their verdicts."""
    study = asking(undrawn, "median(plateau, where=final_score > 2)")
    (found,) = judged(kept_study(study, runs), real_judge)
    assert found.judgement is None
    assert found.absent.startswith("no replica meets final_score > 2 (final_score is ")


def test_a_grid_that_was_not_run_is_said_to_be_so(
    undrawn: PaperStudy, runs: Path, tmp_path: Path
) -> None:
    kept = kept_study(undrawn, runs)
    nothing = kept_study(kept.study, tmp_path)
    half = KeptStudy(kept.study, {**kept.grids, "released": nothing.grids["released"]})
    report = report_content(half, "plateaus", StandInJudge())
    assert report.claims[1].verdict == "not measured" and report.claims[1].remark == "not run"
    assert [(grid.cells, grid.seeds) for grid in report.grids] == [("2 of 2", "4"), ("0 of 1", "-")]
    with pytest.raises(SynthbenchError, match="is run; first: synthbench study run plateaus"):
        report_content(nothing, "plateaus", StandInJudge())


def test_a_budget_that_was_raised_since_is_told_from_what_was_never_run(
    study: PaperStudy, runs: Path
) -> None:
    grid = study.grids["released"]
    larger = grid.model_copy(update={"small": grid.small.changed({"protocol": {"budget": "3.2k"}})})
    figure = study.figures[1].model_copy(update={"grid": ("released",)})
    changed = {"grids": {**study.grids, "released": larger}, "figures": (figure,)}
    report = report_content(
        kept_study(study.model_copy(update=changed), runs), "plateaus", StandInJudge()
    )
    told = "run with a smaller budget only, or evaluated less often"
    assert report.claims[1].remark == told and report.pictures[0].absent == told
    assert [grid.cells for grid in report.grids] == ["2 of 2", "0 of 1"]


def test_figures_are_drawn_or_the_reason_is_given(report: Report) -> None:
    scaling, survival, probes = report.pictures
    assert scaling.png.startswith(b"\x89PNG") and b"<svg" in scaling.svg
    assert survival.png and not probes.png and "probe" in probes.absent
    assert (scaling.seeds, probes.seeds) == ("4", "")
    assert "the paper. 4 seeds of the grid sizes" in Elements(report_html(report)).text
    assert "Of six. (4 seeds of the grid sizes)" in report_markdown(report).splitlines()


def test_pictures_of_several_panels_take_the_whole_width(report: Report) -> None:
    picture = report.pictures[0]
    sizes = {"panels": (3000, 900), "one": (900, 600)}
    heads = {name: picture.png[:16] + pack(">II", *size) for name, size in sizes.items()}
    wide = {name: replace(picture, png=png).is_wide for name, png in heads.items()}
    assert wide == {"panels": True, "one": False}


def test_nothing_of_the_study_is_markup(report: Report) -> None:
    page = report_html(report)
    for forged in (
        "<script>alert",
        "<b>plateaus",
        "<u>holds",
        "<em>says",
        "<i>n</i>",
        "Figure <2>",
    ):
        assert forged not in page
    found = Elements(page)
    assert found.tags.count("img") == 2 and {"u", "em", "i"}.isdisjoint(found.tags)
    for text in ("Parities & <b>plateaus</b>", "It <u>holds</u>.", "smaller <i>n</i>", "With & wi"):
        assert text in found.text
    assert "<code>SGD</code>" in page
    assert {value for tag, value in found.classes if tag == "figure"} == {"pair"}
    styles = [value for tag, value in found.classes if value.startswith("verdict")]
    good, part, bad, open_ = "verdict good", "verdict part", "verdict bad", "verdict "
    assert styles == [good, good, part, bad, open_]
    assert re.findall(r'(?:src|href)="(?!data:|#|index.html)([^"]*)"', page) == []


def test_the_page_says_what_was_run_and_how_to_run_it_again(report: Report) -> None:
    text = " ".join(Elements(report_html(report)).text.split())
    for said in (
        "2 tasks x 1 model = 2 cells, 8 replicas", "2 of 2", "the released code's learning rate",
        "synthbench study run plateaus.toml --seeds 8", "synthbench study report plateaus.toml",
        "SynthBench", "torch", "Not drawn", "Figure <2>.", "the best: 1.25",
        "about 64 seeds would tell", "four seeds",
    ):  # fmt: skip
        assert said in text, said


def test_fewer_seeds_than_asked_for_are_told(undrawn: PaperStudy, runs: Path) -> None:
    """And the command for more asks for more than the plain one does."""
    grids = {
        name: grid.model_copy(update={"small": grid.small.changed({"protocol": {"seeds": "6"}})})
        for name, grid in undrawn.grids.items()
    }
    kept = kept_study(undrawn.model_copy(update={"grids": grids}), runs)
    report = report_content(kept, "plateaus", StandInJudge())
    assert [grid.seeds for grid in report.grids] == ["4 of 6", "4 of 6"]
    assert report.commands[1] == "synthbench study run plateaus --seeds 12"


def test_a_source_that_ends_in_a_full_stop_gets_no_second_one(report: Report) -> None:
    picture = report.pictures[0]
    source = "Figure 1 of Hoogland et al."
    changed = replace(picture, figure=picture.figure.model_copy(update={"source": source}))
    changed_report = replace(report, pictures=(changed,))
    assert f"**{source}** Grows" in report_markdown(changed_report)
    assert f"<b>{source}</b> Grows" in report_html(changed_report)


def test_markdown_says_the_same(report: Report) -> None:
    text = report_markdown(report)
    lines = text.splitlines()
    rows = [line for line in lines if line.startswith("|")]
    # A bar within a cell is escaped: every row has as many cells as its heading.
    widths = {len(re.findall(r"(?<!\\)\|", row)) for row in rows}
    assert widths == {5, 6}
    assert "<script>" not in text and "&lt;u>holds" in text
    quantity = "share(`final_score` > 0.5 and task != 'a \\| b')"
    assert f"`` {quantity} `` >= 0.9 on sizes. With &amp; without." in text
    assert "| 0.93 [0.86, 0.98], 4 seeds | ? undecided; about 64 seeds would tell |" in text
    assert "](figure-1.png)" in text and "](figure-3.png)" not in text
    assert "- four seeds" in lines and "\n\n\n" not in text


def test_a_report_and_its_files(report: Report, tmp_path: Path) -> None:
    page = write_report(report, tmp_path / "report")
    assert page == tmp_path / "report" / "index.html"
    assert {path.name for path in page.parent.iterdir()} == {
        "index.html", "README.md", "figure-1.png", "figure-1.svg", "figure-2.png", "figure-2.svg",
    }  # fmt: skip
    again = page.read_bytes()
    write_report(report, tmp_path / "report")
    assert page.read_bytes() == again


def test_a_report_in_python(undrawn: PaperStudy, runs: Path, tmp_path: Path) -> None:
    page = sb.report_paper_study(undrawn, tmp_path / "page", runs=runs)
    assert page == tmp_path / "page" / "index.html"
    assert f"synthbench study run {undrawn.path}" in page.read_text()
    bundled = sb.find_paper_study("hidden-progress")
    with pytest.raises(SynthbenchError, match=r"first: synthbench study run hidden-progress$"):
        sb.report_paper_study(bundled, tmp_path / "none", runs=tmp_path)


def test_a_gallery_leads_to_every_report(report: Report, tmp_path: Path) -> None:
    index = write_gallery([report], tmp_path / "reports")
    page = index.read_text()
    assert 'href="plateaus/index.html"' in page and page.count("<img") == 1
    assert "<script>alert" not in page
    markdown = (tmp_path / "reports" / "README.md").read_text()
    assert "5 verdicts on 4 claims of 1 study:" in markdown and "<script>" not in markdown
    row = next(line for line in markdown.splitlines() if line.startswith("| [Parities"))
    assert row.split(" | ")[2:6] == ["2", "1", "1", "1"]
    assert len([line for line in markdown.splitlines() if line.startswith("- ")]) == 5
    inner = (tmp_path / "reports" / "plateaus" / "index.html").read_text()
    assert 'href="../index.html"' in inner


def test_two_studies_of_one_name_have_no_gallery(report: Report, tmp_path: Path) -> None:
    """The second report would take the place of the first."""
    with pytest.raises(ConfigurationError, match='are both called "plateaus"; give one another'):
        write_gallery([report, report], tmp_path / "reports")
    assert not (tmp_path / "reports").exists()


def test_a_gallery_beside_the_boards(report: Report, tmp_path: Path) -> None:
    section = Section("Paper studies", "1 study", "papers", gallery_pages([report], "../"))
    build_site([], tmp_path / "site", sections=[section])
    pages = {path.relative_to(tmp_path / "site").as_posix(): path.read_text() for path in
             (tmp_path / "site").rglob("*.html")}  # fmt: skip
    assert set(pages) == {"index.html", "papers/index.html", "papers/plateaus/index.html"}
    assert 'href="papers/index.html">Paper studies</a>: 1 study' in pages["index.html"]
    for place, page in pages.items():
        # Every link leads to a page of the site, and none of them is left out.
        links = re.findall(r'href="([^"#:]*index\.html)"', page)
        found = {posixpath.normpath(posixpath.join(posixpath.dirname(place), to)) for to in links}
        assert found <= set(pages) and {"index.html", "papers/index.html"} <= found, place
    assert "plateaus/index.html" in pages["papers/index.html"]
    build_site([], tmp_path / "site", sections=[section])


def test_all_reports_leave_out_what_cannot_be_judged(
    undrawn: PaperStudy, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = undrawn

    class Two:
        def names(self, kind: object) -> list[str]:
            return ["plateaus", "broken", "never-run"]

    def find(name: str) -> PaperStudy:
        if name == "broken":
            raise ConfigurationError("no such column")
        return study if name == "plateaus" else study.model_copy(update={"name": name})

    monkeypatch.setattr(several, "installed", Two)
    monkeypatch.setattr(several, "find_paper_study", find)
    left_out: list[str] = []
    found = several.all_reports(runs, lambda name, error: left_out.append(f"{name}: {error}"))
    assert [each.study.name for each in found] == ["plateaus"]
    assert left_out == ["broken: no such column"]
    with pytest.raises(ConfigurationError, match="nothing of any study is run in"):
        several.all_reports(runs / "nowhere", lambda *_: None)


def test_what_has_no_number_leaves_no_gap(report: Report) -> None:
    row = undecided(report.study, value=nan, low=nan, high=nan)
    changed = replace(report, claims=(row, replace(row, value="", seeds=None, remark="not run")))
    assert "| -, 8 seeds | ? undecided; the value" in report_markdown(changed)
    lines = gallery_markdown([changed]).splitlines()
    assert [line.rpartition(": ")[2] for line in lines if line.startswith("- ")] == [
        "- > 0.9",
        "not run",
    ]
