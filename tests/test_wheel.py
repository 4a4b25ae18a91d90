"""The built wheel, used outside of the checkout: it holds every file that it needs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from zipfile import ZipFile

import pytest

import segkit

CHECKOUT = Path(segkit.__file__).parents[1]
SAMPLE_DATA = ("contacts.parquet", "events.parquet", "list_members.parquet", "tier_history.parquet", "catalog.yml")
PROGRAM = """
import json, sys
from pathlib import Path
import segkit
from segkit import F, Segment

with segkit.connect(home=None) as ws:
    panel = ws.builder(Segment("US", F.country == "USA"))
    data, _ = panel._repr_mimebundle_()
    print(json.dumps({
        "from": str(Path(segkit.__file__).parents[1]),
        "contacts": ws.size(segkit.everyone()),
        "parsed": repr(segkit.parse("opens > 5")),
        "module": "export default" in str(panel._esm),
        "style": ".segkit-panel" in str(panel._css),
        "html": data["text/html"],
        "view": data["application/vnd.jupyter.widget-view+json"]["model_id"] == panel.model_id,
    }))
"""


def run(*command: object) -> str:
    """What a command writes, without this checkout on Python's path."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, CHECKOUT)
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new environment with the wheel. Its dependencies are those of this one; segkit is not, as a path in a .pth file is
    searched without its own .pth files, of which an editable install is one."""
    folder = tmp_path_factory.mktemp("environment") / "venv"
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    inside = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])").strip())
    (inside / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"], encoding="utf-8")
    run(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index", wheel)
    return folder


def test_the_wheel_holds_every_file_of_the_package(wheel: Path) -> None:
    package = CHECKOUT / "segkit"
    files = [path.relative_to(CHECKOUT) for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    wanted = {path.as_posix() for path in files} | {f"segkit/sample_data/{name}" for name in SAMPLE_DATA}
    assert {"segkit/panel/panel.js", "segkit/panel/panel.css", "segkit/language/grammar.lark", "segkit/py.typed"} <= wanted
    held = {name for name in ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert held == wanted


def test_the_panel_opens_outside_of_the_checkout(environment: Path, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")
    told = json.loads(run(environment / "bin" / "python", tmp_path / "program.py"))
    assert Path(told.pop("from")).is_relative_to(environment)
    html = told.pop("html")
    assert told == {"contacts": 3999, "parsed": "F.opens > 5", "module": True, "style": True, "view": True}
    for part in ("1,852 of 3,999 contacts", "country = &quot;USA&quot;", "SELECT"):
        assert part in html


def test_the_demo_runs_outside_of_the_checkout(environment: Path, tmp_path: Path) -> None:
    told = run(environment / "bin" / "segkit", "demo", "--output", tmp_path / "out")
    assert "3,999 contacts of the sample data" in told
    assert (tmp_path / "out" / "sizes.svg").stat().st_size > 10_000
