"""Who may import whom, what starting up may cost, and that no file a user opens can run code."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# Longest match wins; the value is what a module below that name may import of ours.
LAYERS = {
    "main": ("viewer.cli",),
    "gaussian_core": ("gaussian_core",),
    "resources": ("resources", "gaussian_core"),
    "viewer": (),
    "viewer.model": ("viewer.model", "gaussian_core"),
    "viewer.ui": ("viewer.ui", "viewer.model", "gaussian_core"),
    "viewer.cli": ("viewer.commands", "viewer.ui", "viewer.model", "gaussian_core"),
    "viewer.commands": ("viewer.commands", "gaussian_core"),
}
OURS = ("main", "gaussian_core", "viewer", "resources", "tests")
QT = ("PySide6", "PySide2", "PyQt6", "PyQt5", "shiboken6", "pyqtgraph", "qtpy")
UNPICKLERS = ("pickle", "_pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal")


def below(name: str, parent: str) -> bool:
    return name == parent or name.startswith(parent + ".")


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def product_files() -> list[Path]:
    files = [ROOT / "main.py"]
    for package in ("gaussian_core", "viewer", "resources"):
        files += sorted((ROOT / package).rglob("*.py"))
    return files


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """(line, absolute module name) of every import in the file, at any depth. `from a import b` gives both a and a.b:
    b may be a module."""
    package = module_name(path).split(".")
    if path.name != "__init__.py":
        package = package[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            source = ".".join([*base, *([node.module] if node.module else [])])
            yield node.lineno, source
            for alias in node.names:
                yield node.lineno, f"{source}.{alias.name}"


def allowed_imports(module: str) -> tuple[str, ...]:
    layer = max((name for name in LAYERS if below(module, name)), key=len)
    return LAYERS[layer]


@pytest.mark.parametrize("path", product_files(), ids=module_name)
def test_imports_point_one_way(path: Path) -> None:
    module = module_name(path)
    allowed = allowed_imports(module)
    wrong = []
    for line, name in imports(path):
        ours = name.partition(".")[0] in OURS
        # `from viewer import model` passes through the bare parent on its way to an allowed child.
        passing = any(below(target, name) for target in allowed)
        if ours and not passing and not any(below(name, target) for target in allowed):
            wrong.append(f"{path.name}:{line} imports {name}")
    assert not wrong, f"{module} may import only {allowed}"


@pytest.mark.parametrize(
    "path",
    [p for p in product_files() if not below(module_name(p), "viewer.ui")],
    ids=module_name,
)
def test_qt_stays_in_the_ui(path: Path) -> None:
    found = [
        f"{path.name}:{line} imports {name}"
        for line, name in imports(path)
        if name.partition(".")[0] in QT
    ]
    assert not found


@pytest.mark.parametrize("path", product_files(), ids=module_name)
def test_nothing_is_unpickled(path: Path) -> None:
    """A weights or field file is data. Unpickling one runs whatever code it carries."""
    wrong = [
        f"{path.name}:{line} imports {name}"
        for line, name in imports(path)
        if name.partition(".")[0] in UNPICKLERS
    ]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func)
        options = {k.arg: ast.unparse(k.value) for k in node.keywords}
        if name == "torch.load" and options.get("weights_only") != "True":
            wrong.append(f"{path.name}:{node.lineno} torch.load without weights_only=True")
        if options.get("allow_pickle", "False") != "False":
            wrong.append(f"{path.name}:{node.lineno} {name} with allow_pickle")
        if name in ("eval", "exec"):
            wrong.append(f"{path.name}:{node.lineno} {name}")
    assert not wrong


# Modules whose package has another name.
PACKAGES = {
    "PIL": "pillow",
    "PySide6": "pyside6-essentials",
    "shiboken6": "pyside6-essentials",
    "skimage": "scikit-image",
    "llvmlite": "numba",  # numba requires the one that fits
}


def test_everything_imported_is_declared() -> None:
    """A library that is only there because another brought it may be gone with the next release."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["cuda"]]
    wanted += project["optional-dependencies"]["perceptual"]
    declared = {re.split(r"[^\w-]", entry)[0].lower() for entry in wanted}
    undeclared = [
        f"{path.name}:{line} imports {name}"
        for path in product_files()
        for line, name in imports(path)
        if (top := name.partition(".")[0]) not in (*OURS, *sys.stdlib_module_names)
        and PACKAGES.get(top, top).lower() not in declared
    ]
    assert not undeclared


def modules_after(code: str) -> set[str]:
    """Top-level modules that a fresh interpreter has loaded after running `code`."""
    result = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.partition(".")[0] for name in result.stdout.split()}


@pytest.mark.parametrize(
    "code",
    ["import gaussian_core", "import viewer.cli", "from gaussian_core import UserError, Cancelled"],
)
def test_start_up_loads_nothing_heavy(code: str) -> None:
    heavy = {"torch", "numba", "PIL", "PySide6", "pyqtgraph", "scipy", "skimage"}
    assert not modules_after(code) & heavy


def test_the_core_says_what_it_lacks() -> None:
    import gaussian_core

    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = gaussian_core.nonsense


def test_lazy_names_are_complete() -> None:
    """`__all__`, the lazy table and the type checker's imports are one list, and dir() shows it."""
    import gaussian_core

    tree = ast.parse(Path(gaussian_core.__file__).read_text(encoding="utf-8"))
    guarded = next(n for n in tree.body if isinstance(n, ast.If))
    typed = {alias.name for n in guarded.body if isinstance(n, ast.ImportFrom) for alias in n.names}
    assert set(gaussian_core.__all__) == set(gaussian_core._HOMES) == typed
    assert typed <= set(dir(gaussian_core))
    # Importing gaussian_core.x sets the attribute x to the module: no name may be hidden that way.
    modules = {p.stem for p in Path(gaussian_core.__file__).parent.iterdir()}
    assert not typed & modules


def test_every_resource_is_installed() -> None:
    """A file that no package-data pattern matches is there in a checkout and missing once installed."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        patterns = tomllib.load(file)["tool"]["setuptools"]["package-data"]["resources"]
    folder = ROOT / "resources"
    matched = {path for pattern in patterns for path in folder.glob(pattern)}
    missing = [
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file()
        and path.suffix not in (".py", ".pyc")
        and path not in matched
        # The README's pictures are for readers of the repository.
        and path.parent.name != "screenshots"
    ]
    assert not missing


def test_type_checkers_find_what_was_installed_in_place(tmp_path):
    """`pip install -e` leaves a path behind, not an import hook, which mypy, pyright and editors do not run."""
    pytest.importorskip("setuptools", minversion="77")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    for name in ("gaussian_core", "viewer", "resources", "tests"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text('__version__ = "1"\n')
    code = "from setuptools import build_meta; build_meta.build_editable('.')"
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True)
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        paths = [wheel.read(name).decode() for name in wheel.namelist() if name.endswith(".pth")]
    assert [Path(path.strip()).resolve() for path in paths] == [tmp_path.resolve()]
