"""What a topology says about its network: cost, memory, paths, repeats, differences."""
