"""Training of the learned fields. README.md beside this file tells how the shipped weights were made.

- command, ablation_command: what is typed; asked: what may be asked for.
- loop: steps, checkpoints and going on (resuming, own_folder, distributed, muon). learners: of each architecture the
  network and its loss, and growing and symmetry, which say what it begins with and keeps to.
- batches: feeding draws them ahead. They are crops of pictures and pages (dataset, synthetic, dead_leaves), drawn ones
  (drawn_crops, fabric, pixel_art), made worse (degradation, camera, lossy_files), or a teacher's (teacher,
  orientations).
- losses: colour_loss of what is seen of the Gaussians (grid_rasterizer, grid_kernel; liif_samples), geometry_prior, and
  both compiled into one for the shipped design (cell_loss, cell_kernel, colour_loss_kernel).
- ablation: what each part is worth. blending: means of trained weights.
"""
