"""The floors of the house: imports go down, and each kind of thing has one place."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import gaug_jax
from gaug_jax.objectives.presets import PRESETS
from gaug_jax.settings import SECTIONS

PACKAGE = Path(gaug_jax.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))

# From the bottom up; rooms of one floor do not import one another. `settings` carries the
# messages for a user's mistakes, and pictures are written as every file is.
FLOORS = [
    {"settings"},
    {"workfolder", "progress", "user_cache", "processes"},
    {"images", "objectives", "augmentation", "evaluation.metrics"},
    {"models"},
    {"data", "training"},
    {"evaluation"},
    {"synthesis", "embedding", "downstream", "auditing", "reporting"},
    {"pipeline"},
    {"command_line"},
    {"main", "evaluate", "synthesize", "embed", "classify", "audit", "study"},
]
PURE = {"objectives", "augmentation", "evaluation.metrics"}
BINARIES = FLOORS[-1]
HEAVY = {"tensorflow", "tensorflow_datasets", "tensorboard", "umap", "matplotlib", "pandas",
         "sklearn", "clu", "orbax"}  # fmt: skip


def module_name(path):
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def room_of(module):
    """Returns the room of a module, as FLOORS names it."""
    if module.startswith("evaluation.metrics"):
        return "evaluation.metrics"
    return module.split(".")[0]


def floor_of(room):
    return next(level for level, rooms in enumerate(FLOORS) if room in rooms)


def imports_of(path, top_level_only=False):
    """Yields the full names of what a file imports."""
    tree = ast.parse(path.read_text())
    nodes = tree.body if top_level_only else ast.walk(tree)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def own_imports(path):
    """Yields the rooms of this package that a file imports."""
    for name in imports_of(path):
        if name.startswith("gaug_jax."):
            yield room_of(name.removeprefix("gaug_jax."))


def test_every_file_has_a_floor():
    for path in FILES:
        if module_name(path):
            floor_of(room_of(module_name(path)))


@pytest.mark.parametrize("path", FILES, ids=[module_name(path) or "package" for path in FILES])
def test_imports_go_down_and_not_sideways(path):
    if not module_name(path):
        return
    room = room_of(module_name(path))
    for imported in own_imports(path):
        assert imported == room or floor_of(imported) < floor_of(room), (
            f"{module_name(path)} imports {imported}"
        )
        if room in PURE:
            assert imported == room, f"{room} is pure mathematics and imports {imported}"


def test_flags_live_on_the_roof_and_configs_go_no_deeper_than_the_pipeline():
    for path in FILES:
        room = room_of(module_name(path)) if module_name(path) else ""
        names = set(imports_of(path))
        if room not in BINARIES | {"command_line"}:
            assert not any("absl.flags" in name or "absl.app" in name for name in names), path
        if room not in BINARIES | {"command_line", "pipeline"}:
            assert not any(name.startswith("ml_collections") for name in names), path


def test_binaries_are_short():
    for path in FILES:
        if module_name(path) in BINARIES:
            assert len(path.read_text().splitlines()) < 80, path


def test_parallel_maps_are_made_in_one_file():
    for path in FILES:
        names = {
            node.attr for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Attribute)
        }  # fmt: skip
        if module_name(path) != "training.parallel":
            assert not names & {"pmap", "shard_map"}, path


def test_heavy_packages_are_imported_where_they_are_used():
    for path in FILES:
        if module_name(path).startswith("data.builders"):
            continue  # TFDS's builders extend its classes; these files are imported late.
        for name in imports_of(path, top_level_only=True):
            assert name.split(".")[0] not in HEAVY, f"{path} imports {name} at its top"


def test_the_pipeline_starts_without_heavy_packages():
    script = (
        "import sys; from gaug_jax.pipeline import drawing, evaluation, training; "
        f"print(sorted({HEAVY!r} & {{name.split('.')[0] for name in sys.modules}}))"
    )
    output = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert output.stdout.strip() == "[]", output.stderr


def test_every_field_of_the_config_is_read():
    read = set(next(iter(PRESETS.values())))
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            # In settings.py a field is checked, which is not yet a use.
            if isinstance(node, ast.Attribute) and module_name(path) != "settings":
                read.add(node.attr)
    for section, kind in SECTIONS.items():
        for field in kind.__dataclass_fields__:
            assert field in read, f"config.{section}.{field} is read by nothing"


def test_the_base_config_has_exactly_the_fields_of_the_settings():
    from configs import base

    config = base.get_config()
    assert set(config) == {"seed", *SECTIONS}
    for section, kind in SECTIONS.items():
        assert set(config[section]) == set(kind.__dataclass_fields__)
