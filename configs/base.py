"""Every field of the config, with its meaning and default. The other files are deltas.

A field left unset (a placeholder) follows what its comment says; an explicit value wins.
"""

from ml_collections import ConfigDict, config_dict


def data() -> ConfigDict:
    """Which images, how they are brought to one size, and how they are split."""
    section = ConfigDict()
    # digits, covid_chestxray, banglalekha_isolated, cmaterdb, folder, npz or tfds:<name>.
    section.source = "digits"
    # A copy on disk (a folder; for npz a file). Unset: the source's own download.
    section.path = config_dict.placeholder(str)
    # Height and width of the square images, 4*2^n.
    section.image_size = 64
    # 1 (luminance) or 3 (RGB).
    section.channels = 1
    # How a picture becomes square: stretch (the paper's) or pad with black.
    section.resize = "stretch"
    # Which label set of the source (covid_chestxray: covid, finding). Unset: its first.
    section.label = config_dict.placeholder(str)
    # Where an image's group (patient, writer) is written: a pattern with a named group
    # (?P<group>...) for file names (folder), or an array's or feature's name (npz, tfds).
    section.group = config_dict.placeholder(str)
    # banglalekha_isolated: the pattern that reads a file name. Unset: the publisher's scheme.
    section.filename_pattern = config_dict.placeholder(str)
    # Go on without pictures that are absent or cannot be read (they are listed).
    section.allow_missing = False
    # Classes with fewer images are dropped, or merged into one class `other`.
    section.min_class_size = 0
    section.small_classes = "drop"
    # Keep the publisher's own test part, where there is one, as the test part.
    section.official_test = True
    # Folds by group, stratified by class; fold `fold` is the test part. 0: one split by
    # test_fraction. With an official test part the folds rotate the validation part.
    section.num_folds = 5
    section.fold = 0
    section.test_fraction = 0.2
    # Share of what is not test that becomes the validation part.
    section.validation_fraction = 0.1
    # Seed of the split alone, so that generators of several seeds share one split.
    section.split_seed = 0
    # Images kept in the training part (the scarce-data regime). Unset: all of them.
    section.train_size = config_dict.placeholder(int)
    # Whether train_size counts images of each class, or of all classes together.
    section.train_size_per_class = False
    # Licences of the images that are used, separated by commas, or `derivatives` for all that
    # do not forbid them. Unset: all. Images without a licence of their own: `none named`.
    section.licenses = config_dict.placeholder(str)
    # Where preprocessed images are kept. Unset: gaug_jax in the per-user cache folder.
    section.cache_path = config_dict.placeholder(str)
    return section


def model() -> ConfigDict:
    """The two networks."""
    section = ConfigDict()
    # Channels of the discriminator's first layer; every other layer is a multiple of it.
    section.width = 64
    # Length of the generator's input, drawn from a standard normal distribution.
    section.latent_dim = 100
    # none, per_class (a GAN for each class, trained together) or conditional.
    section.labels = "none"
    # How the generator doubles height and width: transposed (convolutions), or nearest
    # (neighbours, then a 3x3 convolution: no checkerboards).
    section.upsampling = "transposed"
    # Residual blocks in place of the hidden layers that resample, in both networks.
    section.residual = False
    # Self-attention at half the image's height (32x32 at 64x64), in both networks.
    section.attention = False
    # Channels of the first layer of the classifier that objective.classifier_weight trains.
    section.classifier_width = 32
    return section


