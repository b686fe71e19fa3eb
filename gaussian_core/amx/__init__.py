"""Convolutions and heads in bfloat16 by AMX, the matrix unit of Intel's processors since Sapphire Rapids."""
