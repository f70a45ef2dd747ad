"""The rules of the house: layers of imports, no torch at the door, no pickle, a public API that is a list."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import bowerbird

ROOT = Path(bowerbird.__file__).parent
CORE = {
    "errors", "shapes", "seeds", "audio", "machine", "progress", "layers", "representations", "conditions", "networks",
    "config", "interrupts", "instrument_file", "pictures", "midi", "encoders", "table_file", "features", "tracker",
    "scatter",
}  # fmt: skip
MAKE = {"data", "evaluation", "objectives", "training", "presets"}
PLAY = {"instrument", "making", "latent"}
TOP = {"cli", "cli_learning", "cli_playing", "cli_space", "asking", "showing", "doctor", "__main__", "__init__"}


def modules() -> dict[str, Path]:
    return {".".join(p.relative_to(ROOT).with_suffix("").parts): p for p in sorted(ROOT.rglob("*.py"))}


def imported(path: Path) -> set[str]:
    """Parts of the package that a module imports anywhere in it, late imports included."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide where things come from"
            names = [node.module or ""]
            if node.module == "bowerbird":
                names = [f"bowerbird.{alias.name}" for alias in node.names]
        found |= {name.split(".")[1] for name in names if name.startswith("bowerbird.")}
    return found


def part(module: str) -> str:
    return module.split(".")[0]


def test_every_module_has_a_column() -> None:
    assert {part(module) for module in modules()} == CORE | MAKE | PLAY | TOP


@pytest.mark.parametrize("module", [m for m in modules() if part(m) in CORE])
def test_core_imports_core_alone(module: str) -> None:
    assert imported(modules()[module]) <= CORE


@pytest.mark.parametrize("module", [m for m in modules() if part(m) in PLAY])
def test_play_never_imports_make(module: str) -> None:
    assert imported(modules()[module]) <= CORE | PLAY


@pytest.mark.parametrize("module", [m for m in modules() if part(m) in MAKE])
def test_make_imports_core_and_the_instrument(module: str) -> None:
    assert imported(modules()[module]) <= CORE | MAKE | {"instrument"}


def after(code: str) -> set[str]:
    """Modules loaded by a fresh interpreter that ran `code`."""
    script = f"import sys\n{code}\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_loading_an_instrument_names_nothing_of_training(run: Path) -> None:
    loaded = after(f"import bowerbird; bowerbird.load({str(run)!r}).sample(1)")
    assert not {name for name in loaded if name.startswith("bowerbird.") and part(name[10:]) in MAKE}
    assert "sklearn" not in loaded
    assert "tensorboard" not in loaded


def test_the_door_is_quick() -> None:
    assert "torch" not in after("import bowerbird")
    help_page = "try:\n import bowerbird.cli as c; c.app(['--help'])\nexcept SystemExit: pass"
    assert "torch" not in after(help_page)


def test_preparing_needs_no_torch() -> None:
    assert "torch" not in after("import bowerbird.data.prepare")


def test_public_names_exist() -> None:
    for name in bowerbird.__all__:
        assert getattr(bowerbird, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = bowerbird.nonsense


@pytest.mark.parametrize("module", modules())
def test_all_lists_what_is_there(module: str) -> None:
    tree = ast.parse(modules()[module].read_text())
    assert ast.get_docstring(tree), f"{module} does not say what it is"
    lists = [n for n in tree.body if isinstance(n, ast.Assign) and getattr(n.targets[0], "id", "") == "__all__"]
    if lists:
        listed = ast.literal_eval(lists[0].value)
        defined = {getattr(n, "name", None) for n in tree.body}
        defined |= {t.id for n in tree.body if isinstance(n, ast.Assign) for t in n.targets if isinstance(t, ast.Name)}
        defined |= {n.target.id for n in tree.body if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name)}
        late = {"Instrument", "load", "BowerbirdError", "UsageError"} if module == "__init__" else set()
        assert set(listed) <= defined | late


def test_nothing_is_unpickled() -> None:
    for module, path in modules().items():
        text = path.read_text()
        if module == "evaluation.panns":  # weights of others, by the reader that knows numbers only (test_panns.py)
            assert text.count("torch.load(") == text.count("weights_only=True")
            text = text.replace("torch.load(", "")
        for word in ("import pickle", "torch.load", "joblib", "allow_pickle", "yaml", "eval("):
            assert word not in text.replace(".eval()", ""), f"{module} says {word}"
