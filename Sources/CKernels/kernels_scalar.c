// For any CPU.
#include "kernels.h"

#define VARIANT kernels_scalar
#define TILE_ROWS 1
#define TILE_TOKENS 1
#include "kernels.inc"
