"""The authors' own checkpoints: LIIF (arXiv 2012.09161) and ContinuousSR (arXiv 2503.06617) as they published them."""
