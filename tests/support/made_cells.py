"""A cell of the study whose fits, generators and pools are made at once."""

import hashlib
from types import SimpleNamespace

import numpy as np

from gaug_jax.data import PreparedData
from gaug_jax.data.labelled import Labelled
from gaug_jax.downstream.arms import FLOOR
from gaug_jax.downstream.runs import Fitted
from gaug_jax.files import write_json
from gaug_jax.stages import cell as module
from gaug_jax.stages.cell import Cell
from gaug_jax.synthesis.pool import Pool
from gaug_jax.workfolder import WorkFolder
from support.settings_for_tests import small_settings

# Images of each part and class.
COUNTS = {"train": (7, 2, 1), "validation": (2, 2, 2), "test": (3, 2, 1)}
ARMS = ("real", "gan")
# What a study of them fits without a generator.
REAL = ["real", *FLOOR]


def made_data(counts=COUNTS, seed=0, view=lambda label, index: "PA"):
    """Returns data as it would have been prepared, of images of noise."""
    cells = [(part, label) for part, numbers in counts.items()
             for label, number in enumerate(numbers) for _ in range(number)]  # fmt: skip
    labels = np.array([label for _, label in cells], np.int32)
    images = np.random.default_rng(seed).integers(0, 256, (len(cells), 8, 8, 1), np.uint8)
    class_names = tuple("abc"[: len(counts["train"])])
    rows = [
        {"name": f"{index}.png", "part": part, "label": class_names[label], "group": index,
         "sha256": hashlib.sha256(images[index].tobytes()).hexdigest(),
         "metadata": {"view": view(label, index)}}
        for index, (part, label) in enumerate(cells)
    ]  # fmt: skip
    return PreparedData(
        images, labels, np.arange(len(cells), dtype=np.int32),
        np.array([part for part, _ in cells]), tuple(row["name"] for row in rows), class_names,
        True, {
            "rows": rows, "manifest_sha256": f"of seed {seed}",
            "counts": {part: dict(zip(class_names, numbers, strict=True))
                       for part, numbers in counts.items()},
        },
    )  # fmt: skip


class MadeStudy:
    """A work folder whose fits, generators and pools are made at once, and are kept a list of."""

    def __init__(self, path, patch, **options):
        self.folder, self.options = WorkFolder(path), options
        self.fits, self.together, self.pools = [], [], []
        self.seen = made_data().manifest
        for name in ("fit_arm", "run_together", "study_pool"):
            patch.setattr(module, name, getattr(self, f"_{name}"))
        patch.setattr(module, "Training", lambda opened, prepared, name: (opened, name))

    def cell(self, prepared=None, split=0, size=0, **options):
        defaults = {"arms": ARMS, "endpoint_arm": "gan", "ratios": (0.5, 1.0), "seeds": (0, 1),
                    "train_sizes": (size,), "endpoint_size": size}  # fmt: skip
        chosen = defaults | self.options | options
        self.settings = small_settings(**{f"classify__{name}": chosen[name] for name in chosen})
        opened = SimpleNamespace(folder=self.folder, settings=self.settings)
        return Cell(opened, prepared or made_data(), split, size)

    def complete(self, *given, **options):
        """Completes a cell, and returns the arms that were fitted for it."""
        self.fits.clear()
        self.cell(*given, **options).complete()
        return [name for name, *_ in self.fits]

    def generated(self):
        """Returns the arms with generated images that were fitted, and these images."""
        return [(name, synthetic) for name, _, synthetic, *_ in self.fits if synthetic]

    def _fit_arm(self, name, parts, synthetic, budget, seed):
        self.fits.append((name, parts, synthetic, budget, seed))
        classes = len(budget.spec.class_names)
        said = lambda part: np.full((len(budget.seeds), len(part.labels), classes), 1 / classes)  # noqa: E731
        tuned = {"optimizer_steps": 3, "learning_rate": 0.01}
        external = None if parts.external is None else said(parts.external)
        return Fitted(tuned, said(parts.validation), said(parts.test), external)

    def _run_together(self, trainings):
        self.together.append([opened.folder.path.name for opened, _ in trainings])
        for opened, name in trainings:
            assert name == f"generator {opened.folder.path.name}"
            write_json(opened.folder.config, opened.settings.to_dict())
            write_json(opened.folder.data_manifest, self.seen)

    def _study_pool(self, folder, train, counts, spec, seed):
        """Returns a pool whose images have as value their place among those of their class."""
        self.pools.append((folder.path.name, train, counts, spec, seed))
        labels = np.repeat(np.arange(len(counts)), counts)
        places = np.concatenate([np.arange(count) for count in counts])
        images = np.zeros((len(labels), 8, 8, 1), np.uint8) + places[:, None, None, None]
        # The later ones are the better.
        return Pool(
            Labelled(images.astype(np.uint8), labels),
            {"density": places},
            {"a": 0.5, "b": 1.0},
        )
