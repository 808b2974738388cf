"""The COVID-19 Image Data Collection as a TFDS data set."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import tensorflow_datasets as tfds

from gaug_jax.data.publishers import covid_chestxray as publisher
from gaug_jax.data.record import Record
from gaug_jax.data.tfds.examples import example_of, features


class CovidChestxray(tfds.core.GeneratorBasedBuilder):
    """Frontal chest films with `covid` labels; findings are in the metadata.

    The names of films that the table lists and the archive lacks are in
    `info.metadata["missing"]`.
    """

    VERSION = tfds.core.Version(publisher.VERSION)
    RELEASE_NOTES = {publisher.VERSION: "Frontal films (PA, AP, AP Supine)."}
    url = publisher.URL

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self,
            description=publisher.DESCRIPTION,
            features=features(publisher.COVID_CLASSES, publisher.METADATA),
            supervised_keys=("image", "label"),
            homepage=publisher.HOMEPAGE,
            citation=publisher.CITATION,
            license=publisher.LICENCE,
            metadata=tfds.core.MetadataDict(missing=[]),
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        archive = Path(dl_manager.download_and_extract(self.url))
        table = min(archive.rglob("metadata.csv"), key=lambda path: len(path.parts))
        records, missing = publisher.films(table.parent)
        self.info.metadata["missing"] = missing
        return {"train": self._generate_examples(records)}

    def _generate_examples(self, records: Sequence[Record]) -> Iterator[tuple[str, dict]]:
        for record in records:
            yield record.name, example_of(record, publisher.METADATA)
