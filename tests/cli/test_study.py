"""`synthbench study`, as a person types it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from synthbench.cli.study.list import where_to_find
from synthbench.errors import ModelError
from synthbench.registry.kinds import STUDY
from synthbench.registry.registry import installed
from tests.cli.command import run_command
from tests.evaluation.failing import failing_where
from tests.papers.conftest import STUDY as TEXT
from tests.papers.stand_in import stand_in_claims

__all__ = ["stand_in_claims"]
pytestmark = pytest.mark.usefixtures("stand_in_claims")


@pytest.fixture
def command(capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Run a command of `synthbench study` in a folder with one; exit code, output, errors."""
    monkeypatch.chdir(tmp_path)
    Path("plateaus.toml").write_text(TEXT)

    def run(*arguments: str):
        return run_command(capsys, monkeypatch, "study", *arguments, columns=120)

    return run


def provided(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    """Make a file the study of an installed plugin."""
    plugin = installed().host.plugins[0]
    study = STUDY.read(path)
    monkeypatch.setitem(plugin.provided[STUDY], study.name, study)


def test_bundled_studies_are_listed(command) -> None:
    code, out, _ = command("list")
    assert not code and "hidden-progress" in out
    assert "Makkuva" not in out and "arXiv:2402.04161" in out
    assert "synthbench" not in out  # All are of one distribution.


def test_a_paper_is_named_by_what_finds_it() -> None:
    assert where_to_find("A 2003, arXiv:cs/0010022; B (also arXiv:1912.05671).") == (
        "arXiv:cs/0010022, arXiv:1912.05671"
    )
    assert where_to_find("C 2015, J. ACM 62(2)") == "C 2015, J. ACM 62(2)"
    assert (
        where_to_find("D, doi:10.1007/978-3-540-27819-1_16.") == "doi:10.1007/978-3-540-27819-1_16"
    )


def test_a_study_is_shown(command) -> None:
    code, out, _ = command("show", "plateaus.toml")
    text = " ".join(out.split())
    assert not code
    for said in (
        "plateaus (study)", "sizes: sparse-parity n=[6,8] k=2; mlp width=16; seeds=4 budget=1.6k",
        "evaluation_samples=128; larger with --full",
        "It <u>holds</u>. (Section 1): share(`final_score` > 0.5 and task != 'a | b') >= 0.9",
        ">= 0.9 on sizes, released",
        "four seeds", "scaling x=n on sizes (Figure <2>)", "survival where n == 6 on sizes: Of six",
        "run it: synthbench study run plateaus.toml",
    ):  # fmt: skip
        assert said in text, said


@pytest.mark.parametrize("shown", [("study", "show"), ("show",)])
def test_a_name_that_is_longer_than_a_line_is_shown_whole(shown, capsys, monkeypatch) -> None:
    code, out, _ = run_command(capsys, monkeypatch, *shown, "algorithms", columns=60)
    assert not code and "…" not in out
    assert "meet-in-the-middle,bkw,correlation]" in "".join(out.split())
    assert "run it: synthbench study run algorithms" in out


def test_a_study_is_run_grown_and_reported(command, monkeypatch, tmp_path: Path) -> None:
    quick = ("--workers", "0", "--compile", "never", "--replicas-per-block", "4")
    one = ("--seeds", "2", "--grid", "released")
    code, out, _ = command("run", "plateaus.toml", *one, *quick)
    text = " ".join(out.split())
    assert not code, out
    assert "✓ holds" in text and "0.93 [0.86, 0.98], claimed >= 0.9" in text
    assert "with figures: synthbench study report plateaus.toml" in text
    code, _, err = command("run", "plateaus.toml", *quick)
    assert not code and "2 of 4 replicas are kept; training the other 2" in err
    code, _, err = command("run", "plateaus.toml", *quick)
    assert not code and "training the other" not in err

    code, out, _ = command("report", "plateaus.toml", "-o", "pages")
    assert not code
    assert "plateaus: 2 holds" in out and "open pages/plateaus/index.html" in out
    assert "It &lt;u&gt;holds" in Path("pages/plateaus/index.html").read_text()
    assert Path("pages/plateaus/README.md").is_file()

    # Its figures are drawn already.
    Path("plateaus.toml").write_text(re.sub(r"(?s)\[\[figures.*?(?=\[\[claims)", "", TEXT))
    provided(monkeypatch, Path("plateaus.toml"))
    Path("broken.toml").write_text(TEXT)
    provided(monkeypatch, Path("broken.toml"))
    Path("broken.toml").write_text(TEXT.replace("share(regret < 1)", "share"))
    code, out, _ = command("report", "--all", "-o", "gallery")
    assert not code and "open gallery/plateaus/index.html" in out
    assert "left out: broken: broken.toml:" in out and "cannot read the quantity 'share'" in out
    assert "plateaus/index.html" in Path("gallery/index.html").read_text()


def test_a_cell_that_fails_is_named_below_the_verdicts(command) -> None:
    quick = ("--workers", "0", "--compile", "never", "--replicas-per-block", "4", "--seeds", "2")
    mistake = ModelError("it cannot be trained; make it wider")
    with failing_where(lambda cell: "n=8" in cell.task.label(), lambda: mistake):
        code, out, err = command("run", "plateaus.toml", *quick)
    assert code == 2 and "Traceback" not in err
    assert "holds" in out and "with figures: synthbench study report plateaus.toml" in out
    assert "sizes: 1 of 2 cells failed, the others are finished:" in err
    assert '"mlp width=16" on "sparse-parity n=8 k=2": it cannot be trained' in err
    code, _, err = command("run", "plateaus.toml", *quick)
    assert code == 0 and "failed" not in err


def test_results_of_another_folder_are_named_in_what_to_do_next(command) -> None:
    quick = ("--workers", "0", "--compile", "never", "--replicas-per-block", "4", "--seeds", "1")
    code, out, _ = command("run", "plateaus.toml", *quick, "--grid", "released", "--runs", "a b")
    assert not code
    assert "with figures: synthbench study report plateaus.toml --runs 'a b'" in out
    code, out, _ = command("report", "plateaus.toml", "--runs", "a b")
    assert not code and "not drawn: plateaus: figure 1, scaling: not run" in out
    code, _, err = command("report", "plateaus.toml", "--runs", "c d")
    assert code == 2 and "first: synthbench study run plateaus.toml --runs 'c d'" in err


def test_where_nothing_can_be_written_no_verdicts_are_shown(command) -> None:
    Path("file").write_text("")
    code, out, err = command("run", "plateaus.toml", "--workers", "0", "--runs", "file")
    assert code == 2 and not out
    assert "cannot write to file/plateaus/sizes: Not a directory" in err


def test_a_dry_run_trains_nothing(command) -> None:
    code, out, _ = command("run", "plateaus.toml", "--dry-run", "--full", "--grid", "sizes")
    assert not code and out.count("nothing is trained") == 1 and "all 3 cells" in out
    assert "sizes: 3 tasks x 1 model = 3 cells" in out and "grids" not in out
    assert not Path("runs").exists()


def test_a_dry_run_of_several_grids_sums_them_up(command) -> None:
    text = TEXT.replace('1.6k", evaluation', '1.6k", train_samples = [64, 96], evaluation', 1)
    Path("plateaus.toml").write_text(text.replace("n=[6,8] k=2", "n=8 k=2", 1))
    code, out, _ = command("run", "plateaus.toml", "--dry-run", "--seeds", "2")
    assert not code and out.count("nothing is trained, and nothing written to runs/plateaus") == 1
    rows = [line.split() for line in out.splitlines()]
    (total,) = [row for row in rows if row[:3] == ["all", "2", "grids"]]
    assert total[3:5] == ["6", "0"]
    # Cells that differ in their training sets alone are told apart.
    assert "".join(out.split()).count("n=8k=2,train_samples=96") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["show", "hidden-progres"], 'unknown study "hidden-progres"; did you mean "hidden-pr'),
        (["run", "quickstart"], '"quickstart" is a suite, not a study; write: synthbench eval qui'),
        (["run", "local"], '"local" is a launcher, not a study (synthbench list studies; '),
        (["run", "plateaus.toml", "--grid", "size"], 'has no grid "size"; did you mean "sizes"?'),
        (["report"], "name the studies to report, or say --all (synthbench study list)"),
        (["report", "--all"], "nothing of any study is run in runs; first: synthbench study run"),
        (["report", "plateaus.toml"], 'nothing of "plateaus" is run; first: synthbench study run '),
        (["show", "plateaus"], 'unknown study "plateaus"; did you mean the file "plateaus.toml"?'),
        (["run", "plateaus"], 'did you mean the file "plateaus.toml"? (synthbench list studies)'),
        (["show", "nowhere.toml"], "cannot read nowhere.toml: No such file"),
    ],
)
def test_mistakes_are_one_line(command, arguments, message) -> None:
    code, _, err = command(*arguments)
    assert code == 2 and len(err.splitlines()) == 1 and message in err


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("width=16", "widht=16", 'plateaus.toml:8: grids.sizes.models: "mlp" has no field "widht"'),
        ("n=[6,8,10] k=2", "n=[1,8] k=2", "plateaus.toml:12: grids.sizes.full.tasks: 1 of the 2"),
        (
            'kind = "survival"',
            'kind = "survivor"',
            'figures.kind: unknown kind "survivor"; did',
        ),
        ('kind = "survival"', 'kind = "survival"\nx = "n"', "figures.kind: x goes with the kind"),
        ("share(censored)", "3 + 1", 'claims.quantity: "3 + 1" measures nothing: write what repl'),
        ('where = "n == 6"', 'where = "n = 6"', "figures.where: cannot read the condition 'n = 6'"),
        ("share(censored)", "share", "claims.quantity: cannot read the quantity 'share'"),
    ],
)
def test_mistakes_in_a_file_name_their_line(command, old, new, message) -> None:
    assert old in TEXT
    Path("plateaus.toml").write_text(TEXT.replace(old, new, 1))
    code, _, err = command("show", "plateaus.toml")
    assert code == 2 and len(err.splitlines()) == 1 and message in err


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("share(censored)", "share(censred)", 'toml:53: claims.quantity: no column "censred"; did'),
        ('x = "n"', 'x = "m"', 'toml:24: figures.x: no field "m"'),
        ('"n == 6"', '"m == 6"', 'toml:31: figures.where: no column "m"'),
    ],
)
def test_what_no_result_will_have_is_said_before_anything_trains(
    command, old, new, message
) -> None:
    Path("plateaus.toml").write_text(TEXT.replace(old, new, 1))
    code, _, err = command("run", "plateaus.toml")
    assert code == 2 and len(err.splitlines()) == 1 and message in err
    assert not Path("runs").exists()


def test_the_file_of_the_other_kind_is_told_from_ones_own(command, capsys, monkeypatch) -> None:
    Path("grid.toml").write_text('tasks = ["sparse-parity n=6"]\nmodels = ["mlp"]\n')
    _, _, err = command("run", "grid.toml")
    assert "this is the file of one grid, [grids.NAME]: synthbench eval grid.toml" in err
    _, _, err = run_command(capsys, monkeypatch, "eval", "plateaus.toml", columns=120)
    assert "this is a paper study: synthbench study run plateaus.toml" in err


def test_other_commands_know_studies(command, capsys, monkeypatch) -> None:
    def run(*arguments: str):
        return run_command(capsys, monkeypatch, *arguments, columns=120)

    assert "hidden-progress" in run("list", "studies")[1]
    assert "(study)" in run("show", "hidden-progress")[1]
    said = '"hidden-progress" is a study, not a suite; write: synthbench study run hidden-progress'
    assert said in run("eval", "hidden-progress")[2]
