"""The sections of a report, from what the stages wrote: plain data in, text and tables out."""

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from gaug_jax.reporting.downstream_table import (
    decisive_columns,
    external_columns,
    external_note,
    external_title,
    header_and_rows,
    interval,
    other_columns,
    pooling_note,
    seed_counts,
)
from gaug_jax.reporting.page import Picture, Scatter, Section, Table
from gaug_jax.reporting.terms import downstream_terms, fidelity_terms, privacy_terms
from gaug_jax.reporting.verdict import tested_units, training_images

_FIDELITY = (
    # Name in the row, as people call it, its floor in the row, better.
    ("kid_mean", "KID", None, "lower"),
    ("fid", "FID", None, "lower"),
    ("fid_at_floor_size", "FID at the floor's size", "fid_floor", "lower"),
    ("fid_infinity", "FID of infinitely many images", None, "lower"),
    ("frechet_coefficient", "Frechet coefficient", None, "higher"),
    ("inception_score_mean", "Inception score", None, "higher"),
    ("precision_k5", "precision (k=5)", None, "higher"),
    ("recall_k5", "recall (k=5)", None, "higher"),
    ("density_k5", "density (k=5)", None, "near 1"),
    ("coverage_k5", "coverage (k=5)", None, "higher"),
    ("ms_ssim_diversity", "MS-SSIM between generated images", None, "as real ones"),
    ("ssim_nearest_real", "SSIM to the nearest real image", None, "not near 1"),
    ("lpips_diversity", "LPIPS between generated images", None, "higher"),
)


def images_section(pictures: Sequence[Picture]) -> Section:
    """Returns the grids of real and generated images."""
    return Section("images", "Real and generated images", pictures=pictures)


def training_section(pictures: Sequence[Picture], last_row: Mapping[str, Any] | None) -> Section:
    """Returns how the generator trained."""
    paragraphs = []
    if last_row:
        paragraphs.append(
            f"{last_row['step']:,} steps, {last_row['epoch']:.0f} epochs. Scores of real and "
            "generated images that part show a discriminator that tells them apart, and with few "
            "images one that knows the real ones by heart."
        )
    return Section("training", "Training", paragraphs=paragraphs, pictures=pictures)


def fidelity_section(row: Mapping[str, Any] | None, workdir: str) -> Section:
    """Returns the measurements of the generated images.

    Args:
      row: the last of `evaluation/metrics.jsonl`; None where there is none.
      workdir: where they are.
    """
    if row is None:
        return Section("fidelity", "Fidelity", paragraphs=["Not measured."])
    notes = row.get("notes") or {}
    rows = []
    for name, title, floor, better in _FIDELITY:
        value = row.get(name)
        shown = "not computed: " + notes.get(name, "") if value is None else _figure(row, name)
        rows.append([title, shown, _number(row.get(floor)) if floor else "", better])
    paragraphs = [
        f"{row['num_fake']} generated images of step {row['step']:,} against the "
        f"{row['num_real']} of the {row['reference_split']} part, features: {row['features']}. "
        "Intervals are of 95%.",
    ]
    if row["num_real"] < 2048:
        paragraphs.append(
            "With fewer than 2,048 real images FID is biased upwards; look at KID first."
        )
    if row.get("official_lpips_weights") is None:
        paragraphs.append(
            "LPIPS needs weights (244 MB). To fetch them, before this report is made again: "
            f"python -m gaug_jax.evaluate --workdir={shlex.quote(workdir)} "
            f"--features={shlex.quote(row['features'])} --lpips"
        )
    header = ["figure", "value", "floor", "better"]
    tables = [Table("Fidelity", header, rows)]
    return Section("fidelity", "Fidelity", paragraphs, tables, terms=fidelity_terms(row))


def _figure(row: Mapping[str, Any], name: str) -> str:
    """Returns a figure with its interval, where it has one."""
    ends = [row.get(f"{name.removesuffix('_mean')}_{end}") for end in ("low", "high")]
    text = _number(row[name])
    if None not in ends:
        text += f" ({_number(ends[0])} to {_number(ends[1])})"
    return text


def _number(value: float | None) -> str:
    """Returns a number with four digits that count."""
    return "" if value is None else f"{value:.4g}"


def embedding_section(
    overlap: Mapping[str, Any], pictures: Sequence[Picture], scatter: Scatter | None
) -> Section:
    """Returns the embedding with its overlap."""
    rows = []
    for part in ("training", "test"):
        found = overlap[part]
        if found["two_sample_accuracy"] is None:
            rows.append([f"{part} part", f"not computed: {found['notes']}", ""])
            continue
        accuracy = {
            "value": found["two_sample_accuracy"],
            "low": found["two_sample_accuracy_low"],
            "high": found["two_sample_accuracy_high"],
        }
        rows.append([f"{part} part", f"{found['neighbour_mixing']:.2f}", interval(accuracy)])
    table = Table(
        "Overlap of generated images with real ones",
        ["with the", "neighbours of the other origin (1: as by chance)",
         "told apart by a classifier (0.5: not at all)"],
        rows,
    )  # fmt: skip
    share = sum(overlap["explained_variance"][:2])
    paragraphs = [
        f"Features: {overlap['made_with']['features']}. PCA's two components hold {share:.0%} of "
        "the variance; t-SNE and UMAP keep neighbours and not distances, so believe the numbers "
        "first.",
    ]
    return Section("embedding", "Where they lie", paragraphs, [table], pictures, scatter)


