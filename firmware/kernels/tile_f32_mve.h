/* Windows of four pixels or one over all output channels: in vectors, where those are exact, else as scalars. */
#ifndef HIL_KERNELS_TILE_F32_MVE_H
#define HIL_KERNELS_TILE_F32_MVE_H

#include "quad_f32_mve.h"

/* pixels: 4 or 1 */
void tile_f32_mve(quad_f32_mve_tile *tile, int32_t pixels);

#endif
