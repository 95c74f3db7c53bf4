"""What weights and gradients do throughout training: recorded, kept, and read back.

`visuai.record.visu.Visu` records a training loop; `visuai.record.run.open_run` reads what was
recorded, also while it is being written. Reading needs no torch.
"""
