"""A field of Gaussians fitted to one picture by gradient descent: nothing is learned from other pictures.

from gaussian_core.fitting import Fit, FitOptions

fit = Fit(image, FitOptions(gaussians_per_pixel=0.5))
for progress in fit.run(seconds=60):
    print(progress.psnr)
fit.field().save("fitted.safetensors")
"""

from gaussian_core.fitting.fit import Fit, FitOptions, Progress

__all__ = ["Fit", "FitOptions", "Progress"]
