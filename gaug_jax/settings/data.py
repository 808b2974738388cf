"""The section `config.data`."""

import dataclasses

from gaug_jax.errors import UserError
from gaug_jax.settings.checks import at_least, check_image_size, fraction, one_of
from gaug_jax.settings.fields import field


@dataclasses.dataclass(frozen=True)
class DataSettings:
    """Which images, how they are brought to one size, and how they are split."""

    source: str = field(
        "digits",
        "digits, covid_chestxray, banglalekha_isolated, cmaterdb, folder, table, npz or "
        "tfds:<name>; or a published table of chest films: nih_chestxray14, chexpert, "
        "mimic_cxr_jpg, padchest, rsna_pneumonia, vindr_cxr, covidx or bimcv_covid19.",
    )
    path: str | None = field(
        None,
        "A copy on disk (a folder; for npz a file). Unset: the source's own download.",
        may_change=True,
    )
    image_size: int = field(64, "Height and width of the square images, 4*2^n.")
    channels: int = field(1, "1 (luminance) or 3 (RGB).")
    resize: str = field(
        "stretch", "How a picture becomes square: stretch (the paper's) or pad with black."
    )
    window: str = field(
        "own",
        "Which values of more than 8 bits become 0 to 255: own (a DICOM film's window; of other "
        "pictures full), full (0 to 65535; of DICOM all that can be stored), used (0 to what the "
        "set's number of bits can hold, 4095 of 12; a DICOM film's least to greatest) or "
        "percentiles (each picture's own 0.5% and 99.5%).",
    )
    pages: str = field(
        "first",
        "Of files with several pages, frames or slices: first (of a TIFF; DICOM and NIfTI have to "
        "have one), all, or a number from 0 (folder, table).",
    )
    decode_whole: bool = field(
        False,
        "Decode JPEG pictures at their whole size. False: at a half, a quarter or an eighth of it "
        "where that leaves 8 times image_size (not with crop or masks): the images differ by at "
        "most 1 of 255.",
        may_change=True,  # Work folders of before have whole ones; whose images differ is refused.
    )
    crop: float = field(
        1.0,
        "Share of height and width that is kept of each picture, its centre, before it is resized "
        "(0.7: the middle, where the lungs are on a frontal chest film).",
    )
    masks: str | None = field(
        None,
        "A folder with a mask for each picture, of the same name: what is dark there becomes "
        "black, and the picture is cut to the rest. Unset: no masks.",
    )
    label: str | None = field(
        None,
        "Which label set of the source (covid_chestxray: covid, finding), or of a table the "
        "finding of interest: a column of 1, 0, -1 and nothing, or one of the names in the column "
        "of labels. Unset: the source's first, or each label of a table.",
    )
    table: str | None = field(
        None,
        "A table of labels (CSV, TSV, JSON lines, each perhaps with .gz, or parquet) for source "
        "table; of a published table its main one, where it is not found in data.path by its name.",
        may_change=True,
    )
    file_column: str | None = field(
        None, "Its column of files. Unset: found by a usual name, as for the next three."
    )
    label_column: str | None = field(None, "Its column of labels, several of a row between `|`.")
    group_column: str | None = field(None, "Its column of patients or writers.")
    part_column: str | None = field(None, "Its column of published parts: train, val, test.")
    uncertain: str = field(
        "leave_out", "What -1 in a finding's column becomes: leave_out, positive or negative."
    )
    unmentioned: str = field(
        "leave_out", "What an empty value in a finding's column becomes: leave_out or negative."
    )
    group: str | None = field(
        None,
        "Where an image's group (patient, writer) is written: a pattern with a named group "
        "(?P<group>...) for file names (folder), or an array's or feature's name (npz, tfds).",
    )
    layout: str | None = field(
        None,
        "folder: what each folder above a picture is, from the top: class, group, part, * or a "
        "folder's own name, such as class/group or part/class. Unset: it is found, and two "
        "readings are refused.",
    )
    filename_pattern: str | None = field(
        None,
        "banglalekha_isolated: the pattern that reads a file name. Unset: the publisher's scheme.",
    )
    allow_missing: bool = field(
        False, "Go on without pictures that are absent or cannot be read (they are listed)."
    )
    min_class_size: int = field(
        0, "Classes with fewer images are small ones; data.small_classes says what becomes of them."
    )
    small_classes: str = field(
        "drop", "Small classes are left out (drop), or become one class `other` (merge)."
    )
    official_test: bool = field(
        True, "Keep the publisher's own test part, where there is one, as the test part."
    )
    num_folds: int = field(
        5,
        "Folds by group, stratified by class; fold `fold` is the test part. 0: one split by "
        "test_fraction. With an official test part the folds rotate the validation part.",
    )
    fold: int = field(0, "Number of the fold that is the test part, from 0.")
    test_fraction: float = field(0.2, "Share of all images that is the test part without folds.")
    validation_fraction: float = field(
        0.1, "Share of what is not test that becomes the validation part."
    )
    split_seed: int = field(
        0, "Seed of the split alone, so that generators of several seeds share one split."
    )
    train_size: int | None = field(
        None, "Images kept in the training part (the scarce-data regime). Unset: all of them."
    )
    train_size_per_class: bool = field(
        False, "Whether train_size counts images of each class, or of all classes together."
    )
    cache_path: str | None = field(
        None,
        "Where preprocessed images are kept. Unset: gaug_jax in the per-user cache folder.",
        may_change=True,
    )
    licenses: str | None = field(
        None,
        "Licences of the images that are used, separated by commas, or `derivatives` for all that "
        "do not forbid them. Unset: all. Images without a licence of their own: `none named`.",
    )

    def __post_init__(self) -> None:
        check_image_size(self.image_size)
        one_of("data.channels", self.channels, (1, 3))
        one_of("data.resize", self.resize, ("stretch", "pad"))
        one_of("data.window", self.window, ("own", "full", "used", "percentiles"))
        if not (self.pages in ("first", "all") or self.pages.isdecimal()):
            raise UserError(
                f"config.data.pages={self.pages!r} is no choice: give first, all or a page's "
                "number from 0"
            )
        if not 0 < self.crop <= 1:
            raise UserError(f"config.data.crop={self.crop} is no share: give above 0, up to 1")
        one_of("data.uncertain", self.uncertain, ("leave_out", "positive", "negative"))
        one_of("data.unmentioned", self.unmentioned, ("leave_out", "negative"))
        one_of("data.small_classes", self.small_classes, ("drop", "merge"))
        at_least("data.min_class_size", self.min_class_size, 0)
        fraction("data.test_fraction", self.test_fraction)
        fraction("data.validation_fraction", self.validation_fraction)
        if self.num_folds == 1 or self.num_folds < 0:
            raise UserError(
                f"config.data.num_folds={self.num_folds}: give 2 or more, or 0 for fractions"
            )
        if self.num_folds:
            one_of("data.fold", self.fold, range(self.num_folds))
        if self.train_size is not None:
            at_least("data.train_size", self.train_size, 1)
