"""publish and fetch, as their users type them, against a hub on this machine."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from synthbench.registry.registry import installed
from tests.cli.command import run_command
from tests.leaderboard.fresh import write_fresh
from tests.leaderboard.hub.conftest import point_to
from tests.leaderboard.hub.server import Hub, sha

# The client's own, about how it passes a file on to its transport.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")

REPOSITORY = "ada/boards"
HOME = Path("leaderboards/tiny/submissions")
Run = Callable[..., tuple[int, str, str]]
TIMES = [[None] * 6] * 2
"""On fresh seeds, of which none solves a task of the suite."""


@pytest.fixture
def run(capsys, monkeypatch) -> Run:
    def command(*arguments: object) -> tuple[int, str, str]:
        words = ["leaderboard", *map(str, arguments)]
        code, out, err = run_command(capsys, monkeypatch, *words, columns=200)
        return int(code or 0), out, err

    return command


def publish(run: Run, boards: Path) -> None:
    code, out, err = run("publish", "tiny", "--hub", REPOSITORY, "--boards", boards)
    assert code == 0 and "2 published" in out, out + err


@pytest.fixture(scope="module")
def kept() -> list[dict[str, bytes]]:
    """The commits of the published boards, once a test has published them."""
    return []


@pytest.fixture
def filled(hub: Hub, run: Run, boards: Path, kept: list[dict[str, bytes]]) -> Hub:
    """The hub as publishing the boards leaves it."""
    if not kept:
        publish(run, boards)
        kept.extend(hub.repositories[REPOSITORY])
    hub.repositories[REPOSITORY] = [dict(commit) for commit in kept]
    return hub


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_what_is_published_comes_back_byte_for_byte(hub: Hub, boards: Path, run: Run) -> None:
    publish(run, boards)
    code, out, err = run("fetch", "tiny", "--hub", REPOSITORY)
    assert code == 0 and out.splitlines()[-1] == "2 fetched", out + err
    assert tree(HOME) == tree(boards / "tiny" / "submissions")
    assert [path.name for path in Path("leaderboards").iterdir()] == ["tiny"]
    code, out, _ = run("show", "tiny")
    assert code == 0 and "first" in out and "second" in out and "set aside" not in out
    # A second time there is nothing to do, on either side.
    assert run("fetch", "--hub", REPOSITORY)[1] == "0 fetched, 2 there already\n"
    commits = len(hub.repositories[REPOSITORY])
    _, out, _ = run("publish", "tiny", "--hub", REPOSITORY, "--boards", boards)
    assert out == "0 published, 2 there already\n"
    assert len(hub.repositories[REPOSITORY]) == commits == 2


def test_the_card_says_how_to_load_every_part(
    hub: Hub, boards: Path, run: Run, tmp_path: Path, monkeypatch
) -> None:
    datasets = pytest.importorskip("datasets")
    publish(run, boards)
    folder = tmp_path / "snapshot"
    for path, content in hub.files(REPOSITORY).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    assert datasets.get_dataset_config_names(str(folder)) == [
        "tiny", "tiny-cell-01", "tiny-cell-02",
    ]  # fmt: skip

    def load(name: str):
        cache = str(tmp_path / "cache")
        return datasets.load_dataset(str(folder), name, split="train", cache_dir=cache).to_pandas()

    outcomes = load("tiny")
    assert len(outcomes) == 2 * 2 * 6
    for name in ("first", "second"):
        for number in (1, 2):
            path = boards / f"tiny/submissions/{name}/cell-{number:02d}/record.json"
            record = json.loads(path.read_text())
            own = outcomes[(outcomes.submission == name) & (outcomes.cell == number)]
            assert list(own.outcome) == [each["outcome"] for each in record["replicas"]]
            times = [each["samples_to_target"] for each in record["replicas"]]
            assert [None if t != t else int(t) for t in own.samples_to_target] == times
            assert (own.budget == 12_800).all() and (own.samples <= own.budget).all()
            assert (own.flops == own.samples / 32 * 1000).all()
    trajectories = load("tiny-cell-02")
    assert set(trajectories.replica) == set(range(6)) and "progress" in trajectories


def test_what_others_have_published_stays(hub: Hub, boards: Path, run: Run) -> None:
    publish(run, boards)
    before = dict(hub.files(REPOSITORY))
    shutil.copytree(boards, "boards")
    manifest = Path("boards/tiny/submissions/first/submission.json")
    content = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**content, "title": "Another"}))
    code, out, _ = run("publish", "tiny", "--hub", REPOSITORY, "--boards", "boards")
    assert code == 0 and "0 published, 1 there already" in out
    assert "left out: tiny/submissions/first: another of that name is there already" in out
    assert hub.files(REPOSITORY) == before
    # Nor is what lies here replaced by what comes from there.
    code, out, _ = run("fetch", "tiny", "--hub", REPOSITORY, "--boards", "boards")
    assert code == 0 and "set aside: tiny/submissions/first: another of that name is in" in out
    assert json.loads(manifest.read_text())["title"] == "Another"


def test_what_breaks_a_rule_is_not_published(hub: Hub, boards: Path, run: Run) -> None:
    shutil.copytree(boards, "boards")
    Path("boards/tiny/submissions/second/virus.exe").touch()
    code, out, _ = run("publish", "tiny", "--hub", REPOSITORY, "--boards", "boards")
    assert code == 0 and "1 published" in out and "unexpected file 'virus.exe'" in out
    assert not any("second" in path for path in hub.files(REPOSITORY))


FIRST = "tiny/submissions/first"
HOSTILE: list[tuple[str, dict[str, bytes | None], str]] = [
    ("a program", {f"{FIRST}/run.py": b"print()"}, "unexpected file 'run.py'"),
    ("a pickle", {f"{FIRST}/cell-01/weights.pkl": b""}, "unexpected file 'cell-01/weights.pkl'"),
    ("a way out", {f"{FIRST}/../../../evil": b"x"}, "unexpected file '../../../evil'"),
    ("one cell too many", {f"{FIRST}/cell-03/record.json": b"{}"}, "the 2 cells of the suite"),
    ("a missing manifest", {f"{FIRST}/submission.json": None}, "the 2 cells of the suite"),
    ("a missing file", {f"{FIRST}/cell-02/record.json": None}, "cell-02/record.json is missing"),
    ("too large", {f"{FIRST}/submission.json": b" " * (4 * 2**20 + 1)}, "bytes, at most"),
    ("no JSON", {f"{FIRST}/submission.json": b"nonsense"}, "is not valid JSON"),
    ("another record", {f"{FIRST}/cell-01/record.json": b"{}"}, "does not match its hash"),
    ("other data", {f"{FIRST}/cell-01/trajectories.parquet": b"PAR1"}, "cell 1: "),
]


@pytest.mark.parametrize(("files", "reason"), [each[1:] for each in HOSTILE],
                         ids=[each[0] for each in HOSTILE])  # fmt: skip
def test_what_comes_from_a_stranger_is_checked(
    filled: Hub, run: Run, files: dict[str, bytes | None], reason: str
) -> None:
    """One is set aside, the other is fetched; nothing lies anywhere else."""
    commit = {**filled.files(REPOSITORY), **files}
    filled.repositories[REPOSITORY].append({k: v for k, v in commit.items() if v is not None})
    code, out, err = run("fetch", "--hub", REPOSITORY)
    assert code == 0 and "1 fetched, 1 set aside" in out, out + err
    assert f"set aside: {FIRST}: " in out and reason in out
    assert [path.name for path in HOME.iterdir()] == ["second"]
    assert [path.name for path in Path().iterdir()] == ["leaderboards"]
    assert not [asked for asked in filled.asked if "evil" in asked or "run.py" in asked]


def test_files_of_no_submission_are_not_even_downloaded(filled: Hub, run: Run) -> None:
    paths = [
        "../evil", "/etc/evil", "tiny/submissions/UP/submission.json", "tiny/submissions/a b/x",
        "tiny/submissions/../../x", "setup.py", "tiny/submissions/*/submission.json",
    ]  # fmt: skip
    filled.put(REPOSITORY, dict.fromkeys(paths, b"evil"))
    code, out, _ = run("fetch", "--hub", REPOSITORY)
    assert code == 0 and out.splitlines()[-1] == "2 fetched"
    resolved = [asked for asked in filled.asked if "/resolve/" in asked]
    assert len({asked.partition("/resolve/")[2] for asked in resolved}) == 2 * 5


def test_a_suite_that_is_not_installed_is_named(filled: Hub, run: Run) -> None:
    theirs = {p.replace("tiny/", "other/", 1): c for p, c in filled.files(REPOSITORY).items()}
    filled.put(REPOSITORY, theirs)
    _, out, _ = run("fetch", "--hub", REPOSITORY)
    assert "set aside: other/submissions/first: no suite other is installed" in out
    assert "2 fetched, 2 set aside" in out
    # Nor does a submission move to another suite by being put into its folder.
    shutil.rmtree("leaderboards")
    moved = {p.replace("tiny/", "quickstart/", 1): c for p, c in filled.files(REPOSITORY).items()}
    filled.put(REPOSITORY, {p: c for p, c in moved.items() if "/cell-02/" not in p})
    _, out, _ = run("fetch", "quickstart", "--hub", REPOSITORY)
    assert "0 fetched, 2 set aside" in out and not Path("leaderboards/quickstart").exists()


def test_an_earlier_revision_can_be_fetched(filled: Hub, run: Run) -> None:
    filled.repositories[REPOSITORY].append({})
    assert run("fetch", "--hub", REPOSITORY)[1] == "0 fetched\n"
    code, out, _ = run("fetch", "--hub", REPOSITORY, "--revision", sha(REPOSITORY, 1))
    assert code == 0 and "2 fetched" in out


def test_who_is_not_logged_in_is_told(hub: Hub, boards: Path, run: Run, monkeypatch) -> None:
    hub.token = "hf_secret"
    words = ("publish", "tiny", "--hub", REPOSITORY, "--boards", boards)
    code, out, err = run(*words)
    assert code == 2 and "you may not (401); log in with `hf auth login`" in err and out == ""
    monkeypatch.setenv("HF_TOKEN", hub.token)
    assert run(*words)[0] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fetch", "--hub", "ada/nothing"], "there is no such dataset or revision"),
        (["fetch", "--hub", "ada/boards", "--revision", "gone"], "there is no such dataset"),
        (["fetch", "--hub", "boards"], "--hub must be USER/NAME"),
        (["fetch", "--hub", "../etc/passwd"], "--hub must be USER/NAME"),
        (["publish", "--hub", "a/b\u202e"], "--hub must be USER/NAME"),
        (["fetch", "tny", "--hub", REPOSITORY], 'unknown suite "tny"; did you mean "tiny"?'),
    ],
)
def test_mistakes_are_one_line(
    hub: Hub, boards: Path, run: Run, arguments: list[str], message: str
) -> None:
    publish(run, boards)
    code, out, err = run(*arguments)
    assert code == 2 and message in err and out == ""
    assert len(err.strip().splitlines()) == 1


@pytest.mark.parametrize("command", ["publish", "fetch"])
def test_without_a_network_it_is_one_line(
    boards: Path, run: Run, monkeypatch, command: str
) -> None:
    point_to(monkeypatch, "http://127.0.0.1:9")
    code, out, err = run(command, "tiny", "--hub", REPOSITORY)
    assert code == 2 and out == "" and len(err.strip().splitlines()) == 1
    assert "the Hub cannot be reached; is there a network?" in err
    assert not Path("leaderboards").exists()


def test_an_answer_that_makes_no_sense_is_one_line(
    hub: Hub, boards: Path, run: Run, monkeypatch
) -> None:
    from tests.leaderboard.hub.server import Handler

    monkeypatch.setattr(Handler, "_info", lambda self, *given: self._send(200, b"<html>", {}))
    publish_first = ("fetch", "tiny", "--hub", REPOSITORY)
    hub.put(REPOSITORY, {})
    code, out, err = run(*publish_first)
    assert code == 2 and out == "" and len(err.strip().splitlines()) == 1


def test_a_result_on_fresh_seeds_follows_its_submission(
    hub: Hub, boards: Path, run: Run, tmp_path: Path
) -> None:
    suite = installed().suite("tiny")
    publish(run, boards)
    assert run("fetch", "tiny", "--hub", REPOSITORY)[0] == 0
    mine = tmp_path / "mine"
    shutil.copytree(boards, mine)
    written = write_fresh(mine / "tiny" / "submissions" / "first", suite, TIMES)
    code, out, err = run("publish", "tiny", "--hub", REPOSITORY, "--boards", mine)
    assert code == 0, out + err
    assert out.splitlines()[:2] == [
        "tiny: first: its result on fresh seeds",
        "0 published, 1 results on fresh seeds, 2 there already",
    ]
    again = run("publish", "tiny", "--hub", REPOSITORY, "--boards", mine)[1]
    assert again == "0 published, 2 there already\n"
    _, out, _ = run("fetch", "tiny", "--hub", REPOSITORY)
    assert out == "0 fetched, 1 with a result on fresh seeds, 1 there already\n"
    assert (HOME / "first" / "fresh.json").read_bytes() == written.read_bytes()
    assert run("fetch", "tiny", "--hub", REPOSITORY)[1] == "0 fetched, 2 there already\n"
    # One that is there is replaced on neither side.
    here = (HOME / "first" / "fresh.json").read_bytes()
    write_fresh(mine / "tiny" / "submissions" / "first", suite, TIMES, "2999-02-02 another 1 2 3")
    _, out, _ = run("publish", "tiny", "--hub", REPOSITORY, "--boards", mine)
    assert "left out: tiny/submissions/first/fresh.json: another fresh.json is there" in out
    assert hub.files(REPOSITORY)["tiny/submissions/first/fresh.json"] == here
