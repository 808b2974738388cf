"""The floors of the house: imports go down, and each kind of thing has one place."""

import ast
import graphlib
import subprocess
import sys

import pytest
from support.commands import ROOT

from gaug_jax.objectives.presets import PRESETS
from gaug_jax.settings import SECTIONS

PACKAGE = ROOT / "gaug_jax"
FILES = sorted(PACKAGE.rglob("*.py"))
BESIDE = sorted(
    path
    for folder in ("configs", "launch", "docs", "benchmarks")
    for path in (ROOT / folder).rglob("*.py")
)

# From the bottom up; rooms of one floor do not import one another.
FLOORS = [
    {"errors"},
    {"files", "progress", "source_readers", "user_cache", "processes", "settings"},
    {"workfolder", "images", "picture_files", "objectives", "augmentation", "evaluation.metrics"},
    {"models"},
    {"weights"},
    {"data", "classifiers", "gan"},
    {"feeds"},
    {"training"},
    {"evaluation"},
    {"synthesis", "embedding", "downstream", "auditing", "reporting"},
    {"stages"},
    {"config_file", "compiled_programs"},
    {"command_line", "api"},
    {"main", "evaluate", "synthesize", "embed", "classify", "audit", "study", "inspect"},
]
# Arrays in, arrays out: they know no config, no file and no other room.
PURE = {"objectives", "augmentation", "evaluation.metrics"}
BINARIES = FLOORS[-1]
HEAVY = {"tensorflow", "tensorflow_datasets", "tensorboard", "umap", "matplotlib", "pandas",
         "sklearn", "clu", "orbax", "pydicom", "gdcm", "pylibjpeg",
         "nibabel"}  # fmt: skip
MOST_LINES = 400


def module_name(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def own_name(path):
    """Returns a module's name within the package."""
    return module_name(path).removeprefix("gaug_jax").removeprefix(".")


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
        if own_name(path):
            floor_of(room_of(own_name(path)))


@pytest.mark.parametrize("path", FILES, ids=[own_name(path) or "package" for path in FILES])
def test_imports_go_down_and_not_sideways(path):
    if not own_name(path):
        return
    room = room_of(own_name(path))
    for imported in own_imports(path):
        assert imported == room or floor_of(imported) < floor_of(room), (
            f"{own_name(path)} imports {imported}"
        )
        if room in PURE:
            assert imported == room, f"{room} is pure mathematics and imports {imported}"


def test_the_gan_is_mathematics_and_classifiers_know_nothing_of_it():
    for path in FILES:
        room = room_of(own_name(path))
        if room == "gan":
            assert not {"files", "workfolder", "processes"} & set(own_imports(path)), path
            assert not {"threading", "concurrent.futures"} & set(imports_of(path)), path
        if room == "classifiers":
            assert "gan" not in set(own_imports(path)), path


def test_no_circle_anywhere():
    """No module of the project reaches itself by its imports, those within functions included."""
    paths = {module_name(path): path for path in [*FILES, *BESIDE]}
    graph = {}
    for name, path in paths.items():
        found = set()
        for imported in imports_of(path):
            # The module itself, or the one that a name is imported from; a package beside what
            # it re-exports is no module of its own here.
            module = imported if imported in paths else imported.rpartition(".")[0]
            if module in paths and module != name:
                found.add(module)
        graph[name] = found
    graphlib.TopologicalSorter(graph).prepare()


@pytest.mark.parametrize("path", BESIDE, ids=[module_name(path) for path in BESIDE])
def test_what_lies_beside_the_package_stands_above_it(path):
    order = ["gaug_jax", "configs", "launch", "docs", "tests", "benchmarks"]
    own = order.index(module_name(path).split(".")[0])
    for name in imports_of(path):
        top = name.split(".")[0]
        if top in order:
            assert order.index(top) <= own, f"{path} imports {name}"
        if top == "gaug_jax" and own == order.index("configs"):
            assert name.startswith("gaug_jax.settings"), f"{path} imports {name}"


def test_the_package_imports_nothing_that_lies_beside_it():
    for path in FILES:
        tops = {name.split(".")[0] for name in imports_of(path)}
        assert not tops & {"configs", "launch", "docs", "tests", "benchmarks", "support"}, path


def test_tests_do_not_import_benchmarks():
    for path in (ROOT / "tests").rglob("*.py"):
        assert not any(name.startswith("benchmarks") for name in imports_of(path)), path


def test_flags_live_on_the_roof_and_configs_go_no_deeper_than_the_command_line():
    for path in FILES:
        room = room_of(own_name(path))
        names = set(imports_of(path))
        if room not in BINARIES | {"command_line"}:
            assert not any("absl.flags" in name or "absl.app" in name for name in names), path
        if room not in BINARIES | {"command_line", "config_file"}:
            assert not any(name.startswith("ml_collections") for name in names), path


def test_binaries_are_short():
    for path in FILES:
        if own_name(path) in BINARIES:
            assert len(path.read_text().splitlines()) < 100, path


def test_no_file_is_long():
    for path in [*FILES, *BESIDE, *(ROOT / "tests").rglob("*.py")]:
        count = len(path.read_text().splitlines())
        assert count <= MOST_LINES, f"{path} has {count} lines"


def test_parallel_maps_are_made_in_one_file():
    for path in FILES:
        names = {
            node.attr for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Attribute)
        }  # fmt: skip
        if own_name(path) != "training.parallel":
            assert not names & {"pmap", "shard_map"}, path


def test_heavy_packages_are_imported_where_they_are_used():
    for path in FILES:
        if own_name(path).startswith("data.tfds.") and own_name(path) != "data.tfds.access":
            continue  # TFDS's builders extend its classes; these files are imported late.
        for name in imports_of(path, top_level_only=True):
            assert name.split(".")[0] not in HEAVY, f"{path} imports {name} at its top"


def test_every_stage_starts_without_heavy_packages():
    stages = sorted(path.stem for path in (PACKAGE / "stages").glob("[a-z]*.py"))
    script = (
        f"import sys; import gaug_jax.api; from gaug_jax.stages import {', '.join(stages)}; "
        f"print(sorted({HEAVY!r} & {{name.split('.')[0] for name in sys.modules}}))"
    )
    output = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert output.stdout.strip() == "[]", output.stderr


def test_every_field_of_the_config_is_read():
    read = set(next(iter(PRESETS.values())))
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            # In settings a field is checked, which is not yet a use.
            if isinstance(node, ast.Attribute) and room_of(own_name(path)) != "settings":
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