def objective() -> ConfigDict:
    """What the two networks play for."""
    section = ConfigDict()
    # minimax, spectral_norm, spectral_norm_gp or wgan_gp: the values of the unset fields here
    # and of train.learning_rate, train.beta1 and train.beta2 (gaug_jax/objectives/presets.py).
    section.preset = "minimax"
    # minimax (non-saturating), minimax_literal, wasserstein or hinge.
    section.loss = config_dict.placeholder(str)
    # Weight of the penalty on gradient norms away from 1, between real and generated images.
    section.gradient_penalty = config_dict.placeholder(float)
    # Weight of the penalty on squared gradient norms at real images.
    section.r1 = config_dict.placeholder(float)
    # Discriminator updates between those with r1, whose weight is then so many times larger.
    section.r1_every = 1
    # Weight of LeCam's penalty: scores of real images near the mean score of generated ones,
    # and the other way round (0.3 to 0.0001 in its paper).
    section.lecam = 0.0
    # By how much the target of real images is below 1 (minimax losses; 0.1 in its paper).
    section.label_smoothing = 0.0
    # Train a classifier of the real images beside the generator, and by this weight of the
    # generated ones that it is sure of (EC-GAN; 0.1 in its paper). 0: none.
    section.classifier_weight = 0.0
    # Divide each discriminator kernel by its largest singular value.
    section.spectral_norm = config_dict.placeholder(bool)
    # batch, group or none.
    section.discriminator_norm = config_dict.placeholder(str)
    # Discriminator updates before each generator update.
    section.critic_steps = config_dict.placeholder(int)
    # Train the discriminator with differential privacy (DP-SGD): train.batch_size is then the
    # mean size of batches that are drawn anew for every update, and batch norm becomes group norm.
    section.private = False
    # Standard deviation of the noise, as a multiple of clip_norm.
    section.noise_multiplier = 1.0
    # Largest norm of one image's gradient.
    section.clip_norm = 1.0
    # The privacy budget: training ends before epsilon would pass it, at delta = 1 / images.
    section.epsilon = 10.0
    return section


def train() -> ConfigDict:
    """The run."""
    section = ConfigDict()
    # Passes of the discriminators over the training part; all generators of per_class together.
    section.epochs = 300
    # Generator updates instead of epochs.
    section.steps = config_dict.placeholder(int)
    # Images of one discriminator update, over all devices (per_class: of each class's).
    section.batch_size = 32
    # Adam, both networks. Unset: the preset's.
    section.learning_rate = config_dict.placeholder(float)
    # The discriminator's own. Unset: the same.
    section.discriminator_learning_rate = config_dict.placeholder(float)
    section.beta1 = config_dict.placeholder(float)
    section.beta2 = config_dict.placeholder(float)
    # Adam's, of the classifier that objective.classifier_weight trains.
    section.classifier_learning_rate = 1e-3
    # Steps at each resolution, from 8x8 on; in the first half of them the new one is faded in
    # (progressive growing). 0: the full resolution from the start.
    section.growing_steps = 0
    # Images after which the moving average of the generator has forgotten half (0: no average);
    # and how fast that grows at the start, as a share of the images seen.
    section.ema_half_life = 10_000
    section.ema_ramp_up = 0.05
    # float32, or bfloat16 for activations (parameters and losses stay float32).
    section.precision = "float32"
    # per_class: generators computed at once; the others wait for their turn. 0: all.
    section.classes_at_once = 0
    # A training set above this many megabytes streams from the host.
    section.resident_megabytes = 2_000
    # Steps between rows of metrics.jsonl, pictures of samples, and checkpoints.
    section.log_every = 20
    section.sample_every = 500
    section.checkpoint_every = 500
    # Checkpoints kept: the latest so many, and the best so many by the validation score.
    section.keep_last = 3
    section.keep_best = 1
    # stop, or rollback: back to the last good checkpoint with a new key, at most so many times.
    section.on_divergence = "stop"
    section.max_rollbacks = 3
    # A loss whose size passes this has diverged.
    section.divergence_limit = 1e6
    # Scores (evaluate.every) without a better kid_mean, after which training ends. 0: never.
    section.patience = 0
    return section


def augment() -> ConfigDict:
    """What is done to real and generated images before the discriminator sees them."""
    section = ConfigDict()
    # none, or some of brightness,contrast,translation,cutout (differentiable augmentation).
    section.policy = "none"
    # Of each transform of each image; where it is adaptive, the largest.
    section.probability = 1.0
    # Let the probability rise from 0 where the mean sign of the discriminator's scores of real
    # images is above the target (it knows them by heart), and fall where it is below; in so many
    # images it would go from 0 to 1 (its paper, for runs of 25 million: 500,000).
    section.adaptive = False
    section.target = 0.6
    section.adaptation_images = 50_000.0
    return section


