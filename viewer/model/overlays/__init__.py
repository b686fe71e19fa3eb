"""The Gaussians that are marked over the picture: which, where, and how they are drawn."""
