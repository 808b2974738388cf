"""Which recipe holds up on few images: generators of all recipes, sizes and seeds, and a table.

    python -m benchmarks.small_data --data=bangla_numerals --path=cmaterdb --output=runs/small

Every run is a work folder of `main` under the output and a row of rows.jsonl there; the same
command again makes only what is missing. Figures are against the validation part, on the
features of one classifier that was fitted to the whole real training part; the test part is
never looked at. `copies` is the share of images nearer (in pixels) to a training image than
that one's nearest fellow, `near copies` of those at less than half that distance.
"""

import importlib
import json
import statistics
from pathlib import Path
from typing import Any

import jax
import numpy as np
from absl import app, flags
from jaxtyping import Float

from gaug_jax import data
from gaug_jax.errors import UserError
from gaug_jax.evaluation.domain_classifier import domain_classifier
from gaug_jax.evaluation.features import Extractor, classifier_extractor, extract
from gaug_jax.evaluation.fidelity import cheap_row
from gaug_jax.evaluation.image_sets import array_set
from gaug_jax.files import append_json_line, atomic_file, read_json_lines
from gaug_jax.settings import Settings, read_settings
from gaug_jax.stages.train import train
from gaug_jax.synthesis import filters
from gaug_jax.synthesis.drawing import draw_by_class, images_per_class, read_generator
from gaug_jax.workfolder import WorkFolder
from launch.collecting import estimate
from launch.recipes import RECIPES

# What is changed in the configs of the paper's recipe, which all recipes begin from.
_DATA = {
    "xray": {"data.allow_missing": True, "data.validation_fraction": 0.3},
    "bangla_numerals": {},
}
_CONFIG = {"xray": "xray_paper", "bangla_numerals": "bangla_paper"}
_HELD_OUT = "real images held out"
_DATA_FLAG = flags.DEFINE_enum("data", "bangla_numerals", list(_DATA), "Which images.")
_PATH = flags.DEFINE_string("path", None, "Where they are.", required=True)
_OUTPUT = flags.DEFINE_string("output", None, "Folder for runs, rows and table.", required=True)
_RECIPES = flags.DEFINE_list("recipes", list(RECIPES), "Which recipes.")
_SIZES = flags.DEFINE_list("sizes", ["100", "250", "0"], "Training images; 0 for all.")
_SEEDS = flags.DEFINE_list("seeds", ["0", "1", "2"], "Seeds of the generators.")
_STEPS = flags.DEFINE_integer("steps", 1000, "Generator updates.", lower_bound=1)
_WIDTH = flags.DEFINE_integer("width", 16, "Features of the discriminator's first layer.")
_IMAGE_SIZE = flags.DEFINE_integer("image_size", 32, "Height and width; 64 for the finalists.")
_IMAGES = flags.DEFINE_integer("images", 500, "Images drawn of each generator.", lower_bound=10)

RecipeRun = tuple[str, int, int]


def settings_of(recipe: str, size: int, seed: int) -> Settings:
    """Returns the settings of a run."""
    config = importlib.import_module(f"configs.{_CONFIG[_DATA_FLAG.value]}").get_config()
    changes = {
        **_DATA[_DATA_FLAG.value],
        "data.path": _PATH.value,
        "data.train_size": size or None,
        "data.image_size": _IMAGE_SIZE.value,
        "model.width": _WIDTH.value,
        "train.steps": _STEPS.value,
        "train.sample_every": _STEPS.value,
        "train.checkpoint_every": _STEPS.value,
        "seed": seed,
        **RECIPES[recipe],
    }
    config.update_from_flattened_dict({k: v for k, v in changes.items() if v is not None})
    return read_settings(config.to_dict())


def folder_of(recipe: str, size: int, seed: int) -> WorkFolder:
    """Returns the work folder of a run."""
    name = f"{recipe.replace('+ ', 'with_').replace(' ', '_')}-{size or 'all'}-{seed}"
    return WorkFolder(Path(_OUTPUT.value) / _DATA_FLAG.value / name)


def reference() -> tuple[Extractor, np.ndarray]:
    """Returns the features' extractor, and the validation part's features."""
    prepared = data.prepare(settings_of("spectral_norm", 0, 0).data)
    folder = WorkFolder(Path(_OUTPUT.value) / _DATA_FLAG.value)
    names = prepared.class_names
    classifier = domain_classifier(folder.classifier, prepared.part("train"), names, 0)
    extractor = classifier_extractor(classifier)
    real = extract(extractor, array_set("the validation part", prepared.part("validation").images))
    return extractor, real.features


