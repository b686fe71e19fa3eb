"""Convolutions of 3 x 3 in float32 on the CPU by Winograd's minimal filtering: a quarter of the multiplications."""
