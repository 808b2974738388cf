"""GAN-based data augmentation where labelled images are scarce."""
