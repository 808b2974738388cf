"""BanglaLekha-Isolated as a TFDS data set."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import tensorflow_datasets as tfds

from gaug_jax.data.publishers import banglalekha_isolated as publisher
from gaug_jax.data.record import Record
from gaug_jax.data.tfds.examples import example_of, features


class BanglalekhaIsolated(tfds.core.GeneratorBasedBuilder):
    """84 handwritten Bangla characters, with the form as the group."""

    VERSION = tfds.core.Version(publisher.VERSION)
    RELEASE_NOTES = {publisher.VERSION: "Version 2 of the publisher's archive."}
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        f"Download {publisher.ARCHIVE} from {publisher.HOMEPAGE} into the manual folder."
    )

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self,
            description=publisher.DESCRIPTION,
            features=features(publisher.CLASSES, publisher.METADATA),
            supervised_keys=("image", "label"),
            homepage=publisher.HOMEPAGE,
            citation=publisher.CITATION,
            license=publisher.LICENCE,
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        archive = Path(dl_manager.extract(dl_manager.manual_dir / publisher.ARCHIVE))
        folders = [path for path in archive.rglob("Images") if path.is_dir()]
        root = min(folders, key=lambda path: len(path.parts)).parent if folders else archive
        records, _ = publisher.characters(root)
        return {"train": self._generate_examples(records)}

    def _generate_examples(self, records: Sequence[Record]) -> Iterator[tuple[str, dict]]:
        for record in records:
            yield record.name, example_of(record, publisher.METADATA)
