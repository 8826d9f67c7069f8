"""What a system other than Linux lacks, and which tests cannot do without it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

NEED_POSIX = (
    "cuda/test_recovery.py",
    "end_to_end/test_kill.py",
    "engine/training/test_lightning_alone.py",
    "launchers/test_course.py",
    "launchers/test_local.py",
    "launchers/test_ray.py",
    "plugins/test_local.py",
)
"""Files of tests that send signals, fork, or ask /proc: they are not collected on Windows."""

POSIX_MODULES = {"fcntl", "resource", "pwd", "grp", "termios", "tty", "pty", "posix", "syslog"}
POSIX_NAMES = {
    "os": {
        "O_DIRECTORY", "O_NOFOLLOW", "O_NONBLOCK", "WEXITSTATUS", "WIFSIGNALED", "WNOHANG", "chown",
        "fork", "forkpty", "getegid", "geteuid", "getgid", "getloadavg", "getpgid", "getuid",
        "killpg", "lchown", "mkfifo", "mknod", "nice", "posix_fallocate", "posix_spawn",
        "register_at_fork", "sched_getaffinity", "sched_setaffinity", "setpgid", "setsid",
        "statvfs", "sync", "uname", "wait3", "wait4",
    },
    "signal": {
        "SIGALRM", "SIGCHLD", "SIGCONT", "SIGHUP", "SIGKILL", "SIGPIPE", "SIGQUIT", "SIGSTOP",
        "SIGTSTP", "SIGUSR1", "SIGUSR2", "alarm", "pause", "pthread_kill", "pthread_sigmask",
        "setitimer", "sigwait",
    },
}  # fmt: skip
"""What `os` and `signal` have on Linux and not on Windows, as Python's documentation says."""
SUSPECT = re.compile(
    "|".join(rf"\b{word}\b" for word in sorted(POSIX_MODULES.union(*POSIX_NAMES.values())) if word)
)
"""Without one of these words a file need not be looked at."""
ASKS = ("sys.platform", "os.name", "hasattr(")
"""How code asks for the system, or for the name itself."""


OPENS = re.compile(r"read_text|write_text|open\(|TemporaryFile|text=|universal_newlines")


def posix_only(source: str) -> Iterator[str]:
    """`line 3: os.fork` for each use of what Windows lacks that no question stands before."""
    if not SUSPECT.search(source):
        return
    for node, guarded in walk_guarded(ast.parse(source)):
        name = posix_name(node)
        if name is not None and not guarded:
            yield f"line {node.lineno}: {name}"


def posix_name(node: ast.AST) -> str | None:
    """The module or attribute that a node names, if Windows lacks it."""
    if isinstance(node, ast.Import):
        return next((each.name for each in node.names if each.name in POSIX_MODULES), None)
    if isinstance(node, ast.ImportFrom):
        module = node.module or ""
        lacking = POSIX_NAMES.get(module, set())
        named = next((each.name for each in node.names if each.name in lacking), None)
        return module if module in POSIX_MODULES else named and f"{module}.{named}"
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        lacking = POSIX_NAMES.get(node.value.id, set())
        return f"{node.value.id}.{node.attr}" if node.attr in lacking else None
    return None


def walk_guarded(node: ast.AST, guarded: bool = False) -> Iterator[tuple[ast.AST, bool]]:
    """Every node, and whether it is within something that asks for the system first.

    That is an `if` or a function with such a question, or a `try` whose handler expects the name
    to be missing.
    """
    yield node, guarded
    for child in ast.iter_child_nodes(node):
        yield from walk_guarded(child, guarded or asks(child))


def asks(node: ast.AST) -> bool:
    if isinstance(node, ast.If | ast.IfExp):
        return any(word in ast.unparse(node.test) for word in ASKS)
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return any(word in ast.unparse(node) for word in ASKS)
    if isinstance(node, ast.Try):
        caught = " ".join(ast.unparse(each.type) for each in node.handlers if each.type)
        return any(word in caught for word in ("ImportError", "ModuleNotFound", "AttributeError"))
    if isinstance(node, ast.With):
        words = " ".join(ast.unparse(item) for item in node.items)
        return "suppress(" in words and any(w in words for w in ("ImportError", "AttributeError"))
    return False


def without_encoding(source: str) -> Iterator[str]:
    """`line 3: path.read_text()` for each call whose encoding would be that of the system."""
    if not OPENS.search(source):
        return
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and is_text(node):
            yield f"line {node.lineno}: {ast.unparse(node)}"


def is_text(call: ast.Call) -> bool:
    """Whether a call reads or writes text and does not say in which encoding."""
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    if "encoding" in given:
        return False
    if isinstance(call.func, ast.Attribute) and call.func.attr in ("read_text", "write_text"):
        # Not that of a distribution, which takes the name of a file: it is always UTF-8.
        return call.func.attr == "write_text" or not call.args
    if callee(call) in ("run", "Popen", "check_output"):
        return bool({"text", "universal_newlines"} & set(given))
    if callee(call) not in ("open", "fdopen", "NamedTemporaryFile", "TemporaryFile"):
        return False
    if isinstance(call.func, ast.Attribute) and callee(call) == "open" and not opens(call.func):
        return False
    modes = [*call.args, *([given["mode"]] if "mode" in given else [])]
    words = [each.value for each in modes if isinstance(each, ast.Constant)]
    binary = any(isinstance(w, str) and "b" in w and set(w) <= set("rwxab+") for w in words)
    temporary = callee(call).endswith("TemporaryFile") and not words
    return not (binary or temporary)


def callee(call: ast.Call) -> str:
    """The last name of what is called."""
    func = call.func
    return func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")


def opens(func: ast.Attribute) -> bool:
    """Whether `x.open(...)` looks like a file's: an image's or a launcher's is another thing."""
    return ast.unparse(func.value) not in ("Image", "launcher", "webbrowser", "os")