def measured(run: RecipeRun, extractor: Extractor, real: np.ndarray) -> dict[str, Any]:
    """Returns the row of a run, which is trained where it is not."""
    recipe, size, seed = run
    settings, folder = settings_of(*run), folder_of(*run)
    train(settings, str(folder.path))
    generator = read_generator(folder)
    counts = images_per_class(generator, _IMAGES.value, per_class=False)
    drawn = draw_by_class(generator, counts, seed).images
    features = extract(extractor, array_set("generated images", drawn), quiet=True).features
    real_images = data.prepare(settings.data).part("train").images
    nearest = filters.copy_distances(drawn, real_images)
    rows = read_json_lines(folder.metrics)
    rates = [row["images_per_second"] for row in rows if row["images_per_second"]]
    shown = generator.spec.images_per_step
    return {
        "recipe": recipe,
        "train_size": size,
        "seed": seed,
        "steps": generator.step,
        "width": _WIDTH.value,
        **cheap_row(real, features, seed=0),
        **copy_rates(nearest),
        "milliseconds_a_step": 1000.0 * shown / statistics.median(rates) if rates else None,
    }


def held_out(size: int) -> dict[str, Any]:
    """Returns how many real images of the validation part count as copies of the training part."""
    prepared = data.prepare(settings_of("spectral_norm", size, 0).data)
    parts = (prepared.part(name).images for name in ("validation", "train"))
    nearest = filters.copy_distances(*parts)
    return {"recipe": _HELD_OUT, "train_size": size, "seed": 0, **copy_rates(nearest)}


def copy_rates(nearest: Float[np.ndarray, " images"]) -> dict[str, float]:
    """Returns the shares of copies and of near copies by `filters.copy_distances`."""
    return {"copies": float(np.mean(nearest < 1.0)), "near_copies": float(np.mean(nearest < 0.5))}


def interval(values: list[float]) -> str:
    """Returns the mean with the 95% interval of Student's t over seeds."""
    if not values:
        return ""
    mean, reach = estimate(values)
    return f"{mean:.4f}" if reach is None else f"{mean:.4f} ± {reach:.4f}"


def table(rows: list[dict[str, Any]]) -> str:
    """Returns the rows as a table, the mean over seeds of each recipe and size."""
    figures = (
        "kid_mean", "precision_k5", "recall_k5", "copies", "near_copies", "milliseconds_a_step",
    )  # fmt: skip
    header = [
        "recipe", "training images", "seeds", "KID", "precision", "recall", "copies", "near copies",
        "ms a step",
    ]  # fmt: skip
    lines = [header, ["---"] * len(header)]
    groups: dict[tuple[int, str], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["train_size"] or 10**9, row["recipe"]), []).append(row)
    for (_, recipe), found in sorted(groups.items(), key=lambda group: group[0][0]):
        size = str(found[0]["train_size"] or "all")
        cells = [[row[name] for row in found if row.get(name) is not None] for name in figures]
        shown = [interval(cells[0])] + [
            f"{np.mean(cell):.2f}" if cell else "" for cell in cells[1:]
        ]
        lines.append([recipe, size, str(len(found)), *shown])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def main(_: list[str]) -> None:
    """Makes the runs that are missing, and the table."""
    for recipe in _RECIPES.value:
        if recipe not in RECIPES:
            raise UserError(f"--recipes={recipe!r} is not one of {', '.join(RECIPES)}")
    place = Path(_OUTPUT.value) / _DATA_FLAG.value
    rows_file = place / "rows.jsonl"
    runs = [
        (recipe, int(size), int(seed))
        for seed in _SEEDS.value for size in _SIZES.value for recipe in _RECIPES.value
    ]  # fmt: skip
    extractor, real = reference()
    for number, run in enumerate(runs, 1):
        done = {
            (row["recipe"], row["train_size"], row["seed"]) for row in read_json_lines(rows_file)
        }
        if run in done:
            continue
        row = measured(run, extractor, real)
        append_json_line(rows_file, row)
        jax.clear_caches()  # Programs of many runs would use up the process's memory maps.
        print(f"{number} of {len(runs)}: {json.dumps(row)}", flush=True)
    real_rows = [held_out(int(size)) for size in _SIZES.value]
    with atomic_file(place / "table.md", "w") as file:
        file.write(table(read_json_lines(rows_file) + real_rows))
    print((place / "table.md").read_text())


if __name__ == "__main__":
    app.run(main)
