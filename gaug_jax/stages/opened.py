"""A work folder with its settings, its data and its generators, each opened once and handed on."""

from typing import Any

from gaug_jax import data
from gaug_jax.errors import UserError
from gaug_jax.files import read_json
from gaug_jax.settings import DataSettings, Settings, check_same_run, read_settings
from gaug_jax.synthesis.drawing import TrainedGenerator, read_generator
from gaug_jax.training.checkpoints import Checkpoints
from gaug_jax.workfolder import WorkFolder


class Opened:
    """A work folder, perhaps one that is not made yet; nothing is written by opening it.

    Args:
      workdir: of the run.
      settings: of the run.

    Attributes:
      folder: its paths.
      settings: those of this call.

    Raises:
      UserError: the folder was made with settings that compute something else.
    """

    def __init__(self, workdir: str, settings: Settings) -> None:
        self.folder, self.settings = WorkFolder(workdir), settings
        if self.folder.config.exists():
            before = read_settings(read_json(self.folder.config), stored=True)
            check_same_run(before, settings, str(workdir), "classify")
        self._loaded: data.LoadedData | None = None
        self._prepared: dict[DataSettings, data.PreparedData] = {}
        self._generator: TrainedGenerator | None = None

    @property
    def prepared(self) -> data.PreparedData:
        """The data.

        Raises:
          UserError: it is not usable, or the folder was trained on other images.
        """
        prepared = self.prepared_with()
        check_same_data(self.folder, prepared.manifest)
        return prepared

    def prepared_with(self, **changes: Any) -> data.PreparedData:
        """Returns the data in another split or training size.

        Args:
          **changes: values of fields of `config.data` that say how it is split.

        Raises:
          UserError: it is not usable, or the parts asked for cannot be had.
        """
        settings = self.settings.of_data(**changes).data
        if settings not in self._prepared:
            if self._loaded is None:
                self._loaded = data.load(self.settings.data)
            self._prepared[settings] = data.prepare(settings, self._loaded)
        return self._prepared[settings]

    def generator(self, step: int | None = None) -> TrainedGenerator:
        """Returns the generator of a checkpoint: of the latest whole one, or of a step.

        Raises:
          UserError: there is no such checkpoint, or it is damaged.
        """
        wanted = [step] if step is not None else Checkpoints(self.folder.checkpoints).steps()[-1:]
        # By the step that it is of: where the latest is damaged an older one was read for it. One
        # at a time, so that a large network is not held twice.
        if self._generator is None or [self._generator.step] != wanted:
            self._generator = read_generator(self.folder, step)
        return self._generator


def open_trained(workdir: str, settings: Settings | None = None) -> Opened:
    """Opens the work folder of a run of training.

    Args:
      workdir: of the run.
      settings: of this call, such as where the data is now; None for the folder's own.

    Raises:
      UserError: there is no such folder, or it was made with other settings.
    """
    before = read_settings(read_json(WorkFolder(workdir).config), stored=True)
    return Opened(workdir, settings or before)


def check_same_data(folder: WorkFolder, manifest: dict[str, Any]) -> None:
    """Raises `UserError` where the work folder was trained on other images."""
    if folder.data_manifest.exists():
        before = read_json(folder.data_manifest)
        if before["manifest_sha256"] != manifest["manifest_sha256"]:
            before_it_was = "decode_whole" not in before["options"]
            older = " (or give --config.data.decode_whole=True, as it was then)" * before_it_was
            raise UserError(
                f"{folder.path} was trained on other images than config.data now gives: restore "
                f"the data{older}, or choose another --workdir"
            )
