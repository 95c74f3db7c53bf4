"""What Visuai costs, beside its peers. ``make bench`` runs it all and writes docs/benchmarks.md."""
