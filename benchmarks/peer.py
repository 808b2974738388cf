"""The worker in PyTorch: the same networks, objectives, optimiser and sampling.

Written as its users would: channels-last, in-place activations, fused where PyTorch
fuses. The generated images of the last discriminator update serve the generator's, as
in the reference DCGAN. Random numbers are drawn in it, as they are in ours.
"""

import copy

import torch
from absl import app, flags
from torch import nn
from torch.nn import functional

from benchmarks import options, rounds

_COMPILE = flags.DEFINE_bool("compile", False, "Whether torch.compile compiles the networks.")
_LATENT_DIM = 100
_SAMPLING_BATCH = 256


def stages() -> int:
    """Returns how often the image is halved."""
    return (options.IMAGE_SIZE.value // 4).bit_length() - 1


def make_generator() -> nn.Module:
    """Returns the generator: latents [batch, 100, 1, 1] to images."""
    widths = [options.WIDTH.value * 2**stage for stage in reversed(range(stages()))]
    layers: list[nn.Module] = []
    features = _LATENT_DIM
    for index, width in enumerate(widths):
        stride, padding = (2, 1) if index else (1, 0)
        layers += [
            nn.ConvTranspose2d(features, width, 4, stride, padding, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
        ]
        features = width
    layers += [nn.ConvTranspose2d(features, options.CHANNELS.value, 4, 2, 1, bias=False), nn.Tanh()]
    return nn.Sequential(*layers)


def make_discriminator(batch_norm: bool) -> nn.Module:
    """Returns the discriminator: images to scores [batch]."""
    layers: list[nn.Module] = []
    features = options.CHANNELS.value
    for stage in range(stages()):
        width = options.WIDTH.value * 2**stage
        layers.append(nn.Conv2d(features, width, 4, 2, 1, bias=not batch_norm))
        layers += [nn.BatchNorm2d(width)] if batch_norm else []
        layers.append(nn.LeakyReLU(0.2, inplace=True))
        features = width
    return nn.Sequential(*layers, nn.Conv2d(features, 1, 4, bias=False), nn.Flatten(0))


def initialise(network: nn.Module) -> None:
    """Draws the parameters as DCGAN does."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(module.weight, 0.0, 0.02)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.02)


class Networks:
    """Both networks, the average of the generator, and what surrounds them."""

    def __init__(self) -> None:
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.minimax = options.OBJECTIVE.value == "minimax"
        self.generator = self._place(make_generator())
        self.discriminator = self._place(make_discriminator(self.minimax))
        self.average = copy.deepcopy(self.generator).requires_grad_(False)
        rate, betas = (2e-4, (0.5, 0.999)) if self.minimax else (1e-4, (0.0, 0.9))
        self.generator_adam = torch.optim.Adam(self.generator.parameters(), rate, betas)
        self.discriminator_adam = torch.optim.Adam(self.discriminator.parameters(), rate, betas)
        self.generate, self.score = self.generator, self.discriminator
        if _COMPILE.value:
            self.generate, self.score = torch.compile(self.generate), torch.compile(self.score)

    def _place(self, network: nn.Module) -> nn.Module:
        initialise(network)
        return network.to(self.device, memory_format=torch.channels_last)

    def latents(self, count: int) -> torch.Tensor:
        """Returns standard normal latents."""
        return torch.randn(count, _LATENT_DIM, 1, 1, device=self.device)

    def autocast(self) -> torch.autocast:
        """Returns the context of the precision."""
        enabled = options.PRECISION.value == "bfloat16"
        return torch.autocast(self.device, torch.bfloat16, enabled=enabled)


class Training:
    """One step: the discriminator's updates, then the generator's, then its average."""

    def __init__(self) -> None:
        self._networks = Networks()
        shape = (700, options.CHANNELS.value, options.IMAGE_SIZE.value, options.IMAGE_SIZE.value)
        images = torch.randint(0, 256, shape, dtype=torch.uint8)
        self._images = images.to(self._networks.device, memory_format=torch.channels_last)
        self._critic_steps = 1 if self._networks.minimax else 5

    def __call__(self, steps: int) -> None:
        """Makes so many steps."""
        for _ in range(steps):
            self._step()
        if self._networks.device == "cuda":
            torch.cuda.synchronize()

    def _real(self) -> torch.Tensor:
        """Returns a batch of real images in [-1, 1]."""
        indices = torch.randint(
            0, len(self._images), (options.BATCH.value,), device=self._images.device
        )
        return self._images[indices].float() / 127.5 - 1

    def _step(self) -> None:
        networks = self._networks
        for update in range(self._critic_steps):
            with networks.autocast(), torch.set_grad_enabled(update == self._critic_steps - 1):
                fake = networks.generate(networks.latents(options.BATCH.value))
            networks.discriminator_adam.zero_grad()
            self._discriminator_loss(self._real(), fake.detach()).backward()
            networks.discriminator_adam.step()
        networks.generator_adam.zero_grad()
        networks.discriminator.requires_grad_(False)
        with networks.autocast():
            scores = networks.score(fake).float()
        ones = torch.ones_like(scores)
        minimax = functional.binary_cross_entropy_with_logits
        (minimax(scores, ones) if networks.minimax else -scores.mean()).backward()
        networks.discriminator.requires_grad_(True)
        networks.generator_adam.step()
        pairs = list(networks.average.parameters()), list(networks.generator.parameters())
        torch._foreach_lerp_(*pairs, 0.01)

    def _discriminator_loss(self, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        networks = self._networks
        if networks.minimax:
            loss = functional.binary_cross_entropy_with_logits
            with networks.autocast():
                real_scores = networks.score(real).float()
                fake_scores = networks.score(fake).float()
            ones = torch.ones_like(real_scores)
            return loss(real_scores, ones) + loss(fake_scores, torch.zeros_like(ones))
        with networks.autocast():
            both = networks.score(torch.cat([real, fake])).float()
        real_scores, fake_scores = both.chunk(2)
        mixing = torch.rand(len(real), 1, 1, 1, device=real.device)
        between = (mixing * real + (1 - mixing) * fake).requires_grad_(True)
        with networks.autocast():
            score = networks.score(between).float().sum()
        (gradient,) = torch.autograd.grad(score, between, create_graph=True)
        penalty = ((gradient.flatten(1).norm(2, 1) - 1) ** 2).mean()
        return fake_scores.mean() - real_scores.mean() + 10 * penalty


class Sampling:
    """Images as uint8, and the discriminator's score of each, on the host."""

    def __init__(self) -> None:
        self._networks = Networks()
        self._networks.generator.eval()
        self._networks.discriminator.eval()

    @torch.inference_mode()
    def __call__(self, images: int) -> None:
        """Draws so many images."""
        networks = self._networks
        shape = (images, options.IMAGE_SIZE.value, options.IMAGE_SIZE.value, options.CHANNELS.value)
        drawn, scores = torch.empty(shape, dtype=torch.uint8), torch.empty(images)
        for first in range(0, images, _SAMPLING_BATCH):
            count = min(_SAMPLING_BATCH, images - first)
            with networks.autocast():
                fake = networks.generate(networks.latents(count))
            pixels = ((fake.float() + 1) * 127.5).round().to(torch.uint8)
            with networks.autocast():
                score = networks.score(pixels.float() / 127.5 - 1)
            drawn[first : first + count] = pixels.permute(0, 2, 3, 1)
            scores[first : first + count] = score.float()


def main(arguments: list[str]) -> None:
    """Serves the work that the flags name."""
    torch.set_num_threads(options.THREADS.value)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = True
    work = {"train": Training, "sample": Sampling}[options.WORK.value]()
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
    rounds.serve(work, {"torch": torch.__version__, "device": device})


if __name__ == "__main__":
    app.run(main)
