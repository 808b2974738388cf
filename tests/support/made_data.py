"""Tiny data sets in the layouts of the sources, made of random pictures."""

import csv
import dataclasses

import numpy as np
from PIL import Image

from gaug_jax.settings import DataSettings


def data_settings(**fields) -> DataSettings:
    """Returns the defaults of config.data with 16x16 images, and the given fields."""
    return dataclasses.replace(DataSettings(image_size=16), **fields)


def random_picture(seed, shape=(20, 24)):
    """Returns uint8 noise: no two seeds give near duplicates."""
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def save(path, array):
    """Writes an array as a picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)
    return path


def make_folder(root, classes=("cat", "dog"), images=10):
    """Makes `<class>/<number>.png` with `images` pictures a class."""
    for number, name in enumerate(classes):
        for index in range(images):
            save(root / name / f"{index:02d}.png", random_picture(1000 * number + index))
    return root


COLUMNS = ["patientid", "sex", "finding", "view", "modality", "filename", "license"]


def make_films(root, patients=12, absent=("film5.png",)):
    """Makes the layout of covid_chestxray: two films a patient, and rows that do not count."""
    root.mkdir(parents=True, exist_ok=True)
    views = ["PA", "AP", "AP Supine"]
    findings = ["COVID-19", "Pneumonia/Viral/COVID-19", "COVID-19, ARDS", "SARS"]
    rows = [
        [
            index // 2,
            "F",
            findings[index // 2 % 4],
            views[index % 3],
            "X-ray",
            f"film{index}.png",
            "CC BY" if index % 2 else "",
        ]
        for index in range(2 * patients)
    ]
    rows += [
        [900, "M", "COVID-19", "L", "X-ray", "lateral.png", ""],
        [901, "M", "COVID-19", "Axial", "CT", "scan.png", ""],
    ]
    with open(root / "metadata.csv", "w", newline="", encoding="latin-1") as file:
        writer = csv.writer(file)
        writer.writerow([*COLUMNS, "clinical_notes"])
        # Not UTF-8, as some published notes are.
        writer.writerows([*row, "38 \xb0C"] for row in rows)
    for index, row in enumerate(rows):
        if row[5] not in absent:
            save(root / "images" / row[5], random_picture(index))
    return root


def make_characters(root, forms=6, classes=("1", "2", "10"), pictures="png"):
    """Makes the layout of banglalekha_isolated: a character of each class on every form."""
    for form in range(forms):
        for label in classes:
            name = f"01_0002_{form % 2}_{20 + form}_0916_{1000 + form}_{label}.{pictures}"
            picture = random_picture(10_000 + 100 * form + int(label), (18, 14))
            save(root / "Images" / label / name, picture)
    return root


def make_numerals(root, train, test):
    """Makes the two files of cmaterdb with so many numerals of noise."""
    root.mkdir(parents=True, exist_ok=True)
    for seed, (name, count) in enumerate((("training", train), ("testing", test))):
        images = random_picture(seed, (count, 32, 32, 3))
        np.savez(root / f"{name}-images.npz", images=images, labels=np.arange(count) % 10)
    return root


def user_folder(path):
    """Makes a user's own folder: two classes of mixed sizes and kinds, one picture broken."""
    random = np.random.default_rng(0)
    for index in range(60):
        folder = path / ("left" if index % 2 else "right")
        folder.mkdir(parents=True, exist_ok=True)
        size = (12 + index % 7, 10 + index % 5)
        pixels = random.integers(0, 200, size, np.uint8)
        pixels[:, : size[1] // 2] += 55 * (index % 2)
        picture = Image.fromarray(pixels)
        if index % 10 == 3:
            picture = Image.fromarray(pixels.astype(np.uint16) * 257)
        if index % 10 == 4:
            picture = picture.convert("P")
        picture.save(folder / f"{index:02d}.png")
    (path / "left" / "01.png").write_bytes(b"\x89PNG no picture")
    return path
