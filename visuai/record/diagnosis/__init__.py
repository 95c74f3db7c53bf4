"""What is wrong with a training run, told from its records: by rules, each with its source.

`visuai.record.diagnosis.diagnose.diagnose` reads a run and asks the rules of
`visuai.record.diagnosis.rules` in turn. It needs no torch, and the run may still be going on.
"""