def downstream_section(
    summary: Mapping[str, Any], pictures: Sequence[Picture], manifest: Mapping[str, Any]
) -> Section:
    """Returns the classifiers' figures: tables for each training size, what decides first.

    Args:
      summary: `downstream/summary.json`.
      pictures: of the figures.
      manifest: `data_manifest.json`.
    """
    tables: list[Table] = []
    arms: dict[str, None] = {}
    columns: dict[str, None] = {}
    notes: dict[str, None] = {}
    for size, content in summary["sizes"].items():
        images = training_images(int(size), manifest)
        title = f"{images.capitalize()}; best arm without a GAN on validation: "
        title += str(content["best_without_gan"])
        decisive = Table(title, *header_and_rows(decisive_columns(content, summary)))
        others = header_and_rows(other_columns(content, summary))
        tables.append(decisive)
        tables.append(Table(f"Other figures, {images}", *others, folded=True))
        tables.extend(_agreement_table(content))
        outside = _external_table(content, summary, images)
        tables.extend(outside)
        arms |= dict.fromkeys(content["arms"])
        columns |= dict.fromkeys([*decisive.header, *others[0]])
        columns |= dict.fromkeys(name for table in outside for name in table.header)
        notes |= dict.fromkeys([pooling_note(content), external_note(content, summary)])
    seeds = seed_counts(summary)
    counts = "; ".join(f"{kind} seeds: {count}" for kind, count in seeds.items())
    several = " and ".join(f"{kind} seeds" for kind, count in seeds.items() if count > 1)
    paragraphs = [
        *filter(None, [_architecture(summary)]),
        f"{fits_words(summary)}, tuned by the same rule on the validation part"
        + (" (ec_gan's is trained with its generator, one for each)" if "ec_gan" in arms else "")
        + f". Splits: {_splits(summary, manifest)}; {counts}. Ratio and filter of an arm, and the "
        "best arm without a GAN, are chosen on validation. Intervals are of 95%: "
        f"{tested_units(manifest)} are resampled"
        + (f", and the spread of {several} is added." if several else "."),
        *filter(None, notes),
        "An arm is a choice of what classifiers are trained on:",
    ]
    terms = downstream_terms(list(arms), list(columns))
    return Section("downstream", "Does it help?", paragraphs, tables, pictures, terms=terms)


_KINDS = {
    "cnn": "a plain convolutional network",
    "resnet": "a small residual network",
    "pretrained": "EfficientNet-Lite0, fine-tuned from ImageNet's weights",
    "linear": "logistic regression on the frozen features of EfficientNet-Lite0 (ImageNet)",
    "linear_map": "logistic regression on the frozen features of EfficientNet-Lite0 (ImageNet) "
    "at a stride of 16, position by position",
    "pixels": "logistic regression on 50 principal components of the pixels",
}


def _architecture(summary: Mapping[str, Any]) -> str:
    """Returns how the classifier was chosen; nothing where the config names it."""
    found = summary.get("architecture")
    return f"The classifier: {found}." if found else ""


def fits_words(summary: Mapping[str, Any]) -> str:
    """Returns what every arm's classifiers are, in words.

    Args:
      summary: `downstream/summary.json`.
    """
    fits = summary["fits"]
    kinds = " or ".join(_KINDS[name] for name in fits["architectures"])
    steps = " or ".join(map(str, fits["optimizer_steps"]))
    words = f"Every arm's classifiers are {kinds}" + (f", of {steps} steps" if steps else "")
    if fits["balanced"]:
        words += ", with classes weighed by the inverse of their number"
    if fits["share_at_edge_of_grid"]:
        words += f" ({fits['share_at_edge_of_grid']:.0%} of the fits at the edge of their grid)"
    return words


def _splits(summary: Mapping[str, Any], manifest: Mapping[str, Any]) -> str:
    """Returns the number of splits, and of how many partitions where there are several."""
    splits = summary["splits"]
    partitions = len({split // (manifest["options"]["num_folds"] or 1) for split in splits})
    return f"{len(splits)}" + (f" of {partitions} partitions" if partitions > 1 else "")


def _agreement_table(content: Mapping[str, Any]) -> list[Table]:
    """Returns how far generated images are of the class that they were drawn for."""
    found = {arm: each.get("label_agreement") for arm, each in content["arms"].items()}
    rows = [[arm, f"{share:.1%}"] for arm, share in found.items() if share is not None]
    if not rows:
        return []
    title = "Generated images that a classifier of the training part takes for the wanted class"
    return [Table(title, ["arm", "mean over classes"], rows)]


def _external_table(
    content: Mapping[str, Any], summary: Mapping[str, Any], images: str
) -> list[Table]:
    """Returns what the arms reach on the external set; no table where there is none."""
    if "external" not in content:
        return []
    title = external_title(content["external"])
    shown = header_and_rows(external_columns(content, summary))
    return [Table(f"{title[0].upper()}{title[1:]}; {images}", *shown)]


def privacy_section(lines: Sequence[str], pictures: Sequence[Picture]) -> Section:
    """Returns the audit.

    Args:
      lines: what it found, as sentences.
      pictures: of the worst pairs.
    """
    title, terms = "Do they give patients away?", privacy_terms(lines)
    return Section("privacy", title, lines, pictures=pictures, terms=terms)


def run_section(
    command: str, facts: Mapping[str, str], times: Mapping[str, float], config: Mapping[str, Any]
) -> Section:
    """Returns what was run, so that it can be run again.

    Args:
      command: that made it.
      facts: versions, hashes, machine.
      times: seconds of each stage.
      config: all of it.
    """
    rows = [[name, value] for name, value in facts.items()]
    durations = [[stage, f"{seconds:,.0f} s"] for stage, seconds in times.items()]
    return Section(
        "run",
        "What was run",
        paragraphs=[f"The same again: {command}"],
        tables=[
            Table("Versions and hashes", ["what", "which"], rows),
            Table("Time of each stage (its longest call)", ["stage", "time"], durations),
        ],
        details=[("The whole config", json.dumps(config, indent=2, sort_keys=True))],
    )
