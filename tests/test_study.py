"""`python -m gaug_jax.study`: from images to a report that needs nothing else, and resumed."""

import html.parser
import json
import re
import subprocess

import numpy as np
import pytest
from support.commands import ROOT, TINY, TINY_FITS, command, environment, refused, run
from support.made_data import user_folder

from gaug_jax import data
from gaug_jax.downstream.arms import FLOOR
from gaug_jax.files import read_json_lines

SMALL = [
    *TINY_FITS,
    "--config.train.steps=4", "--config.train.sample_every=2", "--config.train.checkpoint_every=2",
    "--config.classify.arms=('real','gan','gan+classical')", "--config.classify.ratios=(1.0,)",
    "--config.classify.seeds=(0,)", "--config.classify.learning_rates=(0.01,)",
    "--config.embed.num_images=60", "--num=60", "--features=pixels",
]  # fmt: skip


class Page(html.parser.HTMLParser):
    """What a page holds: its tags with their attributes, and its text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.text = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def counted(patch):
    """Has calls of `data.load` and `data.prepare` counted; returns the counts, which go on."""
    calls = {"load": 0, "prepare": 0}
    for name in calls:
        function = getattr(data, name)

        def counting(*arguments, name=name, function=function):
            calls[name] += 1
            return function(*arguments)

        patch.setattr(data, name, counting)
    return calls


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    arguments = [
        *TINY, "--config.data.source=folder", "--config.model.labels=per_class",
        f"--config.data.path={user_folder(folder / 'images')}",
        "--config.data.allow_missing=True", *SMALL, f"--workdir={folder / 'W'}",
    ]  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        calls = counted(patch)
        result = run("study", *arguments)
    assert result.returncode == 0, result.stderr
    assert calls == {"load": 1, "prepare": 1}
    assert result.stdout.rstrip().endswith(f"the report: {folder / 'W' / 'report.html'}")
    return folder / "W", arguments


def test_the_generator_of_all_images_is_not_trained_twice(study):
    copy = study[0] / "generators" / "0-all-0"
    assert (copy / "metrics.jsonl").read_bytes() == (study[0] / "metrics.jsonl").read_bytes()
    assert not (copy / "generators").exists()


@pytest.mark.parametrize(
    "mistake, message",
    [
        ("--config.classify.endpoint=auroc2", "config.classify.endpoint='auroc2'"),
        ("--config.classify.filters=('nonne',)", "config.classify.filters"),
        ("--config.classify.positive_class=up", "positive_class"),
        ("--features=foo", "foo"),
        ("--num=1", "--num"),
    ],
)
def test_mistakes_of_later_stages_are_found_before_the_first(tmp_path, mistake, message):
    arguments = [*TINY, "--config.data.source=digits", *SMALL, mistake]
    assert message in refused("study", *arguments, f"--workdir={tmp_path / 'W'}")
    assert not (tmp_path / "W").exists()


def test_the_page_needs_no_other_file_and_no_other_host(study):
    text = (study[0] / "report.html").read_text()
    page = Page(text)
    for name in ("src", "href", "action", "data"):
        for attributes in (found for _, found in page.tags):
            address = attributes.get(name) or ""
            assert address.startswith(("data:", "#")) or not address, address
    assert not re.search(r"url\((?!\$)|@import|fetch\(|XMLHttpRequest", text)
    assert "default-src 'none'" in text


def test_the_page_can_be_read_by_everyone(study):
    page = Page((study[0] / "report.html").read_text())
    assert page.all("html")[0]["lang"] == "en" and page.all("meta")
    pictures = [attributes for attributes in page.all("img") if "hidden" not in attributes]
    assert len(pictures) >= 8
    assert all(attributes["alt"] for attributes in pictures)
    assert all(attributes["src"].startswith("data:image/") for attributes in pictures)
    assert {attributes["scope"] for attributes in page.all("th")} == {"row", "col"}


def test_the_page_says_what_must_be_known(study):
    words = " ".join(Page((study[0] / "report.html").read_text()).text)
    summary = json.loads((study[0] / "downstream" / "summary.json").read_text())
    # Its classifiers make four steps: they may be at chance, which this study goes on from.
    below = summary["cannot_answer"] is not None
    assert ("Cannot answer" in words) == below
    assert below or "Cannot be told" in words or "Helps" in words or "Hurts" in words
    assert "left/01.png" in words and "not readable" in words
    assert "were not known, so images were split one by one" in words
    assert "gan+classical" in words and "nothing here is for diagnosis" in words
    manifest = json.loads((study[0] / "data_manifest.json").read_text())
    assert manifest["manifest_sha256"] in words
    assert "python -m gaug_jax.study" in words


def test_the_page_names_the_commit(study):
    git = ["git", "-C", str(ROOT), "rev-parse", "HEAD"]
    found = subprocess.run(git, capture_output=True, text=True, check=False)
    if found.returncode != 0:
        pytest.skip("this is no checkout")
    assert found.stdout.strip() in (study[0] / "report.html").read_text()


def test_the_scatter_has_a_place_and_an_image_for_every_point(study):
    text = (study[0] / "report.html").read_text()
    data = json.loads(re.search(r'<script type="application/json">(.*?)</script>', text)[1])
    count = len(data["origins"])
    assert set(data["planes"]) == {"PCA", "t-SNE", "UMAP"}
    assert all(len(places) == count for places in data["planes"].values())
    assert len(data["labels"]) == count and set(data["origins"]) == {0, 1, 2}


def test_a_second_call_makes_no_stage_again(study):
    folder, arguments = study
    kept = [folder / name for name in ("metrics.jsonl", "synthetic/images.npz",
                                       "embedding/umap.npz", "downstream/runs.jsonl")]  # fmt: skip
    before = [path.stat().st_mtime_ns for path in kept]
    again = run("study", *arguments)
    assert again.returncode == 0, again.stderr
    assert again.stdout.count("nothing to do") >= 5
    assert [path.stat().st_mtime_ns for path in kept] == before


def test_arms_and_stages_stand_in_their_order_after_a_second_call(study):
    text = (study[0] / "report.html").read_text()
    rows = re.findall(r'<th scope="row">([^<]+)</th>', text)
    arms = [name for name in rows if name in ("real", "gan", "gan+classical", *FLOOR)]
    assert arms[:5] == ["real", "gan", "gan+classical", *FLOOR]
    stages = ["floor", "train", "synthesize", "evaluate", "embed", "audit", "classify"]
    assert [name for name in rows if name in stages] == stages


@pytest.mark.slow
def test_a_study_that_is_killed_again_and_again_ends_as_one_that_was_not(study, tmp_path):
    folder, arguments = study
    again = [*arguments[:-1], f"--workdir={tmp_path / 'W'}"]
    generator = np.random.default_rng(0)
    for _ in range(8):
        process = subprocess.Popen(
            command("study", *again), cwd=ROOT, env=environment(4),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            process.wait(generator.uniform(5, 25))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    finished = run("study", *again)
    assert finished.returncode == 0, finished.stderr
    summaries = [
        json.loads((place / "downstream" / "summary.json").read_text())
        for place in (folder, tmp_path / "W")
    ]
    assert summaries[0] == summaries[1]
    rows = (tmp_path / "W" / "evaluation" / "metrics.jsonl").read_text().splitlines()
    assert len(rows) == 1


def test_another_downstream_option_makes_only_that_again(study):
    folder, arguments = study
    kept = [folder / name for name in ("metrics.jsonl", "embedding/umap.npz")]
    generators = folder / "generators"
    kept += sorted(generators.rglob("metrics.jsonl"))
    before = [path.stat().st_mtime_ns for path in kept]
    again = run("study", *arguments, "--config.classify.steps=6")
    assert again.returncode == 0, again.stderr
    assert "config.classify.steps=4, not 6" in again.stdout
    assert [path.stat().st_mtime_ns for path in kept] == before
    rows = read_json_lines(folder / "downstream" / "runs.jsonl")
    steps = {row["arm"]: row["optimizer_steps"] for row in rows}
    assert steps == {"real": 6, "gan": 6, "gan+classical": 6, **dict.fromkeys(FLOOR)}
    assert (folder / "downstream_before_1" / "runs.jsonl").exists()


def images_of(pool):
    with np.load(pool) as arrays:
        return arrays["images"]


def test_more_steps_make_the_downstream_stage_again(study):
    # The report would else show one generator and judge another.
    folder, arguments = study
    pools = sorted((folder / "generators").rglob("pool.npz"))
    before = [images_of(pool) for pool in pools]
    again = run("study", *arguments, "--config.classify.steps=6", "--config.train.steps=6")
    assert again.returncode == 0, again.stderr
    assert "config.train.steps=4, not 6" in again.stdout
    for metrics in [folder / "metrics.jsonl", *(folder / "generators").rglob("metrics.jsonl")]:
        assert json.loads(metrics.read_text().splitlines()[-1])["step"] == 6
    for pool, images in zip(pools, before, strict=True):
        assert (images_of(pool) != images).any()
    assert "60 generated images of step 6 against" in (folder / "report.html").read_text()


def test_classify_alone_refuses_other_options(study):
    arguments = [each for each in study[1] if not each.startswith(("--num", "--features"))]
    line = refused("classify", *arguments, "--config.classify.steps=8")
    assert "config.classify.steps=" in line and "not 8" in line


def test_a_study_below_its_floor_trains_no_generator_and_says_why(study, tmp_path):
    folder = tmp_path / "W"
    # Classifiers that learn nothing.
    flags = [*study[1][:-1], "--config.classify.ignore_floor=False",
             "--config.classify.learning_rates=(1e-9,)", f"--workdir={folder}"]  # fmt: skip
    result = run("study", *flags)
    assert result.returncode == 0, result.stderr
    assert "stage 2" not in result.stdout and "ignore_floor=True goes on" in result.stdout
    assert not (folder / "generators").exists() and not (folder / "metrics.jsonl").exists()
    rows = read_json_lines(folder / "downstream" / "runs.jsonl")
    assert [row["arm"] for row in rows] == ["real", *FLOOR]
    words = " ".join(Page((folder / "report.html").read_text()).text)
    assert "Cannot answer" in words and "No generator was trained" in words
    assert "Does it help?" in words
    for left_out in ("Real and generated images", "Training", "Fidelity", "Where they lie"):
        assert left_out not in words


def test_a_study_of_another_size_prepares_its_data_once_more_and_reads_it_once(tmp_path):
    # As the demo: the generator that is shown sees all images, the downstream study 60 of them.
    flags = [*TINY, *SMALL, "--config.classify.train_sizes=(60,)",
             "--config.classify.endpoint_size=60", "--config.classify.arms=('real','gan')",
             "--config.classify.endpoint_arm=gan"]  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        calls = counted(patch)
        result = run("study", *flags, f"--workdir={tmp_path / 'W'}")
    assert result.returncode == 0, result.stderr
    assert calls == {"load": 1, "prepare": 2}