def evaluate() -> ConfigDict:
    """How generators are measured, by gaug_jax.evaluate and while they train."""
    section = ConfigDict()
    # inception, classifier (fitted to the real training part), classifier:PATH, pixels, or a
    # function of yours as package.module.function.
    section.features = "inception"
    # For inception: tf1 (as torch-fidelity), torch (pytorch-fid) or clean (clean-fid).
    section.resize = "tf1"
    # Steps between scores while training (KID, precision and recall against the validation
    # part; the best checkpoints by KID are kept). 0: none.
    section.every = 0
    # Their features: classifier, or pixels (as one class alone has).
    section.training_features = "classifier"
    return section


def embed() -> ConfigDict:
    """Real and generated images in a plane."""
    section = ConfigDict()
    # Of t-SNE: about how many neighbours count. A third of the images at most.
    section.perplexity = 30.0
    # Images of each origin (training part, test part, generated) at most.
    section.num_images = 1000
    return section


def classify() -> ConfigDict:
    """The downstream study: what its arms are trained on, and what is compared."""
    section = ConfigDict()
    # Arms (gaug_jax/downstream/arms.py); those with generated images train their generators.
    section.arms = ("real", "classical", "mixup", "cutout", "cutmix", "augmix", "oversample",
                    "gan", "gan+classical", "pretrain", "synthetic_only", "gan_shuffled",
                    "pseudo_label")  # fmt: skip
    # Training sizes, each a data.train_size (0: all), and splits, each a data.fold.
    section.train_sizes = (0,)
    section.splits = (0,)
    # Generated images as a multiple of the real ones, and filters of generated images (none,
    # discriminator, agreement, density, copies) with the share that they keep. Arms other than
    # gan and gan+classical take the reference ratio and no filter.
    section.ratios = (0.5, 1.0, 2.0)
    section.reference_ratio = 1.0
    section.filters = ("none",)
    section.filter_keep = 0.5
    # Seeds of the generators, and of the classifiers of each.
    section.generator_seeds = (0,)
    section.seeds = (0, 1, 2)
    # The classifier: cnn or resnet, features of its first layer, and the same steps for all.
    section.architecture = "cnn"
    section.width = 32
    section.steps = 600
    section.batch_size = 64
    section.weight_decay = 1e-2
    # The grid that every arm is tuned on, by the validation part.
    section.learning_rates = (1e-2, 3e-2)
    # Whether the classical arms mirror images; weights of rare classes; weight of pseudo-labels.
    section.flip = False
    section.balanced = False
    section.pseudo_label_weight = 0.1
    # Named in advance: the figure, the training size and the arm that answers the question,
    # against the best arm without a GAN.
    section.endpoint = "accuracy"
    section.endpoint_size = 0
    section.endpoint_arm = "gan+classical"
    # Of two classes, the one that sensitivity is of. Unset: the second.
    section.positive_class = config_dict.placeholder(str)
    # A second test set: a folder of classes or an .npz file, with the same class names.
    section.external = config_dict.placeholder(str)
    # A field of the data's metadata that may give the class away (view, location); its own
    # figure is reported beside the arms'.
    section.shortcut = config_dict.placeholder(str)
    # What the paper reports, as (arm, figure, value).
    section.paper = ()
    return section


def get_config() -> ConfigDict:
    """All sections at their defaults."""
    config = ConfigDict()
    # Seed of the generator's training; the split has its own (data.split_seed).
    config.seed = 0
    config.data = data()
    config.model = model()
    config.objective = objective()
    config.train = train()
    config.augment = augment()
    config.evaluate = evaluate()
    config.embed = embed()
    config.classify = classify()
    return config
